/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/verify_boot.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"
#include "installer/deploy.h"
#include "installer/engine.h"
#include "installer/loaders.h"
#include "raid/bootable.h"
#include "raid/inventory.h"
#include "raid/present.h"

#include <string.h>

struct look {
    struct rf_step_env *env;
    const rf_profile *profile;
    const rf_machine *machine;
    const rf_deploy *deploy;
    bool mend;
};

static const struct rf_disk *recorded(const struct look *look, unsigned member)
{
    for (size_t i = 0; i < look->machine->disks_count; i++)
        if (rf_disk_member(look->profile->node.id, &look->machine->disks[i]) == member)
            return &look->machine->disks[i];
    return NULL;
}

/* Documentation/admin-guide/md.rst: md/dev-XXX/state. What is only being filled is no copy of the system yet. */
static char *out_of_step(const struct rf_layout_disk *disk)
{
    const char *device = disk->parts[RF_PART_SYSTEM].device;
    rf_autofree char *real = realpath(device, NULL);
    const char *name = real ? strrchr(real, '/') + 1 : "";
    rf_autonames char **holders = rf_sys_names("", "/sys/class/block/%s/holders", name);
    rf_autofree char *state =
        holders && *holders ? rf_sys_text("", "/sys/block/%s/md/dev-%s/state", *holders, name) : NULL;
    if (state && strstr(state, "in_sync"))
        return NULL;
    return rf_format("its part of array system is not in step with the others (%s)", state ? state : "in no array");
}

static void add(json_t *wrong, const char *text)
{
    json_array_append_new(wrong, json_string(text));
}

static int look_at_loaders(const struct look *look, const struct rf_layout_disk *disk, json_t *wrong, bool *ret_mended,
                           rf_error **err)
{
    const struct rf_loaders loaders = {.disk = disk, .ids = &look->deploy->ids, .target = look->deploy->target};
    rf_autofree char *found = NULL, *left = NULL;
    if (rf_loaders_check(look->env, &loaders, &found, err) < 0)
        return -1;
    if (found && look->mend) {
        if (rf_loaders_write(look->env, &loaders, err) < 0 || rf_loaders_check(look->env, &loaders, &left, err) < 0)
            return -1;
        *ret_mended = left == NULL;
    }
    if (found && !*ret_mended)
        add(wrong, left ? left : found);
    return 0;
}

/* A disk that can't be read, or written, is a finding about that disk: the others are looked at, and mended, all the same. */
static void look_at(const struct look *look, const struct rf_layout_disk *disk, json_t *list)
{
    rf_autoerror rf_error *why = NULL;
    const struct rf_disk *is = recorded(look, disk->member);
    rf_autojson json_t *wrong = json_array();
    rf_autofree char *lack = rf_disk_boot_lack(look->profile->node.id, is), *behind = out_of_step(disk);
    rf_autofree char *label = rf_disk_label(is);
    bool mended = false, place = rf_disk_takes_loaders(is);
    if (lack)
        add(wrong, lack);
    if (place && behind)
        add(wrong, behind);
    if (place && look_at_loaders(look, disk, wrong, &mended, &why) < 0) {
        rf_autofree char *text = rf_error_text(why);
        add(wrong, text);
    }
    json_array_append_new(list, json_pack("{s:I,s:s,s:s,s:b,s:b,s:O}", "member", (json_int_t)disk->member, "name",
                                          is->name, "identity", label, "boots", json_array_size(wrong) == 0, "mended",
                                          mended, "wrong", wrong));
}

int rf_verify_boot(struct rf_step_env *env, const rf_profile *profile, const rf_machine *machine, bool mend,
                   json_t **ret_disks, rf_error **err)
{
    rf_autoproblems rf_problems problems = {0};
    rf_autolayout rf_layout *layout = rf_layout_present(profile, machine, &problems);
    if (problems.count)
        return rf_fail_problems(err, RF_BAD_MACHINE, &problems);
    if (!layout)
        return rf_fail(err, RF_BAD_MACHINE, "no disk of node %s is in this machine", profile->node.id);
    const struct rf_site_options options = {.target = RF_RUN_DIR "/verify-boot"};
    rf_autodeploy rf_deploy *deploy = rf_deploy_new(profile, machine, layout, &options);
    const struct look look = {env, profile, machine, deploy, mend};
    rf_autojson json_t *list = json_array();
    for (size_t i = 0; i < layout->disks_count; i++)
        look_at(&look, &layout->disks[i], list);
    *ret_disks = RF_STEAL(list);
    return 0;
}

bool rf_verify_boot_all(const json_t *disks)
{
    for (size_t i = 0; i < json_array_size(disks); i++)
        if (!json_is_true(json_object_get(json_array_get(disks, i), "boots")))
            return false;
    return true;
}

static void add_wrong(char **text, const json_t *wrong)
{
    size_t index;
    const json_t *one;
    json_array_foreach((json_t *)wrong, index, one)
    {
        rf_append(text, "      %s\n", json_string_value(one));
    }
}

char *rf_verify_boot_text(const json_t *disks)
{
    char *text = rf_format("%-5s %-10s %-28s %s\n", "DISK", "NAME", "IDENTITY", "BOOTS ALONE");
    size_t index;
    const json_t *disk;
    json_array_foreach((json_t *)disks, index, disk)
    {
        const bool boots = json_is_true(json_object_get(disk, "boots"));
        rf_append(&text, "%-5lld %-10s %-28s %s%s\n", (long long)rf_json_integer(disk, "member", 0),
                  rf_json_string(disk, "name"), rf_json_string(disk, "identity"), boots ? "yes" : "no",
                  json_is_true(json_object_get(disk, "mended")) ? ": its boot loaders were written anew" : "");
        add_wrong(&text, json_object_get(disk, "wrong"));
    }
    return text;
}
