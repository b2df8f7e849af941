/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/pool_room.h"

#include "base/memory.h"
#include "base/paths.h"
#include "base/units.h"

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { SMALL_POOL_PART = 16 };

#define RESERVE (UINT64_C(2) * RF_GIB)
#define RESERVE_MIN (UINT64_C(256) * RF_MIB)

struct rf_pool_room {
    pthread_mutex_t lock;
    pthread_cond_t given_back;
    struct rf_pool_share *shares;
};

struct rf_pool_room *rf_pool_room_new(void)
{
    struct rf_pool_room *room = rf_alloc(sizeof(*room));
    pthread_mutex_init(&room->lock, NULL);
    pthread_cond_init(&room->given_back, NULL);
    return room;
}

void rf_pool_room_free(struct rf_pool_room *room)
{
    if (!room)
        return;
    pthread_cond_destroy(&room->given_back);
    pthread_mutex_destroy(&room->lock);
    free(room);
}

uint64_t rf_pool_kept_free(uint64_t size)
{
    const uint64_t part = size / SMALL_POOL_PART > RESERVE_MIN ? size / SMALL_POOL_PART : RESERVE_MIN;
    return part < RESERVE ? part : RESERVE;
}

/* On the disk, in bytes: stat(2) counts in 512, whatever the file system's block is. */
uint64_t rf_pool_taken_by(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (uint64_t)status.st_blocks * 512 : 0;
}

static uint64_t outstanding(const struct rf_pool_share *share)
{
    const uint64_t now = rf_pool_taken_by(share->path), grown = now > share->begun ? now - share->begun : 0;
    return share->bytes > grown ? share->bytes - grown : 0;
}

/* What is neither taken, nor left alone, nor promised. */
static int left(const rf_node_model *model, uint64_t *ret_left, rf_error **err)
{
    struct statvfs status;
    rf_autofree char *pool = rf_node_path(model, "%s", RF_POOL_DIR);
    if (statvfs(pool, &status) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s", pool);
    uint64_t others = rf_pool_kept_free((uint64_t)status.f_blocks * status.f_frsize);
    for (const struct rf_pool_share *share = model->room->shares; share; share = share->next)
        others += outstanding(share);
    const uint64_t available = (uint64_t)status.f_bavail * status.f_frsize;
    *ret_left = available > others ? available - others : 0;
    return 0;
}

static void tell_waiting(struct rf_step_env *env)
{
    rf_emit(env->events,
            &(struct rf_event){.step = env->step ? env->step->id : NULL,
                               .title = env->step ? env->step->title : NULL,
                               .state = RF_PROGRESS,
                               .seconds = -1,
                               .message = "what others write at the moment may need the room; waiting for them"});
}

static int wait_for_room(struct rf_step_env *env, const rf_node_model *model, uint64_t bytes, uint64_t *ret_left,
                         rf_error **err)
{
    for (bool told = false;; told = true) {
        if (left(model, ret_left, err) < 0)
            return -1;
        if (*ret_left >= bytes || !model->room->shares)
            return 0;
        if (!told)
            tell_waiting(env);
        pthread_cond_wait(&model->room->given_back, &model->room->lock);
    }
}

int rf_pool_reserve(struct rf_step_env *env, const rf_node_model *model, const char *path, uint64_t bytes,
                    struct rf_pool_share *ret_share, rf_error **err)
{
    uint64_t room = 0;
    pthread_mutex_lock(&model->room->lock);
    const int result = wait_for_room(env, model, bytes, &room, err);
    if (result == 0) {
        *ret_share = (struct rf_pool_share){.room = model->room,
                                            .path = rf_strdup(path),
                                            .bytes = bytes < room ? bytes : room,
                                            .begun = rf_pool_taken_by(path),
                                            .next = model->room->shares};
        model->room->shares = ret_share;
    }
    pthread_mutex_unlock(&model->room->lock);
    return result;
}

int rf_pool_need(struct rf_step_env *env, const rf_node_model *model, const char *path, uint64_t bytes,
                 struct rf_pool_share *ret_share, rf_error **err)
{
    if (rf_pool_reserve(env, model, path, bytes, ret_share, err) < 0)
        return -1;
    if (ret_share->bytes == bytes)
        return 0;
    rf_autofree char *pool = rf_node_path(model, "%s", RF_POOL_DIR);
    rf_autofree char *needs = rf_size_text(bytes), *has = rf_size_text(ret_share->bytes);
    return rf_fail(
        err, RF_FAILED,
        "it takes %s to begin with, and the pool %s has %s left beside what is kept free for the guests that run; "
        "make room there ('richtfest guest delete' removes a guest that is not needed)",
        needs, pool, has);
}

void rf_pool_release(struct rf_pool_share *share)
{
    struct rf_pool_room *room = share->room;
    if (!room)
        return;
    pthread_mutex_lock(&room->lock);
    struct rf_pool_share **at = &room->shares;
    while (*at && *at != share)
        at = &(*at)->next;
    if (*at)
        *at = share->next;
    pthread_cond_broadcast(&room->given_back);
    pthread_mutex_unlock(&room->lock);
    free(share->path);
    *share = (struct rf_pool_share){0};
}
