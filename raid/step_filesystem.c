/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Step: one file system. What is there is asked of the device itself, by UUID. */
#include "base/memory.h"
#include "raid/filesystem.h"
#include "raid/inventory.h"
#include "raid/lost.h"

#include <string.h>

enum state { ABSENT, INTERRUPTED, COMPLETE, UNKNOWN };

static enum state look(const struct rf_layout_filesystem *filesystem, char **ret_other, rf_error **err)
{
    struct rf_signature *list = NULL;
    size_t count = 0;
    if (rf_signatures_of(filesystem->device, &list, &count, err) < 0)
        return UNKNOWN;
    bool complete = false;
    enum state state = ABSENT;
    if (rf_filesystem_ours(filesystem, list, count, &complete))
        state = complete ? COMPLETE : INTERRUPTED;
    else if (count)
        *ret_other = rf_format("%s%s%s", list[0].type, list[0].uuid ? " " : "", list[0].uuid ? list[0].uuid : "");
    rf_signatures_free(list, count);
    return state;
}

static enum rf_probe probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    rf_autofree char *other = NULL;
    enum state state = look(arg, &other, err);
    if (state == UNKNOWN)
        return RF_PROBE_ERROR;
    return state == COMPLETE ? RF_PROBE_DONE : RF_PROBE_TODO;
}

/* The label is set before the disk's mark, so without one it was taken away later. */
static int refuse_lost(const struct rf_layout_filesystem *filesystem, enum state state, rf_error **err)
{
    rf_autofree char *label = state == INTERRUPTED ? rf_format("the label %s of ", filesystem->label) : rf_strdup("");
    rf_autofree char *what = rf_format("%sits %s file system (UUID %s)", label, filesystem->type, filesystem->uuid);
    return rf_fail_lost(err, filesystem->device, what);
}

static int apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_layout_filesystem *filesystem = arg;
    const struct rf_filesystem_ops *ops = rf_filesystem_ops(filesystem->type);
    rf_autofree char *other = NULL;
    enum state state = look(filesystem, &other, err);
    if (state == UNKNOWN)
        return -1;
    if (other)
        return rf_fail(err, RF_BAD_MACHINE, "%s holds %s, which is not this profile's file system; it was not written",
                       filesystem->device, other);
    if (state == COMPLETE)
        return 0;
    if (filesystem->committed)
        return refuse_lost(filesystem, state, err);
    if (filesystem->disk && rf_part_check("", filesystem->disk, 1, filesystem->device, err) < 0)
        return -1;
    /* An interrupted one is made anew: nobody can have stored anything in it before it had its label. */
    if (ops->make(env, filesystem, err) < 0 || (ops->furnish && ops->furnish(env, filesystem, err) < 0))
        return -1;
    return ops->label(env, filesystem, err);
}

const struct rf_step_ops rf_step_filesystem = {.name = "filesystem", .probe = probe, .apply = apply};
