/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/sandbox.h"

#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

static int open_self(const char *what)
{
    rf_autofree char *path = rf_format("/proc/thread-self/ns/%s", what);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* A thread that can't return would go on to write into the wrong place. */
static void must(int outcome)
{
    if (outcome < 0)
        abort();
}

int rf_sandbox_enter(struct rf_sandbox *self, rf_error **err)
{
    *self = RF_SANDBOX_OUTSIDE;
    rf_autofd int mounts = open_self("mnt"), directory = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (mounts < 0 || directory < 0 || unshare(CLONE_NEWNS) < 0)
        return rf_fail_errno(err, RF_BAD_MACHINE, errno,
                             "no mount namespace can be had (it takes root, and in a container CAP_SYS_ADMIN)");
    *self = (struct rf_sandbox){.mounts = mounts, .net = -1, .directory = directory, .mask = umask(022)};
    mounts = directory = -1;
    /* Ours stay inside; what the system unmounts outside still goes away in here, so that nothing of it is held. */
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0) {
        int why = errno;
        rf_sandbox_leave(self);
        return rf_fail_errno(err, RF_BAD_MACHINE, why, "mounts can't be kept apart from the system's");
    }
    return 0;
}

void rf_sandbox_online(struct rf_sandbox *self)
{
    if (self->net < 0)
        return;
    must(setns(self->net, CLONE_NEWNET));
    close(self->net);
    self->net = -1;
}

void rf_sandbox_leave(struct rf_sandbox *self)
{
    rf_sandbox_online(self);
    if (self->mounts < 0)
        return;
    must(setns(self->mounts, CLONE_NEWNS)); /* sets the working directory to / */
    must(fchdir(self->directory));
    umask(self->mask);
    close(self->mounts);
    close(self->directory);
    *self = RF_SANDBOX_OUTSIDE;
}

int rf_sandbox_offline(struct rf_sandbox *self, rf_error **err)
{
    rf_autofd int net = open_self("net");
    if (net < 0 || unshare(CLONE_NEWNET) < 0)
        return rf_fail_errno(err, RF_BAD_MACHINE, errno, "no network namespace can be had");
    self->net = net;
    net = -1;
    rf_autofd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "the loopback device can't be brought up");
    return 0;
}

static int mount_new(const char *type, const char *root, const char *below, unsigned long flags, const char *options,
                     rf_error **err)
{
    rf_autofree char *at = rf_format("%s%s", root, below);
    if (rf_make_dirs(at, 0755, err) < 0)
        return -1;
    if (mount(type, at, type, flags, options) < 0)
        return rf_fail_errno(err, RF_BAD_MACHINE, errno, "%s can't be mounted at %s", type, at);
    return 0;
}

/* The machine's own node, bound: a container may not make any. */
static int add_device(const char *root, const char *name, rf_error **err)
{
    rf_autofree char *from = rf_format("/dev/%s", name), *to = rf_format("%s/dev/%s", root, name);
    rf_autofd int fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || mount(from, to, NULL, MS_BIND, NULL) < 0)
        return rf_fail_errno(err, RF_BAD_MACHINE, errno, "%s can't be given to %s", from, root);
    return 0;
}

static int add_devices(const char *root, rf_error **err)
{
    static const char *const names[] = {"null", "zero", "full", "random", "urandom", "tty"};
    static const struct {
        const char *name, *target;
    } links[] = {{"fd", "/proc/self/fd"},
                 {"stdin", "/proc/self/fd/0"},
                 {"stdout", "/proc/self/fd/1"},
                 {"stderr", "/proc/self/fd/2"},
                 {"ptmx", "pts/ptmx"}};
    for (size_t i = 0; i < RF_COUNT(names); i++)
        if (add_device(root, names[i], err) < 0)
            return -1;
    for (size_t i = 0; i < RF_COUNT(links); i++) {
        rf_autofree char *path = rf_format("%s/dev/%s", root, links[i].name);
        if (symlink(links[i].target, path) < 0)
            return rf_fail_errno(err, RF_FAILED, errno, "link %s can't be made", path);
    }
    rf_autofree char *shared = rf_format("%s/dev/shm", root);
    return rf_make_dirs(shared, 01777, err);
}

int rf_sandbox_fill(const char *root, rf_error **err)
{
    rf_autofree char *lock = rf_format("%s/run/lock", root);
    if (mount_new("tmpfs", root, "/dev", MS_NOSUID | MS_NOEXEC, "mode=0755,size=4M", err) < 0 ||
        add_devices(root, err) < 0 ||
        mount_new("devpts", root, "/dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5", err) <
            0)
        return -1;
    if (mount_new("sysfs", root, "/sys", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, err) < 0 ||
        mount_new("tmpfs", root, "/run", MS_NOSUID | MS_NODEV, "mode=0755", err) < 0)
        return -1;
    return rf_make_dirs(lock, 01777, err);
}

int rf_sandbox_empty(const char *root, rf_error **err)
{
    static const char *const below[] = {"/run", "/sys", "/dev"};
    for (size_t i = 0; i < RF_COUNT(below); i++) {
        rf_autofree char *at = rf_format("%s%s", root, below[i]);
        if (umount2(at, MNT_DETACH) < 0) /* with what is mounted below it */
            return rf_fail_errno(err, RF_FAILED, errno, "%s can't be unmounted", at);
    }
    return 0;
}
