/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/region.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

#include <string.h>
#include <strings.h>

static const char magic[] = "RICHTFEST-REGION ";

enum {
    FORMAT_AT = sizeof(magic) - 1, /* "01 " */
    LENGTH_AT = FORMAT_AT + 3,     /* "00001234 " */
    DIGEST_AT = LENGTH_AT + 9,
    DIGEST_LENGTH = 32,
    NEWLINE_AT = RF_REGION_HEADER - 1,
};
_Static_assert(DIGEST_AT + DIGEST_LENGTH + 2 <= RF_REGION_HEADER, "the header's fields fit");

void rf_region_clear(struct rf_region *region)
{
    free(region->profile_url);
    rf_free_secret(region->profile);
    free(region->name);
    free(region->ca);
    *region = (struct rf_region){0};
}

/* NULL where the profile is no UTF-8 text. */
static json_t *source_of(const struct rf_region *region)
{
    if (region->profile_url)
        return json_pack("{s:i,s:s}", "format", RF_REGION_FORMAT, "profile_url", region->profile_url);
    if (region->profile)
        return json_pack("{s:i,s:s%,s:s?}", "format", RF_REGION_FORMAT, "profile", region->profile,
                         region->profile_size, "name", region->name);
    return json_pack("{s:i}", "format", RF_REGION_FORMAT);
}

static char *content_of(const struct rf_region *region, rf_error **err)
{
    if (!region->profile_url && !region->profile && !region->ca)
        return rf_strdup("");
    rf_autojson json_t *json = source_of(region);
    if (json && region->ca)
        json_object_set_new(json, "ca", json_string(region->ca));
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    if (!text)
        rf_fail(err, RF_USAGE, "the profile is no UTF-8 text");
    return text;
}

int rf_region_format(const struct rf_region *region, char **ret_bytes, rf_error **err)
{
    rf_autosecret char *content = content_of(region, err);
    if (!content)
        return -1;
    const size_t length = strlen(content), room = RF_REGION_SIZE - RF_REGION_HEADER;
    if (length > room)
        return rf_fail(err, RF_USAGE,
                       "the profile%s needs %zu bytes in the ISO, which has room for %zu; give its URL instead",
                       region->ca ? " with the CA" : "", length, room);
    char digest[RF_SHA256_HEX];
    rf_sha256(content, length, digest);
    char *bytes = rf_alloc(RF_REGION_SIZE);
    snprintf(bytes, RF_REGION_HEADER, "%s%02d %08zu %.*s", magic, RF_REGION_FORMAT, length, DIGEST_LENGTH, digest);
    size_t used = strlen(bytes);
    memset(bytes + used, ' ', NEWLINE_AT - used);
    bytes[NEWLINE_AT] = '\n';
    memcpy(bytes + RF_REGION_HEADER, content, length);
    *ret_bytes = bytes;
    return 0;
}

/* `width` decimal digits, or -1. */
static long digits(const char *text, size_t width)
{
    long value = 0;
    for (size_t i = 0; i < width; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

static int read_content(const char *content, size_t length, struct rf_region *ret_region, rf_error **err)
{
    rf_autojson json_t *json = json_loadb(content, length, JSON_REJECT_DUPLICATES, NULL);
    const char *url = json ? rf_json_string(json, "profile_url") : NULL, *ca = json ? rf_json_string(json, "ca") : NULL;
    const json_t *profile = json ? json_object_get(json, "profile") : NULL;
    if (!json || rf_json_integer(json, "format", 0) != RF_REGION_FORMAT || (!url && !json_is_string(profile) && !ca))
        return rf_fail(err, RF_BAD_PROFILE,
                       "what the medium was customised with can't be understood: "
                       "customise the ISO again with the program of its own version");
    *ret_region = (struct rf_region){
        .profile_url = rf_strdup(url), .name = rf_strdup(rf_json_string(json, "name")), .ca = rf_strdup(ca)};
    if (!url && json_is_string(profile)) {
        ret_region->profile_size = json_string_length(profile);
        ret_region->profile = rf_alloc(ret_region->profile_size + 1);
        memcpy(ret_region->profile, json_string_value(profile), ret_region->profile_size);
    }
    return 0;
}

int rf_region_parse(const char *bytes, size_t size, struct rf_region *ret_region, rf_error **err)
{
    if (size < RF_REGION_HEADER || memcmp(bytes, magic, sizeof(magic) - 1) != 0 || bytes[NEWLINE_AT] != '\n')
        return rf_fail(err, RF_BAD_PROFILE,
                       "the medium's reserved region is damaged: write the ISO again and customise it");
    const long format = digits(bytes + FORMAT_AT, 2), length = digits(bytes + LENGTH_AT, 8);
    if (format != RF_REGION_FORMAT)
        return rf_fail(err, RF_BAD_PROFILE,
                       "the medium's reserved region has format %ld, this program knows %d: "
                       "customise the ISO again with the program of its own version",
                       format, RF_REGION_FORMAT);
    char digest[RF_SHA256_HEX];
    const bool fits = length >= 0 && (size_t)length <= size - RF_REGION_HEADER;
    if (fits)
        rf_sha256(bytes + RF_REGION_HEADER, (size_t)length, digest);
    if (!fits || memcmp(digest, bytes + DIGEST_AT, DIGEST_LENGTH) != 0)
        return rf_fail(err, RF_BAD_PROFILE,
                       "the checksum of what the medium was customised with is wrong, "
                       "as after a customising that was interrupted: customise the ISO again");
    if (length > 0)
        return read_content(bytes + RF_REGION_HEADER, (size_t)length, ret_region, err);
    *ret_region = (struct rf_region){0};
    return 0;
}

int rf_region_read(const char *path, struct rf_region *ret_region, rf_error **err)
{
    rf_autosecret char *bytes = NULL;
    size_t size;
    rf_autoerror rf_error *error = NULL;
    if (rf_read_file(path, RF_REGION_SIZE, &bytes, &size, &error) < 0) {
        rf_autofree char *why = rf_error_text(error);
        return rf_fail(err, RF_BAD_PROFILE, "%s", why);
    }
    return rf_region_parse(bytes, size, ret_region, err) < 0 ? rf_wrap(err, "%s", path) : 0;
}

void rf_source_id_url(const char *url, char ret[RF_UUID_TEXT])
{
    rf_uuid(url, "source/url", ret);
}

void rf_source_id_node(const char *node_id, char ret[RF_UUID_TEXT])
{
    rf_uuid(node_id, "source/node", ret);
}

int rf_url_check(const char *url, rf_error **err)
{
    if (strlen(url) > RF_URL_MAX)
        return rf_fail(err, RF_USAGE, "the URL is longer than %d bytes", RF_URL_MAX);
    for (const char *c = url; *c; c++)
        if (*c <= ' ' || *c > '~')
            return rf_fail(err, RF_USAGE, "the URL holds a blank or another character that must be written as %%XX");
    const char *host = strncasecmp(url, "https://", 8) == 0  ? url + 8
                       : strncasecmp(url, "http://", 7) == 0 ? url + 7
                                                             : NULL;
    if (!host)
        return rf_fail(err, RF_USAGE, "the URL must begin with http:// or https://");
    const size_t authority = strcspn(host, "/?#");
    const char *at = memrchr(host, '@', authority);
    const char *name = at ? at + 1 : host;
    if (name == host + authority || *name == ':')
        return rf_fail(err, RF_USAGE, "the URL names no host");
    return 0;
}
