/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The room that is left in the guests' pool, shared by the lanes: each asks before it writes, and what it may still write is nobody else's.
 * 2 GiB are left alone, in a small pool a sixteenth of it (256 MiB at least): the running guests' disks are sparse and grow into it, and stop where they can't.
 */
#pragma once

#include "base/step.h"
#include "postinstall/node.h"

/* A promise, held while something is written to `path`. */
struct rf_pool_share {
    struct rf_pool_room *room;
    char *path;
    uint64_t bytes; /* what may be written: as asked for, or less */
    uint64_t begun; /* what the file took before */
    struct rf_pool_share *next;
};

/* Promises `bytes` for the file at `path` (it need not be there), whose growth is taken off the promise. Where others hold so much that it
 * would not fit, it waits until they are done, and says so: it blocks as long as their transfers take. Where it does not fit although nobody
 * else writes, the promise is what is left, perhaps 0: whoever needs all of it looks. Never ask while holding a share. -1 where the pool
 * can't be asked. */
int rf_pool_reserve(struct rf_step_env *env, const rf_node_model *model, const char *path, uint64_t bytes,
                    struct rf_pool_share *ret_share, rf_error **err);

/* The same for who needs all of it: RF_FAILED where less is left, with what to do. Said before the first byte: a pool that is filled to its end takes
 * the guests with it that run. */
int rf_pool_need(struct rf_step_env *env, const rf_node_model *model, const char *path, uint64_t bytes,
                 struct rf_pool_share *ret_share, rf_error **err);

/* Bytes that a file takes on its disk; 0 where there is none. */
uint64_t rf_pool_taken_by(const char *path);

/* Gives it back; a share of zeroes is none. */
void rf_pool_release(struct rf_pool_share *share);
#define rf_autopoolshare RF_CLEANUP(rf_pool_release)

/* How much of a file system of that size (bytes) is left alone. Pure. */
uint64_t rf_pool_kept_free(uint64_t size);

/* What a model holds of it. */
struct rf_pool_room *rf_pool_room_new(void);
void rf_pool_room_free(struct rf_pool_room *room);
