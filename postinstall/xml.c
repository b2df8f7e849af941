/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libxml2, as much of it as libvirt's documents need. */
#include "postinstall/xml.h"

#include "base/memory.h"

#include <libxml/parser.h>
#include <stdarg.h>
#include <string.h>

#define TEXT_MAX (1U << 20) /* bytes: libvirt's own limit for a document (VIR_DOMAIN_XML… is 4 MiB), ours is smaller */

static const xmlChar *x(const char *text)
{
    return (const xmlChar *)text;
}

xmlDoc *rf_xml_new(const char *root)
{
    xmlDoc *document = xmlNewDoc(x("1.0"));
    xmlDocSetRootElement(document, xmlNewDocNode(document, NULL, x(root), NULL));
    return document;
}

xmlNode *rf_xml_root(const xmlDoc *document)
{
    return xmlDocGetRootElement((xmlDoc *)document);
}

xmlNode *rf_xml_add_element(xmlNode *parent, const char *name, const char *const *attributes)
{
    xmlNode *node = xmlNewChild(parent, NULL, x(name), NULL);
    for (; *attributes; attributes += 2)
        if (attributes[1])
            xmlNewProp(node, x(attributes[0]), x(attributes[1]));
    return node;
}

xmlNode *rf_xml_add_text(xmlNode *parent, const char *name, const char *text)
{
    return xmlNewTextChild(parent, NULL, x(name), x(text));
}

xmlNode *rf_xml_add_format(xmlNode *parent, const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    rf_autofree char *text = rf_format_list(format, args);
    va_end(args);
    return rf_xml_add_text(parent, name, text);
}

static char *dump(const xmlDoc *document, const xmlNode *node, int format)
{
    xmlBuffer *buffer = xmlBufferCreate();
    xmlNodeDump(buffer, (xmlDoc *)document, (xmlNode *)node, 0, format);
    char *text = rf_format("%s%s", (const char *)xmlBufferContent(buffer), format ? "\n" : "");
    xmlBufferFree(buffer);
    return text;
}

char *rf_xml_text(const xmlDoc *document)
{
    return dump(document, rf_xml_root(document), 1);
}

char *rf_xml_node_text(const xmlDoc *document, const xmlNode *node)
{
    return dump(document, node, 0);
}

xmlDoc *rf_xml_parse(const char *what, const char *text, rf_error **err)
{
    size_t size = strlen(text);
    xmlDoc *document = NULL;
    if (size <= TEXT_MAX)
        document =
            xmlReadMemory(text, (int)size, what, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (!document || !rf_xml_root(document)) {
        xmlFreeDoc(document);
        rf_fail(err, RF_FAILED, "%s: this is not XML that can be read", what);
        return NULL;
    }
    return document;
}

xmlNode *rf_xml_child(const xmlNode *parent, const char *name)
{
    for (xmlNode *child = parent ? parent->children : NULL; child; child = child->next)
        if (child->type == XML_ELEMENT_NODE && xmlStrEqual(child->name, x(name)))
            return child;
    return NULL;
}

char *rf_xml_attribute(const xmlNode *node, const char *name)
{
    return node ? (char *)xmlGetProp((xmlNode *)node, x(name)) : NULL;
}

static bool has_element_children(const xmlNode *node)
{
    for (const xmlNode *child = node->children; child; child = child->next)
        if (child->type == XML_ELEMENT_NODE)
            return true;
    return false;
}

static bool same_text(const xmlNode *actual, const xmlNode *wanted)
{
    if (has_element_children(wanted))
        return true;
    rf_autofree char *a = (char *)xmlNodeGetContent(actual), *w = (char *)xmlNodeGetContent(wanted);
    return !w || !*w || (a && strcmp(a, w) == 0);
}

static bool same_attributes(const xmlNode *actual, const xmlNode *wanted)
{
    for (const xmlAttr *attribute = wanted->properties; attribute; attribute = attribute->next) {
        rf_autofree char *a = rf_xml_attribute(actual, (const char *)attribute->name);
        rf_autofree char *w = rf_xml_attribute(wanted, (const char *)attribute->name);
        if (!a || strcmp(a, w) != 0)
            return false;
    }
    return true;
}

static bool some_child_contains(const xmlNode *actual, const xmlNode *wanted)
{
    for (const xmlNode *child = actual->children; child; child = child->next)
        if (child->type == XML_ELEMENT_NODE && rf_xml_contains(child, wanted))
            return true;
    return false;
}

bool rf_xml_contains(const xmlNode *actual, const xmlNode *wanted)
{
    if (!actual || !xmlStrEqual(actual->name, wanted->name) || !same_attributes(actual, wanted) ||
        !same_text(actual, wanted))
        return false;
    for (const xmlNode *child = wanted->children; child; child = child->next)
        if (child->type == XML_ELEMENT_NODE && !some_child_contains(actual, child))
            return false;
    return true;
}

size_t rf_xml_count(const xmlNode *node, const char *name)
{
    size_t count = 0;
    for (const xmlNode *child = node ? node->children : NULL; child; child = child->next)
        if (child->type == XML_ELEMENT_NODE)
            count += (size_t)xmlStrEqual(child->name, x(name)) + rf_xml_count(child, name);
    return count;
}
