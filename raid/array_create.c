/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making and growing an array through mdadm. Standard input is /dev/null (base/command.h), and everything that mdadm might ask about is
 * said: --run, --metadata, --bitmap, --homehost. */
#include "raid/argv.h"
#include "raid/array.h"
#include "raid/inventory.h"
#include "raid/level.h"

#include <fcntl.h>
#include <string.h>

/* Where the data begins in every member (mdadm(8), --data-offset): said, because what lies there is wiped first. Room for a
 * bitmap, and for a reshape to begin without a backup file (it moves this place downwards) besides. */
#define DATA_OFFSET_MIB "64"

/* mdadm's own default, said so that it stays (mdadm(8), --chunk; KiB). */
#define CHUNK_KIB "512"

/* "Several minutes for large disks" (mdadm(8), --write-zeroes). Whoever needs longer than this gets an ordinary resync. */
enum { ZEROES_SECONDS = 2 * 3600 };

/* The first resync of an array without data takes no more than this from the installation that goes on meanwhile, KiB a second. After
 * the next start md's own measure holds: as fast as others leave it (md(4), sync_speed_min). */
#define FIRST_RESYNC_KIB "20000"

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

static bool all_zero_fast(const struct rf_array_state *state)
{
    for (size_t i = 0; i < state->count; i++)
        if (!state->members[i].zeroes_fast)
            return false;
    return state->count > 0;
}

static void add_layout(struct rf_argv *argv, const struct rf_layout_array *array, const struct rf_level_row *level)
{
    if (level->striped)
        rf_argv_add(argv, "--chunk=" CHUNK_KIB);
    if (array->level == RF_LEVEL_RAID10)
        rf_argv_list(argv, RF_ARGV("--layout", rf_copies_name(array->copies)));
}

/* mdadm's options by level, and by whether a member is missing. Spares are added when the array runs. */
static void add_members(struct rf_argv *argv, const struct rf_layout_array *array)
{
    size_t members = array->raid_disks - rf_array_missing(array);
    for (size_t i = 0; i < members; i++)
        rf_argv_add(argv, array->members[i]);
    for (size_t i = members; i < array->raid_disks; i++)
        rf_argv_add(argv, "missing");
}

/*
 * "any" is the host name that matches everywhere (mdadm(8)), so the array never comes back as /dev/md/HOST:system or
 * /dev/md/system_0.
 *
 * --assume-clean: RAID1 and RAID10 need no initial resync where the members were just made. Blocks that differ were never written, so
 * no file system reads them; from the first write on the copies are the same, and the bitmap covers a crash. RAID5 and RAID6 must have
 * their parity right before a member is lost: zeroes everywhere are right (--write-zeroes), anything else is made right by a resync.
 *
 * --force: `single` is an array of one member. For RAID5 mdadm would else begin without its last member and rebuild that, which is
 * quicker, but a power cut in these hours would leave an array that is dirty and degraded at once, which the kernel refuses to
 * start. Where a member is missing on purpose RAID6 needs mdadm's way: the kernel does not start it otherwise.
 */
static int create(struct rf_step_env *env, const struct rf_layout_array *array, bool zeroes, rf_error **err)
{
    const struct rf_level_row *level = rf_level_row(array->level);
    rf_autofree char *devices = rf_format("--raid-devices=%u", array->raid_disks);
    rf_autofree char *raid_level = rf_format("--level=%s", level->mdadm);
    rf_autofree char *name = rf_format("--name=%s", array->name);
    rf_autofree char *uuid = rf_format("--uuid=%s", array->uuid);
    rf_autoargv struct rf_argv argv = {0};
    rf_argv_list(&argv,
                 RF_ARGV("mdadm", "--create", array->device, "--run", "--metadata=1.2", raid_level, devices,
                         "--bitmap=internal", "--homehost=any", "--data-offset=" DATA_OFFSET_MIB "M", name, uuid));
    add_layout(&argv, array, level);
    if (level->assume_clean)
        rf_argv_add(&argv, "--assume-clean");
    if (zeroes)
        rf_argv_add(&argv, "--write-zeroes");
    if (level->force && !rf_array_missing(array))
        rf_argv_add(&argv, "--force");
    add_members(&argv, array);
    return rf_argv_run(env->runner, &argv, zeroes ? ZEROES_SECONDS : RF_COMMAND_SECONDS, err);
}

void rf_array_speed(const struct rf_layout_array *array, const char *attribute, const char *kib)
{
    rf_autofree char *real = realpath(array->device, NULL);
    rf_autofree char *path = real ? rf_format("/sys/block/%s/md/%s", strrchr(real, '/') + 1, attribute) : NULL;
    rf_autofd int fd = path ? open(path, O_WRONLY | O_CLOEXEC) : -1;
    if (fd >= 0 && write(fd, kib, strlen(kib)) < 0)
        return;
}

int rf_array_create(struct rf_step_env *env, const struct rf_layout_array *array, const struct rf_array_state *state,
                    rf_error **err)
{
    bool parity = !rf_level_row(array->level)->assume_clean;
    for (size_t i = 0; i < state->count; i++)
        if (wipe_inside(env, state->members[i].device, err) < 0)
            return -1;
    /* an mdadm or a disk that can't do it after all, or not in time: the long way is always open */
    if (parity && all_zero_fast(state) && create(env, array, true, NULL) == 0)
        return 0;
    if (create(env, array, false, err) < 0)
        return -1;
    if (parity)
        rf_array_speed(array, "sync_speed_max", FIRST_RESYNC_KIB);
    return 0;
}

static bool at_work(const struct rf_array_state *state)
{
    return state->action && strcmp(state->action, "idle") != 0 && strcmp(state->action, "frozen") != 0;
}

int rf_array_grow(struct rf_step_env *env, const struct rf_layout_array *array, const struct rf_array_state *state,
                  rf_error **err)
{
    if (!state->running || !state->raid_disks || state->raid_disks == array->raid_disks)
        return 0;
    if (state->raid_disks > array->raid_disks)
        return rf_fail(err, RF_BAD_MACHINE, "array %s has %u members, and the profile asks for %u; none was taken away",
                       array->name, state->raid_disks, array->raid_disks);
    if (at_work(state))
        return rf_fail(
            err, RF_FAILED,
            "array %s grows when what it does now is over (%s; `richtfest status` shows how far it is); start "
            "again then",
            array->name, state->action);
    rf_autofree char *devices = rf_format("--raid-devices=%u", array->raid_disks);
    return rf_run_argv(env->runner, RF_ARGV("mdadm", "--grow", array->device, devices), err);
}
