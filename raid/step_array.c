/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Step: one md array over partitions of ours: created, assembled, given its members and spares, or grown. */
#include "raid/argv.h"
#include "raid/array.h"
#include "raid/lost.h"
#include "raid/superblock.h"

#include <string.h>

static enum rf_probe probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    const struct rf_layout_array *array = arg;
    rf_autoarraystate struct rf_array_state state = {0};
    if (rf_array_look("", array, &state, err) < 0)
        return RF_PROBE_ERROR;
    for (size_t i = 0; i < state.count; i++)
        if (!rf_array_holds(&state, &state.members[i]))
            return RF_PROBE_TODO;
    return state.raid_disks == array->raid_disks ? RF_PROBE_DONE : RF_PROBE_TODO;
}

/* The partitioning step leaves blank partitions: what is on them now came from somebody else. */
static int refuse_strange(const struct rf_array_state *state, rf_error **err)
{
    for (size_t i = 0; i < state->count; i++)
        if (state->members[i].content == RF_ARRAY_STRANGE)
            return rf_fail(err, RF_BAD_MACHINE, "%s holds %s, which is not this node's; it was not written",
                           state->members[i].device, state->members[i].strange);
    return 0;
}

/* A blank member is filled from the others, or the whole array is made anew. On a disk that boots neither may happen by itself:
 * the others may be older than what is left on it. */
static int refuse_lost(const struct rf_layout_array *array, const struct rf_array_state *state, rf_error **err)
{
    rf_autofree char *what = rf_format("its superblock as a member of array %s (UUID %s)", array->name, array->uuid);
    for (size_t i = 0; i < state->count; i++)
        if (state->members[i].content == RF_ARRAY_BLANK && state->members[i].committed)
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
static int stop_others(struct rf_step_env *env, const struct rf_array_state *state, rf_error **err)
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

static int assemble(struct rf_step_env *env, const struct rf_layout_array *array, const struct rf_array_state *state,
                    rf_error **err)
{
    rf_autoargv struct rf_argv argv = {0};
    rf_argv_list(&argv,
                 RF_ARGV("mdadm", "--assemble", array->device, "--uuid", array->uuid, "--run", "--homehost=any"));
    for (size_t i = 0; i < state->count; i++)
        if (state->members[i].content == RF_ARRAY_OURS)
            rf_argv_add(&argv, state->members[i].device);
    return rf_argv_run(env->runner, &argv, RF_COMMAND_SECONDS, err);
}

/*
 * Two halves of a mirror that each ran without the other have both changed. md takes the second one back all the same, by the bitmap of the
 * first, which knows nothing of what the second wrote: two different copies, and reads that get the one or the other.
 */
static int refuse_gone_on(const struct rf_layout_array *array, const struct rf_array_state *state,
                          const struct rf_array_member *member, rf_error **err)
{
    for (size_t i = 0; i < state->count; i++) {
        bool counts = false;
        if (!rf_array_holds(state, &state->members[i]))
            continue;
        if (rf_superblock_counts(member->device, state->members[i].device, &counts, err) < 0)
            return -1;
        if (counts)
            return 0;
    }
    return rf_fail(err, RF_BAD_MACHINE,
                   "%s was a member of array %s, and ran without those that run now: both may hold what the other does "
                   "not, so it was not written. Disconnect it; if nobody needs what it holds, empty that disk first "
                   "(`wipefs --all` each partition and then the disk), and it comes in as a blank one",
                   member->device, array->name);
}

/* --add serves a member that fell out, one that is new, and a spare: mdadm tries first whether a member can come back by the bitmap
 * (Manage_add in its Manage.c, before the superblock is written anew). */
static int add_missing(struct rf_step_env *env, const struct rf_layout_array *array, rf_error **err)
{
    rf_autoarraystate struct rf_array_state state = {0};
    if (rf_array_look("", array, &state, err) < 0)
        return -1;
    for (size_t i = 0; i < state.count && state.running; i++) {
        const struct rf_array_member *member = &state.members[i];
        if (rf_array_holds(&state, member))
            continue;
        if (member->content == RF_ARRAY_OURS && refuse_gone_on(array, &state, member, err) < 0)
            return -1;
        if (rf_run_argv(env->runner, RF_ARGV("mdadm", "--manage", array->device, "--add", member->device), err) < 0)
            return -1;
    }
    return 0;
}

/* `create_blank`: whether an array without any superblock yet is created. */
static int bring_up(struct rf_step_env *env, const struct rf_layout_array *array, bool create_blank, rf_error **err)
{
    rf_autoarraystate struct rf_array_state state = {0};
    if (rf_array_look("", array, &state, err) < 0 || refuse_strange(&state, err) < 0 ||
        refuse_lost(array, &state, err) < 0 || check_places(array, err) < 0 || stop_others(env, &state, err) < 0)
        return -1;
    if (state.ours == 0 && !create_blank)
        return rf_fail(err, RF_FAILED, "no member of array %s has its superblock (UUID %s)", array->name, array->uuid);
    int status = 0;
    if (state.ours == 0)
        status = rf_array_create(env, array, &state, err);
    else if (!state.running)
        status = assemble(env, array, &state, err);
    if (status < 0 || rf_wait_devices(env, RF_ARGV(array->device), err) < 0)
        return -1;
    return add_missing(env, array, err);
}

int rf_array_assemble(struct rf_step_env *env, const struct rf_layout_array *array, rf_error **err)
{
    return bring_up(env, array, false, err) < 0 ? rf_wrap(err, "array %s", array->name) : 0;
}

/* Members first: growing takes the spares that are there. A kill in between leaves them spares, and the next run grows. */
static int apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_layout_array *array = arg;
    rf_autoarraystate struct rf_array_state state = {0};
    if (bring_up(env, array, true, err) < 0 || rf_array_look("", array, &state, err) < 0)
        return -1;
    return rf_array_grow(env, array, &state, err);
}

const struct rf_step_ops rf_step_array = {.name = "array", .probe = probe, .apply = apply};

/*
 * md may still count a disk that was pulled (mdadm(8), "detached"). Then one that comes back has no number to come back to, and would be
 * filled from its beginning. Best effort: where md is not done with it yet, it lets go of it by itself before it fills the next.
 */
static void let_go(struct rf_step_env *env, const struct rf_layout_array *array)
{
    rf_run_argv(env->runner, RF_ARGV("mdadm", "--manage", array->device, "--fail", "detached", "--remove", "detached"),
                NULL);
}

/* GRUB takes a member that is still being filled for a whole one (mdraid1x_linux.c does not look at recovery_offset), so a node that loses its
 * power meanwhile may not come up. Beside guests at work md would take hours for the system (1 MB a second, md(4)); this makes it minutes. */
#define SYSTEM_KIB "50000"

/* What runs on the array goes on meanwhile, so it is neither made, nor assembled, nor stopped. */
static int join_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_layout_array *array = arg;
    rf_autoarraystate struct rf_array_state before = {0}, after = {0};
    if (rf_array_look("", array, &before, err) < 0 || refuse_strange(&before, err) < 0 ||
        refuse_lost(array, &before, err) < 0 || check_places(array, err) < 0)
        return -1;
    if (!before.running)
        return rf_fail(err, RF_FAILED,
                       "array %s does not run, and on a running node none is made or assembled; restart this node, or "
                       "let the installer look at its disks",
                       array->name);
    let_go(env, array);
    if (strcmp(array->device, RF_SYSTEM_DEVICE) == 0)
        rf_array_speed(array, "sync_speed_min", SYSTEM_KIB);
    if (add_missing(env, array, err) < 0 || rf_array_look("", array, &after, err) < 0)
        return -1;
    return rf_array_grow(env, array, &after, err);
}

const struct rf_step_ops rf_step_join = {.name = "join", .probe = probe, .apply = join_apply};
