/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ISO: hybrid for BIOS and UEFI, from CD and from a stick, with Debian's signed shim and GRUB. It is done when the output holds
 * this very manifest and has not been customised since: one that was is made afresh.
 */
#include "base/file.h"
#include "base/memory.h"
#include "image/build.h"
#include "image/chroot.h"
#include "image/envblk.h"
#include "image/isofile.h"
#include "image/manifest.h"
#include "image/progress.h"
#include "image/region.h"
#include "image/text.h"
#include "image/tree.h"

#include <errno.h>
#include <string.h>

enum { SECONDS = 600, ESP_BYTES = 8 << 20 };

#define VOLUME "RICHTFEST"

struct staging {
    char *top, *tree, *esp, *root, *image;
    char id[23], digits[17]; /* of the volume */
    char *date;
};

static void clear_staging(struct staging *staging)
{
    if (staging->top)
        rf_remove_tree(staging->top, NULL);
    if (staging->image)
        unlink(staging->image);
    free(staging->top);
    free(staging->tree);
    free(staging->esp);
    free(staging->root);
    free(staging->image);
    free(staging->date);
}

/* The text of the manifest piece; NULL where it is not there. */
static char *manifest_text(const rf_build *build)
{
    rf_autofree char *path = rf_build_path(build, &rf_piece_manifest, "manifest.json");
    char *text = NULL;
    return rf_read_file(path, RF_MANIFEST_MAX, &text, NULL, NULL) < 0 ? NULL : text;
}

/* Only its own reasons to be made again; the rest is in the manifest's key. */
static char *boot_digest(const rf_build *build)
{
    struct rf_key key = {0};
    rf_autofree char *config = rf_build_data(build, "iso/grub.cfg");
    char digest[RF_SHA256_HEX] = "";
    rf_key_add(&key, "recipe", "1");
    rf_key_add_file(&key, "grub.cfg", config, NULL);
    rf_key_add(&key, "manifest", rf_build_piece_of(build, &rf_piece_manifest, NULL)->cached.digest);
    rf_key_digest(&key, digest);
    rf_key_clear(&key);
    return rf_strdup(digest);
}

static bool is_current(const rf_build *build)
{
    struct rf_isofile files[] = {{.path = "/richtfest/build"}, {.path = RF_REGION_FILE}};
    rf_autofree char *key = NULL;
    rf_autosecret char *region = NULL;
    rf_autoregion struct rf_region found = {0};
    rf_autofree char *wanted = boot_digest(build);
    if (!rf_exists(build->output) || rf_isofile_find(build->output, files, RF_COUNT(files), NULL) < 0)
        return false;
    if (rf_isofile_read(build->output, &files[0], RF_SHA256_HEX, &key, NULL) < 0 || strcmp(key, wanted) != 0)
        return false;
    if (rf_isofile_read(build->output, &files[1], RF_REGION_SIZE, &region, NULL) < 0)
        return false;
    return rf_region_parse(region, files[1].size, &found, NULL) == 0 && !found.profile && !found.profile_url &&
           !found.ca;
}

static enum rf_probe probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    return is_current(arg) ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static int add_link(const struct staging *staging, const char *from, const char *path, rf_error **err)
{
    rf_autofree char *to = rf_format("%s%s", staging->tree, path);
    if (link(from, to) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be linked to %s", from, to);
    return 0;
}

static int add_payloads(const rf_build *build, const struct staging *staging, rf_error **err)
{
    rf_autofree char *kernel_file = rf_build_path(build, &rf_piece_node_root, "kernel");
    rf_autofree char *kernel = rf_read_line(kernel_file);
    rf_autofree char *vmlinuz = rf_format("%s/boot/vmlinuz-%s", staging->root, kernel ? kernel : "KERNEL");
    rf_autofree char *initrd = rf_build_path(build, &rf_piece_initrd, "initrd.img");
    rf_autofree char *squashfs = rf_build_path(build, &rf_piece_squashfs, "root.squashfs");
    rf_autofree char *manifest = rf_build_path(build, &rf_piece_manifest, "manifest.json");
    if (add_link(staging, vmlinuz, RF_MEDIUM_KERNEL_FILE, err) < 0 ||
        add_link(staging, initrd, RF_MEDIUM_INITRD_FILE, err) < 0 ||
        add_link(staging, squashfs, RF_MEDIUM_ROOT_FILE, err) < 0 ||
        add_link(staging, manifest, RF_MEDIUM_MANIFEST_FILE, err) < 0)
        return -1;
    rf_autofree char *guests = rf_format("%s" RF_MEDIUM_GUESTS_DIR, staging->tree);
    return rf_build_link_guests(build, guests, err);
}

static int add_bytes(const struct staging *staging, const char *path, const void *bytes, size_t size, rf_error **err)
{
    rf_autofree char *to = rf_format("%s%s", staging->tree, path);
    return rf_write_file(to, bytes, size, 0644, err);
}

/* The regions as they leave the builder, and what tells this build from others. */
static int add_regions(const rf_build *build, const struct staging *staging, rf_error **err)
{
    rf_autofree char *region = NULL, *key = boot_digest(build);
    char envblk[RF_ENVBLK_SIZE];
    if (rf_region_format(&(struct rf_region){0}, &region, err) < 0 ||
        rf_envblk_format(&(struct rf_envblk_variable){RF_SOURCE_VARIABLE, ""}, 1, envblk, err) < 0)
        return -1;
    if (add_bytes(staging, RF_REGION_FILE, region, RF_REGION_SIZE, err) < 0 ||
        add_bytes(staging, "/richtfest/build", key, strlen(key), err) < 0)
        return -1;
    return add_bytes(staging, RF_ENVBLK_FILE, envblk, sizeof(envblk), err);
}

static int add_config(const rf_build *build, const struct staging *staging, rf_error **err)
{
    rf_autofree char *from = rf_build_data(build, "iso/grub.cfg");
    rf_autofree char *to = rf_format("%s/boot/grub/grub.cfg", staging->tree);
    const char *const values[] = {"VOLUME_ID",  staging->id,           "KERNEL",      RF_MEDIUM_KERNEL_FILE,
                                  "INITRD",     RF_MEDIUM_INITRD_FILE, "ENVBLK",      RF_ENVBLK_FILE,
                                  "NODE_MARKS", RF_NODE_MARK_DIR,      "NODE_CONFIG", RF_NODE_GRUB_CONFIG,
                                  "VERSION",    build->version,        NULL};
    return rf_text_fill_file(from, to, values, build->date, err);
}

static int run(struct rf_step_env *env, const struct staging *staging, const char *const *argv, rf_error **err)
{
    const char *const envs[] = {"MTOOLS_SKIP_CHECK=1", staging->date, NULL};
    const struct rf_command command = {.argv = argv, .seconds = SECONDS, .env = envs};
    rf_autoresult struct rf_result result = {0};
    return rf_run(env->runner, &command, &result, err);
}

/* BIOS: one core image in El Torito's flavour that finds the volume by its id, so that it works from a stick too. */
static int add_bios(struct rf_step_env *env, const rf_build *build, const struct staging *staging, rf_error **err)
{
    rf_autofree char *early = rf_format("%s/tmp/richtfest-early.cfg", staging->root);
    rf_autofree char *made = rf_format("%s/tmp/richtfest-eltorito.img", staging->root);
    rf_autofree char *kept = rf_format("%s/boot/grub/i386-pc/eltorito.img", staging->tree);
    rf_autofree char *text =
        rf_format("search --no-floppy --set=root --fs-uuid %s\nset prefix=($root)/boot/grub\n", staging->id);
    if (rf_tree_put("", early, text, 0644, build->date, err) < 0)
        return -1;
    int outcome =
        run(env, staging,
            RF_CHROOT_ARGV(staging->root, "grub-mkimage", "-O", "i386-pc-eltorito", "-c", "/tmp/richtfest-early.cfg",
                           "-p", "/boot/grub", "-o", "/tmp/richtfest-eltorito.img", "biosdisk", "iso9660", "part_gpt",
                           "part_msdos", "mdraid1x", "btrfs", "fat", "normal", "configfile", "search", "search_fs_uuid",
                           "search_fs_file", "search_label", "linux", "echo", "test", "loadenv", "serial", "terminal",
                           "minicmd", "all_video", "ls", "cat", "reboot", "halt", "sleep", "true", "regexp"),
            err);
    if (outcome == 0)
        outcome = rf_copy_file(made, kept, 0644, NULL, NULL, err);
    unlink(early);
    unlink(made);
    return outcome;
}

/* UEFI: shim and Debian's signed GRUB on a FAT image. The path of that GRUB's first configuration is built into it. */
static int make_esp(struct rf_step_env *env, const rf_build *build, const struct staging *staging, rf_error **err)
{
    rf_autofree char *config = rf_format("%s/esp-grub.cfg", staging->top);
    rf_autofree char *shim = rf_format("%s/usr/lib/shim/shimx64.efi.signed", staging->root);
    rf_autofree char *manager = rf_format("%s/usr/lib/shim/mmx64.efi.signed", staging->root);
    rf_autofree char *grub = rf_format("%s/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed", staging->root);
    rf_autofree char *on_iso = rf_format("%s/EFI/debian/grub.cfg", staging->tree);
    rf_autofree char *text = rf_format("search --no-floppy --set=root --fs-uuid %s\nset prefix=($root)/boot/grub\n"
                                       "configfile $prefix/grub.cfg\n",
                                       staging->id);
    if (rf_tree_put("", config, text, 0644, build->date, err) < 0 ||
        rf_tree_put("", on_iso, text, 0644, build->date, err) < 0)
        return -1;
    rf_autofree char *size = rf_format("%d", ESP_BYTES / 512);
    const char *const *commands[] = {
        RF_ARGV("mformat", "-i", staging->esp, "-C", "-T", size, "-h", "64", "-s", "32", "-N", "52464553", "-v",
                "RF-EFI", "::"),
        RF_ARGV("mmd", "-i", staging->esp, "::/EFI", "::/EFI/BOOT", "::/EFI/debian"),
        RF_ARGV("mcopy", "-i", staging->esp, shim, "::/EFI/BOOT/BOOTX64.EFI"),
        RF_ARGV("mcopy", "-i", staging->esp, manager, "::/EFI/BOOT/mmx64.efi"),
        RF_ARGV("mcopy", "-i", staging->esp, grub, "::/EFI/BOOT/grubx64.efi"),
        RF_ARGV("mcopy", "-i", staging->esp, config, "::/EFI/debian/grub.cfg"),
    };
    for (size_t i = 0; i < RF_COUNT(commands); i++)
        if (run(env, staging, commands[i], err) < 0)
            return -1;
    return 0;
}

static int make_directories(const struct staging *staging, rf_error **err)
{
    static const char *const below[] = {"live", "richtfest", "guests", "boot/grub/i386-pc", "EFI/debian"};
    if (rf_remove_tree(staging->top, err) < 0)
        return -1;
    for (size_t i = 0; i < RF_COUNT(below); i++) {
        rf_autofree char *path = rf_format("%s/%s", staging->tree, below[i]);
        if (rf_make_dirs(path, 0755, err) < 0)
            return -1;
    }
    return 0;
}

static int run_xorriso(struct rf_step_env *env, const rf_build *build, const struct staging *staging, rf_error **err)
{
    rf_autofree char *modification = rf_format("--modification-date=%s", staging->digits);
    rf_autofree char *date = rf_format("=%lld", (long long)build->date);
    rf_autofree char *mbr = rf_format("%s/usr/lib/grub/i386-pc/boot_hybrid.img", staging->root);
    const char *const envs[] = {staging->date, NULL};
    const struct rf_command command = {
        .argv = RF_ARGV("xorriso", "-as", "mkisofs", "-o", staging->image, "-volid", VOLUME, modification,
                        "--set_all_file_dates", date, "-iso-level", "3", "-r", "-J", "-joliet-long", "-b",
                        "boot/grub/i386-pc/eltorito.img", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table",
                        "--grub2-boot-info", "--grub2-mbr", mbr, "-partition_offset", "16", "-append_partition", "2",
                        "0xef", staging->esp, "-appended_part_as_gpt", "-eltorito-alt-boot", "-e",
                        "--interval:appended_partition_2:all::", "-no-emul-boot", staging->tree),
        .seconds = SECONDS,
        .env = envs,
        .on_output = rf_progress_xorriso,
        .data = env};
    rf_autoresult struct rf_result result = {0};
    return rf_run(env->runner, &command, &result, err);
}

static int fill_and_write(struct rf_step_env *env, const rf_build *build, const struct staging *staging, rf_error **err)
{
    if (make_directories(staging, err) < 0 || add_payloads(build, staging, err) < 0 ||
        add_regions(build, staging, err) < 0 || add_config(build, staging, err) < 0)
        return -1;
    if (add_bios(env, build, staging, err) < 0 || make_esp(env, build, staging, err) < 0)
        return -1;
    if (run_xorriso(env, build, staging, err) < 0)
        return -1;
    if (rename(staging->image, build->output) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be written", build->output);
    return 0;
}

static int apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_build *build = arg;
    RF_CLEANUP(clear_staging) struct staging staging = {.top = rf_format("%s/.new-iso", build->cache)};
    staging.tree = rf_format("%s/tree", staging.top);
    staging.esp = rf_format("%s/esp.img", staging.top);
    staging.root = rf_build_path(build, &rf_piece_node_root, "root");
    staging.image = rf_format("%s.new", build->output);
    staging.date = rf_format("SOURCE_DATE_EPOCH=%lld", (long long)build->date);
    rf_autofree char *digest = boot_digest(build);
    rf_manifest_volume(digest, build->date, staging.id, staging.digits);
    rf_autofree char *manifest = manifest_text(build);
    if (!manifest)
        return rf_fail(err, RF_FAILED, "the manifest is missing in %s", build->cache);
    if (fill_and_write(env, build, &staging, err) < 0)
        return -1;
    rf_autofree char *beside = rf_format("%s.json", build->output);
    return rf_write_file(beside, manifest, strlen(manifest), 0644, err);
}

const struct rf_step_ops rf_step_iso = {.name = "iso", .probe = probe, .apply = apply};
