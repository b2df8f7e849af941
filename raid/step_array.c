/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Step: one md array over partitions of ours. What is there is read from superblocks and /sys, not from mdadm's output. */
#include "raid/argv.h"
#include "raid/inventory.h"
#include "raid/level.h"
#include "raid/lost.h"
#include "raid/steps.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

/* What one member's partition holds. */
enum content { BLANK, OURS, STRANGE };

struct member {
    const char *device;
    bool committed; /* on a disk with a finished installation */
    enum content content;
    char *holder;  /* the md device that runs on it now, or NULL */
    char *strange; /* the type of what else is on it */
};

struct state {
    struct member members[RF_MEMBERS_MAX];
    size_t count, ours;
    bool running; /* under its own name */
    char *name;   /* the kernel name behind the array's own device, or NULL */
};

static void state_clear(struct state *state)
{
    for (size_t i = 0; i < state->count; i++) {
        free(state->members[i].holder);
        free(state->members[i].strange);
    }
    free(state->name);
}
#define autostate RF_CLEANUP(state_clear)

/* "md127" for /dev/md/system, "sda3" for a link by PARTUUID; NULL where there is no such device. */
static char *kernel_name(const char *device)
{
    rf_autofree char *real = realpath(device, NULL);
    return real ? rf_strdup(strrchr(real, '/') + 1) : NULL;
}

static char *md_holder(const char *device)
{
    rf_autofree char *name = kernel_name(device);
    rf_autonames char **holders = name ? rf_sys_names("", "/sys/class/block/%s/holders", name) : NULL;
    for (char **holder = holders; holder && *holder; holder++)
        if (strncmp(*holder, "md", 2) == 0)
            return rf_strdup(*holder);
    return NULL;
}

static int look_at(struct member *member, const char *uuid, rf_error **err)
{
    struct rf_signature *list = NULL;
    size_t count = 0;
    if (rf_signatures_of(member->device, &list, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        bool ours =
            strcmp(list[i].type, "linux_raid_member") == 0 && list[i].uuid && strcasecmp(list[i].uuid, uuid) == 0;
        if (ours)
            member->content = OURS;
        else if (!member->strange)
            member->strange = rf_strdup(list[i].type);
    }
    if (member->content != OURS && member->strange)
        member->content = STRANGE;
    rf_signatures_free(list, count);
    member->holder = md_holder(member->device);
    return 0;
}

static bool is_running(const char *name)
{
    rf_autofree char *state = name ? rf_sys_text("", "/sys/block/%s/md/array_state", name) : NULL;
    return state && strcmp(state, "clear") != 0 && strcmp(state, "inactive") != 0;
}

static int look(const struct rf_layout_array *array, struct state *state, rf_error **err)
{
    bool held = false;
    state->name = kernel_name(array->device);
    for (size_t i = 0; i < array->members_count && i < RF_MEMBERS_MAX; i++) {
        struct member *member = &state->members[state->count++];
        member->device = array->members[i];
        member->committed = array->committed[i];
        if (look_at(member, array->uuid, err) < 0)
            return -1;
        state->ours += member->content == OURS;
        held |= member->holder && state->name && strcmp(member->holder, state->name) == 0;
    }
    state->running = held && is_running(state->name);
    return 0;
}

static bool is_member(const struct state *state, const struct member *member)
{
    return state->running && member->content == OURS && member->holder && strcmp(member->holder, state->name) == 0;
}

static enum rf_probe probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    autostate struct state state = {0};
    if (look(arg, &state, err) < 0)
        return RF_PROBE_ERROR;
    for (size_t i = 0; i < state.count; i++)
        if (!is_member(&state, &state.members[i]))
            return RF_PROBE_TODO;
    return RF_PROBE_DONE;
}

/* The partitioning step leaves blank partitions: what is on them now came from somebody else. */
static int refuse_strange(const struct state *state, rf_error **err)
{
    for (size_t i = 0; i < state->count; i++)
        if (state->members[i].content == STRANGE)
            return rf_fail(err, RF_BAD_MACHINE, "%s holds %s, which is not this node's; it was not written",
                           state->members[i].device, state->members[i].strange);
    return 0;
}

/* A blank member is filled from the others, or the whole array is made anew. On a disk that boots neither may happen by itself:
 * the others may be older than what is left on it. */
static int refuse_lost(const struct rf_layout_array *array, const struct state *state, rf_error **err)
{
    rf_autofree char *what = rf_format("its superblock as a member of array %s (UUID %s)", array->name, array->uuid);
    for (size_t i = 0; i < state->count; i++)
        if (state->members[i].content == BLANK && state->members[i].committed)
            return rf_fail_lost(err, state->members[i].device, what);
    return 0;
}

/* mdadm takes paths, and writes to what they lead to. */
static int check_places(const struct rf_layout_array *array, rf_error **err)
{
    for (size_t i = 0; i < array->members_count; i++)
        if (rf_part_check("", array->disks, array->disks_count, array->members[i], err) < 0)
            return -1;
    return 0;
}

/* udev may have started the array by itself: under another name, or without enough members to run. */
static int stop_others(struct rf_step_env *env, const struct state *state, rf_error **err)
{
    const char *stopped = "";
    for (size_t i = 0; i < state->count; i++) {
        const char *holder = state->members[i].holder;
        if (!holder || strcmp(holder, stopped) == 0 || (state->running && strcmp(holder, state->name) == 0))
            continue;
        rf_autofree char *device = rf_format("/dev/%s", holder);
        if (rf_run_argv(env->runner, RF_ARGV("mdadm", "--stop", device), err) < 0)
            return rf_wrap(err, "%s runs on members of this array and can't be stopped", device);
        stopped = holder;
    }
    return 0;
}

static int assemble(struct rf_step_env *env, const struct rf_layout_array *array, const struct state *state,
                    rf_error **err)
{
    rf_autoargv struct rf_argv argv = {0};
    rf_argv_list(&argv,
                 RF_ARGV("mdadm", "--assemble", array->device, "--uuid", array->uuid, "--run", "--homehost=any"));
    for (size_t i = 0; i < state->count; i++)
        if (state->members[i].content == OURS)
            rf_argv_add(&argv, state->members[i].device);
    return rf_argv_run(env->runner, &argv, RF_COMMAND_SECONDS, err);
}

/* --re-add brings a member back by the bitmap, and falls back to a full rebuild by --add (mdadm(8), --add: "if the device
 * was a member … it is re-added where possible"). So --add serves both a member that fell out and one that is new. */
static int add_missing(struct rf_step_env *env, const struct rf_layout_array *array, rf_error **err)
{
    autostate struct state state = {0};
    if (look(array, &state, err) < 0)
        return -1;
    for (size_t i = 0; i < state.count && state.running; i++)
        if (!is_member(&state, &state.members[i]) &&
            rf_run_argv(env->runner, RF_ARGV("mdadm", "--manage", array->device, "--add", state.members[i].device),
                        err) < 0)
            return -1;
    return 0;
}

/* Where the data begins in every member (mdadm(8), --data-offset): said, because what lies there is wiped first. Room for a
 * bitmap and a reshape besides. */
#define DATA_OFFSET_MIB "64"

/* A file system of an earlier array in the same place would come back to life inside the new one, and --assume-clean would
 * even mix two of them. 1 MiB holds btrfs's first superblock (64 KiB), LVM's label and XFS's superblock. blkdiscard(8) opens
 * the device exclusively. A kill in between leaves a blank member. */
static int wipe_inside(struct rf_step_env *env, const char *device, rf_error **err)
{
    if (rf_run_argv(env->runner, RF_ARGV("blkdiscard", "--zeroout", "--length", "1MiB", device), err) < 0)
        return -1;
    return rf_run_argv(
        env->runner, RF_ARGV("blkdiscard", "--zeroout", "--offset", DATA_OFFSET_MIB "MiB", "--length", "1MiB", device),
        err);
}

/*
 * Everything that mdadm might ask about is said: --run, --metadata, --bitmap, --homehost. "any" is the host name that
 * matches everywhere (mdadm(8)), so the array never comes back as /dev/md/HOST:system or /dev/md/system_0.
 *
 * --assume-clean: RAID1 needs no initial resync where the members were just made. Blocks that differ were never written, so
 * no file system reads them; from the first write on both members are the same, and the bitmap covers a crash.
 */
static int create(struct rf_step_env *env, const struct rf_layout_array *array, rf_error **err)
{
    const struct rf_level_row *level = rf_level_row(array->level);
    rf_autofree char *devices = rf_format("--raid-devices=%zu", array->members_count);
    rf_autofree char *raid_level = rf_format("--level=%s", level->mdadm);
    rf_autofree char *name = rf_format("--name=%s", array->name);
    rf_autofree char *uuid = rf_format("--uuid=%s", array->uuid);
    rf_autoargv struct rf_argv argv = {0};
    rf_argv_list(&argv,
                 RF_ARGV("mdadm", "--create", array->device, "--run", "--metadata=1.2", raid_level, devices,
                         "--bitmap=internal", "--homehost=any", "--data-offset=" DATA_OFFSET_MIB "M", name, uuid));
    if (level->assume_clean)
        rf_argv_add(&argv, "--assume-clean");
    if (level->force)
        rf_argv_add(&argv, "--force");
    for (size_t i = 0; i < array->members_count; i++)
        rf_argv_add(&argv, array->members[i]);
    return rf_argv_run(env->runner, &argv, RF_COMMAND_SECONDS, err);
}

/* `create_blank`: whether an array without any superblock yet is created. */
static int bring_up(struct rf_step_env *env, const struct rf_layout_array *array, bool create_blank, rf_error **err)
{
    autostate struct state state = {0};
    if (look(array, &state, err) < 0 || refuse_strange(&state, err) < 0 || refuse_lost(array, &state, err) < 0 ||
        check_places(array, err) < 0 || stop_others(env, &state, err) < 0)
        return -1;
    if (state.ours == 0 && !create_blank)
        return rf_fail(err, RF_FAILED, "no member of array %s has its superblock (UUID %s)", array->name, array->uuid);
    int status = 0;
    for (size_t i = 0; i < state.count && state.ours == 0 && status == 0; i++)
        status = wipe_inside(env, state.members[i].device, err);
    if (status == 0 && state.ours == 0)
        status = create(env, array, err);
    else if (status == 0 && !state.running)
        status = assemble(env, array, &state, err);
    if (status < 0 || rf_wait_devices(env, RF_ARGV(array->device), err) < 0)
        return -1;
    return add_missing(env, array, err);
}

int rf_array_assemble(struct rf_step_env *env, const struct rf_layout_array *array, rf_error **err)
{
    return bring_up(env, array, false, err) < 0 ? rf_wrap(err, "array %s", array->name) : 0;
}

static int apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    return bring_up(env, arg, true, err);
}

const struct rf_step_ops rf_step_array = {.name = "array", .probe = probe, .apply = apply};
