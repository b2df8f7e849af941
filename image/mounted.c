/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/mounted.h"

#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

#define LOOP_ADVICE                                                                                                    \
    "a recipe's image is made on a mounted disk, which takes a loop device: `modprobe loop`; in a container, give it " \
    "/dev/loop-control and some /dev/loopN, or build on a machine"

int rf_loop_check(rf_error **err)
{
    rf_autofd int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    const int number = control < 0 ? -1 : ioctl(control, LOOP_CTL_GET_FREE);
    if (number < 0)
        return rf_fail_errno(err, RF_BAD_MACHINE, errno, "there is no loop device (" LOOP_ADVICE ")");
    rf_autofree char *path = rf_format("/dev/loop%d", number);
    rf_autofd int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return rf_fail_errno(err, RF_BAD_MACHINE, errno, "the loop device %s can't be opened (" LOOP_ADVICE ")", path);
    return 0;
}

static int mount_disk(const struct rf_mounted *mounted, const char *raw, uint64_t offset, uint64_t size, rf_error **err)
{
    /* noinit_itable: the guest's kernel fills in what is left blank; here it would only make the overlay larger. */
    rf_autofree char *options =
        rf_format("loop,offset=%" PRIu64 ",sizelimit=%" PRIu64 ",noload,noatime,discard,noinit_itable", offset, size);
    if (rf_run_argv(mounted->env->runner, RF_ARGV("mount", "-t", "ext4", "-o", options, raw, mounted->root), err) < 0)
        return rf_wrap(err, "%s can't be mounted (" LOOP_ADVICE ")", raw);
    return 0;
}

int rf_mounted_open(struct rf_step_env *env, const char *raw, uint64_t offset, uint64_t size, const char *at, bool bare,
                    struct rf_mounted *ret_mounted, rf_error **err)
{
    rf_automounted struct rf_mounted mounted = RF_MOUNTED_NOT;
    mounted.env = env;
    mounted.bare = bare;
    if (rf_make_dirs(at, 0755, err) < 0 || (!bare && rf_sandbox_enter(&mounted.sandbox, err) < 0))
        return -1;
    mounted.root = rf_strdup(at);
    if (mount_disk(&mounted, raw, offset, size, err) < 0 || (!bare && rf_sandbox_fill(at, err) < 0))
        return -1;
    *ret_mounted = mounted;
    mounted = RF_MOUNTED_NOT;
    return 0;
}

int rf_mounted_close(struct rf_mounted *mounted, rf_error **err)
{
    int outcome = rf_run_argv(mounted->env->runner, RF_ARGV("umount", "--recursive", mounted->root), err);
    rf_mounted_drop(mounted);
    return outcome;
}

void rf_mounted_drop(struct rf_mounted *mounted)
{
    rf_sandbox_leave(&mounted->sandbox);
    free(mounted->root);
    *mounted = RF_MOUNTED_NOT;
}
