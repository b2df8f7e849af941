/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files that make the copied image this node (installer/system_files.h and installer/trust.h say which). */
#include "base/file.h"
#include "base/memory.h"
#include "installer/deploy.h"
#include "installer/trust.h"
#include "postinstall/admins.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static bool same_text(const char *path, const char *text)
{
    rf_autofree char *found = NULL;
    return rf_read_file(path, 1 << 20, &found, NULL, NULL) == 0 && strcmp(found, text) == 0;
}

/* The kernel's release, from the one file name in the new root's /boot that tells it. */
static int kernel_release(const rf_deploy *deploy, char **ret_release, rf_error **err)
{
    rf_autofree char *boot = rf_deploy_root(deploy, "/boot");
    rf_autodir DIR *dir = opendir(boot);
    if (!dir)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be read", boot);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (strncmp(entry->d_name, "vmlinuz-", 8) == 0) {
            *ret_release = rf_strdup(entry->d_name + 8);
            return 0;
        }
    }
    return rf_fail(err, RF_FAILED, "%s holds no kernel; the medium's root is not one of ours", boot);
}

struct node_files { /* the fixed ones, and GRUB's configuration */
    struct rf_system_file *files;
    size_t count;
    char *grub;
};

static void release_files(struct node_files *files)
{
    rf_system_files_free(files->files, files->count);
    free(files->grub);
}

static void make_files(const rf_deploy *deploy, struct node_files *files)
{
    files->files = rf_system_files(deploy->profile, &deploy->ids, &files->count);
    files->grub = rf_node_grub_config(deploy->profile, &deploy->ids);
}

/* /boot/NAME -> NAME-RELEASE, where the kernel's packages have not made it yet. */
static int link_kernel(const rf_deploy *deploy, const char *name, const char *release, rf_error **err)
{
    rf_autofree char *below = rf_format("/boot/%s", name);
    rf_autofree char *link = rf_deploy_root(deploy, below);
    rf_autofree char *target = rf_format("%s-%s", name, release);
    if (rf_exists(link))
        return 0;
    unlink(link); /* one that points nowhere */
    if (symlink(target, link) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be written", link);
    return 0;
}

static bool kernel_is_linked(const rf_deploy *deploy)
{
    rf_autofree char *kernel = rf_deploy_root(deploy, "/boot/vmlinuz"),
                     *initrd = rf_deploy_root(deploy, "/boot/initrd.img");
    return rf_exists(kernel) && rf_exists(initrd);
}

static int link_kernels(const rf_deploy *deploy, rf_error **err)
{
    rf_autofree char *release = NULL;
    if (kernel_is_linked(deploy))
        return 0;
    if (kernel_release(deploy, &release, err) < 0 || link_kernel(deploy, "vmlinuz", release, err) < 0)
        return -1;
    return link_kernel(deploy, "initrd.img", release, err);
}

static bool has_account(const rf_deploy *deploy, const char *name)
{
    rf_autofree char *path = rf_deploy_root(deploy, "/etc/passwd");
    rf_autofree char *text = NULL;
    rf_autofree char *line = rf_format("\n%s:", name);
    return rf_read_file(path, 1 << 20, &text, NULL, NULL) == 0 && strstr(text, line);
}

static enum rf_probe configure_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_deploy *deploy = arg;
    RF_CLEANUP(release_files) struct node_files files = {0};
    if (rf_deploy_open(env, deploy, err) < 0)
        return RF_PROBE_ERROR;
    make_files(deploy, &files);
    rf_autofree char *root = rf_deploy_root(deploy, "");
    if (!kernel_is_linked(deploy) || !rf_trust_is_installed(root, deploy->ca))
        return RF_PROBE_TODO;
    for (size_t i = 0; i < files.count; i++) {
        rf_autofree char *path = rf_deploy_root(deploy, files.files[i].path);
        if (!same_text(path, files.files[i].text))
            return RF_PROBE_TODO;
    }
    for (size_t i = 0; i < deploy->profile->node.admins_count; i++)
        if (!has_account(deploy, deploy->profile->node.admins[i].name))
            return RF_PROBE_TODO;
    rf_autofree char *grub = rf_deploy_root(deploy, "/boot/grub/grub.cfg");
    return same_text(grub, files.grub) ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static int write_one(const rf_deploy *deploy, const char *path, const char *text, unsigned mode, rf_error **err)
{
    rf_autofree char *full = rf_deploy_root(deploy, path);
    rf_autofree char *directory = rf_strdup(full);
    *strrchr(directory, '/') = '\0';
    if (rf_make_dirs(directory, 0755, err) < 0)
        return -1;
    return rf_write_file(full, text, strlen(text), mode, err);
}

/* What a killed useradd(8) left: its locks hold a process id that may be somebody else's by now. */
static void drop_locks(const rf_deploy *deploy)
{
    static const char *const locks[] = {"passwd", "shadow", "group", "gshadow", "subuid", "subgid"};
    for (size_t i = 0; i < RF_COUNT(locks); i++) {
        rf_autofree char *name = rf_format("/etc/%s.lock", locks[i]);
        rf_autofree char *path = rf_deploy_root(deploy, name);
        unlink(path);
    }
}

/* The accounts and their keys are made here already, so that people get in whatever fails on the node later. */
static int write_admins(struct rf_step_env *env, const rf_deploy *deploy, rf_error **err)
{
    rf_autofree char *root = rf_deploy_root(deploy, "");
    drop_locks(deploy);
    for (size_t i = 0; i < deploy->profile->node.admins_count; i++) {
        const struct rf_admin *admin = &deploy->profile->node.admins[i];
        rf_autofree char *path = rf_format(RF_SSH_KEYS_DIR "/%s", admin->name);
        rf_autofree char *keys = rf_admin_keys(admin);
        if (write_one(deploy, path, keys, 0644, err) < 0)
            return -1;
        if (!has_account(deploy, admin->name) &&
            rf_run_argv(env->runner,
                        RF_ARGV("useradd", "--root", root, "--create-home", "--shell", "/bin/bash", "--groups",
                                "sudo,libvirt", admin->name),
                        err) < 0)
            return rf_wrap(err, "node.admins: the account %s", admin->name);
    }
    return 0;
}

static int set_timezone(const rf_deploy *deploy, rf_error **err)
{
    rf_autofree char *zone = rf_format("/usr/share/zoneinfo/%s", deploy->profile->node.timezone);
    rf_autofree char *there = rf_deploy_root(deploy, zone);
    rf_autofree char *link = rf_deploy_root(deploy, "/etc/localtime");
    if (!rf_exists(there))
        return rf_fail(err, RF_BAD_PROFILE, "node.timezone: %s is not a time zone of this image",
                       deploy->profile->node.timezone);
    rf_autofree char *temporary = rf_format("%s.new", link);
    unlink(temporary);
    if (symlink(zone, temporary) < 0 || rename(temporary, link) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be written", link);
    return 0;
}

static int configure_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_deploy *deploy = arg;
    RF_CLEANUP(release_files) struct node_files files = {0};
    make_files(deploy, &files);
    rf_autofree char *root = rf_deploy_root(deploy, "");
    if (link_kernels(deploy, err) < 0 || write_admins(env, deploy, err) < 0 || set_timezone(deploy, err) < 0 ||
        rf_trust_install(root, deploy->ca, err) < 0)
        return -1;
    for (size_t i = 0; i < files.count; i++)
        if (write_one(deploy, files.files[i].path, files.files[i].text, files.files[i].mode, err) < 0)
            return -1;
    return write_one(deploy, "/boot/grub/grub.cfg", files.grub, 0600, err);
}

const struct rf_step_ops rf_step_configure = {.name = "configure", .probe = configure_probe, .apply = configure_apply};
