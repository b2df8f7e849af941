/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/download.h"

#include "base/digest.h"
#include "base/fetch.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/units.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    ATTEMPTS = 3,
    SECONDS = 12 * 3600,
    FLOOR = 20000, /* bytes a second: a gigabyte in fourteen hours, which is no use to anybody */
    FLOOR_SECONDS = 60,
    DAY = 24 * 3600,
    WRONG_MAX = 65536,
};

#define HEAVY (UINT64_C(16) * RF_MIB)

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
    double deadline; /* as rf_now() has it */
    char *tried;     /* why each place failed */
    enum rf_fetch_fault *fault;
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

static int fail_writing(const struct work *work, rf_error **err)
{
    const int why = errno;
    if (why == ENOSPC || why == EDQUOT)
        *work->fault = RF_FETCH_NO_ROOM;
    return rf_fail_errno(err, RF_FAILED, why, "%s can't be written", work->part);
}

/* The part, locked: one at a time works on it. */
static int open_part(struct work *work, rf_error **err)
{
    work->fd = open(work->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (work->fd < 0)
        return fail_writing(work, err);
    if (flock(work->fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    tell_waiting(work->env);
    while (flock(work->fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EINTR && errno != EWOULDBLOCK)
            return rf_fail_errno(err, RF_FAILED, errno, "%s can't be locked", work->part);
        if (rf_now() >= work->deadline)
            return rf_fail(err, RF_FAILED, "another transfer of the same file (%s) does not come to its end",
                           work->part);
        sleep(1);
    }
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
                                   .seconds = SECONDS,
                                   .deadline = work->deadline,
                                   .floor = FLOOR,
                                   .floor_seconds = FLOOR_SECONDS,
                                   .attempts = ATTEMPTS,
                                   .pause_max = work->download->pause_max,
                                   .resume = true,
                                   .progress = tell,
                                   .data = work->env};
    if (rf_fetch_file(&fetch, work->fd, work->fault, err) < 0)
        return -1;
    return fsync(work->fd) < 0 ? fail_writing(work, err) : 0;
}

/* 1 right, 0 other bytes (*ret_sha256: which), -1. What is wrong is not gone on with. */
static int compare(struct work *work, char ret_sha256[RF_SHA256_HEX], rf_error **err)
{
    if (rf_sha256_file(work->part, ret_sha256, NULL, NULL, err) < 0)
        return -1;
    if (strcmp(ret_sha256, work->download->sha256) == 0)
        return 1;
    return ftruncate(work->fd, 0) < 0 ? fail_writing(work, err) : 0;
}

/* "SHA256-OF-THE-URL SHA256-WANTED": a URL may hold a password. The caller frees it. */
static char *wrong_key(const struct work *work, const char *url)
{
    char digest[RF_SHA256_HEX];
    rf_sha256(url, strlen(url), digest);
    return rf_format("%s %s", digest, work->download->sha256);
}

/* ".NAME.wrong"; the caller frees it. */
static char *wrong_path(const struct work *work)
{
    return rf_format("%.*s.wrong", (int)(strlen(work->part) - strlen(".part")), work->part);
}

/* Notes a day old are none; nor is one from the future: the clock was wrong, then or now. */
static char *wrong_notes(const struct work *work)
{
    struct stat status;
    rf_autofree char *path = wrong_path(work);
    char *notes = NULL;
    const time_t now = time(NULL);
    if (stat(path, &status) < 0 || status.st_mtime > now || now - status.st_mtime > DAY)
        return rf_strdup("");
    return rf_read_file(path, WRONG_MAX, &notes, NULL, NULL) < 0 ? rf_strdup("") : notes;
}

static void note_wrong(const struct work *work, const char *url)
{
    rf_autofree char *key = wrong_key(work, url), *path = wrong_path(work), *notes = wrong_notes(work);
    rf_append(&notes, "%s\n", key);
    rf_write_file(path, notes, strlen(notes), 0600, NULL); /* unnoted it is fetched once more, no worse */
}

static int refuse_wrong(const struct work *work, const char *url, rf_error **err)
{
    rf_autofree char *key = wrong_key(work, url), *path = wrong_path(work), *notes = wrong_notes(work);
    if (!strstr(notes, key))
        return 0;
    *work->fault = RF_FETCH_WRONG;
    rf_autofree char *shown = rf_url_public(url);
    return rf_fail(
        err, RF_FAILED,
        "the checksum of %s was wrong (not SHA-256 %s) less than a day ago: not fetched again until tomorrow, "
        "or until %s is removed",
        shown, work->download->sha256, path);
}

/* A beginning of another file (of an older version, of another place) makes the whole wrong: then once more, from the start. */
static int take(struct work *work, const char *url, rf_error **err)
{
    char sha256[RF_SHA256_HEX];
    const uint64_t heavy = work->download->heavy ? work->download->heavy : HEAVY;
    bool begun = size_of(work) > 0, much = false;
    int right = 0;
    *work->fault = RF_FETCH_NO_ANSWER;
    if (refuse_wrong(work, url, err) < 0)
        return -1;
    for (unsigned i = 0; i < 2 && right == 0 && (i == 0 || begun); i++) {
        if (transfer(work, url, err) < 0)
            return -1;
        much = (uint64_t)size_of(work) >= heavy;
        right = compare(work, sha256, err);
    }
    if (right != 0)
        return right < 0 ? -1 : 0;
    if (much)
        note_wrong(work, url);
    *work->fault = RF_FETCH_WRONG;
    rf_autofree char *shown = rf_url_public(url);
    return rf_fail(err, RF_FAILED, "the checksum of %s is wrong (SHA-256 %s instead of %s): not used", shown, sha256,
                   work->download->sha256);
}

static int name_it(const struct work *work, rf_error **err)
{
    rf_autofree char *wrong = wrong_path(work);
    unlink(wrong);
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

int rf_download(const struct rf_download *download, struct rf_step_env *env, enum rf_fetch_fault *ret_fault,
                rf_error **err)
{
    enum rf_fetch_fault unasked = RF_FETCH_NO_ANSWER, *fault = ret_fault ? ret_fault : &unasked;
    const double deadline = rf_now() + (download->seconds ? download->seconds : SECONDS);
    for (;;) {
        RF_CLEANUP(clear_work)
        struct work work = {download, env, rf_download_part(download->path), -1, deadline, NULL, fault};
        *fault = RF_FETCH_NO_ANSWER;
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
