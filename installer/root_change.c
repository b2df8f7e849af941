/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/root_change.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "image/region.h"
#include "installer/cmdline.h"
#include "installer/node_lock.h"
#include "installer/trial.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>

enum { SYNC_SECONDS = 3600, TEXT_MAX = 1 << 20 };

int rf_root_lock(const char *what, struct rf_lock *ret_lock, rf_error **err)
{
    return rf_node_lock(RF_RUN_DIR "/roots-lock", what, ret_lock, NULL, err);
}

/* Slave: what the node mounts and unmounts meanwhile is followed. */
int rf_roots_own_mounts(rf_error **err)
{
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "no mount namespace can be had");
    return 0;
}

int rf_roots_enter(rf_runner *runner, rf_error **err)
{
    if (rf_roots_own_mounts(err) < 0)
        return -1;
    if (rf_run_argv(runner,
                    RF_ARGV("mount", "--types", "btrfs", "--options", "noatime,subvolid=5,X-mount.mkdir=0700",
                            RF_SYSTEM_DEVICE, RF_ROOTS_TOP),
                    err) < 0)
        return rf_wrap(err, "the system volume");
    return rf_run_argv(
        runner, RF_ARGV("mount", "--bind", "--options", "X-mount.mkdir=0700", RF_POOL_DIR, RF_ROOTS_TARGET "/images"),
        err);
}

static char *root_path(const char *top, unsigned number, const char *suffix)
{
    return rf_format("%s/" RF_ROOTS_DIR "/%u%s", top, number, suffix);
}

int rf_roots_commit(struct rf_step_env *env, const char *top, rf_error **err)
{
    rf_autoresult struct rf_result result = {0};
    const struct rf_command command = {.argv = RF_ARGV("btrfs", "filesystem", "sync", top), .seconds = SYNC_SECONDS};
    return rf_run(env->runner, &command, &result, err);
}

static int delete_subvolume(struct rf_step_env *env, const char *path, rf_error **err)
{
    /* systemd-tmpfiles(8) makes subvolumes inside a root */
    return rf_run_argv(env->runner, RF_ARGV("btrfs", "subvolume", "delete", "--recursive", path), err);
}

int rf_roots_clear(struct rf_step_env *env, const char *top, rf_error **err)
{
    rf_autofree char *path = rf_format("%s/" RF_ROOTS_DIR, top);
    rf_autodir DIR *dir = opendir(path);
    if (!dir)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be read", path);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!strstr(entry->d_name, RF_ROOT_NEW))
            continue;
        rf_autofree char *rest = rf_format("%s/%s", path, entry->d_name);
        if (delete_subvolume(env, rest, err) < 0)
            return rf_wrap(err, "removing what an interrupted command left");
    }
    return 0;
}

char *rf_root_readdress(const char *text, unsigned from, unsigned to)
{
    rf_autofree char *old = rf_format(RF_ROOTS_DIR "/%u", from);
    const size_t length = strlen(old);
    char *result = rf_strdup("");
    for (const char *at; (at = strstr(text, old)); text = at + length) {
        const bool whole = at[length] < '0' || at[length] > '9';
        rf_append(&result, "%.*s", (int)(at - text), text);
        if (whole)
            rf_append(&result, RF_ROOTS_DIR "/%u", to);
        else
            rf_append(&result, "%s", old);
    }
    rf_append(&result, "%s", text);
    return result;
}

/* The two files that name the root that they lie in. */
static int readdress(const char *root, unsigned from, unsigned to, rf_error **err)
{
    static const struct {
        const char *path;
        unsigned mode;
    } files[] = {{"/etc/fstab", 0644}, {"/boot/grub/grub.cfg", 0600}};
    for (size_t i = 0; i < RF_COUNT(files); i++) {
        rf_autofree char *path = rf_format("%s%s", root, files[i].path), *text = NULL;
        if (rf_read_file(path, TEXT_MAX, &text, NULL, err) < 0)
            return -1;
        rf_autofree char *wanted = rf_root_readdress(text, from, to);
        if (rf_write_file(path, wanted, strlen(wanted), files[i].mode, err) < 0)
            return -1;
    }
    return 0;
}

static int note_snapshot(const char *top, const rf_roots *roots, unsigned number, const char *run, rf_error **err)
{
    const struct rf_root *of = rf_roots_find(roots, roots->running);
    const json_int_t now = (json_int_t)time(NULL);
    rf_autoroot struct rf_root root = {.number = number,
                                       .how = rf_strdup(RF_ROOT_SNAPSHOT),
                                       .version = rf_strdup(RF_VERSION),
                                       .run = rf_strdup(run),
                                       .of = roots->running,
                                       .made = now,
                                       .good = of && of->good && !rf_roots_on_trial(roots) ? now : 0};
    return rf_root_note(top, &root, err);
}

static int make_snapshot(struct rf_step_env *env, const char *top, const rf_roots *roots, unsigned number,
                         const char *run, rf_error **err)
{
    rf_autofree char *from = root_path(top, roots->running, ""), *to = root_path(top, number, "");
    rf_autofree char *fresh = root_path(top, number, RF_ROOT_NEW);
    if (rf_roots_clear(env, top, err) < 0 ||
        rf_run_argv(env->runner, RF_ARGV("btrfs", "subvolume", "snapshot", from, fresh), err) < 0 ||
        readdress(fresh, roots->running, number, err) < 0 || note_snapshot(top, roots, number, run, err) < 0 ||
        rf_roots_commit(env, top, err) < 0)
        return -1;
    if (rename(fresh, to) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "naming %s", to);
    return rf_roots_commit(env, top, err);
}

static int remove_one(struct rf_step_env *env, const char *top, unsigned number, rf_error **err)
{
    rf_autofree char *path = root_path(top, number, "");
    rf_autofree char *note = rf_format("%s" RF_NODE_DIR "/" RF_ROOTS_DIR "/%u.json", top, number);
    if (delete_subvolume(env, path, err) < 0)
        return -1;
    unlink(note);
    return 0;
}

/* Their number is bounded; that one too many stays is no reason to keep apt from its work. */
static void remove_surplus(struct rf_step_env *env, const char *top, const rf_roots *roots)
{
    size_t count;
    rf_autofree unsigned *surplus = rf_roots_surplus(roots, RF_ROOT_APT_KEPT - 1, &count);
    for (size_t i = 0; i < count; i++) {
        rf_autoerror rf_error *error = NULL;
        if (remove_one(env, top, surplus[i], &error) == 0)
            continue;
        rf_autofree char *why = rf_error_text(error);
        rf_emit_message(env->events, RF_PROGRESS, "the old snapshot %u stays: %s", surplus[i], why);
    }
}

int rf_root_snapshot(struct rf_step_env *env, const char *top, rf_roots *roots, const char *run, unsigned *ret_number,
                     rf_error **err)
{
    for (size_t i = 0; run && i < roots->count; i++) {
        if (roots->list[i].run && strcmp(roots->list[i].run, run) == 0) {
            *ret_number = roots->list[i].number;
            return 0;
        }
    }
    if (!rf_roots_find(roots, roots->running))
        return rf_fail(err, RF_BAD_MACHINE, "the system that runs is no root of this node's system volume");
    const unsigned number = rf_roots_next(roots);
    if (make_snapshot(env, top, roots, number, run, err) < 0)
        return rf_wrap(err, "root %u, a snapshot of root %u", number, roots->running);
    if (run)
        remove_surplus(env, top, roots);
    *ret_number = number;
    return 0;
}

int rf_root_remove(struct rf_step_env *env, const char *top, const rf_roots *roots, unsigned number, rf_error **err)
{
    const char *needed = rf_root_needed(roots, number);
    if (!rf_roots_find(roots, number))
        return rf_fail(err, RF_BAD_MACHINE, "there is no root %u; 'richtfest root list' has them", number);
    if (needed)
        return rf_fail(err, RF_BAD_MACHINE, "root %u stays: %s", number, needed);
    return remove_one(env, top, number, err);
}

/* A root that has failed gets a new trial, and a new verdict. */
static int forget_failure(const char *top, const rf_roots *roots, unsigned number, rf_error **err)
{
    const struct rf_root *known = rf_roots_find(roots, number);
    struct rf_root root = *known; /* borrows its texts */
    root.failed = 0;
    return known->failed ? rf_root_note(top, &root, err) : 0;
}

int rf_root_fail_trial(const rf_roots *roots, rf_error **err)
{
    return rf_fail(err, RF_BAD_MACHINE,
                   "root %u, which runs, is on trial itself; when it is good ('richtfest root list'), try again",
                   roots->running);
}

/* Nothing is tried against a root that is on trial itself; going back from it gives it up, and needs no trial. */
static int choose(const rf_roots *roots, unsigned number, struct rf_boot_choice *choice, rf_error **err)
{
    *choice = roots->choice;
    if (!rf_roots_find(roots, number))
        return rf_fail(err, RF_BAD_MACHINE, "there is no root %u; 'richtfest root list' has them", number);
    if (rf_roots_on_trial(roots) && number == roots->choice.before)
        *choice = (struct rf_boot_choice){.root = number, .before = rf_roots_good(roots, number)};
    else if (rf_roots_on_trial(roots))
        return rf_root_fail_trial(roots, err);
    else
        rf_boot_choice_try(choice, number, roots->running);
    return 0;
}

int rf_root_switch_to(struct rf_step_env *env, const rf_roots *roots, const struct rf_root_switch *to, bool *ret_trial,
                      rf_error **err)
{
    struct rf_boot_choice choice;
    const char *uuid = rf_layout_filesystem(to->layout, "system")->uuid;
    if (choose(roots, to->number, &choice, err) < 0)
        return -1;
    if (*choice.trial && rf_trial_arm(env, to->layout, to->target, choice.trial, err) < 0)
        return -1;
    if (forget_failure(to->top, roots, to->number, err) < 0 ||
        rf_roots_choose(to->top, to->node_id, uuid, &choice, err) < 0 || rf_roots_commit(env, to->top, err) < 0)
        return -1;
    *ret_trial = *choice.trial != '\0';
    return 0;
}

static unsigned word_number(const char *cmdline, const char *name)
{
    rf_autofree char *value = rf_cmdline_value(cmdline, name);
    return value ? (unsigned)strtoul(value, NULL, 10) : 0;
}

static int note_verdict(const char *top, rf_roots *roots, unsigned number, bool good, rf_error **err)
{
    for (size_t i = 0; i < roots->count; i++) {
        struct rf_root *root = &roots->list[i];
        if (root->number != number)
            continue;
        root->good = good ? (json_int_t)time(NULL) : root->good;
        root->failed = good ? 0 : (json_int_t)time(NULL);
        return rf_root_note(top, root, err);
    }
    return 0; /* it was removed meanwhile */
}

enum rf_settled rf_root_settle(struct rf_step_env *env, const char *top, rf_roots *roots, const char *cmdline,
                               const char *node_id, const char *system_uuid, unsigned *ret_root, rf_error **err)
{
    struct rf_boot_choice choice = roots->choice;
    const bool good = choice.root == roots->running && word_number(cmdline, RF_TRIAL_WORD) == choice.root;
    const bool lost = choice.root != roots->running && word_number(cmdline, RF_FALLBACK_WORD) == choice.root;
    if (!*choice.trial || (!good && !lost))
        return RF_SETTLED_NOTHING;
    /* The verdict first: a kill in between leaves a trial that the next boot settles again. */
    if (note_verdict(top, roots, choice.root, good, err) < 0)
        return RF_SETTLED_ERROR;
    *ret_root = choice.root;
    choice.trial[0] = '\0';
    if (lost)
        choice = (struct rf_boot_choice){.root = roots->running, .before = rf_roots_good(roots, roots->running)};
    if (rf_roots_choose(top, node_id, system_uuid, &choice, err) < 0 || rf_roots_commit(env, top, err) < 0)
        return RF_SETTLED_ERROR;
    return good ? RF_SETTLED_GOOD : RF_SETTLED_GIVEN_UP;
}
