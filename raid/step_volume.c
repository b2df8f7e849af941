/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Step: the volume group on the data array and the volume for images in it. */
#include "raid/argv.h"
#include "raid/layout.h"
#include "raid/lost.h"
#include "raid/lvm.h"
#include "raid/steps.h"

#include <string.h>
#include <sys/stat.h>

static enum rf_probe probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    const struct rf_layout_volume *volume = arg;
    struct stat status;
    return stat(volume->device, &status) == 0 && S_ISBLK(status.st_mode) ? RF_PROBE_DONE : RF_PROBE_TODO;
}

/* `name` is the lost volume's, or NULL where the whole group is gone. LVM's own words say whether it only failed to look. */
static int refuse_lost(const struct rf_layout_volume *volume, const char *name, const struct rf_lvm_answer *answer,
                       rf_error **err)
{
    rf_autofree char *what =
        name ? rf_format("the volume %s of its volume group", name) : rf_strdup("its volume group");
    rf_append(&what, " %s", volume->group);
    if (*answer->words)
        rf_append(&what, " (LVM says: %s)", answer->words);
    return rf_fail_lost(err, volume->physical, what);
}

static int ensure_group(struct rf_step_env *env, const struct rf_layout_volume *volume, const char *config,
                        rf_error **err)
{
    rf_autoanswer struct rf_lvm_answer answer = {0};
    if (rf_lvm_report(env, RF_ARGV("pvs", "--config", config, "--noheadings", "--options", "vg_name", volume->physical),
                      &answer, err) < 0)
        return -1;
    if (strcmp(answer.text, volume->group) == 0)
        return 0;
    if (*answer.text)
        return rf_fail(err, RF_BAD_MACHINE,
                       "%s belongs to volume group %s, which is not this node's; it was not written", volume->physical,
                       answer.text);
    if (volume->committed)
        return refuse_lost(volume, NULL, &answer, err);
    /* makes the physical volume as well, also where a kill left one without a group */
    return rf_run_argv(env->runner, RF_ARGV("vgcreate", "--config", config, "--yes", volume->group, volume->physical),
                       err);
}

static int create(struct rf_step_env *env, const struct rf_layout_volume *volume, const char *config, rf_error **err)
{
    rf_autofree char *extents = rf_format("%d%%VG", RF_LAYOUT_IMAGES_PERCENT);
    /* --wipesignatures: the volume must not show what stood on these blocks before; --yes: LVM asks otherwise */
    return rf_run_argv(env->runner,
                       RF_ARGV("lvcreate", "--config", config, "--yes", "--wipesignatures", "y", "--zero", "y",
                               "--extents", extents, "--name", volume->name, volume->group),
                       err);
}

static int ensure_volume(struct rf_step_env *env, const struct rf_layout_volume *volume, const char *config,
                         rf_error **err)
{
    rf_autofree char *select = rf_format("vg_name=%s && lv_name=%s", volume->group, volume->name);
    rf_autoanswer struct rf_lvm_answer answer = {0};
    if (rf_lvm_report(env,
                      RF_ARGV("lvs", "--config", config, "--noheadings", "--options", "lv_name", "--select", select),
                      &answer, err) < 0)
        return -1;
    if (strcmp(answer.text, volume->name) == 0)
        return 0;
    return volume->committed ? refuse_lost(volume, volume->name, &answer, err) : create(env, volume, config, err);
}

static int activate(struct rf_step_env *env, const struct rf_layout_volume *volume, const char *config, rf_error **err)
{
    rf_autofree char *name = rf_format("%s/%s", volume->group, volume->name);
    if (rf_run_argv(env->runner, RF_ARGV("lvchange", "--config", config, "--yes", "--activate", "y", name), err) < 0)
        return -1;
    return rf_wait_devices(env, RF_ARGV(volume->device), err);
}

int rf_volume_activate(struct rf_step_env *env, const struct rf_layout_volume *volume, rf_error **err)
{
    rf_autofree char *config = rf_lvm_only(volume->physical);
    return activate(env, volume, config, err);
}

static int apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_layout_volume *volume = arg;
    rf_autofree char *config = rf_lvm_only(volume->physical);
    if (ensure_group(env, volume, config, err) < 0 || ensure_volume(env, volume, config, err) < 0)
        return -1;
    return activate(env, volume, config, err);
}

const struct rf_step_ops rf_step_volume = {.name = "volume", .probe = probe, .apply = apply};
