/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The root of a guest's raw disk, mounted through a loop device in a sandbox of the thread's own (image/sandbox.h). Without a
 * journal: a build that is cut short is thrown away, and nothing of a journal lands in the image. What is deleted is discarded,
 * so that it takes no room in it either.
 */
#pragma once

#include "base/step.h"
#include "image/sandbox.h"

#include <stdbool.h>
#include <stdint.h>

struct rf_mounted {
    struct rf_step_env *env;
    struct rf_sandbox sandbox;
    char *root; /* where it is mounted; NULL: it is not */
    bool bare;  /* see rf_mounted_open */
};

#define RF_MOUNTED_NOT ((struct rf_mounted){.sandbox = RF_SANDBOX_OUTSIDE})

/* Mounts the file system of `size` bytes at `offset` in `raw` at the directory `at` (made), with what a chroot needs in it
 * (rf_sandbox_fill). RF_BAD_MACHINE where this machine has no loop devices, with what to do. `bare`: no namespace and nothing in
 * it, for tests whose `mount` is not real. */
int rf_mounted_open(struct rf_step_env *env, const char *raw, uint64_t offset, uint64_t size, const char *at, bool bare,
                    struct rf_mounted *ret_mounted, rf_error **err);

/* Unmounts it; from here on `raw` holds everything. A program that is still at work in it is RF_FAILED. */
int rf_mounted_close(struct rf_mounted *mounted, rf_error **err);

/* The guard: lets go of whatever is mounted, without a word. */
void rf_mounted_drop(struct rf_mounted *mounted);
#define rf_automounted RF_CLEANUP(rf_mounted_drop)

/* 0 where a loop device can be had; RF_BAD_MACHINE else, with what to do. Reads only. */
int rf_loop_check(rf_error **err);
