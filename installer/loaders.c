/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/loaders.h"

#include "base/bios_boot.h"
#include "base/fat.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "installer/esp.h"
#include "raid/bootable.h"
#include "raid/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

#define GRUB_PC "/usr/lib/grub/i386-pc"

enum { LOADER_MAX = 64 << 20 };

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

#define STUB "/EFI/debian/grub.cfg"

static const char *const esp_directories[] = {"/EFI", "/EFI/BOOT", "/EFI/debian"};

/* One for each disk, because disks are made bootable side by side. */
static char *core_path(const struct rf_loaders *loaders)
{
    return rf_format(RF_RUN_DIR "/core%u.img", loaders->disk->member);
}

/* Everything that GRUB needs to read the system volume is inside the core: no module is loaded from the disk. The same modules and the
 * same configuration make the same bytes. */
static int make_core(struct rf_step_env *env, const struct rf_loaders *loaders, const char *core, rf_error **err)
{
    rf_autofree char *stub = rf_grub_stub(loaders->ids);
    rf_autofree char *config = rf_format("%s.cfg", core);
    if (rf_make_dirs(RF_RUN_DIR, 0700, err) < 0 || rf_write_file(config, stub, strlen(stub), 0600, err) < 0)
        return -1;
    return rf_run_argv(env->runner,
                       RF_ARGV("grub-mkimage", "-O", "i386-pc", "-d", GRUB_PC, "-c", config, "-p", "/boot/grub", "-o",
                               core, "biosdisk", "part_gpt", "part_msdos", "mdraid1x", "btrfs", "normal", "configfile",
                               "search", "search_fs_uuid", "linux", "echo", "test", "serial", "terminal", "minicmd",
                               "loadenv", "fat", "ls", "cat", "reboot", "halt", "sleep", "true", "regexp", "gzio"),
                       err);
}

static int write_bios(struct rf_step_env *env, const struct rf_loaders *loaders, rf_error **err)
{
    const struct rf_layout_part *part = &loaders->disk->parts[RF_PART_BIOS];
    rf_autofree char *core = core_path(loaders);
    rf_autofd int fd = -1;
    if (make_core(env, loaders, core, err) < 0 || rf_disk_open_checked(loaders->disk, O_RDWR | O_CLOEXEC, &fd, err) < 0)
        return -1;
    return rf_bios_boot_write(fd, part->start, part->size, GRUB_PC "/boot.img", core, err);
}

static int write_stub(const struct rf_loaders *loaders, const char *where, rf_error **err)
{
    rf_autofree char *stub = rf_grub_stub(loaders->ids);
    rf_autofree char *path = rf_format("%s" STUB, where);
    return rf_write_file(path, stub, strlen(stub), 0600, err);
}

/* Whatever an earlier run has left half written in it. */
static int mend_esp(struct rf_step_env *env, const struct rf_loaders *loaders, rf_error **err)
{
    const char *device = loaders->disk->parts[RF_PART_ESP].device;
    if (rf_part_check("", loaders->disk, 1, device, err) < 0)
        return -1;
    return rf_fat_mend(env->runner, device, err) < 0 ? rf_wrap(err, "the ESP") : 0;
}

static int write_esp(struct rf_step_env *env, const struct rf_loaders *loaders, rf_error **err)
{
    rf_autoesp struct rf_esp esp = {0};
    if (mend_esp(env, loaders, err) < 0 || rf_esp_mount(loaders->disk, loaders->target, 0, &esp, err) < 0)
        return -1;
    for (size_t i = 0; i < RF_COUNT(esp_directories); i++) {
        rf_autofree char *path = rf_format("%s%s", esp.where, esp_directories[i]);
        if (rf_make_dirs(path, 0700, err) < 0)
            return -1;
    }
    if (write_stub(loaders, esp.where, err) < 0)
        return -1;
    for (size_t i = 0; i < RF_COUNT(esp_files); i++) {
        rf_autofree char *to = rf_format("%s%s", esp.where, esp_files[i].to);
        if (rf_copy_file(esp_files[i].from, to, 0600, NULL, NULL, err) < 0)
            return -1;
    }
    return rf_esp_unmount(&esp, err);
}

int rf_loaders_write(struct rf_step_env *env, const struct rf_loaders *loaders, rf_error **err)
{
    return write_esp(env, loaders, err) < 0 ? -1 : write_bios(env, loaders, err);
}

static void add_wrong(char **wrong, const char *what, const char *how)
{
    rf_append(wrong, "%s%s %s", *wrong ? "; " : "", what, how);
}

/* `wanted` is what the file should hold. */
static void compare(const char *path, const char *name, const char *wanted, size_t size, char **wrong)
{
    rf_autofree char *is = NULL;
    size_t is_size = 0;
    if (!rf_exists(path))
        add_wrong(wrong, name, "is not there");
    else if (rf_read_file(path, LOADER_MAX, &is, &is_size, NULL) < 0)
        add_wrong(wrong, name, "can't be read");
    else if (is_size != size || memcmp(is, wanted, size) != 0)
        add_wrong(wrong, name, "is another one than this node's packages have");
}

static int check_esp_files(const struct rf_loaders *loaders, const char *where, char **wrong, rf_error **err)
{
    rf_autofree char *stub = rf_grub_stub(loaders->ids), *stub_path = rf_format("%s" STUB, where);
    compare(stub_path, STUB, stub, strlen(stub), wrong);
    for (size_t i = 0; i < RF_COUNT(esp_files); i++) {
        rf_autofree char *path = rf_format("%s%s", where, esp_files[i].to), *wanted = NULL;
        size_t size = 0;
        if (rf_read_file(esp_files[i].from, LOADER_MAX, &wanted, &size, err) < 0)
            return -1;
        compare(path, esp_files[i].to, wanted, size, wrong);
    }
    return 0;
}

/* An ESP that can't be mounted is a finding about the disk, not a failure of the looking. */
static int check_esp(const struct rf_loaders *loaders, char **wrong, rf_error **err)
{
    rf_autoesp struct rf_esp esp = {0};
    rf_autoerror rf_error *why = NULL;
    if (rf_esp_mount(loaders->disk, loaders->target, MS_RDONLY, &esp, &why) < 0) {
        rf_autofree char *text = rf_error_text(why);
        rf_append(wrong, "%s%s", *wrong ? "; " : "", text);
        return 0;
    }
    return check_esp_files(loaders, esp.where, wrong, err) < 0 ? -1 : rf_esp_unmount(&esp, err);
}

static int check_bios(struct rf_step_env *env, const struct rf_loaders *loaders, char **wrong, rf_error **err)
{
    const struct rf_layout_part *part = &loaders->disk->parts[RF_PART_BIOS];
    rf_autofree char *core = core_path(loaders);
    rf_autofd int fd = -1;
    if (make_core(env, loaders, core, err) < 0 ||
        rf_disk_open_checked(loaders->disk, O_RDONLY | O_CLOEXEC, &fd, err) < 0)
        return -1;
    int same = rf_bios_boot_check(fd, part->start, part->size, GRUB_PC "/boot.img", core, err);
    if (same == 0)
        add_wrong(wrong, "GRUB for BIOS", "(first sector and BIOS boot partition) is another one than this node's");
    return same < 0 ? -1 : 0;
}

int rf_loaders_check(struct rf_step_env *env, const struct rf_loaders *loaders, char **ret_wrong, rf_error **err)
{
    rf_autofree char *wrong = NULL;
    if (check_esp(loaders, &wrong, err) < 0 || check_bios(env, loaders, &wrong, err) < 0)
        return -1;
    *ret_wrong = RF_STEAL(wrong);
    return 0;
}
