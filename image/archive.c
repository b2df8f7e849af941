/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/archive.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

#include <string.h>

enum { RELEASE_MAX = 8 << 20, STATE_MAX = 64 << 10, SECONDS = 60 };

void rf_archive_clear(struct rf_archive *archive)
{
    free(archive->sources);
    free(archive->state);
    rf_piece_clear(&archive->piece);
    *archive = (struct rf_archive){0};
}

time_t rf_archive_date(const char *release)
{
    const char *at = release;
    while (at && strncmp(at, "Date:", 5) != 0)
        at = (at = strchr(at, '\n')) ? at + 1 : NULL;
    struct tm time = {0};
    if (!at || !strptime(at + 5, " %a, %d %b %Y %T", &time))
        return 0;
    time_t date = timegm(&time);
    return date > 0 ? date : 0;
}

static int from_json(const json_t *json, struct rf_archive *ret_archive)
{
    const char *sources = rf_json_string(json, "sources"), *state = rf_json_string(json, "state");
    if (!sources || !state)
        return -1;
    *ret_archive = (struct rf_archive){
        .sources = rf_strdup(sources), .state = rf_strdup(state), .date = (time_t)rf_json_integer(json, "date", 0)};
    return 0;
}

static int keep(const struct rf_piece *piece, const struct rf_archive *archive, rf_error **err)
{
    rf_autojson json_t *json = json_pack("{s:s,s:s,s:I}", "sources", archive->sources, "state", archive->state, "date",
                                         (json_int_t)archive->date);
    rf_autofree char *text = rf_json_text(json);
    rf_autofree char *path = rf_piece_new_path(piece, "archive.json");
    if (rf_write_file(path, text, strlen(text), 0644, err) < 0)
        return -1;
    return rf_piece_commit(piece, err);
}

/* One suite: 0 there (its lines and state added), -1 not to be reached. */
static int ask(const struct rf_archive_options *options, rf_runner *runner, const struct rf_piece *piece,
               const char *mirror, const char *suite, struct rf_archive *archive, rf_error **err)
{
    rf_autofree char *url = rf_format("%s/dists/%s/InRelease", mirror, suite);
    rf_autofree char *path = rf_piece_new_path(piece, "InRelease");
    struct rf_result result = {0};
    const struct rf_command command = {.argv = RF_ARGV("/usr/lib/apt/apt-helper", "download-file", url, path),
                                       .seconds = SECONDS};
    int outcome = rf_run(runner, &command, &result, err);
    rf_result_clear(&result);
    if (outcome < 0)
        return -1;
    rf_autofree char *text = NULL;
    if (rf_read_file(path, RELEASE_MAX, &text, NULL, NULL) < 0)
        text = rf_strdup("");
    unlink(path);
    char digest[RF_SHA256_HEX];
    rf_sha256(text, strlen(text), digest);
    rf_append(&archive->sources, "deb [signed-by=%s] %s %s main\n", options->keyring, mirror, suite);
    rf_append(&archive->state, "%s %s\n", suite, digest);
    const time_t date = rf_archive_date(text);
    archive->date = date > archive->date ? date : archive->date;
    return 0;
}

static int ask_all(const struct rf_archive_options *options, rf_runner *runner, const struct rf_piece *piece,
                   struct rf_archive *archive, rf_error **err)
{
    rf_error *error = NULL;
    if (ask(options, runner, piece, options->mirror, options->suite, archive, &error) < 0) {
        rf_autofree char *why = rf_error_text(error);
        rf_error_free(error);
        return rf_fail(err, RF_BAD_MACHINE,
                       "the archive has no suite %s that can be reached; name another archive by --mirror, or "
                       "see to the network: %s",
                       options->suite, why);
    }
    rf_autofree char *updates = rf_format("%s-updates", options->suite);
    rf_autofree char *security = rf_format("%s-security", options->suite);
    ask(options, runner, piece, options->mirror, updates, archive, NULL);
    if (options->security)
        ask(options, runner, piece, options->security, security, archive, NULL);
    char digest[RF_SHA256_HEX];
    rf_sha256(archive->state, strlen(archive->state), digest);
    free(archive->state);
    archive->state = rf_strdup(digest);
    return 0;
}

static int renew(const struct rf_archive_options *options, rf_runner *runner, const struct rf_piece *piece,
                 struct rf_archive *ret_archive, rf_error **err)
{
    struct rf_archive archive = {0};
    if (rf_piece_begin(piece, err) < 0)
        return -1;
    if (ask_all(options, runner, piece, &archive, err) < 0 || keep(piece, &archive, err) < 0) {
        rf_archive_clear(&archive);
        rf_piece_abandon(piece);
        return -1;
    }
    *ret_archive = archive;
    return 0;
}

int rf_archive_open(const struct rf_archive_options *options, rf_runner *runner, struct rf_archive *ret_archive,
                    rf_error **err)
{
    RF_CLEANUP(rf_piece_clear) struct rf_piece piece = {0};
    rf_key_add(&piece.key, "mirror", options->mirror);
    rf_key_add(&piece.key, "security", options->security);
    rf_key_add(&piece.key, "suite", options->suite);
    rf_key_add(&piece.key, "keyring", options->keyring);
    rf_piece_seal(&piece, options->cache, "archive");
    rf_autofree char *path = rf_piece_path(&piece, "archive.json");
    rf_autojson json_t *json = options->refresh ? NULL : rf_json_load(path, STATE_MAX, NULL);
    const bool kept = json && from_json(json, ret_archive) == 0;
    if (!kept && renew(options, runner, &piece, ret_archive, err) < 0)
        return -1;
    ret_archive->piece = piece;
    piece = (struct rf_piece){0};
    return 0;
}
