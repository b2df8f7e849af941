/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/root_command.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "installer/cmdline.h"
#include "installer/engine.h"
#include "installer/inputs.h"
#include "raid/present.h"

#include <string.h>

enum { CMDLINE_MAX = 1 << 16 };

static int read_profile(rf_profile **ret_profile, rf_error **err)
{
    rf_autoproblems rf_problems problems = {0};
    if (!rf_exists(RF_STATE_PROFILE))
        return rf_fail(err, RF_BAD_MACHINE, "this is no Richtfest node: %s is not there", RF_STATE_PROFILE);
    if (rf_read_profile(RF_STATE_PROFILE, ret_profile, &problems, err) < 0)
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

int rf_root_command_open(struct rf_root_command *ret, const char *what, rf_error **err)
{
    if (read_profile(&ret->profile, err) < 0 || read_cmdline(ret, err) < 0)
        return -1;
    if (what && rf_root_lock(what, &ret->lock, err) < 0)
        return -1;
    ret->runner = rf_runner_real();
    ret->events = rf_events_new(ret->profile->node.id);
    rf_events_add(ret->events, rf_sink_console(STDERR_FILENO));
    ret->env = (struct rf_step_env){.runner = ret->runner, .events = ret->events};
    if (rf_roots_enter(ret->runner, err) < 0)
        return -1;
    return rf_roots_read(RF_ROOTS_TOP, rf_boot_running(ret->cmdline), &ret->roots, err);
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
