/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/mounts.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "raid/inventory.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>

enum { MOUNTINFO_MAX = 4 << 20 };

/* proc(5): blanks, tabs, newlines and backslashes are written as \ooo. In place. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from; to++) {
        bool octal = from[0] == '\\' && strspn(from + 1, "01234567") >= 3;
        *to = octal ? (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0')) : *from;
        from += octal ? 4 : 1;
    }
    *to = '\0';
}

/* The fifth field of a line. */
static char *mount_point(const char *line)
{
    for (int skip = 0; skip < 4; skip++) {
        line += strcspn(line, " \n");
        line += *line == ' ';
    }
    char *point = rf_format("%.*s", (int)strcspn(line, " \n"), line);
    unescape(point);
    return point;
}

static bool is_below(const char *path, const char *target)
{
    size_t length = strlen(target);
    return strncmp(path, target, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

char **rf_mounts_below(const char *mountinfo, const char *target)
{
    char **points = NULL;
    size_t count = 0;
    for (const char *line = mountinfo; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        rf_autofree char *point = mount_point(line);
        if (is_below(point, target))
            *(char **)rf_array_add(&points, &count, sizeof(*points)) = RF_STEAL(point);
    }
    for (size_t i = 0; i < count / 2; i++) {
        char *swap = points[i];
        points[i] = points[count - 1 - i];
        points[count - 1 - i] = swap;
    }
    *(char **)rf_array_add(&points, &count, sizeof(*points)) = NULL;
    return points;
}

static int points_now(const char *target, char ***ret_points, rf_error **err)
{
    rf_autofree char *mountinfo = NULL;
    if (rf_read_file("/proc/self/mountinfo", MOUNTINFO_MAX, &mountinfo, NULL, err) < 0)
        return -1;
    *ret_points = rf_mounts_below(mountinfo, target);
    return 0;
}

enum { UNMOUNT_TRIES = 200, UNMOUNT_PAUSE_US = 50000 };

int rf_unmount(const char *where, rf_error **err)
{
    for (int i = 0; umount2(where, UMOUNT_NOFOLLOW) < 0; i++) {
        if (errno != EBUSY || i == UNMOUNT_TRIES)
            return rf_fail_errno(err, RF_FAILED, errno, "%s can't be unmounted (`fuser -vm` shows who uses it)", where);
        usleep(UNMOUNT_PAUSE_US);
    }
    return 0;
}

int rf_target_close(const char *target, rf_error **err)
{
    rf_autonames char **points = NULL;
    if (points_now(target, &points, err) < 0)
        return -1;
    int status = 0;
    for (char **point = points; *point; point++)
        if (rf_unmount(*point, status < 0 ? NULL : err) < 0)
            status = -1;
    return status;
}

static bool is_mounted(char *const *points, const char *where)
{
    for (; *points; points++)
        if (strcmp(*points, where) == 0)
            return true;
    return false;
}

/* ESPs are mounted by who writes them (installer/loaders.c), for as long as that takes: FAT has no journal, and a power cut would mark each
 * of them as damaged. */
static bool is_mountable(const struct rf_layout_filesystem *filesystem)
{
    return !filesystem->disk;
}

/* How many of them are mounted at their places; -1 and *err where that can't be read. */
static int count_mounted(const rf_layout *layout, const char *target, rf_error **err)
{
    rf_autonames char **points = NULL;
    if (points_now(target, &points, err) < 0)
        return -1;
    int count = 0;
    for (size_t i = 0; i < layout->filesystems_count; i++) {
        rf_autofree char *where = rf_format("%s/%s", target, layout->filesystems[i].id);
        count += is_mountable(&layout->filesystems[i]) && is_mounted(points, where);
    }
    return count;
}

static int mount_one(struct rf_step_env *env, const char *type, const char *options, const char *device,
                     const char *target, const char *name, rf_error **err)
{
    rf_autofree char *where = rf_format("%s/%s", target, name);
    rf_autofree char *all = rf_format("%s,X-mount.mkdir", options);
    return rf_run_argv(env->runner, RF_ARGV("mount", "--types", type, "--options", all, device, where), err);
}

/* How each type is mounted while deploying; the node's own fstab is the installer's. */
static const char *options_for(const char *type)
{
    static const struct {
        const char *type, *options;
    } table[] = {{"btrfs", "noatime,subvolid=5"}, {"xfs", "noatime"}, {"vfat", "umask=0077"}};
    for (size_t i = 0; i < RF_COUNT(table); i++)
        if (strcmp(table[i].type, type) == 0)
            return table[i].options;
    return "defaults";
}

static size_t count_mountable(const rf_layout *layout)
{
    size_t count = 0;
    for (size_t i = 0; i < layout->filesystems_count; i++)
        count += is_mountable(&layout->filesystems[i]);
    return count;
}

static int mount_all(struct rf_step_env *env, const rf_layout *layout, const char *target, rf_error **err)
{
    for (size_t i = 0; i < layout->filesystems_count; i++) {
        const struct rf_layout_filesystem *filesystem = &layout->filesystems[i];
        if (!is_mountable(filesystem))
            continue;
        if (mount_one(env, filesystem->type, options_for(filesystem->type), filesystem->device, target, filesystem->id,
                      err) < 0)
            return -1;
    }
    return 0;
}

int rf_target_open(struct rf_step_env *env, const rf_layout *layout, const char *target, rf_error **err)
{
    int mounted = count_mounted(layout, target, err);
    if (mounted < 0)
        return -1;
    if ((size_t)mounted == count_mountable(layout))
        return 0;
    if (rf_target_close(target, err) < 0)
        return rf_wrap(err, "clearing what an earlier run left");
    if (rf_array_assemble(env, &layout->system, err) < 0 || rf_array_assemble(env, &layout->data, err) < 0 ||
        rf_volume_activate(env, &layout->images, err) < 0)
        return -1;
    if (mount_all(env, layout, target, err) == 0)
        return 0;
    rf_target_close(target, NULL);
    return -1;
}

static int mount_kernel(struct rf_step_env *env, const char *root, rf_error **err)
{
    /* /run alone: the target itself may lie in it */
    static const struct {
        const char *how, *tree;
    } trees[] = {{"--rbind", "/dev"}, {"--rbind", "/proc"}, {"--rbind", "/sys"}, {"--bind", "/run"}};
    for (size_t i = 0; i < RF_COUNT(trees); i++) {
        rf_autofree char *where = rf_format("%s%s", root, trees[i].tree);
        /* private: unmounting the copy must not reach the original through its peer group (mount(8)) */
        if (rf_run_argv(env->runner, RF_ARGV("mount", trees[i].how, "--make-rprivate", trees[i].tree, where), err) < 0)
            return -1;
    }
    return 0;
}

static int enter(struct rf_step_env *env, const rf_layout *layout, const char *target, const char *root, rf_error **err)
{
    rf_autofree char *subvolume = rf_format("noatime,subvol=/%s", root);
    rf_autofree char *where = rf_format("%s/root", target);
    const char *system = layout->system.device;
    if (mount_one(env, "btrfs", subvolume, system, target, "root", err) < 0 ||
        mount_one(env, "btrfs", "noatime,subvol=/state", system, where, &RF_STATE_DIR[1], err) < 0 ||
        mount_one(env, "xfs", "noatime", layout->images.device, where, &RF_POOL_DIR[1], err) < 0 ||
        mount_one(env, "vfat", "umask=0077", layout->disks[0].parts[RF_PART_ESP].device, where, "boot/efi", err) < 0)
        return -1;
    return mount_kernel(env, where, err);
}

int rf_target_enter(struct rf_step_env *env, const rf_layout *layout, const char *target, const char *root,
                    rf_error **err)
{
    return enter(env, layout, target, root, err) < 0 ? rf_wrap(err, "entering %s", root) : 0;
}
