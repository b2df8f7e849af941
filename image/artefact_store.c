/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/artefact_store.h"

#include "base/digest.h"
#include "base/fetch.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/signature.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* Two: a build without network waits for each publisher once. */
enum { ATTEMPTS = 2, PAUSE_MAX = 4, TRANSFER_SECONDS = 3600, SIGNATURE_MAX = 64 << 10 };

void rf_artefact_store_clear(struct rf_artefact_store *store)
{
    for (size_t i = 0; i < store->dead_count; i++)
        free(store->dead[i]);
    free(store->dead);
    store->dead = NULL;
    store->dead_count = 0;
}

const char *rf_artefact_state_name(enum rf_artefact_state state)
{
    static const char *const names[] = {[RF_ARTEFACT_READY] = "ready",
                                        [RF_ARTEFACT_BY_HAND] = "by hand",
                                        [RF_ARTEFACT_ABSENT] = "absent",
                                        [RF_ARTEFACT_UNPINNED] = "unpinned"};
    return names[state];
}

static void seal(const struct rf_artefact_store *store, const struct rf_artefact *artefact, const char *sha256,
                 struct rf_piece *ret_piece)
{
    rf_autofree char *name = rf_format("artefact-%s", artefact->name);
    *ret_piece = (struct rf_piece){0};
    rf_key_add(&ret_piece->key, "file", artefact->file);
    rf_key_add(&ret_piece->key, "sha256", sha256);
    rf_piece_seal(ret_piece, store->cache, name);
}

void rf_artefact_piece(const struct rf_artefact_store *store, const struct rf_artefact *artefact,
                       struct rf_piece *ret_piece)
{
    seal(store, artefact, artefact->sha256, ret_piece);
}

char *rf_artefact_path(const struct rf_artefact_store *store, const struct rf_artefact *artefact)
{
    RF_CLEANUP(rf_piece_clear) struct rf_piece piece = {0};
    rf_artefact_piece(store, artefact, &piece);
    return rf_piece_path(&piece, artefact->file);
}

static char *by_hand(const struct rf_artefact_store *store, const struct rf_artefact *artefact)
{
    rf_autofree char *path = store->folder ? rf_format("%s/%s", store->folder, artefact->file) : NULL;
    return path && rf_exists(path) ? RF_STEAL(path) : NULL;
}

enum rf_artefact_state rf_artefact_look(const struct rf_artefact_store *store, const struct rf_artefact *artefact)
{
    if (!artefact->sha256)
        return RF_ARTEFACT_UNPINNED;
    RF_CLEANUP(rf_piece_clear) struct rf_piece piece = {0};
    rf_artefact_piece(store, artefact, &piece);
    if (rf_piece_done(&piece))
        return RF_ARTEFACT_READY;
    rf_autofree char *file = by_hand(store, artefact);
    return file ? RF_ARTEFACT_BY_HAND : RF_ARTEFACT_ABSENT;
}

char *rf_artefact_advice(const struct rf_artefact_store *store, const struct rf_artefact *artefact)
{
    rf_autofree char *shown = rf_url_public(artefact->url);
    return rf_format("%s, or place %s in %s", shown, artefact->file, store->folder);
}

/* "https://host:port" of a URL: what answers or does not. */
static char *host_of(const char *url)
{
    const char *host = strstr(url, "://");
    return strndup(url, host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#") : strlen(url));
}

static bool is_dead(const struct rf_artefact_store *store, const char *host)
{
    for (size_t i = 0; i < store->dead_count; i++)
        if (strcmp(store->dead[i], host) == 0)
            return true;
    return false;
}

static void tell(void *data, uint64_t done, uint64_t total)
{
    if (done)
        rf_step_progress(data, done, total, "bytes");
}

/* Into `path`. A host that can't be reached is remembered, so that a machine without network does not wait once for each file. */
static int download(struct rf_artefact_store *store, const char *url, uint64_t max, const char *path,
                    struct rf_step_env *env, rf_error **err)
{
    rf_autofree char *host = host_of(url);
    if (is_dead(store, host))
        return rf_fail(err, RF_FAILED, "%s does not answer", host);
    rf_autofd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be written", path);
    const struct rf_fetch fetch = {.url = url,
                                   .max = max,
                                   .seconds = TRANSFER_SECONDS,
                                   .attempts = ATTEMPTS,
                                   .pause_max = PAUSE_MAX,
                                   .progress = tell,
                                   .data = env};
    rf_autoerror rf_error *error = NULL;
    if (rf_fetch_file(&fetch, fd, NULL, &error) < 0) {
        if (rf_error_code(error) == RF_FAILED)
            *(char **)rf_array_add(&store->dead, &store->dead_count, sizeof(char *)) = RF_STEAL(host);
        rf_autofree char *why = rf_error_text(error);
        return rf_fail(err, RF_FAILED, "%s", why);
    }
    return fsync(fd) < 0 ? rf_fail_errno(err, RF_FAILED, errno, "%s can't be written", path) : 0;
}

/* The right bytes, or what is wrong with them. Without a checksum in the manifest: any, and which. */
static int check_sum(const struct rf_artefact *artefact, const char *path, const char *from,
                     char ret_sha256[RF_SHA256_HEX], rf_error **err)
{
    if (rf_sha256_file(path, ret_sha256, NULL, NULL, err) < 0)
        return -1;
    if (!artefact->sha256 || strcmp(ret_sha256, artefact->sha256) == 0)
        return 0;
    return rf_fail(err, RF_FAILED, "the checksum of %s is wrong (SHA-256 %s instead of %s): not used", from, ret_sha256,
                   artefact->sha256);
}

/* One attempt to fill the new piece. */
struct attempt {
    struct rf_artefact_store *store;
    const struct rf_artefact *artefact;
    struct rf_step_env *env;
    char *file, *signature; /* in the new piece */
    char sha256[RF_SHA256_HEX];
    char *tried; /* why each place failed */
};

static void clear_attempt(struct attempt *attempt)
{
    free(attempt->file);
    free(attempt->signature);
    free(attempt->tried);
}

static void note_failure(struct attempt *attempt, rf_error *error)
{
    rf_autofree char *why = rf_error_text(error);
    rf_error_free(error);
    rf_append(&attempt->tried, "%s%s", attempt->tried ? "; " : "", why);
}

static bool take_by_hand(struct attempt *attempt)
{
    rf_autofree char *path = by_hand(attempt->store, attempt->artefact);
    rf_error *error = NULL;
    if (!path)
        return false;
    if (rf_copy_file(path, attempt->file, 0644, tell, attempt->env, &error) == 0 &&
        check_sum(attempt->artefact, attempt->file, path, attempt->sha256, &error) == 0) {
        rf_autofree char *signature = rf_format("%s.asc", path);
        if (rf_exists(signature))
            rf_copy_file(signature, attempt->signature, 0644, NULL, NULL, NULL);
        return true;
    }
    note_failure(attempt, error);
    return false;
}

static bool take_url(struct attempt *attempt, const char *url)
{
    rf_autofree char *shown = rf_url_public(url);
    rf_error *error = NULL;
    if (download(attempt->store, url, attempt->artefact->size, attempt->file, attempt->env, &error) == 0 &&
        check_sum(attempt->artefact, attempt->file, shown, attempt->sha256, &error) == 0)
        return true;
    note_failure(attempt, error);
    return false;
}

static bool take_any(struct attempt *attempt)
{
    const struct rf_artefact *artefact = attempt->artefact;
    if (take_by_hand(attempt))
        return true;
    if (attempt->store->mirror) {
        rf_autofree char *url = rf_format("%s/%s", attempt->store->mirror, artefact->file);
        if (take_url(attempt, url))
            return true;
    }
    if (take_url(attempt, artefact->url))
        return true;
    for (size_t i = 0; artefact->mirrors[i]; i++)
        if (take_url(attempt, artefact->mirrors[i]))
            return true;
    return false;
}

static int check_signature(rf_runner *runner, const struct rf_artefact_store *store, const struct rf_artefact *artefact,
                           const char *signature, const char *file, char **ret_why, rf_error **err)
{
    return rf_signature_check(runner,
                              &(struct rf_signature){.file = file,
                                                     .name = artefact->file,
                                                     .signature = signature,
                                                     .keys = store->keys,
                                                     .fingerprint = artefact->signature_key},
                              ret_why, err);
}

/* As rf_signature_check; fetches the signature where it did not come with the file. */
static int check_new_signature(struct attempt *attempt, char **ret_why, rf_error **err)
{
    const struct rf_artefact *artefact = attempt->artefact;
    if (!artefact->signature_key)
        return 0;
    if (!rf_exists(attempt->signature) &&
        download(attempt->store, artefact->signature_url, SIGNATURE_MAX, attempt->signature, attempt->env, NULL) < 0)
        unlink(attempt->signature);
    return check_signature(attempt->env->runner, attempt->store, artefact, attempt->signature, attempt->file, ret_why,
                           err);
}

static int fill(struct attempt *attempt, bool *ret_signed, rf_error **err)
{
    rf_autofree char *why = NULL;
    if (!take_any(attempt))
        return rf_fail(err, RF_FAILED, "%s", attempt->tried);
    const int good = check_new_signature(attempt, &why, err);
    *ret_signed = good > 0;
    return good < 0 ? -1 : 0;
}

static int begin(struct attempt *attempt, const struct rf_piece *piece, rf_error **err)
{
    attempt->file = rf_piece_new_path(piece, attempt->artefact->file);
    attempt->signature = rf_format("%s.asc", attempt->file);
    return rf_piece_begin(piece, err);
}

int rf_artefact_fetch(struct rf_artefact_store *store, const struct rf_artefact *artefact, struct rf_step_env *env,
                      rf_error **err)
{
    if (!artefact->sha256)
        return rf_fail(err, RF_FAILED,
                       "the manifest has no checksum for it: look it up at the publisher and write it there, or let "
                       "`richtfest artefact fetch --pin %s` write down what is to be had now",
                       artefact->name);
    RF_CLEANUP(rf_piece_clear) struct rf_piece piece = {0};
    RF_CLEANUP(clear_attempt) struct attempt attempt = {.store = store, .artefact = artefact, .env = env};
    rf_artefact_piece(store, artefact, &piece);
    if (rf_piece_done(&piece))
        return 0;
    bool is_signed;
    if (begin(&attempt, &piece, err) < 0)
        return -1;
    if (fill(&attempt, &is_signed, err) < 0 || rf_piece_commit(&piece, err) < 0) {
        rf_piece_abandon(&piece);
        return -1;
    }
    return 0;
}

/* Under the key of the checksum that it turned out to have. A piece is made in one place whatever its key. */
static int keep(const struct attempt *attempt, rf_error **err)
{
    RF_CLEANUP(rf_piece_clear) struct rf_piece piece = {0};
    seal(attempt->store, attempt->artefact, attempt->sha256, &piece);
    return rf_piece_commit(&piece, err);
}

int rf_artefact_fetch_unpinned(struct rf_artefact_store *store, const struct rf_artefact *artefact,
                               struct rf_step_env *env, char ret_sha256[RF_SHA256_HEX], bool *ret_signed,
                               rf_error **err)
{
    RF_CLEANUP(rf_piece_clear) struct rf_piece piece = {0};
    RF_CLEANUP(clear_attempt) struct attempt attempt = {.store = store, .artefact = artefact, .env = env};
    seal(store, artefact, "", &piece);
    if (begin(&attempt, &piece, err) < 0)
        return -1;
    if (fill(&attempt, ret_signed, err) < 0 || keep(&attempt, err) < 0) {
        rf_piece_abandon(&piece);
        return -1;
    }
    memcpy(ret_sha256, attempt.sha256, RF_SHA256_HEX);
    return 0;
}

int rf_artefact_verify(const struct rf_artefact_store *store, const struct rf_artefact *artefact, rf_runner *runner,
                       char **ret_note, rf_error **err)
{
    char sha256[RF_SHA256_HEX];
    rf_autofree char *path = rf_artefact_path(store, artefact), *signature = rf_format("%s.asc", path);
    rf_autofree char *why = NULL;
    if (check_sum(artefact, path, path, sha256, err) < 0)
        return -1;
    if (!artefact->signature_key) {
        *ret_note = rf_strdup("the checksum is right; its publisher signs nothing");
        return 0;
    }
    const int good = check_signature(runner, store, artefact, signature, path, &why, err);
    if (good < 0)
        return -1;
    *ret_note = good ? rf_strdup("the checksum and the signature are right")
                     : rf_format("the checksum is right; the signature was not checked (%s)", why);
    return 0;
}
