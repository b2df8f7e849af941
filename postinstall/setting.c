/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Types of settings. */
#include "postinstall/setting.h"

#include "base/guard.h"
#include "base/memory.h"

#include <ctype.h>
#include <string.h>

enum {
    LABEL_MAX = 63,   /* RFC 1035, 2.3.4 */
    NAME_MAX_ = 253,  /* RFC 1035, 2.3.4, without the root's dot and length bytes */
    NETBIOS_MAX = 15, /* MS-NBTE 2.2.1: 16 bytes, the last is the type */
    TEXT_MAX = 1024,
};

static int is_label(const char *text, size_t length)
{
    if (length == 0 || length > LABEL_MAX || text[0] == '-' || text[length - 1] == '-')
        return 0;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '-')
            return 0;
    return 1;
}

static int is_name(const char *text)
{
    size_t labels = 0;
    if (strlen(text) > NAME_MAX_)
        return 0;
    for (;; text++) {
        size_t length = strcspn(text, ".");
        if (!is_label(text, length))
            return 0;
        labels++;
        text += length;
        if (!*text)
            return labels >= 2;
    }
}

static const char *wrong_text(const json_t *value)
{
    const char *text = json_string_value(value);
    if (!text || !*text || strlen(text) > TEXT_MAX)
        return "is not a text of 1 to 1024 bytes";
    for (; *text; text++)
        if (iscntrl((unsigned char)*text))
            return "holds a control character";
    return NULL;
}

static const char *wrong_host(const json_t *value)
{
    const char *text = json_string_value(value);
    return text && is_name(text) ? NULL : "is not a full DNS name";
}

static const char *wrong_realm(const json_t *value)
{
    const char *text = json_string_value(value);
    if (!text || !is_name(text))
        return "is not a Kerberos realm";
    for (const char *c = text; *c; c++)
        if (islower((unsigned char)*c))
            return "must be in capital letters";
    if (strlen(text) > 6 && strcmp(text + strlen(text) - 6, ".LOCAL") == 0)
        return "ends in .LOCAL, which mDNS has taken (RFC 6762); use a sub-domain of the company's own domain, or "
               ".INTERNAL";
    return NULL;
}

static const char *wrong_netbios(const json_t *value)
{
    const char *text = json_string_value(value);
    if (!text || strlen(text) > NETBIOS_MAX || !is_label(text, strlen(text)))
        return "is not a NetBIOS name of 1 to 15 letters, digits and hyphens";
    return NULL;
}

static const char *wrong_integer(const json_t *value)
{
    return json_is_integer(value) ? NULL : "is not a whole number";
}

static const char *wrong_boolean(const json_t *value)
{
    return json_is_boolean(value) ? NULL : "is neither true nor false";
}

static const struct rf_setting_type types[] = {
    {"boolean", "true", wrong_boolean},         {"host", "cloud.firma.example", wrong_host},
    {"integer", "42", wrong_integer},           {"netbios", "FIRMA", wrong_netbios},
    {"realm", "AD.FIRMA.EXAMPLE", wrong_realm}, {"text", "some words", wrong_text},
};

const struct rf_setting_type *rf_setting_type(const char *name)
{
    for (size_t i = 0; i < RF_COUNT(types); i++)
        if (strcmp(types[i].name, name) == 0)
            return &types[i];
    return NULL;
}

char *rf_setting_type_names(void)
{
    char *text = NULL;
    for (size_t i = 0; i < RF_COUNT(types); i++)
        rf_append(&text, "%s%s", i ? ", " : "", types[i].name);
    return text;
}
