/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cloning and resizing of qcow2 images. */
#include "postinstall/disk.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/qemu_img.h"
#include "base/units.h"
#include "postinstall/fetch.h"
#include "postinstall/grow.h"
#include "postinstall/pool.h"
#include "postinstall/pool_room.h"
#include "postinstall/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

enum { CONVERT_SECONDS = 3600 };

/* What qemu-img knows of an image; works while a guest has it open. */
static json_t *image_info(struct rf_step_env *env, const char *path, rf_error **err)
{
    rf_autofree char *text = NULL;
    if (rf_run_output(env->runner, RF_ARGV("qemu-img", "info", "--force-share", "--output=json", path), &text, err) < 0)
        return NULL;
    json_t *info = json_loads(text, 0, NULL);
    if (!info)
        rf_fail(err, RF_FAILED, "qemu-img info %s: its answer is not JSON", path);
    return info;
}

int rf_disk_may(const struct rf_node_guest *guest, rf_error **err)
{
    const char *name = guest->asked->name;
    rf_autofree char *path = rf_guest_disk_path(guest);
    if (rf_pool_there(guest->node, err) < 0)
        return -1;
    if (rf_exists(path) || !rf_guest_settled(guest))
        return 0;
    return rf_fail(err, RF_FAILED,
                   "the disk of %s is gone (%s), and the guest was in use: it is not made anew by itself; put the file "
                   "back, or bring an export in ('richtfest guest import %s FILE'), or, to begin with an empty one, "
                   "'richtfest guest delete %s --with-its-disk'; then 'richtfest apply --node'",
                   name, path, name, name);
}

static enum rf_probe disk_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_node_guest *guest = arg;
    rf_autofree char *path = rf_guest_disk_path(guest);
    if (rf_disk_may(guest, err) < 0)
        return RF_PROBE_ERROR;
    if (!rf_exists(path))
        return RF_PROBE_TODO;
    rf_autojson json_t *info = image_info(env, path, err);
    if (!info)
        return RF_PROBE_ERROR;
    return (uint64_t)rf_json_integer(info, "virtual-size", 0) >= guest->disk ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static void copy_progress(void *data, uint64_t done, uint64_t total)
{
    rf_step_progress(data, done, total, "bytes");
}

/* 0 cloned, 1 this file system can't. */
static int clone_file(const char *from, const char *to, rf_error **err)
{
    rf_autofd int source = open(from, O_RDONLY | O_CLOEXEC);
    if (source < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "the base image %s can't be opened", from);
    rf_autofd int target = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (target < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "creating %s", to);
    return ioctl(target, FICLONE, source) == 0 && fsync(target) == 0 ? 0 : 1;
}

int rf_disk_measure(rf_runner *runner, const char *format, const char *from, uint64_t *ret_needed, rf_error **err)
{
    rf_autofree char *text = NULL;
    const char *const *argv = format
                                  ? RF_ARGV("qemu-img", "measure", "--output=json", "-f", format, "-O", "qcow2", from)
                                  : RF_ARGV("qemu-img", "measure", "--output=json", "-O", "qcow2", from);
    if (rf_run_output(runner, argv, &text, err) < 0)
        return -1;
    rf_autojson json_t *answer = json_loads(text, 0, NULL);
    *ret_needed = (uint64_t)rf_json_integer(answer, "required", 0);
    return *ret_needed ? 0 : rf_fail(err, RF_FAILED, "qemu-img measure %s: it does not say how much is required", from);
}

/* A recipe's image holds only what differs from the base of all, which lies beside it: both are written out as one disk. An image
 * that asks for any other file of this node (an image from elsewhere could) would put that file into the guest. */
static int flatten(struct rf_step_env *env, const struct rf_node_guest *guest, const char *from, const char *base,
                   const char *to, rf_error **err)
{
    uint64_t needed;
    rf_autopoolshare struct rf_pool_share share = {0};
    if (strchr(base, '/') || strchr(base, ':'))
        return rf_fail(err, RF_FAILED, "the image %s refers to '%s', which is no file beside it: not used", from, base);
    rf_autofree char *beside = rf_format("%.*s/%s", (int)(strrchr(from, '/') - from), from, base);
    if (!rf_exists(beside))
        return rf_fail(err, RF_FAILED, "the image %s stands on %s, which is not on this node; copy both from the ISO",
                       from, beside);
    if (rf_disk_measure(env->runner, NULL, from, &needed, err) < 0 ||
        rf_pool_need(env, guest->node, to, needed, &share, err) < 0)
        return -1;
    const struct rf_command command = {.argv = RF_ARGV("qemu-img", "convert", "-p", "-O", "qcow2", from, to),
                                       .seconds = CONVERT_SECONDS,
                                       .on_output = rf_qemu_img_progress,
                                       .data = env};
    rf_autoresult struct rf_result result = {0};
    return rf_run(env->runner, &command, &result, err);
}

static int convert_raw(struct rf_step_env *env, const char *from, const char *to, rf_error **err)
{
    const struct rf_command command = {.argv =
                                           RF_ARGV("qemu-img", "convert", "-p", "-f", "raw", "-O", "qcow2", from, to),
                                       .seconds = CONVERT_SECONDS,
                                       .on_output = rf_qemu_img_progress,
                                       .data = env};
    rf_autoresult struct rf_result result = {0};
    return rf_run(env->runner, &command, &result, err);
}

/* Version 2 of qcow2 can't be resized any more once it has snapshots (QEMU's block/qcow2.c): such a disk could never grow. */
static int modernise(struct rf_step_env *env, const char *path, rf_error **err)
{
    return rf_run_argv(env->runner, RF_ARGV("qemu-img", "amend", "-f", "qcow2", "-o", "compat=1.1", path), err);
}

/* An image from elsewhere: its format is what the settings say, and its header was read before any tool opens it. */
static int copy_fetched(struct rf_step_env *env, const struct rf_node_guest *guest, const char *to, rf_error **err)
{
    rf_autofree char *from = rf_guest_fetched_path(guest);
    uint64_t size;
    if (rf_fetch_inspect(guest, &size, err) < 0)
        return -1;
    const bool raw = strcmp(rf_guest_fetch_format(guest), "raw") == 0;
    const int cloned = raw ? 1 : clone_file(from, to, err);
    if (cloned <= 0)
        return cloned;
    struct stat status;
    rf_autopoolshare struct rf_pool_share share = {0};
    if (stat(from, &status) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be looked at", from);
    /* where blocks can't be shared it takes room of its own; stat(2) counts in 512 bytes, whatever the file system's block is */
    if (rf_pool_need(env, guest->node, to, (uint64_t)status.st_blocks * 512, &share, err) < 0)
        return -1;
    return raw ? convert_raw(env, from, to, err) : rf_copy_file(from, to, 0600, copy_progress, env, err);
}

static int copy_image(struct rf_step_env *env, const struct rf_node_guest *guest, const char *from, const char *to,
                      rf_error **err)
{
    rf_autojson json_t *info = image_info(env, from, err);
    if (!info)
        return -1;
    const char *base = rf_json_string(info, "backing-filename");
    if (base)
        return flatten(env, guest, from, base, to, err);
    int cloned = clone_file(from, to, err);
    if (cloned <= 0)
        return cloned;
    struct stat status;
    rf_autopoolshare struct rf_pool_share share = {0};
    if (stat(from, &status) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s", from);
    if (rf_pool_need(env, guest->node, to, (uint64_t)status.st_size, &share, err) < 0)
        return -1;
    return rf_copy_file(from, to, 0600, copy_progress, env, err);
}

/* qemu-img leaves that to the kernel, and a disk that has its name must be whole. */
int rf_disk_flush(const char *path, rf_error **err)
{
    rf_autofd int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || fchmod(fd, 0600) < 0 || fsync(fd) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be flushed", path);
    return 0;
}

int rf_disk_place(const char *from, const char *path, rf_error **err)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno == EEXIST)
        return rf_fail(err, RF_FAILED, "%s appeared while its disk was being made: it is kept, and the new one is not",
                       path);
    return rf_fail_errno(err, RF_FAILED, errno, "renaming %s to %s", from, path);
}

/* Before secrets are taken from a guest: they may be those of a disk that is there by now. */
static int still_absent(const char *path, rf_error **err)
{
    return rf_exists(path)
               ? rf_fail(err, RF_FAILED, "%s appeared while its disk was being made: nothing is changed", path)
               : 0;
}

/* "NAME.age", and "NAME.<digest>.age" of what came later. */
static int remove_handovers(const struct rf_node_guest *guest, rf_error **err)
{
    rf_autofree char *pattern = rf_node_path(guest->node, "%s/%s.", RF_STATE_HANDOVER, guest->asked->name);
    rf_append(&pattern, "%s", "*age"); /* a guest's name has no dot, so this is no other guest's */
    glob_t found = {0};
    int failed = 0;
    glob(pattern, 0, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc && !failed; i++)
        if (unlink(found.gl_pathv[i]) < 0 && errno != ENOENT)
            failed = rf_fail_errno(err, RF_FAILED, errno, "removing %s", found.gl_pathv[i]);
    globfree(&found);
    return failed;
}

/* What an unfinished one has left (secrets, a hand-over) does not fit the new disk. Removed before that appears. */
static int unsettle(const struct rf_node_guest *guest, rf_error **err)
{
    char born[RF_UUID_TEXT];
    rf_autofree char *state = rf_guest_state_path(guest, ""), *mark = rf_guest_state_path(guest, "born");
    rf_autofree char *all = rf_node_path(guest->node, "%s", RF_STATE_GUESTS);
    rf_uuid_random(born);
    if (remove_handovers(guest, err) < 0 || rf_remove_tree(state, err) < 0 || rf_make_dirs(all, 0700, err) < 0 ||
        rf_make_dirs(state, 0700, err) < 0)
        return -1;
    return rf_write_file(mark, born, strlen(born), 0600, err);
}

static int resize(struct rf_step_env *env, const struct rf_node_guest *guest, const char *path, rf_error **err)
{
    rf_autofree char *size = rf_format("%" PRIu64, guest->disk);
    return rf_run_argv(env->runner, RF_ARGV("qemu-img", "resize", "-q", "-f", "qcow2", path, size), err);
}

static int grow_image(struct rf_step_env *env, const struct rf_node_guest *guest, const char *path, rf_error **err)
{
    rf_autojson json_t *info = image_info(env, path, err);
    if (!info)
        return -1;
    return (uint64_t)rf_json_integer(info, "virtual-size", 0) >= guest->disk ? 0 : resize(env, guest, path, err);
}

static int copy_base(struct rf_step_env *env, const struct rf_node_guest *guest, const char *to, rf_error **err)
{
    rf_autofree char *base = rf_node_path(guest->node, "%s/%s", RF_BASE_IMAGES, guest->recipe->image);
    if (!rf_exists(base))
        return rf_fail(err, RF_FAILED,
                       "the base image of recipe '%s' is not on this node: %s; copy it there from the ISO",
                       guest->recipe->name, base);
    return copy_image(env, guest, base, to, err);
}

/* A half-written disk takes room that the others need. */
static void remove_unfinished(char **path)
{
    if (*path)
        unlink(*path);
    free(*path);
}

static int create(struct rf_step_env *env, const struct rf_node_guest *guest, const char *path, rf_error **err)
{
    RF_CLEANUP(remove_unfinished)
    char *new = rf_node_path(guest->node, "%s/.%s.qcow2.new", RF_POOL_DIR, guest->asked->name);
    const bool fetched = rf_guest_fetch_url(guest);
    if ((fetched ? copy_fetched(env, guest, new, err) : copy_base(env, guest, new, err)) < 0 ||
        (fetched && modernise(env, new, err) < 0) || grow_image(env, guest, new, err) < 0)
        return rf_wrap(err, "the disk of %s", guest->asked->name);
    if (rf_disk_flush(new, err) < 0 || still_absent(path, err) < 0 || unsettle(guest, err) < 0 ||
        (fetched && rf_fetch_remember(guest, err) < 0))
        return -1;
    return rf_disk_place(new, path, err);
}

/* -1 failed, 0 done, 1 the guest does not run. */
static int grow_running(const struct rf_node_guest *guest, const char *path, rf_error **err)
{
    virConnectPtr connection = rf_libvirt_connect(guest->node->libvirt, err);
    if (!connection)
        return -1;
    rf_autodomain virDomainPtr domain = NULL;
    if (rf_domain_find(connection, guest->asked->name, &domain, err) < 0)
        return -1;
    const int active = domain ? rf_domain_active(domain, err) : 0;
    if (active <= 0)
        return active < 0 ? -1 : 1;
    if (virDomainBlockResize(domain, path, guest->disk, VIR_DOMAIN_BLOCK_RESIZE_BYTES) < 0)
        return rf_libvirt_fail(err, "growing the disk of the running guest %s", guest->asked->name);
    return 0;
}

/* A larger disk is a change of the guest as any other: who wants it back has a snapshot, which keeps its own size. */
static int grow(struct rf_step_env *env, const struct rf_node_guest *guest, const char *path, rf_error **err)
{
    rf_autofree char *size = rf_format("%" PRIu64, guest->disk);
    if (rf_snapshot_once(env, guest, "grow", size, err) < 0 || rf_grow_forget(guest, err) < 0)
        return -1;
    int result = grow_running(guest, path, err);
    if (result > 0)
        result = resize(env, guest, path, err);
    return result < 0 ? -1 : rf_snapshot_spent(guest, "grow", err);
}

static int disk_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_node_guest *guest = arg;
    rf_autofree char *path = rf_guest_disk_path(guest);
    if (rf_disk_may(guest, err) < 0)
        return -1;
    int result = rf_exists(path) ? grow(env, guest, path, err) : create(env, guest, path, err);
    if (result == 0)
        rf_pool_refresh(guest->node);
    return result;
}

const struct rf_step_ops rf_step_disk = {"disk", disk_probe, disk_apply, NULL};
