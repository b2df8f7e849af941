/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bringing what a guest's image lacks, and the drive with it. */
#include "base/download.h"
#include "base/fetch.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/signature.h"
#include "base/units.h"
#include "postinstall/artefact.h"
#include "postinstall/artefact_file.h"
#include "postinstall/disk.h"
#include "postinstall/fetch.h"
#include "postinstall/iso.h"
#include "postinstall/pool_room.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAUSE_MAX = 4, MIRRORS_MAX = 16, FILES_MAX = 64, SIGNATURE_MAX = 64 << 10, SIGNATURE_SECONDS = 60 };

#define SIZE_DEFAULT (UINT64_C(512) * RF_MIB) /* as image/artefact.c */
#define LIST "manifest.json"

struct bringing {
    struct rf_step_env *env;
    const struct rf_node_guest *guest;
    const json_t *artefact;
    char *path;  /* where it lies */
    char *tried; /* why each place failed */
};

static void clear_bringing(struct bringing *self)
{
    free(self->path);
    free(self->tried);
}

static void note(struct bringing *self, rf_error *error)
{
    rf_autofree char *why = rf_error_text(error);
    rf_error_free(error);
    rf_append(&self->tried, "%s%s", self->tried ? "; " : "", why);
}

static void say(struct rf_step_env *env, const char *message)
{
    rf_emit(env->events, &(struct rf_event){.step = env->step ? env->step->id : NULL,
                                            .title = env->step ? env->step->title : NULL,
                                            .state = RF_PROGRESS,
                                            .seconds = -1,
                                            .message = message});
}

static const char *text_of(const struct bringing *self, const char *key)
{
    return rf_json_string(self->artefact, key);
}

static bool take_by_hand(struct bringing *self)
{
    rf_autofree char *path = rf_artefact_hand_path(self->guest->node, self->artefact);
    rf_error *error = NULL;
    if (!rf_exists(path))
        return false;
    const int right = rf_download_right(path, text_of(self, "sha256"), self->env, &error);
    if (right == 0)
        rf_fail(&error, RF_FAILED, "the checksum of %s is wrong: not used", path);
    if (right <= 0) {
        note(self, error);
        return false;
    }
    self->path = RF_STEAL(path);
    return true;
}

static bool take_from_afar(struct bringing *self)
{
    const char *urls[MIRRORS_MAX + 2] = {text_of(self, "url")}; /* ends with NULL */
    const json_t *mirrors = json_object_get(self->artefact, "mirrors");
    for (size_t i = 0; i < json_array_size(mirrors) && i < MIRRORS_MAX; i++)
        urls[i + 1] = json_string_value(json_array_get(mirrors, i));
    const json_int_t size = rf_json_integer(self->artefact, "size", 0);
    const uint64_t max = size > 0 ? (uint64_t)size : SIZE_DEFAULT;
    rf_autofree char *path = rf_artefact_fetched_path(self->guest->node, self->artefact);
    rf_autofree char *part = rf_download_part(path);
    rf_autopoolshare struct rf_pool_share share = {0};
    rf_error *error = NULL;
    if (rf_pool_reserve(self->env, self->guest->node, part, max, &share, &error) < 0) {
        note(self, error);
        return false;
    }
    const struct rf_download download = {.urls = urls,
                                         .sha256 = text_of(self, "sha256"),
                                         .path = path,
                                         .max = max,
                                         .room = share.bytes ? share.bytes : 1,
                                         .pause_max = PAUSE_MAX};
    if (rf_download(&download, self->env, NULL, &error) < 0) {
        rf_autofree char *left = rf_size_text(share.bytes);
        if (share.bytes < max)
            rf_wrap(&error, "%s are left in %s beside what the other guests need", left, RF_POOL_DIR);
        note(self, error);
        return false;
    }
    self->path = RF_STEAL(path);
    return true;
}

static bool by_hand(const struct bringing *self)
{
    rf_autofree char *fetched = rf_artefact_fetched_path(self->guest->node, self->artefact);
    return strcmp(fetched, self->path) != 0;
}

/* Armoured (RFC 9580, 6.2), or a packet: its first bit is set (4.2). A captive portal answers with a page of its own. */
static bool is_signature(const char *body, size_t size)
{
    return size > 0 && ((body[0] & 0x80) || strstr(body, "-----BEGIN PGP SIGNATURE-----"));
}

/* To a name of its own, and anew for each check: what came once may be no signature, or an old one. *ret_why says why there is none. */
static void fetch_signature(const char *url, const char *to, char **ret_why)
{
    const struct rf_fetch fetch = {
        .url = url, .max = SIGNATURE_MAX, .seconds = SIGNATURE_SECONDS, .attempts = 1, .pause_max = 1};
    rf_autofree char *body = NULL, *shown = rf_url_public(url);
    rf_autoerror rf_error *error = NULL;
    size_t size = 0;
    unlink(to);
    if (rf_fetch(&fetch, &body, &size, &error) < 0)
        *ret_why = rf_error_text(error);
    else if (!is_signature(body, size))
        *ret_why = rf_format("what %s answers is no signature", shown);
    else if (rf_write_file(to, body, size, 0600, &error) < 0)
        *ret_why = rf_error_text(error);
}

/* What was fetched and is not used must not look like something that is at hand. A person's file stays. */
static int refuse(struct bringing *self)
{
    if (!by_hand(self))
        unlink(self->path);
    return -1;
}

static void say_unchecked(const struct bringing *self, const char *why)
{
    rf_autofree char *message = rf_format("%s: the signature of %s was not checked (%s); its checksum is right",
                                          self->guest->asked->name, text_of(self, "file"), why);
    say(self->env, message);
}

/* With the signature at that place, or without one where `absent` says why. */
static int check_with(struct bringing *self, const char *at, const char *fingerprint, const char *absent,
                      rf_error **err)
{
    rf_autofree char *keys = rf_node_path(self->guest->node, "%s", RF_KEYS_DIR), *why = NULL;
    const struct rf_signature signature = {
        .file = self->path, .name = text_of(self, "file"), .signature = at, .keys = keys, .fingerprint = fingerprint};
    const int good = absent ? 0 : rf_signature_check(self->env->runner, &signature, &why, err);
    if (good == 0)
        say_unchecked(self, absent ? absent : why);
    return good < 0 ? -1 : 0;
}

/* One that came by hand may have brought its signature along. */
static int check_signature(struct bringing *self, rf_error **err)
{
    const json_t *signature = json_object_get(self->artefact, "signature");
    const char *url = rf_json_string(signature, "url"), *fingerprint = rf_json_string(signature, "key");
    rf_autofree char *beside = rf_format("%s.asc", self->path), *absent = NULL;
    rf_autofree char *fetched = rf_artefact_fetched_path(self->guest->node, self->artefact);
    rf_autofree char *ours = rf_format("%s.%s.asc", fetched, self->guest->asked->name);
    if (!url || !fingerprint || strchr(fingerprint, '/'))
        return 0;
    if (by_hand(self) && rf_exists(beside))
        return check_with(self, beside, fingerprint, NULL, err);
    fetch_signature(url, ours, &absent);
    const int result = check_with(self, ours, fingerprint, absent, err);
    unlink(ours);
    return result;
}

/* *ret_path: where it lies, the caller frees it. The error is what people read: what the guest waits for, and why. */
static int bring(struct rf_step_env *env, const struct rf_node_guest *guest, const json_t *artefact, char **ret_path,
                 rf_error **err)
{
    RF_CLEANUP(clear_bringing) struct bringing self = {.env = env, .guest = guest, .artefact = artefact};
    rf_autofree char *waiting = rf_artefact_text(artefact);
    if (!rf_artefact_sound(artefact))
        return rf_fail(err, RF_FAILED, "%s: %s", guest->asked->name, waiting);
    if (!take_by_hand(&self) && !take_from_afar(&self))
        return rf_fail(err, RF_FAILED, "%s: %s: %s", guest->asked->name, waiting, self.tried);
    if (check_signature(&self, err) < 0 && refuse(&self) < 0)
        return rf_wrap(err, "%s: %s", guest->asked->name, waiting);
    *ret_path = RF_STEAL(self.path);
    return 0;
}

/* What goes onto the drive. */
struct drive {
    struct rf_iso_file files[FILES_MAX];
    char *paths[FILES_MAX];
    size_t count;
    json_t *list;
};

static void clear_drive(struct drive *drive)
{
    for (size_t i = 0; i < drive->count; i++)
        free(drive->paths[i]);
    json_decref(drive->list);
}

/* Each of them, so that all that is missing is said at once. With `needed` a failure is one; else it is said, and the
 * guest goes without. */
static int bring_all(struct rf_step_env *env, const struct rf_node_guest *guest, const json_t *names, bool needed,
                     struct drive *drive, rf_error **err)
{
    rf_autojson json_t *artefacts = rf_artefacts_lacking(guest, names, !needed);
    rf_autofree char *failures = NULL;
    for (size_t i = 0; i < json_array_size(artefacts) && drive->count + 1 < FILES_MAX; i++) {
        json_t *artefact = json_array_get(artefacts, i);
        rf_autoerror rf_error *why = NULL;
        if (bring(env, guest, artefact, &drive->paths[drive->count], &why) == 0) {
            drive->files[drive->count] =
                (struct rf_iso_file){.name = rf_json_string(artefact, "file"), .path = drive->paths[drive->count]};
            drive->count++;
            json_array_append(drive->list, artefact);
            continue;
        }
        rf_autofree char *text = rf_error_text(why);
        if (needed)
            rf_append(&failures, "%s%s", failures ? "\n" : "", text);
        else
            say(env, text);
    }
    return failures ? rf_fail(err, RF_FAILED, "%s", failures) : 0;
}

static int enough_room(struct rf_step_env *env, const struct rf_node_guest *guest, const char *path,
                       const struct drive *drive, struct rf_pool_share *share, rf_error **err)
{
    uint64_t needs = 0;
    for (size_t i = 0; i < drive->count; i++) {
        struct stat status;
        needs += stat(drive->paths[i], &status) == 0 ? (uint64_t)status.st_size : 0;
    }
    if (rf_pool_reserve(env, guest->node, path, needs, share, err) < 0)
        return -1;
    if (share->bytes == needs)
        return 0;
    rf_autofree char *wanted = rf_size_text(needs), *left = rf_size_text(share->bytes);
    return rf_fail(
        err, RF_FAILED,
        "%s: its artefacts need %s in %s for the first boot, and %s are left beside what the other guests need; "
        "remove what is not needed there, then 'richtfest apply --node'",
        guest->asked->name, wanted, RF_POOL_DIR, left);
}

static int write_drive(struct rf_step_env *env, const struct rf_node_guest *guest, struct drive *drive, rf_error **err)
{
    rf_autofree char *path = rf_guest_artefacts_path(guest);
    rf_autojson json_t *json = json_pack("{s:O}", "artefacts", drive->list);
    rf_autofree char *text = rf_json_text(json);
    drive->files[drive->count] = (struct rf_iso_file){.name = LIST, .text = text};
    rf_autopoolshare struct rf_pool_share share = {0};
    if (enough_room(env, guest, path, drive, &share, err) < 0 || rf_artefact_note_drive(guest, false, err) < 0)
        return -1;
    if (rf_iso_write(path, RF_ARTEFACTS_LABEL, drive->files, drive->count + 1, err) < 0)
        return rf_wrap(err, "the artefacts of %s", guest->asked->name);
    return rf_artefact_note_drive(guest, true, err);
}

static enum rf_probe artefact_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    if (rf_disk_may(arg, err) < 0)
        return RF_PROBE_ERROR;
    return rf_artefact_ready(arg) ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static int artefact_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_node_guest *guest = arg;
    RF_CLEANUP(clear_drive) struct drive drive = {.list = json_array()};
    rf_autofree char *hand = rf_node_path(guest->node, "%s", RF_ARTEFACTS_HAND);
    if (rf_disk_may(guest, err) < 0)
        return -1;
    rf_artefact_tidy(guest->node); /* an older list's make room */
    if (rf_fetch_directory(guest->node, err) < 0 || rf_make_dirs(hand, 0700, err) < 0 ||
        bring_all(env, guest, guest->recipe->artefacts, true, &drive, err) < 0 ||
        bring_all(env, guest, guest->recipe->more_artefacts, false, &drive, err) < 0)
        return -1;
    return write_drive(env, guest, &drive, err);
}

const struct rf_step_ops rf_step_artefact = {"artefact", artefact_probe, artefact_apply, NULL};
