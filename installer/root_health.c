/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/root_health.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"
#include "installer/addresses.h"
#include "installer/arrays.h"

#include <string.h>
#include <sys/stat.h>

enum { ADDRESS_SECONDS = 60 };

/* An array that has lost members does its work; that is its disks' matter and not this root's. */
static int check_arrays(const char *sysroot, rf_error **err)
{
    rf_autojson json_t *arrays = rf_arrays_json(sysroot, 0);
    if (json_array_size(arrays) < 2)
        return rf_fail(err, RF_FAILED, "%zu of this node's two arrays run", json_array_size(arrays));
    for (size_t i = 0; i < json_array_size(arrays); i++) {
        const json_t *array = json_array_get(arrays, i);
        const char *state = rf_json_string(array, "state");
        if (strcmp(state, "inactive") == 0 || strcmp(state, "broken") == 0)
            return rf_fail(err, RF_FAILED, "array %s is %s", rf_json_string(array, "name"), state);
    }
    return 0;
}

/* A place where something is mounted lies on another device than its folder. */
static int check_mounted(const char *sysroot, const char *path, rf_error **err)
{
    struct stat is, above;
    rf_autofree char *where = rf_format("%s%s", sysroot, path), *parent = rf_format("%s/..", where);
    if (stat(where, &is) < 0 || stat(parent, &above) < 0 || is.st_dev == above.st_dev)
        return rf_fail(err, RF_FAILED, "nothing is mounted at %s", path);
    return 0;
}

int rf_root_health_disks(const char *sysroot, rf_error **err)
{
    if (check_arrays(sysroot, err) < 0 || check_mounted(sysroot, RF_POOL_DIR, err) < 0)
        return -1;
    return check_mounted(sysroot, RF_STATE_DIR, err);
}

int rf_root_health(rf_runner *runner, const char *sysroot, rf_error **err)
{
    if (rf_root_health_disks(sysroot, err) < 0)
        return -1;
    if (rf_run_argv(runner, RF_ARGV("systemctl", "is-active", "--quiet", "ssh.service"), err) < 0)
        return rf_wrap(err, "SSH does not run");
    if (rf_run_argv(runner, RF_ARGV("virsh", "--connect", "qemu:///system", "version", "--daemon"), err) < 0)
        return rf_wrap(err, "libvirt does not answer");
    if (!rf_addresses_wait(ADDRESS_SECONDS))
        return rf_fail(err, RF_FAILED, "no network card has an address that others can reach");
    return 0;
}
