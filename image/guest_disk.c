/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/guest_disk.h"

#include "base/bios_boot.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/qemu_img.h"
#include "base/units.h"
#include "image/chroot.h"
#include "image/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

enum { SECONDS = 600, ROOT_AT_MIB = 18, ESP_AT_MIB = 2, ESP_MIB = 16, BIOS_AT_MIB = 1, TAIL_MIB = 1 };

/* UEFI specification 2.10, table 5.7; GRUB manual, "BIOS installation"; Discoverable Partitions Specification (root, x86-64). */
#define TYPE_BIOS "21686148-6449-6E6F-744E-656564454649"
#define TYPE_ESP "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
#define TYPE_ROOT "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"

static void identity(const char *name, const char *what, char ret[RF_UUID_TEXT])
{
    rf_autofree char *whole = rf_format("guest-image/%s", name);
    rf_uuid(whole, what, ret);
}

void rf_guest_disk_uuid(const char *name, char ret[RF_UUID_TEXT])
{
    identity(name, "root", ret);
}

uint64_t rf_guest_disk_size(uint64_t tree)
{
    const uint64_t smallest = UINT64_C(8000000000) / RF_MIB;
    const uint64_t wanted = (2 * tree + RF_MIB - 1) / RF_MIB;
    return (wanted > smallest ? wanted : smallest) * RF_MIB;
}

struct rf_guest_disk_part rf_guest_disk_root(uint64_t disk)
{
    return (struct rf_guest_disk_part){ROOT_AT_MIB * RF_MIB, disk - (ROOT_AT_MIB + TAIL_MIB) * RF_MIB};
}

char *rf_guest_disk_table(const char *name, uint64_t size)
{
    char disk[RF_UUID_TEXT], bios[RF_UUID_TEXT], esp[RF_UUID_TEXT], root[RF_UUID_TEXT];
    identity(name, "disk", disk);
    identity(name, "partition/bios", bios);
    identity(name, "partition/esp", esp);
    identity(name, "partition/root", root);
    return rf_format("label: gpt\nlabel-id: %s\nunit: sectors\n"
                     "1: start=%u, size=%u, type=" TYPE_BIOS ", uuid=%s, name=bios\n"
                     "2: start=%u, size=%u, type=" TYPE_ESP ", uuid=%s, name=esp\n"
                     "3: start=%u, size=%" PRIu64 ", type=" TYPE_ROOT ", uuid=%s, name=root\n",
                     disk, BIOS_AT_MIB * 2048, 2048, bios, ESP_AT_MIB * 2048, ESP_MIB * 2048, esp, ROOT_AT_MIB * 2048,
                     rf_guest_disk_root(size).size / RF_SECTOR, root);
}

static int run(struct rf_step_env *env, time_t when, const char *const *argv, const char *input, rf_error **err)
{
    rf_autofree char *date = rf_format("SOURCE_DATE_EPOCH=%lld", (long long)when);
    const char *const envs[] = {"MTOOLS_SKIP_CHECK=1", date, NULL};
    const struct rf_command command = {
        .argv = argv, .input = input, .input_size = input ? strlen(input) : 0, .seconds = SECONDS, .env = envs};
    rf_autoresult struct rf_result result = {0};
    return rf_run(env->runner, &command, &result, err);
}

static int make_table(struct rf_step_env *env, const struct rf_guest_disk *disk, uint64_t size, rf_error **err)
{
    rf_autofd int fd = open(disk->raw, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be made", disk->raw);
    rf_autofree char *table = rf_guest_disk_table(disk->name, size);
    return run(env, disk->date, RF_ARGV("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", disk->raw), table, err);
}

static int make_root(struct rf_step_env *env, const struct rf_guest_disk *disk, uint64_t size, rf_error **err)
{
    char uuid[RF_UUID_TEXT];
    rf_guest_disk_uuid(disk->name, uuid);
    rf_autofree char *options =
        rf_format("offset=%" PRIu64 ",lazy_itable_init=1,lazy_journal_init=1,hash_seed=%s,root_owner=0:0",
                  (uint64_t)(ROOT_AT_MIB * RF_MIB), uuid);
    rf_autofree char *blocks = rf_format("%" PRIu64 "k", rf_guest_disk_root(size).size / RF_KIB);
    return run(env, disk->date,
               RF_ARGV("mke2fs", "-q", "-F", "-t", "ext4", "-L", "root", "-U", uuid, "-E", options, "-J", "size=32",
                       "-m", "1", "-d", disk->root, disk->raw, blocks),
               NULL, err);
}

/* The ESP: shim, the signed GRUB, and the stub that the signed GRUB reads (EFI/debian/grub.cfg is built into it). */
static int make_esp(struct rf_step_env *env, const struct rf_guest_disk *disk, rf_error **err)
{
    char uuid[RF_UUID_TEXT], id[RF_UUID_TEXT];
    rf_guest_disk_uuid(disk->name, uuid);
    identity(disk->name, "esp", id);
    id[8] = '\0'; /* a FAT serial number has 32 bits */
    rf_autofree char *at = rf_format("%s@@%" PRIu64, disk->raw, (uint64_t)(ESP_AT_MIB * RF_MIB));
    rf_autofree char *sectors = rf_format("%u", ESP_MIB * 2048);
    rf_autofree char *shim = rf_format("%s/usr/lib/shim/shimx64.efi.signed", disk->loaders);
    rf_autofree char *grub = rf_format("%s/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed", disk->loaders);
    rf_autofree char *stub = rf_format("%s/esp-grub.cfg", disk->work);
    rf_autofree char *text = rf_format("search --no-floppy --fs-uuid --set=root %s\nset prefix=($root)/boot/grub\n"
                                       "configfile $prefix/grub.cfg\n",
                                       uuid);
    if (rf_tree_put("", stub, text, 0644, disk->date, err) < 0)
        return -1;
    const char *const *commands[] = {
        RF_ARGV("mformat", "-i", at, "-T", sectors, "-h", "64", "-s", "32", "-N", id, "-v", "ESP", "::"),
        RF_ARGV("mmd", "-i", at, "::/EFI", "::/EFI/BOOT", "::/EFI/debian"),
        RF_ARGV("mcopy", "-i", at, shim, "::/EFI/BOOT/BOOTX64.EFI"),
        RF_ARGV("mcopy", "-i", at, grub, "::/EFI/BOOT/grubx64.efi"),
        RF_ARGV("mcopy", "-i", at, stub, "::/EFI/debian/grub.cfg"),
    };
    for (size_t i = 0; i < RF_COUNT(commands); i++)
        if (run(env, disk->date, commands[i], NULL, err) < 0)
            return -1;
    return 0;
}

/* The core image knows nothing but the partition; the rest is in the root's /boot/grub/grub.cfg. */
static int make_bios(struct rf_step_env *env, const struct rf_guest_disk *disk, rf_error **err)
{
    static const char inside[] = "/tmp/richtfest-core.img";
    rf_autofree char *made = rf_format("%s%s", disk->loaders, inside);
    rf_autofree char *core = rf_format("%s/core.img", disk->work);
    rf_autofree char *boot = rf_format("%s/usr/lib/grub/i386-pc/boot.img", disk->loaders);
    int outcome = run(env, disk->date,
                      RF_CHROOT_ARGV(disk->loaders, "grub-mkimage", "-O", "i386-pc", "-p", "(,gpt3)/boot/grub", "-o",
                                     inside, "biosdisk", "part_gpt", "ext2", "normal", "linux", "configfile", "search",
                                     "search_fs_uuid", "test", "echo"),
                      NULL, err);
    if (outcome == 0)
        outcome = rf_copy_file(made, core, 0644, NULL, NULL, err);
    unlink(made);
    if (outcome < 0)
        return -1;
    rf_autofd int fd = open(disk->raw, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be opened", disk->raw);
    return rf_bios_boot_write(fd, BIOS_AT_MIB * RF_MIB, RF_MIB, boot, core, err);
}

int rf_guest_disk_make(struct rf_step_env *env, const struct rf_guest_disk *disk, rf_error **err)
{
    struct rf_tree_sum sum;
    if (rf_tree_measure(disk->root, &sum, err) < 0)
        return -1;
    const uint64_t size = rf_guest_disk_size(sum.bytes);
    if (make_table(env, disk, size, err) < 0 || make_root(env, disk, size, err) < 0)
        return -1;
    return make_esp(env, disk, err) < 0 ? -1 : make_bios(env, disk, err);
}

/* qemu-img that tells its progress. */
static int convert(struct rf_step_env *env, const char *const *argv, rf_error **err)
{
    const struct rf_command command = {
        .argv = argv, .seconds = SECONDS, .on_output = rf_qemu_img_progress, .data = env};
    rf_autoresult struct rf_result result = {0};
    return rf_run(env->runner, &command, &result, err);
}

int rf_guest_disk_pack(struct rf_step_env *env, const char *raw, const char *output, rf_error **err)
{
    return convert(env,
                   RF_ARGV("qemu-img", "convert", "-p", "-c", "-f", "raw", "-O", "qcow2", "-o", "compression_type=zstd",
                           raw, output),
                   err);
}

/* What a mount leaves in the superblock: where it was mounted, how often, when. */
static int forget_mount(struct rf_step_env *env, const struct rf_guest_overlay *overlay, rf_error **err)
{
    rf_autofree char *at = rf_format("%s?offset=%" PRIu64, overlay->raw, (uint64_t)(ROOT_AT_MIB * RF_MIB));
    char date[16];
    struct tm time;
    strftime(date, sizeof(date), "%Y%m%d%H%M%S", gmtime_r(&overlay->date, &time));
    return run(env, overlay->date, RF_ARGV("tune2fs", "-M", "/", "-C", "0", "-T", date, at), NULL, err);
}

/* Past the page cache, which the raw disks' holes of gigabytes would fill with zeros (16 s instead of 3 s), where the file system can
 * do that. What an overlay's backing file is read with is the overlay's own mode. */
static const char *cache_mode(const struct rf_guest_overlay *overlay)
{
    rf_autofd int fd = open(overlay->raw, O_RDONLY | O_DIRECT | O_CLOEXEC);
    return fd >= 0 ? "none" : "unsafe";
}

/* An empty overlay of the new disk is put upon the old one: what differs has to be written into it. (An image that holds
 * everything would keep everything: rebase looks at no cluster that the image has itself.) */
static int differ(struct rf_step_env *env, const struct rf_guest_overlay *overlay, const char *thin, rf_error **err)
{
    if (rf_run_argv(env->runner,
                    RF_ARGV("qemu-img", "create", "-q", "-f", "qcow2", "-b", overlay->raw, "-F", "raw", thin), err) < 0)
        return -1;
    return convert(env,
                   RF_ARGV("qemu-img", "rebase", "-p", "-t", cache_mode(overlay), "-T", cache_mode(overlay), "-f",
                           "qcow2", "-b", overlay->base_raw, "-F", "raw", thin),
                   err);
}

/* Compressed, and asking for the packed base, which holds the same as the raw one. */
static int pack_difference(struct rf_step_env *env, const struct rf_guest_overlay *overlay, const char *thin,
                           rf_error **err)
{
    const char *name = strrchr(overlay->base, '/') + 1;
    if (convert(env,
                RF_ARGV("qemu-img", "convert", "-p", "-c", "-f", "qcow2", "-O", "qcow2", "-o", "compression_type=zstd",
                        "-B", overlay->base_raw, "-F", "raw", thin, overlay->output),
                err) < 0)
        return -1;
    return rf_run_argv(env->runner,
                       RF_ARGV("qemu-img", "rebase", "-u", "-f", "qcow2", "-b", name, "-F", "qcow2", overlay->output),
                       err);
}

/* As a guest will read it: through the packed base, which has to lie beside it for that. */
static int compare(struct rf_step_env *env, const struct rf_guest_overlay *overlay, rf_error **err)
{
    const char *name = strrchr(overlay->base, '/') + 1;
    rf_autofree char *beside =
        rf_format("%.*s/%s", (int)(strrchr(overlay->output, '/') - overlay->output), overlay->output, name);
    if (link(overlay->base, beside) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be linked to %s", overlay->base, beside);
    int outcome = convert(env,
                          RF_ARGV("qemu-img", "compare", "-p", "-T", cache_mode(overlay), "-f", "qcow2", "-F", "raw",
                                  overlay->output, overlay->raw),
                          err);
    unlink(beside);
    return outcome < 0 ? rf_wrap(err, "%s does not hold what it was made of", overlay->output) : 0;
}

int rf_guest_disk_overlay(struct rf_step_env *env, const struct rf_guest_overlay *overlay, rf_error **err)
{
    rf_autofree char *thin = rf_format("%s/thin.qcow2", overlay->work);
    if (forget_mount(env, overlay, err) < 0 || differ(env, overlay, thin, err) < 0 ||
        pack_difference(env, overlay, thin, err) < 0 || compare(env, overlay, err) < 0)
        return -1;
    return unlink(thin) < 0 ? rf_fail_errno(err, RF_FAILED, errno, "%s can't be removed", thin) : 0;
}
