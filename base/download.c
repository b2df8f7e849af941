/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/download.h"

#include "base/digest.h"
#include "base/fetch.h"
#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

enum { ATTEMPTS = 3, TRANSFER_SECONDS = 12 * 3600 };

static void tell(void *data, uint64_t done, uint64_t total)
{
    struct rf_step_env *env = data;
    if (done && env->step)
        rf_step_progress(env, done, total, "bytes");
}

static void tell_read(void *data, uint64_t done)
{
    tell(data, done, 0);
}

int rf_download_right(const char *path, const char *sha256, struct rf_step_env *env, rf_error **err)
{
    char found[RF_SHA256_HEX];
    if (!rf_exists(path))
        return 0;
    if (rf_sha256_file(path, found, tell_read, env, err) < 0)
        return -1;
    return strcmp(found, sha256) == 0;
}

/* One file while it comes. */
struct work {
    const struct rf_download *download;
    struct rf_step_env *env;
    char *part;
    int fd;
    char *tried; /* why each place failed */
};

static void clear_work(struct work *work)
{
    if (work->fd >= 0)
        close(work->fd);
    free(work->part);
    free(work->tried);
}

static void note(struct work *work, rf_error *error)
{
    rf_autofree char *why = rf_error_text(error);
    rf_error_free(error);
    rf_append(&work->tried, "%s%s", work->tried ? "; " : "", why);
}

static void tell_waiting(struct rf_step_env *env)
{
    if (env->step)
        rf_emit(env->events, &(struct rf_event){.step = env->step->id,
                                                .title = env->step->title,
                                                .state = RF_PROGRESS,
                                                .seconds = -1,
                                                .message = "the same file is being fetched already; waiting for that"});
}

/* The part, locked: one at a time works on it. */
static int open_part(struct work *work, rf_error **err)
{
    work->fd = open(work->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (work->fd < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be written", work->part);
    if (flock(work->fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    tell_waiting(work->env);
    while (flock(work->fd, LOCK_EX) < 0)
        if (errno != EINTR)
            return rf_fail_errno(err, RF_FAILED, errno, "%s can't be locked", work->part);
    return 0;
}

/* Who waited for the lock may hold a file that has got its name meanwhile. */
static bool still_the_part(const struct work *work)
{
    struct stat held, named;
    return fstat(work->fd, &held) == 0 && stat(work->part, &named) == 0 && held.st_ino == named.st_ino &&
           held.st_dev == named.st_dev;
}

static off_t size_of(const struct work *work)
{
    struct stat status;
    return fstat(work->fd, &status) == 0 ? status.st_size : 0;
}

/* What the file may become: never more than there is room for, or the disk fills up for everybody else. */
static uint64_t bound(const struct work *work)
{
    const uint64_t room = work->download->room + (uint64_t)size_of(work);
    return work->download->room && room < work->download->max ? room : work->download->max;
}

static int transfer(struct work *work, const char *url, rf_error **err)
{
    const struct rf_fetch fetch = {.url = url,
                                   .max = bound(work),
                                   .seconds = TRANSFER_SECONDS,
                                   .attempts = ATTEMPTS,
                                   .pause_max = work->download->pause_max,
                                   .resume = true,
                                   .progress = tell,
                                   .data = work->env};
    if (rf_fetch_file(&fetch, work->fd, err) < 0)
        return -1;
    return fsync(work->fd) < 0 ? rf_fail_errno(err, RF_FAILED, errno, "%s can't be written", work->part) : 0;
}

/* 1 right, 0 other bytes (*ret_sha256: which), -1. What is wrong is not gone on with. */
static int compare(struct work *work, char ret_sha256[RF_SHA256_HEX], rf_error **err)
{
    if (rf_sha256_file(work->part, ret_sha256, NULL, NULL, err) < 0)
        return -1;
    if (strcmp(ret_sha256, work->download->sha256) == 0)
        return 1;
    return ftruncate(work->fd, 0) < 0 ? rf_fail_errno(err, RF_FAILED, errno, "%s can't be written", work->part) : 0;
}

/* A beginning of another file (of an older version, of another place) makes the whole wrong: then once more, from the start. */
static int take(struct work *work, const char *url, rf_error **err)
{
    char sha256[RF_SHA256_HEX];
    bool begun = size_of(work) > 0;
    int right = 0;
    for (unsigned i = 0; i < 2 && right == 0 && (i == 0 || begun); i++) {
        if (transfer(work, url, err) < 0)
            return -1;
        right = compare(work, sha256, err);
    }
    if (right != 0)
        return right < 0 ? -1 : 0;
    rf_autofree char *shown = rf_url_public(url);
    return rf_fail(err, RF_FAILED, "the checksum of %s is wrong (SHA-256 %s instead of %s): not used", shown, sha256,
                   work->download->sha256);
}

static int name_it(const struct work *work, rf_error **err)
{
    if (rename(work->part, work->download->path) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "renaming %s to %s", work->part, work->download->path);
    return 0;
}

static int take_any(struct work *work, rf_error **err)
{
    for (const char *const *url = work->download->urls; *url; url++) {
        rf_error *error = NULL;
        if (take(work, *url, &error) == 0)
            return name_it(work, err) < 0 ? -1 : 1;
        note(work, error);
    }
    return rf_fail(err, RF_FAILED, "%s", work->tried ? work->tried : "there is no place to fetch it from");
}

char *rf_download_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    const int directory = slash ? (int)(slash - path + 1) : 0;
    return rf_format("%.*s.%s.part", directory, path, path + directory);
}

int rf_download(const struct rf_download *download, struct rf_step_env *env, rf_error **err)
{
    for (;;) {
        RF_CLEANUP(clear_work) struct work work = {download, env, rf_download_part(download->path), -1, NULL};
        if (open_part(&work, err) < 0)
            return -1;
        const int right = rf_download_right(download->path, download->sha256, env, err);
        if (right < 0)
            return -1;
        if (right > 0) {
            if (still_the_part(&work))
                unlink(work.part);
            return 0;
        }
        if (still_the_part(&work))
            return take_any(&work, err);
    }
}
