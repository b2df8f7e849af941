/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"

#include "base/file.h"
#include "base/memory.h"

json_t *rf_json_load(const char *path, size_t max, rf_error **err)
{
    rf_autofree char *text = NULL;
    size_t size;
    if (rf_read_file(path, max, &text, &size, err) < 0)
        return NULL;
    json_error_t why;
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    if (!json)
        rf_fail(err, RF_FAILED, "%s:%d:%d: not JSON: %s", path, why.line, why.column, why.text);
    return json;
}

char *rf_json_text(const json_t *json)
{
    rf_autofree char *text = json_dumps(json, JSON_INDENT(2) | JSON_ENCODE_ANY);
    return rf_format("%s\n", text ? text : "null");
}

const char *rf_json_string(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

json_int_t rf_json_integer(const json_t *object, const char *key, json_int_t fallback)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}
