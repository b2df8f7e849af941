/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/root_command.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "installer/cmdline.h"
#include "installer/engine.h"
#include "installer/inputs.h"
#include "raid/mounts.h"
#include "raid/present.h"

#include <string.h>

enum { CMDLINE_MAX = 1 << 16 };

static int read_profile(const char *path, rf_profile **ret_profile, rf_error **err)
{
    rf_autoproblems rf_problems problems = {0};
    if (rf_read_profile(path, ret_profile, &problems, err) < 0)
        return -1;
    return *ret_profile ? 0 : rf_fail_problems(err, RF_BAD_PROFILE, &problems);
}

/* Where it was booted from is what counts, whatever a profile says by now. */
static int read_cmdline(struct rf_root_command *self, rf_error **err)
{
    if (rf_read_file("/proc/cmdline", CMDLINE_MAX, &self->cmdline, NULL, err) < 0)
        return -1;
    rf_autofree char *root = rf_cmdline_value(self->cmdline, "root");
    if (!root || strncmp(root, "UUID=", 5) != 0)
        return rf_fail(err, RF_BAD_MACHINE, "this system was not booted from a root of a node");
    self->system_uuid = rf_strdup(root + 5);
    return 0;
}

static void make_ready(struct rf_root_command *self)
{
    self->runner = rf_runner_real();
    self->events = rf_events_new(self->profile->node.id);
    rf_events_add(self->events, rf_sink_console(STDERR_FILENO));
    self->env = (struct rf_step_env){.runner = self->runner, .events = self->events};
}

int rf_root_command_open(struct rf_root_command *ret, const char *what, rf_error **err)
{
    if (!rf_exists(RF_STATE_PROFILE))
        return rf_fail(err, RF_BAD_MACHINE, "this is no Richtfest node: %s is not there", RF_STATE_PROFILE);
    if (read_profile(RF_STATE_PROFILE, &ret->profile, err) < 0 || read_cmdline(ret, err) < 0)
        return -1;
    if (what && rf_root_lock(what, &ret->lock, err) < 0)
        return -1;
    make_ready(ret);
    if (rf_roots_enter(ret->runner, err) < 0)
        return -1;
    return rf_roots_read(RF_ROOTS_TOP, rf_boot_running(ret->cmdline), &ret->roots, err);
}

/* The next boot would be of that one: what is deployed is tried against it. A trial that goes on is given up. */
static void stand_in(rf_roots *roots)
{
    const unsigned number = *roots->choice.trial ? roots->choice.before : roots->choice.root;
    if (*roots->choice.trial)
        roots->choice = (struct rf_boot_choice){.root = number, .before = rf_roots_good(roots, number)};
    roots->running = number;
}

/* Whoever writes to an ESP mounts it for as long as that takes. */
static int let_go_of_esps(const rf_layout *layout, rf_error **err)
{
    for (size_t i = 0; i < layout->filesystems_count; i++) {
        rf_autofree char *where = rf_format(RF_ROOTS_TARGET "/%s", layout->filesystems[i].id);
        if (layout->filesystems[i].disk && rf_unmount(where, err) < 0)
            return -1;
    }
    return 0;
}

int rf_root_command_open_live(struct rf_root_command *ret, const char *path, const char *what, rf_error **err)
{
    if (rf_exists(RF_STATE_PROFILE))
        return rf_fail(err, RF_BAD_MACHINE, "this is a node, which has its own profile; leave --profile out");
    if (read_profile(path, &ret->profile, err) < 0 || rf_root_lock(what, &ret->lock, err) < 0)
        return -1;
    make_ready(ret);
    if (rf_root_command_disks(ret, err) < 0 || rf_roots_own_mounts(err) < 0 ||
        rf_target_open(&ret->env, ret->layout, RF_ROOTS_TARGET, err) < 0 || let_go_of_esps(ret->layout, err) < 0 ||
        rf_roots_read(RF_ROOTS_TOP, 0, &ret->roots, err) < 0)
        return -1;
    stand_in(ret->roots);
    ret->system_uuid = rf_strdup(rf_layout_filesystem(ret->layout, "system")->uuid);
    return 0;
}

int rf_root_command_disks(struct rf_root_command *self, rf_error **err)
{
    rf_autoproblems rf_problems problems = {0};
    if (rf_read_machine(NULL, &self->machine, err) < 0)
        return -1;
    self->layout = rf_layout_present(self->profile, self->machine, &problems);
    if (problems.count)
        return rf_fail_problems(err, RF_BAD_MACHINE, &problems);
    if (!self->layout)
        return rf_fail(err, RF_BAD_MACHINE, "no disk of node %s is in this machine", self->profile->node.id);
    return 0;
}

void rf_root_command_close(struct rf_root_command *self)
{
    rf_roots_free(self->roots);
    rf_layout_free(self->layout);
    rf_machine_free(self->machine);
    rf_events_free(self->events);
    rf_runner_free(self->runner);
    rf_profile_free(self->profile);
    free(self->cmdline);
    free(self->system_uuid);
    rf_lock_release(&self->lock);
    *self = (struct rf_root_command){0};
}
