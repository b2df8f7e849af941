/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Running a program inside a root file system that was unpacked into a directory. It runs in mount and process namespaces of
 * its own (unshare(1)): its /proc is never mounted outside, and everything it started ends with it, however that happens.
 */
#pragma once

#include "base/command.h"
#include "base/step.h"

#include <time.h>

#define RF_CHROOT_ARGV(root, ...)                                                                                      \
    RF_ARGV("unshare", "--mount", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc", "--root", root,          \
            __VA_ARGS__)

/* The same for a list: `words` behind the arguments that come first. NULL-terminated; the caller frees the array only. */
const char **rf_argv_join(const char *const *first, const char *const *words);

/* Enables and masks units of a root by symbolic links (systemctl --root would need the host's systemd). Empty lists are
 * fine. */
int rf_chroot_units(rf_runner *runner, const char *root, char *const *enable, char *const *mask, rf_error **err);

/* Writes "PACKAGE VERSION" of every package in `root`, sorted, to `path`. */
int rf_chroot_packages(rf_runner *runner, const char *root, const char *path, rf_error **err);

/* The options that every mmdebstrap of ours has, then `packages`, hooks and the rest. */
struct rf_debstrap {
    const char *root; /* is made */
    const char *suite, *sources;
    const char *dpkg_options;                     /* a file: one dpkg option a line */
    char *const *packages, *const *more_packages; /* NULL-terminated; the second may be NULL */
    const char *early; /* a tree that is copied in before packages beyond the essential ones are installed; or NULL */
    bool keep_lists;   /* the package lists stay in the root: more is installed from them later (image/install.h) */
    time_t date;
};

/* Runs it, with progress. Every package's files are unpacked without flushing: the cache's rename comes after. */
int rf_debstrap(struct rf_step_env *env, const struct rf_debstrap *wanted, rf_error **err);
