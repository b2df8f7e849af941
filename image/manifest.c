/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/manifest.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

void rf_manifest_date(time_t date, char ret[21])
{
    struct tm time;
    gmtime_r(&date, &time);
    strftime(ret, 21, "%Y-%m-%dT%H:%M:%SZ", &time);
}

static json_t *payload_json(const struct rf_payload *payload)
{
    json_t *json = json_pack("{s:s,s:I}", "path", payload->path, "size", (json_int_t)payload->size);
    if (payload->unpacked)
        json_object_set_new(json, "unpacked", json_integer((json_int_t)payload->unpacked));
    if (payload->files)
        json_object_set_new(json, "files", json_integer((json_int_t)payload->files));
    json_object_set_new(json, "sha256", json_string(payload->sha256));
    json_object_set_new(json, "xxh3", json_string(payload->xxh3));
    return json;
}

/* "PACKAGE VERSION" lines to an object. */
static json_t *packages_json(const char *list)
{
    json_t *json = json_object();
    rf_autofree char *copy = rf_strdup(list);
    for (char *rest = copy, *line; (line = strsep(&rest, "\n"));) {
        char *version = strchr(line, ' ');
        if (!version)
            continue;
        *version++ = '\0';
        json_object_set_new(json, line, json_string(version));
    }
    return json;
}

json_t *rf_manifest_json(const struct rf_manifest *manifest)
{
    char date[21];
    rf_manifest_date(manifest->date, date);
    json_t *payloads = json_array(), *packages = json_object();
    for (size_t i = 0; i < manifest->payloads_count; i++)
        json_array_append_new(payloads, payload_json(&manifest->payloads[i]));
    for (size_t i = 0; i < manifest->packages_count; i++)
        json_object_set_new(packages, manifest->packages[i].of, packages_json(manifest->packages[i].list));
    return json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:O*,s:o}", "richtfest", RF_MANIFEST_FORMAT, "version",
                     manifest->version, "suite", manifest->suite, "kernel", manifest->kernel, "date", date, "sources",
                     manifest->sources, "archive", manifest->archive, "payloads", payloads, "artefacts",
                     manifest->artefacts, "packages", packages);
}

void rf_manifest_volume(const char *digest, time_t date, char ret_id[23], char ret_digits[17])
{
    unsigned long long number = 0;
    sscanf(digest, "%15llx", &number);
    struct tm time;
    gmtime_r(&date, &time);
    const unsigned parts[] = {12, 28, 24, 60, 60, 100};
    unsigned value[RF_COUNT(parts)];
    for (size_t i = 0; i < RF_COUNT(parts); i++) {
        value[i] = (unsigned)(number % parts[i]) + (i < 2);
        number /= parts[i];
    }
    const unsigned year = (unsigned)(time.tm_year + 1900) % 10000;
    snprintf(ret_id, 23, "%04u-%02u-%02u-%02u-%02u-%02u-%02u", year, value[0] % 100, value[1] % 100, value[2] % 100,
             value[3] % 100, value[4] % 100, value[5] % 100);
    snprintf(ret_digits, 17, "%04u%02u%02u%02u%02u%02u%02u", year, value[0] % 100, value[1] % 100, value[2] % 100,
             value[3] % 100, value[4] % 100, value[5] % 100);
}
