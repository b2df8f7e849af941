/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Step: a disk with foreign data that the profile consents to destroy becomes blank. It takes a struct rf_consent, which only
 * raid/consent.c makes; the partitioning step behind it takes blank disks only.
 */
#include "base/memory.h"
#include "raid/clear.h"
#include "raid/foreign.h"
#include "raid/holder.h"
#include "raid/inventory.h"
#include "raid/kind.h"
#include "raid/steps.h"
#include "raid/wipe.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>

static enum rf_probe probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    const struct rf_layout_disk *layout = rf_consent_disk(arg);
    rf_autodisk struct rf_disk disk = {0};
    rf_autofd int fd = -1;
    if (rf_disk_open(layout, O_RDONLY, &fd, &disk, err) < 0)
        return RF_PROBE_ERROR;
    disk.in_use = rf_disk_usage("", disk.name);
    rf_autofree char *findings = rf_foreign_findings(layout->node_id, &disk, 0);
    return findings ? RF_PROBE_TODO : RF_PROBE_DONE;
}

/* What was printed is what goes, and not what came later. It is also what tells disks apart that have nothing but their place. */
static int check_findings(const struct rf_consent *consent, const struct rf_disk *disk, rf_error **err)
{
    rf_autofree char *now = rf_consent_fingerprint(rf_consent_disk(consent)->node_id, disk);
    if (strcmp(now ? now : "", rf_consent_findings(consent)) == 0)
        return 0;
    return rf_fail(err, RF_BAD_MACHINE,
                   "%s holds something else than when the plan was made, and was not written; start again to see it:%s",
                   disk->path, now ? now : " nothing");
}

static int check_usage(const struct rf_disk *disk, rf_error **err)
{
    rf_autofree char *usage = rf_disk_usage("", disk->name);
    if (!usage || strncmp(usage, RF_USE_HOLDER, strlen(RF_USE_HOLDER)) == 0)
        return 0;
    return rf_fail(err, RF_BAD_MACHINE, "%s is in use (%s); nothing was stopped and nothing written", disk->path,
                   usage);
}

/* A disk that the consent does not cover, right under what has to be stopped: what lies between is looked at itself. */
static int check_other(const struct rf_consent *consent, const char *sysroot, const struct rf_volume *volume,
                       const char *name, rf_error **err)
{
    if (!rf_disk_is_whole(name) || !rf_holder_touches(volume, name))
        return 0;
    rf_autodisk struct rf_disk disk = {0};
    rf_disk_identify(sysroot, name, &disk);
    if (rf_consent_covers(consent, &disk))
        return 0;
    rf_autofree char *label = rf_disk_label(&disk);
    rf_autofree char *text = rf_holder_text(volume);
    return rf_fail(
        err, RF_BAD_MACHINE,
        "%s also runs on disk %s (%s), which the consent does not name, and stopping it would write there: nothing was "
        "stopped",
        text, name, label);
}

static int check_holder(const struct rf_consent *consent, const char *sysroot, const struct rf_volume *volume,
                        rf_error **err)
{
    const char *refusal = rf_holder_kind(volume)->refusal;
    if (refusal)
        return rf_fail(err, RF_BAD_MACHINE, "%s: %s", volume->name, refusal);
    rf_autonames char **names = rf_sys_names(sysroot, "/sys/block");
    for (char **name = names; name && *name && !rf_holder_is_silent(volume); name++)
        if (check_other(consent, sysroot, volume, *name, err) < 0)
            return -1;
    return 0;
}

/* Checks all, then stops the first. *ret_count: how many there were. */
static int stop_first(struct rf_step_env *env, const char *sysroot, const struct rf_consent *consent, const char *disk,
                      size_t *ret_count, rf_error **err)
{
    rf_automachine rf_machine *machine = rf_alloc(sizeof(*machine));
    rf_inventory_volumes(sysroot, machine);
    rf_autofree const struct rf_volume **holders = rf_holders_of(machine, disk, ret_count);
    for (size_t i = 0; i < *ret_count; i++)
        if (check_holder(consent, sysroot, holders[i], err) < 0)
            return -1;
    return *ret_count ? rf_holder_stop(env, sysroot, holders[0], err) : 0;
}

/* A volume group may have hundreds of volumes. */
enum { ROUNDS_MAX = 1000 };

int rf_clear_shut_down(struct rf_step_env *env, const char *sysroot, const struct rf_consent *consent, const char *disk,
                       rf_error **err)
{
    for (int i = 0; i < ROUNDS_MAX; i++) {
        size_t count = 0;
        if (stop_first(env, sysroot, consent, disk, &count, err) < 0)
            return -1;
        if (count == 0)
            return 0;
    }
    return rf_fail(err, RF_FAILED, "what runs on %s starts again each time that it is stopped", disk);
}

static int release_all(struct rf_step_env *env, const char *device, const struct rf_signature *signatures, size_t count,
                       rf_error **err)
{
    for (size_t i = 0; i < count; i++) {
        const struct rf_kind *kind = rf_kind_of(signatures[i].type);
        if (kind->release && kind->release(env, device, &signatures[i], err) < 0)
            return -1;
    }
    return 0;
}

/* What the kernel keeps without a device built on it: btrfs' list of devices, bcache's registrations. */
static int release(struct rf_step_env *env, const struct rf_disk *disk, rf_error **err)
{
    bool digit = isdigit((unsigned char)disk->path[strlen(disk->path) - 1]);
    for (size_t i = 0; i < disk->partitions_count; i++) {
        const struct rf_partition *part = &disk->partitions[i];
        rf_autofree char *device = rf_format("%s%s%u", disk->path, digit ? "p" : "", part->number);
        if (release_all(env, device, part->signatures, part->signatures_count, err) < 0)
            return -1;
    }
    return release_all(env, disk->path, disk->signatures, disk->signatures_count, err);
}

/* People see what goes before it goes. */
static void say(struct rf_step_env *env, const struct rf_consent *consent, const struct rf_disk *disk)
{
    rf_autofree char *message =
        rf_format("it is %s now; as the profile consents, this is destroyed: %s", disk->name, rf_consent_list(consent));
    rf_emit(env->events, &(struct rf_event){.step = env->step ? env->step->id : NULL,
                                            .title = env->step ? env->step->title : NULL,
                                            .state = RF_PROGRESS,
                                            .seconds = -1,
                                            .message = message});
}

static int quiet(struct rf_step_env *env, const struct rf_consent *consent, rf_error **err)
{
    rf_autodisk struct rf_disk disk = {0};
    rf_autofd int fd = -1;
    if (rf_disk_open(rf_consent_disk(consent), O_RDONLY, &fd, &disk, err) < 0 ||
        check_findings(consent, &disk, err) < 0 || check_usage(&disk, err) < 0)
        return -1;
    say(env, consent, &disk);
    if (rf_clear_shut_down(env, "", consent, disk.name, err) < 0)
        return -1;
    return release(env, &disk, err);
}

enum { REREAD_TRIES = 200, REREAD_PAUSE_US = 50000 };

/* The kernel forgets the partitions. Busy while anything has one of them open; a device that can't have partitions (a loop device
 * without them) says EINVAL. */
static int forget_partitions(int fd, const char *path, rf_error **err)
{
    for (int i = 0; ioctl(fd, BLKRRPART) < 0; i++) {
        if (errno == EINVAL || errno == ENOTTY)
            return 0;
        if (errno != EBUSY || i == REREAD_TRIES)
            return rf_fail_errno(err, RF_FAILED, errno, "%s is cleared, but the kernel does not forget its partitions",
                                 path);
        usleep(REREAD_PAUSE_US);
    }
    return 0;
}

static int check_blank(int fd, const struct rf_disk *cleared, rf_error **err)
{
    rf_autodisk struct rf_disk disk = {.size = cleared->size, .logical_sector = cleared->logical_sector};
    if (rf_disk_probe(fd, &disk, err) < 0)
        return -1;
    rf_autofree char *left = rf_foreign_findings("", &disk, 4);
    return left ? rf_fail(err, RF_FAILED, "%s was cleared, and this is still on it:%s", cleared->path, left) : 0;
}

/* From here on the disk is this program's alone (O_EXCL, open(2)), and udev keeps off it. */
static int wipe(const struct rf_consent *consent, rf_error **err)
{
    rf_autodisk struct rf_disk disk = {0};
    rf_autofd int fd = -1;
    if (rf_disk_open(rf_consent_disk(consent), O_RDWR | O_EXCL, &fd, &disk, err) < 0 ||
        check_findings(consent, &disk, err) < 0)
        return -1;
    if (flock(fd, LOCK_EX) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be locked", disk.path);
    if (rf_wipe_disk(consent, fd, &disk, RF_WIPE_ALL, err) < 0 || forget_partitions(fd, disk.path, err) < 0)
        return -1;
    return check_blank(fd, &disk, err);
}

static int apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    return quiet(env, arg, err) < 0 ? -1 : wipe(arg, err);
}

const struct rf_step_ops rf_step_clear = {.name = "clear", .probe = probe, .apply = apply};
