/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values of a YAML tree as JSON. */
#include "profiles/value.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"

/* Length of a JSON number's integer part (RFC 8259, 6); 0: none. */
static size_t integer_length(const char *text)
{
    size_t sign = *text == '-';
    size_t digits = strspn(text + sign, DIGITS);
    if (!digits || (digits > 1 && text[sign] == '0'))
        return 0;
    return sign + digits;
}

/* Length of the fraction and exponent behind it. */
static size_t real_length(const char *text)
{
    size_t length = 0;
    if (text[0] == '.' && strspn(text + 1, DIGITS))
        length = 1 + strspn(text + 1, DIGITS);
    const char *exponent = text + length;
    if (*exponent == 'e' || *exponent == 'E') {
        size_t sign = exponent[1] == '-' || exponent[1] == '+';
        size_t digits = strspn(exponent + 1 + sign, DIGITS);
        length += digits ? 1 + sign + digits : 0;
    }
    return length;
}

/* A number, or NULL where it is none or too large for one. */
static json_t *number(const char *text)
{
    size_t whole = integer_length(text);
    if (!whole)
        return NULL;
    size_t rest = real_length(text + whole);
    if (text[whole + rest])
        return NULL;
    errno = 0;
    if (!rest) {
        long long value = strtoll(text, NULL, 10);
        return errno ? NULL : json_integer(value);
    }
    double value = strtod(text, NULL);
    return isfinite(value) ? json_real(value) : NULL;
}

json_t *rf_scalar_json(const rf_node *node)
{
    if (node->plain && !strcmp(node->text, "true"))
        return json_true();
    if (node->plain && !strcmp(node->text, "false"))
        return json_false();
    json_t *json = node->plain ? number(node->text) : NULL;
    return json ? json : json_string(node->text);
}

json_t *rf_node_json(const rf_node *node)
{
    if (node->kind == RF_NODE_TEXT)
        return rf_node_empty(node) ? json_null() : rf_scalar_json(node);
    json_t *json = node->kind == RF_NODE_LIST ? json_array() : json_object();
    for (size_t i = 0; i < node->count; i++) {
        json_t *child = rf_node_json(&node->children[i]);
        if (node->kind == RF_NODE_LIST)
            json_array_append_new(json, child);
        else
            json_object_set_new(json, node->children[i].key, child);
    }
    return json;
}
