/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a root holds beyond image, profile and `state`: the admins' passwords and homes, libvirt's definitions with the guests'
 * snapshots, firmware variables and TPMs, certificates that came by ACME. Copied from the running root, as it is now.
 */
#include "base/file.h"
#include "base/memory.h"
#include "installer/deploy.h"

#include <pwd.h>
#include <shadow.h>
#include <string.h>

enum { COPY_SECONDS = 3600 };

/* Folders, whole. `owner`: an account that each image numbers by itself. */
static const struct {
    const char *path, *owner;
} folders[] = {
    {"/home", NULL},
    {"/etc/libvirt/qemu", NULL},
    {"/etc/libvirt/storage", NULL},
    {"/etc/libvirt/secrets", NULL},
    {"/var/lib/libvirt/qemu/nvram", NULL},
    {"/var/lib/libvirt/qemu/snapshot", NULL},
    {"/var/lib/libvirt/qemu/checkpoint", NULL},
    {"/var/lib/libvirt/swtpm", NULL},
    {"/etc/cockpit/ws-certs.d", NULL},
    {"/var/lib/caddy", "caddy"},
};

static char *running_path(const rf_deploy *deploy, const char *path)
{
    return rf_format("%s/system/roots/%u%s", deploy->target, deploy->beside->running, path);
}

/* "UID:GID" of an account in the new root, by number, as chown(1) takes it; NULL where it has no such account. The caller frees it. */
static char *owner_in(const char *root, const char *name)
{
    rf_autofree char *path = rf_format("%s/etc/passwd", root);
    rf_autofile FILE *file = fopen(path, "re");
    for (struct passwd *entry; file && (entry = fgetpwent(file));)
        if (strcmp(entry->pw_name, name) == 0)
            return rf_format("%ju:%ju", (uintmax_t)entry->pw_uid, (uintmax_t)entry->pw_gid);
    return NULL;
}

/* Accounts have other numbers in another image, or where admins have come and gone. */
static int give_to(struct rf_step_env *env, const rf_deploy *deploy, const char *name, const char *path, rf_error **err)
{
    rf_autofree char *root = rf_deploy_root(deploy, ""), *where = rf_deploy_root(deploy, path);
    rf_autofree char *owner = owner_in(root, name);
    if (!owner || !rf_exists(where))
        return 0;
    return rf_run_argv(env->runner, RF_ARGV("chown", "--recursive", "--no-dereference", owner, where), err);
}

static int copy_folder(struct rf_step_env *env, const rf_deploy *deploy, size_t row, rf_error **err)
{
    const char *path = folders[row].path, *owner = folders[row].owner;
    rf_autofree char *from = running_path(deploy, path), *to = rf_deploy_root(deploy, path), *above = rf_strdup(to);
    rf_autoresult struct rf_result result = {0};
    const struct rf_command copy = {.argv =
                                        RF_ARGV("cp", "--archive", "--reflink=auto", "--no-target-directory", from, to),
                                    .seconds = COPY_SECONDS};
    if (!rf_exists(from))
        return 0;
    *strrchr(above, '/') = '\0';
    if (rf_make_dirs(above, 0755, err) < 0 || rf_run(env->runner, &copy, &result, err) < 0)
        return -1;
    return owner ? give_to(env, deploy, owner, path, err) : 0;
}

static int give_homes(struct rf_step_env *env, const rf_deploy *deploy, rf_error **err)
{
    for (size_t i = 0; i < deploy->profile->node.admins_count; i++) {
        const char *name = deploy->profile->node.admins[i].name;
        rf_autofree char *home = rf_format("/home/%s", name);
        if (give_to(env, deploy, name, home, err) < 0)
            return -1;
    }
    return 0;
}

/* "NAME:HASH" of the admins that have a password; NULL where none has. */
static char *passwords(const rf_deploy *deploy)
{
    rf_autofree char *path = running_path(deploy, "/etc/shadow");
    rf_autofile FILE *file = fopen(path, "re");
    char *lines = NULL;
    for (struct spwd *entry; file && (entry = fgetspent(file));)
        for (size_t i = 0; i < deploy->profile->node.admins_count; i++)
            if (entry->sp_pwdp[0] == '$' && strcmp(entry->sp_namp, deploy->profile->node.admins[i].name) == 0)
                rf_append(&lines, "%s:%s\n", entry->sp_namp, entry->sp_pwdp);
    return lines;
}

/* They were handed over once, and nobody has them but their owners. */
static int keep_passwords(struct rf_step_env *env, const rf_deploy *deploy, rf_error **err)
{
    rf_autosecret char *lines = passwords(deploy);
    rf_autofree char *root = rf_deploy_root(deploy, "");
    rf_autoresult struct rf_result result = {0};
    if (!lines)
        return 0;
    const struct rf_command command = {
        .argv = RF_ARGV("chpasswd", "--encrypted", "--root", root), .input = lines, .input_size = strlen(lines)};
    return rf_run(env->runner, &command, &result, err);
}

static int carry_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_deploy *deploy = arg;
    for (size_t i = 0; i < RF_COUNT(folders); i++)
        if (copy_folder(env, deploy, i, err) < 0)
            return rf_wrap(err, "bringing %s along", folders[i].path);
    if (give_homes(env, deploy, err) < 0)
        return rf_wrap(err, "the admins' homes");
    return keep_passwords(env, deploy, err) < 0 ? rf_wrap(err, "the admins' passwords") : 0;
}

/* No probe: what the running root has become is brought as it is now. */
const struct rf_step_ops rf_step_carry = {.name = "carry", .apply = carry_apply};
