/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Images by URL. */
#include "postinstall/fetch.h"

#include "base/download.h"
#include "base/fetch.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/units.h"
#include "postinstall/disk.h"
#include "postinstall/image_header.h"
#include "postinstall/pool_room.h"

#include <dirent.h>
#include <inttypes.h>
#include <string.h>

enum { RECORD_MAX = 4096, PAUSE_MAX = 8 };

#define RECORD "image.json"
/* qcow2 keeps tables beside the disk's content: one cluster's 8 bytes per 64 KiB, its reference count, and headers. */
static uint64_t largest_file(const struct rf_node_guest *guest)
{
    return guest->disk + guest->disk / 1024 + RF_MIB;
}

int rf_fetch_directory(const rf_node_model *model, rf_error **err)
{
    rf_autofree char *directory = rf_node_path(model, "%s", RF_FETCHED_DIR);
    rf_autofree char *pool = rf_node_path(model, "%s", RF_POOL_DIR);
    return rf_make_dirs(pool, 0711, err) < 0 ? -1 : rf_make_dirs(directory, 0700, err);
}

int rf_fetch_remember(const struct rf_node_guest *guest, rf_error **err)
{
    rf_autofree char *path = rf_guest_state_path(guest, RECORD), *url = rf_url_public(rf_guest_fetch_url(guest));
    rf_autojson json_t *json = json_pack("{s:s,s:s}", "sha256", rf_guest_fetch_sha256(guest), "url", url);
    rf_autofree char *text = rf_json_text(json);
    return rf_write_file(path, text, strlen(text), 0600, err);
}

char *rf_fetch_remembered(const struct rf_node_guest *guest)
{
    rf_autofree char *path = rf_guest_state_path(guest, RECORD);
    rf_autojson json_t *json = rf_exists(path) ? rf_json_load(path, RECORD_MAX, NULL) : NULL;
    return rf_strdup(rf_json_string(json, "sha256"));
}

/* Only the checksum says that an image is another one: the same file may be had at a new address. */
char *rf_fetch_changed(const struct rf_node_guest *guest)
{
    const char *name = guest->asked->name, *wanted = rf_guest_fetch_sha256(guest);
    rf_autofree char *known = rf_fetch_remembered(guest);
    if (!wanted || !known || strcmp(known, wanted) == 0)
        return NULL;
    return rf_format("%s keeps its disk, which was made of another image (SHA-256 %.12s…) than its settings name now "
                     "(%.12s…); to make it anew, and lose what is on it: richtfest guest delete %s --with-its-disk, "
                     "then richtfest apply --node",
                     name, known, wanted, name);
}

char *rf_fetch_waiting(const struct rf_node_guest *guest)
{
    const char *url = rf_guest_fetch_url(guest);
    rf_autofree char *disk = rf_guest_disk_path(guest), *shown = url ? rf_url_public(url) : NULL;
    if (!url || rf_exists(disk))
        return NULL;
    return rf_format(
        "waiting for its image (%s); the next run goes on with it; what hindered the last one: journalctl -u "
        "richtfest-apply",
        shown);
}

int rf_fetch_inspect(const struct rf_node_guest *guest, uint64_t *ret_size, rf_error **err)
{
    const char *name = guest->asked->name, *format = rf_guest_fetch_format(guest);
    rf_autofree char *path = rf_guest_fetched_path(guest), *shown = rf_url_public(rf_guest_fetch_url(guest));
    if (rf_image_header(path, format, ret_size, err) < 0)
        return rf_wrap(err, "%s: settings.format: %s is said to be %s", name, shown, format);
    if (*ret_size <= guest->disk)
        return 0;
    rf_autofree char *has = rf_size_text(*ret_size), *disk = rf_size_text(guest->disk);
    return rf_fail(err, RF_FAILED,
                   "%s: disk: the image %s is a disk of %s, and the guest is given one of %s; write 'disk: %" PRIu64
                   " MiB' or more",
                   name, shown, has, disk,
                   (*ret_size + RF_MIB - 1) / RF_MIB); /* rounded, "2.36 GB" would be too little */
}

static void say(struct rf_step_env *env, const char *message)
{
    rf_emit(env->events, &(struct rf_event){.step = env->step ? env->step->id : NULL,
                                            .title = env->step ? env->step->title : NULL,
                                            .state = RF_PROGRESS,
                                            .seconds = -1,
                                            .message = message});
}

static enum rf_probe fetch_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_node_guest *guest = arg;
    rf_autofree char *disk = rf_guest_disk_path(guest), *path = rf_guest_fetched_path(guest);
    if (rf_disk_may(guest, err) < 0)
        return RF_PROBE_ERROR;
    if (rf_exists(disk)) {
        rf_autofree char *changed = rf_fetch_changed(guest);
        if (changed)
            say(env, changed);
        return RF_PROBE_DONE;
    }
    uint64_t size;
    const int right = rf_download_right(path, rf_guest_fetch_sha256(guest), env, err);
    if (right < 0)
        return RF_PROBE_ERROR;
    return right && rf_fetch_inspect(guest, &size, NULL) == 0 ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static bool named(const rf_node_model *model, const char *file)
{
    for (size_t i = 0; i < model->guests_count; i++) {
        const char *sha256 = rf_guest_fetch_sha256(&model->guests[i]);
        if (sha256 && strstr(file, sha256))
            return true;
    }
    return false;
}

/* Images that no guest names any more, and what was left of them. Artefacts (".art") are not images
 * (artefact_tidy.c). */
static void remove_others(const rf_node_model *model)
{
    rf_autofree char *directory = rf_node_path(model, "%s", RF_FETCHED_DIR);
    rf_autodir DIR *entries = opendir(directory);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        if (!named(model, entry->d_name) && !strstr(entry->d_name, ".art"))
            unlinkat(dirfd(entries), entry->d_name, 0);
}

/* A transfer that was refused for its size has hit one of two walls; the second is the disk itself, where somebody else was quicker. */
static int explain(const struct rf_node_guest *guest, uint64_t room, enum rf_fetch_fault fault, rf_error *why,
                   rf_error **err)
{
    const char *name = guest->asked->name;
    rf_autofree char *text = rf_error_text(why), *disk = rf_size_text(guest->disk), *left = rf_size_text(room);
    rf_error_free(why);
    if (fault == RF_FETCH_NO_ROOM || (fault == RF_FETCH_TOO_LARGE && room < largest_file(guest)))
        return rf_fail(
            err, RF_FAILED,
            "%s: settings.url: there is no room for the image: %s are left beside what the other guests need "
            "(%s); remove what is not needed in %s, then 'richtfest apply --node'",
            name, left, text, RF_POOL_DIR);
    if (fault == RF_FETCH_TOO_LARGE)
        return rf_fail(err, RF_FAILED, "%s: disk: the image is larger than the guest's disk of %s (%s); give it more",
                       name, disk, text);
    if (fault == RF_FETCH_WRONG)
        return rf_fail(err, RF_FAILED,
                       "%s: settings.sha256: %s; compare with what the publisher says, and write that checksum, or "
                       "the address of that very version",
                       name, text);
    return rf_fail(err, RF_FAILED,
                   "%s: settings.url: %s; correct the address, or let this node reach it; the next run goes on where "
                   "this one ended",
                   name, text);
}

static int bring(struct rf_step_env *env, const struct rf_node_guest *guest, rf_error **err)
{
    rf_autofree char *path = rf_guest_fetched_path(guest), *part = rf_download_part(path);
    rf_autopoolshare struct rf_pool_share share = {0};
    if (rf_pool_reserve(env, guest->node, part, largest_file(guest), &share, err) < 0)
        return -1;
    const struct rf_download download = {.urls = (const char *const[]){rf_guest_fetch_url(guest), NULL},
                                         .sha256 = rf_guest_fetch_sha256(guest),
                                         .path = path,
                                         .max = largest_file(guest),
                                         .room = share.bytes,
                                         .pause_max = PAUSE_MAX};
    enum rf_fetch_fault fault = RF_FETCH_NO_ROOM;
    rf_error *why = NULL;
    if (share.bytes == 0)
        rf_fail(&why, RF_FAILED, "no bytes allowed");
    if (why || rf_download(&download, env, &fault, &why) < 0)
        return explain(guest, share.bytes, fault, why, err);
    return 0;
}

static int fetch_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_node_guest *guest = arg;
    uint64_t size;
    if (rf_disk_may(guest, err) < 0 || rf_fetch_directory(guest->node, err) < 0)
        return -1;
    remove_others(guest->node);
    return bring(env, guest, err) < 0 ? -1 : rf_fetch_inspect(guest, &size, err);
}

/* apply has read every byte; the probe would do it again. */
static int fetch_verify(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    rf_autofree char *path = rf_guest_fetched_path(arg);
    return rf_exists(path) ? 0 : rf_fail(err, RF_FAILED, "%s is not there", path);
}

const struct rf_step_ops rf_step_fetch = {"fetch", fetch_probe, fetch_apply, fetch_verify};
