/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/medium.h"

#include "base/file.h"
#include "base/memory.h"
#include "image/recipe.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define XXH_INLINE_ALL /* the library's own way of being built in: no shared object to find at run time */
#include <xxhash.h>

void rf_medium_free(rf_medium *medium)
{
    if (!medium)
        return;
    for (size_t i = 0; i < medium->payloads_count; i++) {
        free(medium->payloads[i].path);
        free(medium->payloads[i].sha256);
        free(medium->payloads[i].xxh3);
    }
    free(medium->payloads);
    free(medium->version);
    free(medium->kernel);
    free(medium);
}

static bool hexadecimal(const char *text, size_t length)
{
    return text && strlen(text) == length && strspn(text, "0123456789abcdef") == length;
}

/* A path that stays below the medium. */
static bool path_valid(const char *path)
{
    return path && path[0] == '/' && !strstr(path, "/../") && !strstr(path, "//");
}

static int add_payload(rf_medium *medium, const json_t *row, rf_error **err)
{
    const char *path = rf_json_string(row, "path"), *sha256 = rf_json_string(row, "sha256"),
               *xxh3 = rf_json_string(row, "xxh3");
    const json_int_t size = rf_json_integer(row, "size", -1), unpacked = rf_json_integer(row, "unpacked", 0),
                     files = rf_json_integer(row, "files", 0);
    if (!path_valid(path) || size < 0 || unpacked < 0 || files < 0 || !hexadecimal(sha256, 64) ||
        !hexadecimal(xxh3, 32))
        return rf_fail(err, RF_FAILED, "the manifest's entry for %s is not as it must be", path ? path : "a payload");
    struct rf_payload *payload = rf_array_add(&medium->payloads, &medium->payloads_count, sizeof(*payload));
    *payload = (struct rf_payload){.path = rf_strdup(path),
                                   .size = (uint64_t)size,
                                   .unpacked = (uint64_t)unpacked,
                                   .files = (uint64_t)files,
                                   .sha256 = rf_strdup(sha256),
                                   .xxh3 = rf_strdup(xxh3)};
    return 0;
}

int rf_medium_from_json(const json_t *manifest, rf_medium **ret_medium, rf_error **err)
{
    const json_int_t format = rf_json_integer(manifest, "richtfest", 0);
    if (format != RF_MANIFEST_FORMAT)
        return rf_fail(err, RF_FAILED, "the manifest has format %" JSON_INTEGER_FORMAT ", this program knows %d",
                       format, RF_MANIFEST_FORMAT);
    const json_t *payloads = json_object_get(manifest, "payloads");
    const size_t count = json_array_size(payloads);
    if (count == 0 || count > RF_PAYLOADS_MAX)
        return rf_fail(err, RF_FAILED, "the manifest lists %zu payloads; 1 to %d are possible", count, RF_PAYLOADS_MAX);
    rf_automedium rf_medium *medium = rf_alloc(sizeof(*medium));
    medium->version = rf_strdup(rf_json_string(manifest, "version"));
    medium->kernel = rf_strdup(rf_json_string(manifest, "kernel"));
    if (!medium->version || !medium->kernel)
        return rf_fail(err, RF_FAILED, "the manifest does not say its version and kernel");
    for (size_t i = 0; i < count; i++)
        if (add_payload(medium, json_array_get(payloads, i), err) < 0)
            return -1;
    *ret_medium = RF_STEAL(medium);
    return 0;
}

int rf_medium_load(const char *medium_dir, rf_medium **ret_medium, rf_error **err)
{
    rf_autofree char *path = rf_format("%s%s", medium_dir, RF_MEDIUM_MANIFEST_FILE);
    rf_autojson json_t *manifest = rf_json_load(path, RF_MANIFEST_MAX, err);
    if (!manifest)
        return -1;
    return rf_medium_from_json(manifest, ret_medium, err) < 0 ? rf_wrap(err, "%s", path) : 0;
}

const struct rf_payload *rf_medium_payload(const rf_medium *medium, const char *path)
{
    for (size_t i = 0; i < medium->payloads_count; i++)
        if (strcmp(medium->payloads[i].path, path) == 0)
            return &medium->payloads[i];
    return NULL;
}

bool rf_medium_named(char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

bool rf_medium_common(const char *path)
{
    static const char images[] = RF_MEDIUM_GUESTS_DIR "/", base[] = RF_MEDIUM_GUESTS_DIR "/" RF_GUEST_BASE_PREFIX;
    return strncmp(path, images, strlen(images)) != 0 || strncmp(path, base, strlen(base)) == 0;
}

static void free_state(XXH3_state_t **state)
{
    XXH3_freeState(*state);
}

static void take(void *state, const void *bytes, size_t size)
{
    XXH3_128bits_update(state, bytes, size);
}

int rf_xxh3_file(const char *path, char ret_hex[33], void (*progress)(void *data, uint64_t done), void *data,
                 rf_error **err)
{
    RF_CLEANUP(free_state) XXH3_state_t *state = XXH3_createState();
    if (!state || XXH3_128bits_reset(state) != XXH_OK)
        abort();
    const struct rf_chunks chunks = {.take = take, .taker = state, .progress = progress, .data = data};
    if (rf_read_chunks(path, 0, RF_TO_THE_END, &chunks, err) < 0)
        return -1;
    const XXH128_hash_t hash = XXH3_128bits_digest(state);
    snprintf(ret_hex, 33, "%016" PRIx64 "%016" PRIx64, hash.high64, hash.low64);
    return 0;
}

struct verification {
    void (*progress)(void *data, uint64_t done, uint64_t total);
    void *data;
    uint64_t before, total;
};

static void tell(void *data, uint64_t done)
{
    const struct verification *self = data;
    if (self->progress)
        self->progress(self->data, self->before + done, self->total);
}

static int verify_payload(const char *medium_dir, const struct rf_payload *payload, struct verification *self,
                          rf_error **err)
{
    rf_autofree char *path = rf_format("%s%s", medium_dir, payload->path);
    static const char advice[] = "nothing was written; write or attach the ISO again";
    struct stat status;
    if (stat(path, &status) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s is missing on the medium (%s)", payload->path, advice);
    if ((uint64_t)status.st_size != payload->size)
        return rf_fail(err, RF_FAILED, "%s on the medium has %" PRIu64 " bytes instead of %" PRIu64 "; %s",
                       payload->path, (uint64_t)status.st_size, payload->size, advice);
    char found[33];
    if (rf_xxh3_file(path, found, tell, self, err) < 0)
        return rf_wrap(err, "the medium is unreadable (%s)", advice);
    if (strcmp(found, payload->xxh3) != 0)
        return rf_fail(err, RF_FAILED, "the checksum of %s on the medium is wrong (%s instead of %s); %s",
                       payload->path, found, payload->xxh3, advice);
    self->before += payload->size;
    return 0;
}

static bool chosen(const struct rf_medium_choice *choice, const char *path)
{
    if (!choice)
        return true;
    return rf_medium_common(path) ? choice->common : rf_medium_named(choice->images, strrchr(path, '/') + 1);
}

/* An ISO that was built with other recipes must not become a server whose guests can't be made. */
static int has_images(const rf_medium *medium, const struct rf_medium_choice *choice, rf_error **err)
{
    for (char *const *name = choice ? choice->images : NULL; name && *name; name++) {
        rf_autofree char *path = rf_format(RF_MEDIUM_GUESTS_DIR "/%s", *name);
        if (!rf_medium_payload(medium, path))
            return rf_fail(
                err, RF_FAILED,
                "a guest of the profile needs the image %s, which is not on this medium; nothing was written; "
                "attach an ISO that was built with that recipe",
                *name);
    }
    return 0;
}

int rf_medium_verify(const char *medium_dir, const struct rf_medium_choice *choice,
                     void (*progress)(void *data, uint64_t done, uint64_t total), void *data, rf_error **err)
{
    rf_automedium rf_medium *medium = NULL;
    if (rf_medium_load(medium_dir, &medium, err) < 0 || has_images(medium, choice, err) < 0)
        return -1;
    struct verification self = {.progress = progress, .data = data};
    for (size_t i = 0; i < medium->payloads_count; i++)
        if (chosen(choice, medium->payloads[i].path))
            self.total += medium->payloads[i].size;
    for (size_t i = 0; i < medium->payloads_count; i++)
        if (chosen(choice, medium->payloads[i].path) &&
            verify_payload(medium_dir, &medium->payloads[i], &self, err) < 0)
            return -1;
    return 0;
}
