/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The commit point, one disk at a time: both boot loaders, and last the GPT attribute that says so. Until its ESP has
 * BOOTX64.EFI and its first sector has boot code, a disk does not boot; both are written last on their side.
 */
#include "base/bios_boot.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "installer/deploy.h"
#include "raid/bootable.h"
#include "raid/mounts.h"
#include "raid/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

#define GRUB_PC "/usr/lib/grub/i386-pc"

/* Debian's signed GRUB looks for its configuration in /EFI/debian; the firmware falls back to /EFI/BOOT/BOOTX64.EFI
 * (UEFI 2.10, 3.5.1.1), which is written last: without it this ESP boots nothing. */
static const struct {
    const char *from, *to;
} esp_files[] = {
    {"/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed", "/EFI/debian/grubx64.efi"},
    {"/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed", "/EFI/BOOT/grubx64.efi"},
    {"/usr/lib/shim/mmx64.efi.signed", "/EFI/debian/mmx64.efi"},
    {"/usr/lib/shim/mmx64.efi.signed", "/EFI/BOOT/mmx64.efi"},
    {"/usr/lib/shim/shimx64.efi.signed", "/EFI/debian/shimx64.efi"},
    {"/usr/lib/shim/shimx64.efi.signed", "/EFI/BOOT/BOOTX64.EFI"},
};

static const char *const esp_directories[] = {"/EFI", "/EFI/BOOT", "/EFI/debian"};

/* One for each disk, because disks are made bootable side by side. */
static char *core_path(const struct rf_deploy_disk *disk)
{
    return rf_format(RF_RUN_DIR "/core%u.img", disk->disk->member);
}

/* Everything that GRUB needs to read the system volume is inside the core: no module is loaded from the disk. */
static int make_core(struct rf_step_env *env, const struct rf_deploy_disk *disk, const char *core, rf_error **err)
{
    rf_autofree char *stub = rf_grub_stub(&disk->deploy->ids);
    rf_autofree char *config = rf_format("%s.cfg", core);
    if (rf_make_dirs(RF_RUN_DIR, 0700, err) < 0 || rf_write_file(config, stub, strlen(stub), 0600, err) < 0)
        return -1;
    return rf_run_argv(env->runner,
                       RF_ARGV("grub-mkimage", "-O", "i386-pc", "-d", GRUB_PC, "-c", config, "-p", "/boot/grub", "-o",
                               core, "biosdisk", "part_gpt", "part_msdos", "mdraid1x", "btrfs", "normal", "configfile",
                               "search", "search_fs_uuid", "linux", "echo", "test", "serial", "terminal", "minicmd",
                               "loadenv", "ls", "cat", "reboot", "halt", "sleep", "true", "regexp", "gzio"),
                       err);
}

static int write_bios(struct rf_step_env *env, const struct rf_deploy_disk *disk, rf_error **err)
{
    const struct rf_layout_part *part = &disk->disk->parts[RF_PART_BIOS];
    rf_autofree char *core = core_path(disk);
    rf_autofd int fd = -1;
    if (make_core(env, disk, core, err) < 0 || rf_disk_open_checked(disk->disk, O_RDWR | O_CLOEXEC, &fd, err) < 0)
        return -1;
    return rf_bios_boot_write(fd, part->start, part->size, GRUB_PC "/boot.img", core, err);
}

/* An ESP mounted for as long as the guard lives. */
struct esp {
    char *where;
    bool mounted;
};

static void release_esp(struct esp *esp)
{
    if (esp->mounted)
        rf_unmount(esp->where, NULL);
    free(esp->where);
}

static int mount_esp(const struct rf_deploy_disk *disk, struct esp *esp, unsigned long flags, rf_error **err)
{
    const char *device = disk->disk->parts[RF_PART_ESP].device;
    esp->where = rf_format("%s/esp%u", disk->deploy->target, disk->disk->member);
    if (rf_make_dirs(esp->where, 0700, err) < 0 || rf_part_check("", disk->disk, 1, device, err) < 0)
        return -1;
    if (mount(device, esp->where, "vfat", flags | MS_NODEV | MS_NOEXEC | MS_NOSUID, "umask=0077") < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "the ESP %s can't be mounted", device);
    esp->mounted = true;
    return 0;
}

static int unmount_esp(struct esp *esp, rf_error **err)
{
    if (rf_unmount(esp->where, err) < 0)
        return rf_wrap(err, "the ESP");
    esp->mounted = false;
    return 0;
}

static int write_stub(const rf_deploy *deploy, const char *where, rf_error **err)
{
    rf_autofree char *stub = rf_grub_stub(&deploy->ids);
    rf_autofree char *path = rf_format("%s/EFI/debian/grub.cfg", where);
    return rf_write_file(path, stub, strlen(stub), 0600, err);
}

static int write_esp(const struct rf_deploy_disk *disk, rf_error **err)
{
    RF_CLEANUP(release_esp) struct esp esp = {0};
    if (mount_esp(disk, &esp, 0, err) < 0)
        return -1;
    for (size_t i = 0; i < RF_COUNT(esp_directories); i++) {
        rf_autofree char *path = rf_format("%s%s", esp.where, esp_directories[i]);
        if (rf_make_dirs(path, 0700, err) < 0)
            return -1;
    }
    if (write_stub(disk->deploy, esp.where, err) < 0)
        return -1;
    for (size_t i = 0; i < RF_COUNT(esp_files); i++) {
        rf_autofree char *to = rf_format("%s%s", esp.where, esp_files[i].to);
        if (rf_copy_file(esp_files[i].from, to, 0600, NULL, NULL, err) < 0)
            return -1;
    }
    return unmount_esp(&esp, err);
}

static enum rf_probe bootable_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    const struct rf_deploy_disk *disk = arg;
    bool marked = false;
    if (rf_bootable_read(disk->disk, &marked, err) < 0)
        return RF_PROBE_ERROR;
    return marked ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static bool same_files(const char *left, const char *right)
{
    rf_autofree char *a = NULL, *b = NULL;
    size_t a_size, b_size;
    return rf_read_file(left, 64 << 20, &a, &a_size, NULL) == 0 &&
           rf_read_file(right, 64 << 20, &b, &b_size, NULL) == 0 && a_size == b_size && memcmp(a, b, a_size) == 0;
}

/* Read back: the ESP from a fresh mount, the BIOS part from the disk itself. */
static int read_back(const struct rf_deploy_disk *disk, rf_error **err)
{
    const struct rf_layout_part *part = &disk->disk->parts[RF_PART_BIOS];
    rf_autofree char *core = core_path(disk);
    RF_CLEANUP(release_esp) struct esp esp = {0};
    if (mount_esp(disk, &esp, MS_RDONLY, err) < 0)
        return -1;
    for (size_t i = 0; i < RF_COUNT(esp_files); i++) {
        rf_autofree char *to = rf_format("%s%s", esp.where, esp_files[i].to);
        if (!same_files(esp_files[i].from, to))
            return rf_fail(err, RF_FAILED, "%s on the ESP of disk %u is not what was written", esp_files[i].to,
                           disk->disk->member);
    }
    rf_autofd int fd = -1;
    if (unmount_esp(&esp, err) < 0 || rf_disk_open_checked(disk->disk, O_RDONLY | O_CLOEXEC, &fd, err) < 0)
        return -1;
    int same = rf_bios_boot_check(fd, part->start, part->size, GRUB_PC "/boot.img", core, err);
    if (same == 0)
        return rf_fail(err, RF_FAILED, "the boot sectors of disk %u are not what was written", disk->disk->member);
    return same < 0 ? -1 : 0;
}

static int bootable_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_deploy_disk *disk = arg;
    if (write_esp(disk, err) < 0 || write_bios(env, disk, err) < 0)
        return -1;
    if (read_back(disk, err) < 0) /* before the mark: it says that the loaders are good */
        return rf_wrap(err, "reading back");
    return rf_bootable_mark(disk->disk, err);
}

const struct rf_step_ops rf_step_bootable = {.name = "bootable", .probe = bootable_probe, .apply = bootable_apply};
