/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/holder.h"

#include "base/memory.h"
#include "base/units.h"
#include "raid/argv.h"
#include "raid/inventory.h"
#include "raid/kind.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

/*
 * Device-mapper targets are removed one by one, whatever made them: that needs no volume group that is whole, no key and no tool but
 * dmsetup, and lvm's and cryptsetup's own commands end in the same call. --retry: udev may just look at it (dmsetup(8)).
 * A multipath map is its daemon's, which would make it anew.
 */
static const struct rf_holder_kind rows[] = {
    {.kind = "md", .title = "RAID array", .stop = {"mdadm", "--stop", "%d"}},
    {.kind = "dm", .prefix = "LVM-", .title = "LVM volume", .stop = {"dmsetup", "remove", "--retry", "%m"}},
    {.kind = "dm", .prefix = "CRYPT-", .title = "opened encryption", .stop = {"dmsetup", "remove", "--retry", "%m"}},
    {.kind = "dm", .prefix = "mpath-", .title = "multipath map", .stop = {"multipath", "-f", "%m"}},
    {.kind = "dm", .prefix = "DMRAID-", .title = "firmware RAID set", .stop = {"dmsetup", "remove", "--retry", "%m"}},
    {.kind = "dm", .prefix = "part", .title = "partition of a mapping", .stop = {"dmsetup", "remove", "--retry", "%m"}},
    {.kind = "dm", .prefix = "", .title = "device-mapper mapping", .stop = {"dmsetup", "remove", "--retry", "%m"}},
    {.kind = "bcache", .title = "bcache device", .attribute = "bcache/stop"},
    {.kind = "drbd",
     .title = "DRBD device",
     .refusal = "it may be in use on its peer: take it down there and here (`drbdadm down`), and start again"},
    {.kind = NULL,
     .title = "device",
     .refusal = "it is of a kind that is not known here: shut it down by hand, and start again"},
};

const struct rf_holder_kind *rf_holder_kind(const struct rf_volume *volume)
{
    const struct rf_holder_kind *row = rows;
    for (; row->kind; row++) {
        if (strcmp(row->kind, volume->kind) != 0)
            continue;
        if (!row->prefix || strncmp(volume->uuid ? volume->uuid : "", row->prefix, strlen(row->prefix)) == 0)
            break;
    }
    return row;
}

/* Is `device` ("sda2", "nvme0n1p1", "md127") this very device or a partition of it? Linux puts a "p" between where the name ends
 * in a digit. */
static bool belongs(const char *device, size_t length, const char *name)
{
    size_t base = strlen(name);
    if (base == 0 || length < base || strncmp(device, name, base) != 0)
        return false;
    if (length == base)
        return true;
    const char *rest = device + base, *end = device + length;
    if (isdigit((unsigned char)name[base - 1]) && *rest++ != 'p')
        return false;
    return rest < end && strspn(rest, "0123456789") >= (size_t)(end - rest);
}

/* Is one of the names in `on` the device `name`, or a partition of it? */
static bool names(const char *on, const char *name)
{
    for (const char *at = on; at && *at; at += strcspn(at, " "), at += *at == ' ')
        if (belongs(at, strcspn(at, " "), name))
            return true;
    return false;
}

/* Depth is bounded because a machine's description comes from a file, and could run in a circle. */
static bool is_on(const rf_machine *machine, const struct rf_volume *volume, const char *disk, unsigned depth)
{
    if (names(volume->on, disk))
        return true;
    for (size_t i = 0; i < machine->volumes_count && depth > 0; i++)
        if (names(volume->on, machine->volumes[i].name) && is_on(machine, &machine->volumes[i], disk, depth - 1))
            return true;
    return false;
}

enum { DEPTH_MAX = 16 };

bool rf_holder_is_on(const rf_machine *machine, const struct rf_volume *volume, const char *disk)
{
    return is_on(machine, volume, disk, DEPTH_MAX);
}

bool rf_holder_touches(const struct rf_volume *volume, const char *disk)
{
    return names(volume->on, disk);
}

/* Is anything that is still in the list built on it? A container of firmware RAID is held by its arrays without being built under
 * them: it has no size, and goes last. */
static bool is_top(const struct rf_volume **list, size_t count, const struct rf_volume *volume)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] && list[i] != volume && (names(list[i]->on, volume->name) || (!volume->size && list[i]->size)))
            return false;
    return true;
}

static size_t next_top(const struct rf_volume **list, size_t count)
{
    size_t first = count;
    for (size_t i = 0; i < count; i++) {
        if (!list[i])
            continue;
        if (is_top(list, count, list[i]))
            return i;
        first = first < i ? first : i;
    }
    return first; /* a circle: in any order */
}

const struct rf_volume **rf_holders_of(const rf_machine *machine, const char *disk, size_t *ret_count)
{
    const struct rf_volume **all = NULL, **sorted = NULL;
    size_t count = 0, done = 0;
    for (size_t i = 0; i < machine->volumes_count; i++)
        if (rf_holder_is_on(machine, &machine->volumes[i], disk))
            *(const struct rf_volume **)rf_array_add(&all, &count, sizeof(*all)) = &machine->volumes[i];
    while (done < count) {
        size_t top = next_top(all, count);
        *(const struct rf_volume **)rf_array_add(&sorted, &done, sizeof(*sorted)) = all[top];
        all[top] = NULL;
    }
    free(all);
    *ret_count = count;
    return sorted;
}

bool rf_holder_is_silent(const struct rf_volume *volume)
{
    static const char *const silent[] = {"clear", "inactive", "readonly", "read-auto"};
    for (size_t i = 0; volume->state && i < RF_COUNT(silent); i++)
        if (strlen(silent[i]) == strcspn(volume->state, ",") &&
            strncmp(volume->state, silent[i], strlen(silent[i])) == 0)
            return true;
    return false;
}

char *rf_holder_text(const struct rf_volume *volume)
{
    char *text = rf_format("%s %s", rf_holder_kind(volume)->title, volume->name);
    if (volume->map)
        rf_append(&text, " \"%s\"", volume->map);
    rf_autofree char *size = rf_size_text(volume->size);
    rf_append(&text, " (%s%s%s)", volume->size ? size : "not running", volume->state ? ", " : "",
              volume->state ? volume->state : "");
    for (size_t i = 0; i < volume->signatures_count; i++) {
        rf_autofree char *inside = rf_kind_text(&volume->signatures[i]);
        rf_append(&text, "%s %s", i ? ";" : ":", inside);
    }
    return text;
}

static int write_one(const char *path, rf_error **err)
{
    rf_autofd int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "1", 1) != 1)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be written", path);
    return 0;
}

static const char *word(const char *pattern, const struct rf_volume *volume, const char *device)
{
    if (strcmp(pattern, "%d") == 0)
        return device;
    return strcmp(pattern, "%m") == 0 ? volume->map : pattern;
}

static int run_stop(struct rf_step_env *env, const struct rf_holder_kind *row, const struct rf_volume *volume,
                    rf_error **err)
{
    rf_autofree char *device = rf_format("/dev/%s", volume->name);
    rf_autoargv struct rf_argv argv = {0};
    for (size_t i = 0; i < RF_COUNT(row->stop) && row->stop[i]; i++) {
        const char *next = word(row->stop[i], volume, device);
        if (!next)
            return rf_fail(err, RF_FAILED, "it has no name to stop it by");
        rf_argv_add(&argv, next);
    }
    return rf_argv_run(env->runner, &argv, RF_COMMAND_SECONDS, err);
}

/* md keeps an empty device for a while: it counts as gone when nothing is under it. */
static bool is_gone(const char *sysroot, const char *name)
{
    rf_autonames char **slaves = rf_sys_names(sysroot, "/sys/block/%s/slaves", name);
    return !rf_sys_exists(sysroot, "/sys/block/%s", name) || !slaves || !*slaves;
}

enum { GONE_TRIES = 200, GONE_PAUSE_US = 50000 };

static int wait_gone(const char *sysroot, const char *name, rf_error **err)
{
    for (int i = 0; !is_gone(sysroot, name); i++) {
        if (i == GONE_TRIES)
            return rf_fail(err, RF_FAILED,
                           "it was stopped, but is still there after 10 s: who uses it? (`lsblk`, `fuser -v /dev/%s`)",
                           name);
        usleep(GONE_PAUSE_US);
    }
    return 0;
}

static int stop(struct rf_step_env *env, const char *sysroot, const struct rf_volume *volume, rf_error **err)
{
    const struct rf_holder_kind *row = rf_holder_kind(volume);
    if (row->refusal)
        return rf_fail(err, RF_BAD_MACHINE, "%s", row->refusal);
    rf_autofree char *path =
        row->attribute ? rf_format("%s/sys/block/%s/%s", sysroot, volume->name, row->attribute) : NULL;
    if ((path ? write_one(path, err) : run_stop(env, row, volume, err)) < 0)
        return -1;
    return wait_gone(sysroot, volume->name, err);
}

int rf_holder_stop(struct rf_step_env *env, const char *sysroot, const struct rf_volume *volume, rf_error **err)
{
    if (is_gone(sysroot, volume->name) || stop(env, sysroot, volume, err) == 0)
        return 0;
    rf_autofree char *text = rf_holder_text(volume);
    return rf_wrap(err, "%s", text);
}

/* The kernel's Documentation/admin-guide/bcache.rst: a cache is stopped through its set, what is cached by itself. */
int rf_holder_unregister(const char *sysroot, const char *name, rf_error **err)
{
    static const char *const attributes[] = {"set/stop", "stop"};
    for (size_t i = 0; i < RF_COUNT(attributes); i++) {
        rf_autofree char *path = rf_format("%s/sys/class/block/%s/bcache/%s", sysroot, name, attributes[i]);
        if (access(path, W_OK) == 0 && write_one(path, err) < 0)
            return -1;
    }
    for (int i = 0; rf_sys_exists(sysroot, "/sys/class/block/%s/bcache", name); i++) {
        if (i == GONE_TRIES)
            return rf_fail(err, RF_FAILED, "bcache holds %s still, 10 s after it was told to let it go", name);
        usleep(GONE_PAUSE_US);
    }
    return 0;
}
