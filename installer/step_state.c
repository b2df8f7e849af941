/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What must outlive a reinstalled root, in the subvolume `state`: the profile, the machine as it was, the SSH host keys and
 * the machine-id. Nothing that is there already is made again: a node keeps its identity.
 */
#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "installer/deploy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static const char *const key_types[] = {"ed25519", "ecdsa"};

static char *host_key(const rf_deploy *deploy, const char *type)
{
    rf_autofree char *name = rf_format("/ssh/ssh_host_%s_key", type);
    return rf_deploy_state(deploy, name);
}

/* The profile as it was given, byte for byte. */
static int save_profile(const rf_deploy *deploy, rf_error **err)
{
    rf_autofree char *path = rf_deploy_state(deploy, "/profile.yaml");
    return rf_write_file(path, deploy->profile->text, strlen(deploy->profile->text), 0600, err);
}

static bool profile_is_there(const rf_deploy *deploy)
{
    rf_autofree char *path = rf_deploy_state(deploy, "/profile.yaml");
    rf_autofree char *found = NULL;
    return rf_read_file(path, RF_PROFILE_MAX, &found, NULL, NULL) == 0 && strcmp(found, deploy->profile->text) == 0;
}

static bool machine_id_is_there(const rf_deploy *deploy)
{
    rf_autofree char *kept_path = rf_deploy_state(deploy, "/machine-id");
    rf_autofree char *root_path = rf_deploy_root(deploy, "/etc/machine-id");
    rf_autofree char *kept = rf_read_line(kept_path), *root = rf_read_line(root_path);
    return kept && root && strlen(kept) == 32 && strcmp(kept, root) == 0;
}

static enum rf_probe state_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_deploy *deploy = arg;
    if (rf_deploy_open(env, deploy, err) < 0)
        return RF_PROBE_ERROR;
    bool done = profile_is_there(deploy) && machine_id_is_there(deploy);
    for (size_t i = 0; i < RF_COUNT(key_types); i++) {
        rf_autofree char *key = host_key(deploy, key_types[i]);
        rf_autofree char *public = rf_format("%s.pub", key);
        done = done && rf_exists(key) && rf_exists(public);
    }
    return done ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static int save_machine(const rf_deploy *deploy, rf_error **err)
{
    rf_autojson json_t *json = rf_machine_to_json(deploy->machine);
    rf_autofree char *text = rf_json_text(json);
    rf_autofree char *path = rf_deploy_state(deploy, "/machine.json");
    return rf_write_file(path, text, strlen(text), 0600, err);
}

/* Kept from an earlier root where there was one, else random, and put into the new root (machine-id(5)). */
static int give_machine_id(const rf_deploy *deploy, rf_error **err)
{
    rf_autofree char *kept = rf_deploy_state(deploy, "/machine-id");
    rf_autofree char *id = rf_read_line(kept);
    if (!id || strlen(id) != 32) {
        char uuid[RF_UUID_TEXT];
        rf_uuid_random(uuid);
        free(id);
        id = rf_format("%.8s%.4s%.4s%.4s%.12s", uuid, uuid + 9, uuid + 14, uuid + 19, uuid + 24);
    }
    rf_autofree char *line = rf_format("%s\n", id);
    rf_autofree char *root = rf_deploy_root(deploy, "/etc/machine-id");
    if (rf_write_file(kept, line, strlen(line), 0644, err) < 0)
        return -1;
    return rf_write_file(root, line, strlen(line), 0444, err);
}

/* ssh-keygen does not: after a power cut a key with its name might be empty. */
static int flush_file(const char *path)
{
    rf_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -1 : fsync(fd);
}

/* Made under another name first: an interrupted ssh-keygen(1) must not leave half a key pair behind. */
static int make_host_key(struct rf_step_env *env, const rf_deploy *deploy, const char *type, rf_error **err)
{
    rf_autofree char *key = host_key(deploy, type);
    rf_autofree char *public = rf_format("%s.pub", key);
    if (rf_exists(key) && rf_exists(public))
        return 0;
    rf_autofree char *fresh = rf_format("%s.new", key);
    rf_autofree char *fresh_public = rf_format("%s.new.pub", key);
    unlink(fresh);
    unlink(fresh_public);
    if (rf_run_argv(
            env->runner,
            RF_ARGV("ssh-keygen", "-q", "-t", type, "-N", "", "-C", deploy->profile->node.hostname, "-f", fresh),
            err) < 0)
        return -1;
    if (flush_file(fresh_public) < 0 || flush_file(fresh) < 0 || rename(fresh_public, public) < 0 ||
        rename(fresh, key) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be written", key);
    return 0;
}

static int state_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_deploy *deploy = arg;
    rf_autofree char *top = rf_deploy_state(deploy, "");
    rf_autofree char *ssh = rf_deploy_state(deploy, "/ssh");
    rf_autofree char *guests = rf_deploy_state(deploy, "/guests");
    rf_autofree char *handover = rf_deploy_state(deploy, "/handover");
    chmod(top, 0755); /* sshd's host keys are looked at by name; what is secret below is 0700 or 0600 itself */
    if (rf_make_dirs(ssh, 0755, err) < 0 || rf_make_dirs(guests, 0700, err) < 0 ||
        rf_make_dirs(handover, 0700, err) < 0)
        return -1;
    for (size_t i = 0; i < RF_COUNT(key_types); i++)
        if (make_host_key(env, deploy, key_types[i], err) < 0)
            return rf_wrap(err, "SSH host key (%s)", key_types[i]);
    if (save_machine(deploy, err) < 0 || give_machine_id(deploy, err) < 0)
        return -1;
    return save_profile(deploy, err);
}

const struct rf_step_ops rf_step_state = {.name = "state", .probe = state_probe, .apply = state_apply};
