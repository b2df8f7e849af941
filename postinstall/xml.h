/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Documents for libvirt by libxml2: built node by node, so that every value is escaped, and compared by what they say.
 */
#pragma once

#include "base/error.h"

#include <libxml/tree.h>
#include <stdbool.h>

RF_GUARD(xmlDoc, xmlFreeDoc);
#define rf_autoxml RF_CLEANUP(rf_guard_xmlDoc)

/* A new document with this root element. The caller frees it (rf_autoxml). */
xmlDoc *rf_xml_new(const char *root);

/* Its root element; the document owns it. */
xmlNode *rf_xml_root(const xmlDoc *document);

/* Adds an element with attributes: name, value, …, NULL. An attribute whose value is NULL is left out. The document owns it. */
xmlNode *rf_xml_add_element(xmlNode *parent, const char *name, const char *const *attributes);

/* The same, written in one line: rf_xml_add(dhcp, "range", "start", first, "end", last, NULL). */
#define rf_xml_add(parent, name, ...) rf_xml_add_element((parent), (name), (const char *const[]){__VA_ARGS__})

/* Adds an element that holds text. */
xmlNode *rf_xml_add_text(xmlNode *parent, const char *name, const char *text);

/* The same with a formatted text. */
xmlNode *rf_xml_add_format(xmlNode *parent, const char *name, const char *format, ...) RF_PRINTF(3, 4);

/* Indented text without the XML declaration; the caller frees it. */
char *rf_xml_text(const xmlDoc *document);

/* One element of it on a line; the caller frees it. */
char *rf_xml_node_text(const xmlDoc *document, const xmlNode *node);

/* Parses without network and without entities from outside. `what` names the text in messages. */
xmlDoc *rf_xml_parse(const char *what, const char *text, rf_error **err);

/* The first child element of that name, or NULL. */
xmlNode *rf_xml_child(const xmlNode *parent, const char *name);

/* The value of an attribute, the caller frees it; NULL where it is absent. */
char *rf_xml_attribute(const xmlNode *node, const char *name);

/* Does `actual` say everything that `wanted` says? Every element, attribute and text of `wanted` is in `actual`; what
 * libvirt adds on its own (addresses, aliases) does not matter. */
bool rf_xml_contains(const xmlNode *actual, const xmlNode *wanted);

/* How many elements of that name the whole tree has. */
size_t rf_xml_count(const xmlNode *node, const char *name);
