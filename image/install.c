/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/install.h"

#include "base/file.h"
#include "base/memory.h"
#include "image/chroot.h"
#include "image/progress.h"
#include "image/tree.h"

#include <errno.h>
#include <string.h>

enum { SECONDS = 1800 };

static const char archives[] = "/var/cache/apt/archives"; /* below the root: its dpkg has to see the packages */

/* One run of apt-get. */
struct session {
    struct rf_step_env *env;
    const struct rf_install *wanted;
    char *config, *temporary, *date;
    struct rf_progress_apt progress;
};

static void clear_session(struct session *session)
{
    free(session->config);
    free(session->temporary);
    free(session->date);
}

char *rf_install_config(const char *root, const char *lists, const char *work)
{
    /* The same as mmdebstrap does it: the root's own apt.conf.d and sources, the keyrings of this machine. */
    return rf_format("APT::Architecture \"amd64\";\n"
                     "APT::Sandbox::User \"root\";\n" /* the cache is not open to others */
                     "Dir \"%s\";\n"
                     "Dir::State::Status \"%s/var/lib/dpkg/status\";\n"
                     "Dir::State::Lists \"%s\";\n"
                     "Dir::Cache::pkgcache \"\";\n"
                     "Dir::Cache::srcpkgcache \"\";\n"
                     "Dir::Log \"%s\";\n"
                     "Dir::Etc::Trusted \"/etc/apt/trusted.gpg\";\n"
                     "Dir::Etc::TrustedParts \"/etc/apt/trusted.gpg.d\";\n",
                     root, root, lists, work);
}

static int run(struct session *session, const char *const *argv, rf_error **err)
{
    const char *const envs[] = {session->config,
                                session->temporary,
                                session->date,
                                "DEBIAN_FRONTEND=noninteractive",
                                "DEBCONF_NONINTERACTIVE_SEEN=true",
                                NULL};
    const struct rf_command command = {
        .argv = argv, .seconds = SECONDS, .env = envs, .on_output = rf_progress_apt, .data = &session->progress};
    rf_autoresult struct rf_result result = {0};
    return rf_run(session->env->runner, &command, &result, err);
}

static int write_config(struct session *session, const char *lists, rf_error **err)
{
    rf_autofree char *path = rf_format("%s/apt.conf", session->wanted->work);
    rf_autofree char *text = rf_install_config(session->wanted->root, lists, session->wanted->work);
    return rf_write_file(path, text, strlen(text), 0644, err);
}

static int download(struct session *session, rf_error **err)
{
    rf_autofree const char **argv = rf_argv_join(RF_ARGV("apt-get", "--yes", "--download-only", "install"),
                                                 (const char *const *)session->wanted->packages);
    return run(session, argv, err);
}

/* The archive has moved on since its lists were taken: those of today, for this root only. */
static int download_newer(struct session *session, rf_error **err)
{
    rf_autofree char *lists = rf_format("%s/lists", session->wanted->work);
    rf_autofree char *partial = rf_format("%s/partial", lists);
    if (rf_make_dirs(partial, 0755, err) < 0 || write_config(session, lists, err) < 0)
        return -1;
    return run(session, RF_ARGV("apt-get", "update"), err) < 0 ? -1 : download(session, err);
}

/* dpkg is started by env(1), which takes from it what is ours; so nothing may stand in front of that, and the root's own options for dpkg
 * (an apt.conf.d of the base) are none of the build's. */
static const char dpkg_config[] = "#clear DPkg::Options;\n"
                                  "Dir::Bin::dpkg \"env\";\n"
                                  "DPkg::Options { \"--unset=TMPDIR\"; \"--unset=APT_CONFIG\"; \"dpkg\"; "
                                  "\"--force-unsafe-io\"; };\n";

/* In process and network namespaces of its own: a service that starts in spite of policy-rc.d ends with it. */
static int set_up(struct session *session, rf_error **err)
{
    const struct rf_install *wanted = session->wanted;
    rf_autofree char *proc = rf_format("--mount-proc=%s/proc", wanted->root);
    rf_autofree char *chroot = rf_format("DPkg::Chroot-Directory=%s", wanted->root);
    rf_autofree char *config = rf_format("%s/dpkg.conf", wanted->work);
    if (rf_write_file(config, dpkg_config, strlen(dpkg_config), 0644, err) < 0)
        return -1;
    rf_autofree const char **argv =
        rf_argv_join(RF_ARGV("unshare", "--mount", "--ipc", "--net", "--pid", "--fork", "--kill-child", proc, "apt-get",
                             "--config-file", config, "--yes", "--no-download", "-o", chroot, "install"),
                     (const char *const *)wanted->packages);
    return run(session, argv, err);
}

static int bind(struct session *session, const char *from, const char *below, rf_error **err)
{
    rf_autofree char *to = rf_format("%s%s", session->wanted->root, below);
    return rf_run_argv(session->env->runner, RF_ARGV("mount", "--bind", from, to), err);
}

/* Packages lie outside, so that they leave no trace in the image. An initrd that a trigger makes anew would be the same one. */
static int prepare(struct session *session, rf_error **err)
{
    const struct rf_install *wanted = session->wanted;
    static const char no_initrd[] = "/etc/initramfs-tools/update-initramfs.conf";
    rf_autofree char *outside = rf_format("%s/archives", wanted->work), *partial = rf_format("%s/partial", outside);
    rf_autofree char *inside = rf_format("%s%s", wanted->root, archives);
    rf_autofree char *there = rf_format("%s%s", wanted->root, no_initrd);
    rf_autofree char *ours = rf_format("%s/update-initramfs.conf", wanted->work);
    if (rf_make_dirs(partial, 0755, err) < 0 || rf_make_dirs(inside, 0755, err) < 0 ||
        bind(session, outside, archives, err) < 0)
        return -1;
    if (rf_tree_put(wanted->root, "/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0755, wanted->date, err) < 0)
        return -1;
    if (!rf_exists(there))
        return 0;
    if (rf_tree_put("", ours, "update_initramfs=no\nbackup_initramfs=no\n", 0644, wanted->date, err) < 0)
        return -1;
    return bind(session, ours, no_initrd, err);
}

static int finish(struct session *session, rf_error **err)
{
    const struct rf_install *wanted = session->wanted;
    rf_autofree char *inside = rf_format("%s%s", wanted->root, archives);
    rf_autofree char *there = rf_format("%s/etc/initramfs-tools/update-initramfs.conf", wanted->root);
    rf_autofree char *policy = rf_format("%s/usr/sbin/policy-rc.d", wanted->root);
    if (rf_run_argv(session->env->runner, RF_ARGV("umount", inside), err) < 0)
        return -1;
    if (rf_exists(there) && rf_run_argv(session->env->runner, RF_ARGV("umount", there), err) < 0)
        return -1;
    return unlink(policy) < 0 ? rf_fail_errno(err, RF_FAILED, errno, "%s can't be removed", policy) : 0;
}

int rf_install_packages(struct rf_step_env *env, const struct rf_install *wanted, rf_error **err)
{
    if (!wanted->packages || !wanted->packages[0])
        return 0;
    RF_CLEANUP(clear_session)
    struct session session = {.env = env,
                              .wanted = wanted,
                              .config = rf_format("APT_CONFIG=%s/apt.conf", wanted->work),
                              .temporary = rf_format("TMPDIR=%s/tmp", wanted->root),
                              .date = rf_format("SOURCE_DATE_EPOCH=%lld", (long long)wanted->date),
                              .progress = {.env = env}};
    if (prepare(&session, err) < 0 || write_config(&session, wanted->lists, err) < 0)
        return -1;
    if (download(&session, NULL) < 0 && download_newer(&session, err) < 0)
        return rf_wrap(err, "the archive lacks a package of %s, or can't be reached", wanted->packages[0]);
    if (set_up(&session, err) < 0)
        return -1;
    return finish(&session, err);
}
