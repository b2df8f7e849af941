/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `image inspect`: what an ISO holds, without its secrets. */
#include "base/digest.h"
#include "base/fetch.h"
#include "base/memory.h"
#include "base/units.h"
#include "image/certificates.h"
#include "image/envblk.h"
#include "image/image.h"
#include "image/isofile.h"
#include "image/medium.h"
#include "image/region.h"
#include "profiles/profile.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

/* What a profile is about. Its settings and keys stay inside: they are the customer's. */
static json_t *profile_summary(const struct rf_region *region)
{
    rf_autoproblems rf_problems problems = {0};
    const char *name = region->name ? region->name : "profile on the medium";
    rf_autoprofile rf_profile *profile = rf_profile_parse(name, region->profile, region->profile_size, &problems);
    json_t *summary =
        json_pack("{s:s,s:I,s:b}", "name", name, "size", (json_int_t)region->profile_size, "valid", !!profile);
    if (!profile)
        return summary;
    json_t *guests = json_array();
    for (size_t i = 0; i < profile->guests_count; i++)
        json_array_append_new(
            guests, json_pack("{s:s,s:s}", "name", profile->guests[i].name, "recipe", profile->guests[i].recipe));
    json_object_update_new(summary, json_pack("{s:s,s:s,s:o}", "node", profile->node.id, "hostname",
                                              profile->node.hostname, "guests", guests));
    return summary;
}

static json_t *damage(const rf_error *error)
{
    rf_autofree char *why = rf_error_text(error);
    return json_pack("{s:s,s:s}", "state", "damaged", "message", why);
}

static json_t *source_summary(const struct rf_region *region)
{
    if (region->profile)
        return json_pack("{s:s,s:o}", "state", "profile", "profile", profile_summary(region));
    if (!region->profile_url)
        return json_pack("{s:s}", "state", "none");
    char id[RF_UUID_TEXT];
    rf_source_id_url(region->profile_url, id);
    rf_autofree char *shown = rf_url_public(region->profile_url);
    return json_pack("{s:s,s:s,s:s}", "state", "url", "profile_url", shown, "source", id);
}

/* Whom the medium trusts beyond the system's CAs. */
static json_t *ca_summary(const rf_certificates *certificates)
{
    json_t *list = json_array();
    for (size_t i = 0; i < certificates->count; i++) {
        rf_autofree char *until = rf_date_text(certificates->list[i].until);
        json_array_append_new(list, json_pack("{s:s,s:s,s:b}", "subject", certificates->list[i].subject, "until", until,
                                              "expired", certificates->list[i].until < time(NULL)));
    }
    return list;
}

static json_t *custom_summary(const char *bytes, size_t size)
{
    rf_autoregion struct rf_region region = {0};
    rf_autocertificates rf_certificates certificates = {0};
    rf_autoerror rf_error *error = NULL;
    if (rf_region_parse(bytes, size, &region, &error) < 0)
        return damage(error);
    if (region.ca && rf_certificates_read(region.ca, strlen(region.ca), &certificates, &error) < 0)
        return damage(error);
    json_t *summary = source_summary(&region);
    if (certificates.count)
        json_object_set_new(summary, "ca", ca_summary(&certificates));
    return summary;
}

static int verify_payloads(const char *iso, const rf_medium *medium, rf_error **err)
{
    rf_autofree struct rf_isofile *files = rf_alloc(medium->payloads_count * sizeof(*files));
    for (size_t i = 0; i < medium->payloads_count; i++)
        files[i].path = medium->payloads[i].path;
    if (rf_isofile_find(iso, files, medium->payloads_count, err) < 0)
        return -1;
    for (size_t i = 0; i < medium->payloads_count; i++) {
        const struct rf_payload *payload = &medium->payloads[i];
        char found[RF_SHA256_HEX] = "";
        if (files[i].size != payload->size)
            return rf_fail(err, RF_FAILED, "%s: %s has %" PRIu64 " bytes instead of %" PRIu64, iso, payload->path,
                           files[i].size, payload->size);
        if (rf_sha256_part(iso, files[i].offset, files[i].size, found, err) < 0)
            return rf_wrap(err, "%s", payload->path);
        if (strcmp(found, payload->sha256) != 0)
            return rf_fail(err, RF_FAILED, "%s: the checksum of %s is wrong (%s instead of %s)", iso, payload->path,
                           found, payload->sha256);
    }
    return 0;
}

static int read_manifest(const char *iso, const struct rf_isofile *file, json_t **ret_manifest, rf_error **err)
{
    if (!file->offset)
        return rf_fail(err, RF_BAD_MACHINE, "%s is no Richtfest image: it holds no %s", iso, file->path);
    rf_autofree char *text = NULL;
    if (rf_isofile_read(iso, file, RF_MANIFEST_MAX, &text, err) < 0)
        return -1;
    json_error_t where;
    *ret_manifest = json_loads(text, JSON_REJECT_DUPLICATES, &where);
    return *ret_manifest ? 0 : rf_fail(err, RF_FAILED, "%s: %s is no JSON: %s", iso, file->path, where.text);
}

/* NULL where there are none. */
static char *kernel_arguments(const char *iso, const struct rf_isofile *file)
{
    rf_autofree char *block = NULL;
    if (!file->offset || rf_isofile_read(iso, file, RF_ENVBLK_SIZE, &block, NULL) < 0)
        return NULL;
    return rf_envblk_get(block, file->size, RF_ARGUMENTS_VARIABLE);
}

int rf_image_inspect_json(const struct rf_inspect_options *options, json_t **ret_json, rf_error **err)
{
    struct rf_isofile files[] = {{.path = RF_MEDIUM_MANIFEST_FILE}, {.path = RF_REGION_FILE}, {.path = RF_ENVBLK_FILE}};
    if (rf_isofile_find(options->iso, files, RF_COUNT(files), err) < 0)
        return -1;
    rf_autojson json_t *manifest = NULL;
    rf_automedium rf_medium *medium = NULL;
    if (read_manifest(options->iso, &files[0], &manifest, err) < 0)
        return -1;
    if (rf_medium_from_json(manifest, &medium, err) < 0)
        return rf_wrap(err, "%s", options->iso);
    rf_autosecret char *region = NULL;
    if (rf_isofile_read(options->iso, &files[1], RF_REGION_SIZE, &region, err) < 0)
        return -1;
    if (options->verify && verify_payloads(options->iso, medium, err) < 0)
        return -1;
    struct stat status = {0};
    stat(options->iso, &status);
    *ret_json = json_pack("{s:s,s:I,s:O,s:o}", "iso", options->iso, "size", (json_int_t)status.st_size, "manifest",
                          manifest, "custom", custom_summary(region, files[1].size));
    if (options->verify)
        json_object_set_new(*ret_json, "verified", json_true());
    rf_autofree char *arguments = kernel_arguments(options->iso, &files[2]);
    if (arguments)
        json_object_set_new(json_object_get(*ret_json, "custom"), "kernel_arguments", json_string(arguments));
    return 0;
}

static void append_custom(char **text, const json_t *custom)
{
    const char *state = rf_json_string(custom, "state");
    const json_t *profile = json_object_get(custom, "profile");
    if (strcmp(state, "none") == 0)
        rf_append(text, "profile     none: give it by `image customize`, or as richtfest.profile=URL to the kernel\n");
    else if (strcmp(state, "url") == 0)
        rf_append(text, "profile     from %s\n", rf_json_string(custom, "profile_url"));
    else if (strcmp(state, "damaged") == 0)
        rf_append(text, "profile     damaged: %s\n", rf_json_string(custom, "message"));
    else if (!json_is_true(json_object_get(profile, "valid")))
        rf_append(text, "profile     %s, embedded, NOT VALID for this program\n", rf_json_string(profile, "name"));
    else
        rf_append(text, "profile     %s, embedded: node %s, %zu guest(s)\n", rf_json_string(profile, "name"),
                  rf_json_string(profile, "node"), json_array_size(json_object_get(profile, "guests")));
}

static void append_ca(char **text, const json_t *list)
{
    size_t index;
    const json_t *certificate;
    json_array_foreach(list, index, certificate)
    {
        const char *word = json_is_true(json_object_get(certificate, "expired")) ? "EXPIRED" : "until";
        rf_append(text, "trusts      %s, %s %s\n", rf_json_string(certificate, "subject"), word,
                  rf_json_string(certificate, "until"));
    }
}

static const char *text_or(const json_t *object, const char *key)
{
    const char *text = rf_json_string(object, key);
    return text ? text : "?";
}

char *rf_image_inspect_text(const json_t *inspected)
{
    const json_t *manifest = json_object_get(inspected, "manifest");
    rf_autofree char *size = rf_size_text((uint64_t)rf_json_integer(inspected, "size", 0));
    char *text = NULL;
    rf_append(&text, "%s: Richtfest %s, %s\n", rf_json_string(inspected, "iso"), text_or(manifest, "version"), size);
    rf_append(&text, "suite       %s, kernel %s, dated %s\n", text_or(manifest, "suite"), text_or(manifest, "kernel"),
              text_or(manifest, "date"));
    append_custom(&text, json_object_get(inspected, "custom"));
    append_ca(&text, json_object_get(json_object_get(inspected, "custom"), "ca"));
    const char *arguments = rf_json_string(json_object_get(inspected, "custom"), "kernel_arguments");
    if (arguments)
        rf_append(&text, "kernel      %s\n", arguments);
    size_t index;
    const json_t *payload, *artefact;
    json_array_foreach(json_object_get(manifest, "payloads"), index, payload)
    {
        rf_autofree char *bytes = rf_size_text((uint64_t)rf_json_integer(payload, "size", 0));
        rf_append(&text, "payload     %-32s %9s  sha256 %s\n", text_or(payload, "path"), bytes,
                  text_or(payload, "sha256"));
    }
    json_array_foreach(json_object_get(manifest, "artefacts"), index, artefact)
    {
        rf_append(&text, "artefact    %s %s, for %s: %s\n", text_or(artefact, "name"), text_or(artefact, "version"),
                  text_or(artefact, "recipes"), text_or(artefact, "state"));
    }
    if (json_is_true(json_object_get(inspected, "verified")))
        rf_append(&text, "verified    every payload's checksum is right\n");
    return text;
}
