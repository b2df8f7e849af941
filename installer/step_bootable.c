/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The commit point, one disk at a time: its boot loaders (installer/loaders.h), and last the GPT attribute that says that they are
 * complete (raid/bootable.h).
 */
#include "base/memory.h"
#include "installer/deploy.h"
#include "installer/loaders.h"
#include "raid/bootable.h"

static struct rf_loaders loaders_of(const struct rf_deploy_disk *disk)
{
    return (struct rf_loaders){.disk = disk->disk, .ids = &disk->deploy->ids, .target = disk->deploy->target};
}

static enum rf_probe bootable_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    const struct rf_deploy_disk *disk = arg;
    bool marked = false;
    if (rf_bootable_read(disk->disk, &marked, err) < 0)
        return RF_PROBE_ERROR;
    return marked ? RF_PROBE_DONE : RF_PROBE_TODO;
}

/* Before the mark, which says that they are good. */
static int read_back(struct rf_step_env *env, const struct rf_deploy_disk *disk, rf_error **err)
{
    const struct rf_loaders loaders = loaders_of(disk);
    rf_autofree char *wrong = NULL;
    if (rf_loaders_check(env, &loaders, &wrong, err) < 0)
        return rf_wrap(err, "reading back");
    return wrong ? rf_fail(err, RF_FAILED, "disk %u does not hold what was written: %s", disk->disk->member, wrong) : 0;
}

static int bootable_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_deploy_disk *disk = arg;
    const struct rf_loaders loaders = loaders_of(disk);
    if (rf_loaders_write(env, &loaders, err) < 0 || read_back(env, disk, err) < 0)
        return -1;
    return rf_bootable_mark(disk->disk, err);
}

const struct rf_step_ops rf_step_bootable = {.name = "bootable", .probe = bootable_probe, .apply = bootable_apply};
