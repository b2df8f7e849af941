/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Waiting for udev's links. */
#include "raid/argv.h"
#include "raid/steps.h"

/* udev needs a moment on slow machines and much longer on emulated ones; a device that is there is not waited for. The
 * command itself gets a little more, so that its own message is the one that is seen. */
#define WAIT_SECONDS "60"
enum { COMMAND_SECONDS = 90 };

int rf_wait_devices(struct rf_step_env *env, const char *const *devices, rf_error **err)
{
    rf_autoargv struct rf_argv argv = {0};
    rf_argv_list(&argv, RF_ARGV("udevadm", "wait", "--settle", "--timeout=" WAIT_SECONDS));
    rf_argv_list(&argv, devices);
    return rf_argv_run(env->runner, &argv, COMMAND_SECONDS, err);
}
