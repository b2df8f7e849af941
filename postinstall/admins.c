/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accounts by useradd, usermod and chpasswd. */
#include "postinstall/admins.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "postinstall/handover.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <string.h>

enum { TEXT_MAX = 65536, PASSWORD_LENGTH = 20 };

/* The day on which an account that left the profile expired, in days since 1970 (shadow(5)); a date of people's own is never that one. */
#define LOCKED_DAY "1"

#define KEYS_MARK "# Written by richtfest from the profile.\n"

static const char *const admin_groups[] = {"sudo", "libvirt"};

char *rf_sshd_config(void)
{
    return rf_strdup("# Written by richtfest: keys only, the admins' own accounts only.\n"
                     "PasswordAuthentication no\n"
                     "KbdInteractiveAuthentication no\n"
                     "PermitRootLogin no\n"
                     "AuthorizedKeysFile " RF_SSH_KEYS_DIR "/%u .ssh/authorized_keys\n");
}

char *rf_admin_keys(const struct rf_admin *admin)
{
    char *text = rf_strdup(KEYS_MARK);
    for (size_t i = 0; i < admin->ssh_keys_count; i++)
        rf_append(&text, "%s\n", admin->ssh_keys[i]);
    return text;
}

static bool holds(const char *path, const char *wanted)
{
    rf_autofree char *text = NULL;
    return rf_exists(path) && rf_read_file(path, TEXT_MAX, &text, NULL, NULL) == 0 && strcmp(text, wanted) == 0;
}

static enum rf_probe sshd_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    rf_autofree char *path = rf_node_path(arg, "%s", RF_SSHD_CONFIG), *wanted = rf_sshd_config();
    return holds(path, wanted) ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static int sshd_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    rf_autofree char *path = rf_node_path(arg, "%s", RF_SSHD_CONFIG), *text = rf_sshd_config();
    rf_autofree char *directory = rf_node_path(arg, "%s", "/etc/ssh/sshd_config.d");
    if (rf_make_dirs(directory, 0755, err) < 0 || rf_write_file(path, text, strlen(text), 0644, err) < 0)
        return -1;
    return rf_run_argv(env->runner, RF_ARGV("systemctl", "try-reload-or-restart", "ssh.service"), err);
}

const struct rf_step_ops rf_step_sshd = {"sshd", sshd_probe, sshd_apply, NULL};

static FILE *open_etc(const rf_node_model *model, const char *name)
{
    rf_autofree char *path = rf_node_path(model, "/etc/%s", name);
    return fopen(path, "re");
}

static bool account_exists(const struct rf_node_admin *admin)
{
    rf_autofile FILE *file = open_etc(admin->node, "passwd");
    for (struct passwd *entry; file && (entry = fgetpwent(file));)
        if (strcmp(entry->pw_name, admin->asked->name) == 0)
            return true;
    return false;
}

static bool group_has(const struct rf_node_admin *admin, const char *group)
{
    rf_autofile FILE *file = open_etc(admin->node, "group");
    for (struct group *entry; file && (entry = fgetgrent(file));) {
        if (strcmp(entry->gr_name, group) != 0)
            continue;
        for (char **member = entry->gr_mem; *member; member++)
            if (strcmp(*member, admin->asked->name) == 0)
                return true;
    }
    return false;
}

static bool password_set(const struct rf_node_admin *admin)
{
    rf_autofile FILE *file = open_etc(admin->node, "shadow");
    for (struct spwd *entry; file && (entry = fgetspent(file));)
        if (strcmp(entry->sp_namp, admin->asked->name) == 0)
            return entry->sp_pwdp[strspn(entry->sp_pwdp, "!")] == '$'; /* with "!" before it a person has locked it */
    return false;
}

/* By the step below. */
static bool locked(const struct rf_node_admin *admin)
{
    rf_autofile FILE *file = open_etc(admin->node, "shadow");
    for (struct spwd *entry; file && (entry = fgetspent(file));)
        if (strcmp(entry->sp_namp, admin->asked->name) == 0)
            return entry->sp_expire == strtol(LOCKED_DAY, NULL, 10);
    return false;
}

static char *keys_path(const struct rf_node_admin *admin)
{
    return rf_node_path(admin->node, "%s/%s", RF_SSH_KEYS_DIR, admin->asked->name);
}

static enum rf_probe admin_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    const struct rf_node_admin *admin = arg;
    rf_autofree char *path = keys_path(admin), *keys = rf_admin_keys(admin->asked);
    bool done = account_exists(admin) && holds(path, keys) && !locked(admin);
    for (size_t i = 0; i < RF_COUNT(admin_groups); i++)
        done = done && group_has(admin, admin_groups[i]);
    return done ? RF_PROBE_DONE : RF_PROBE_TODO;
}

/* The keys first: from then on the admin gets in, whatever fails later. */
static int admin_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_node_admin *admin = arg;
    const char *name = admin->asked->name;
    rf_autofree char *path = keys_path(admin), *keys = rf_admin_keys(admin->asked);
    rf_autofree char *directory = rf_node_path(admin->node, "%s", RF_SSH_KEYS_DIR);
    if (rf_make_dirs(directory, 0755, err) < 0 || rf_write_file(path, keys, strlen(keys), 0644, err) < 0)
        return -1;
    if (!account_exists(admin) &&
        rf_run_argv(env->runner, RF_ARGV("useradd", "--create-home", "--shell", "/bin/bash", name), err) < 0)
        return -1;
    if (locked(admin) && rf_run_argv(env->runner, RF_ARGV("usermod", "--expiredate", "", name), err) < 0)
        return -1;
    for (size_t i = 0; i < RF_COUNT(admin_groups); i++)
        if (!group_has(admin, admin_groups[i]) &&
            rf_run_argv(env->runner, RF_ARGV("usermod", "--append", "--groups", admin_groups[i], name), err) < 0)
            return -1;
    return 0;
}

const struct rf_step_ops rf_step_admin = {"admin", admin_probe, admin_apply, NULL};

bool rf_admin_keys_ours(const char *path)
{
    rf_autofree char *text = NULL;
    return rf_read_file(path, TEXT_MAX, &text, NULL, NULL) == 0 && strncmp(text, KEYS_MARK, strlen(KEYS_MARK)) == 0;
}

static bool is_admin(const rf_node_model *model, const char *name)
{
    for (size_t i = 0; i < model->admins_count; i++)
        if (strcmp(model->admins[i].asked->name, name) == 0)
            return true;
    return false;
}

/* The first one that has keys and left the profile; NULL: none. The caller frees it. */
static char *old_one(const rf_node_model *model)
{
    rf_autofree char *directory = rf_node_path(model, "%s", RF_SSH_KEYS_DIR);
    rf_autodir DIR *entries = model->admins_count ? opendir(directory) : NULL;
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        rf_autofree char *path = rf_format("%s/%s", directory, entry->d_name);
        if (entry->d_name[0] != '.' && !is_admin(model, entry->d_name) && rf_admin_keys_ours(path))
            return rf_strdup(entry->d_name);
    }
    return NULL;
}

static enum rf_probe old_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    rf_autofree char *name = old_one(arg);
    return name ? RF_PROBE_TODO : RF_PROBE_DONE;
}

static int lock_account(struct rf_step_env *env, const struct rf_node_admin *admin, rf_error **err)
{
    const char *name = admin->asked->name;
    if (!account_exists(admin))
        return 0;
    if (rf_run_argv(env->runner, RF_ARGV("usermod", "--expiredate", LOCKED_DAY, name), err) < 0)
        return -1;
    for (size_t i = 0; i < RF_COUNT(admin_groups); i++)
        if (group_has(admin, admin_groups[i]) &&
            rf_run_argv(env->runner, RF_ARGV("gpasswd", "--delete", name, admin_groups[i]), err) < 0)
            return -1;
    return 0;
}

static int old_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    for (char *name; (name = old_one(arg));) {
        rf_autofree char *held = name;
        const struct rf_admin asked = {.name = held};
        const struct rf_node_admin admin = {.node = arg, .asked = &asked};
        rf_autofree char *path = keys_path(&admin);
        if (lock_account(env, &admin, err) < 0)
            return rf_wrap(err, "the account of %s, who left the profile", held);
        if (unlink(path) < 0)
            return rf_fail_errno(err, RF_FAILED, errno, "removing %s", path);
    }
    return 0;
}

const struct rf_step_ops rf_step_admins_old = {"admins-old", old_probe, old_apply, NULL};

static char *stash_path(const struct rf_node_admin *admin)
{
    return rf_node_path(admin->node, "%s/admins/%s.secret", RF_STATE_DIR, admin->asked->name);
}

static char *handover_path(const struct rf_node_admin *admin)
{
    return rf_node_path(admin->node, "%s/admins/%s.age", RF_STATE_HANDOVER, admin->asked->name);
}

static enum rf_probe password_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    const struct rf_node_admin *admin = arg;
    rf_autofree char *stash = stash_path(admin), *handover = handover_path(admin);
    return password_set(admin) && rf_exists(handover) && !rf_exists(stash) ? RF_PROBE_DONE : RF_PROBE_TODO;
}

/* The password that is on its way, or a new one that is kept before anything knows it. */
static int stashed_password(const struct rf_node_admin *admin, char **ret_password, rf_error **err)
{
    rf_autofree char *stash = stash_path(admin);
    rf_autofree char *directory = rf_node_path(admin->node, "%s/admins", RF_STATE_DIR);
    if (rf_exists(stash))
        return rf_read_file(stash, TEXT_MAX, ret_password, NULL, err);
    rf_autosecret char *password = rf_password(PASSWORD_LENGTH);
    if (rf_make_dirs(directory, 0700, err) < 0 || rf_write_file(stash, password, strlen(password), 0600, err) < 0)
        return -1;
    *ret_password = RF_STEAL(password);
    return 0;
}

static int set_password(rf_runner *runner, const char *name, const char *password, rf_error **err)
{
    rf_autosecret char *line = rf_format("%s:%s\n", name, password);
    struct rf_command command = {.argv = RF_ARGV("chpasswd"), .input = line, .input_size = strlen(line)};
    rf_autoresult struct rf_result result = {0};
    return rf_run(runner, &command, &result, err);
}

static int password_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_node_admin *admin = arg;
    const rf_profile *profile = admin->node->profile;
    rf_autosecret char *password = NULL;
    rf_autofree char *stash = stash_path(admin), *handover = handover_path(admin), *armored = NULL;
    rf_autofree char *recipients = rf_handover_recipients(profile, admin->asked);
    if (stashed_password(admin, &password, err) < 0)
        return -1;
    rf_autosecret char *text = rf_format("node: %s\nuser: %s (Cockpit on port 9090, sudo)\npassword: %s\n",
                                         profile->node.hostname, admin->asked->name, password);
    if (set_password(env->runner, admin->asked->name, password, err) < 0 ||
        rf_handover_encrypt(env->runner, admin->node, recipients, text, &armored, err) < 0 ||
        rf_handover_deliver(env, handover, "admin", admin->asked->name, armored, err) < 0)
        return -1;
    if (unlink(stash) < 0 && errno != ENOENT)
        return rf_fail_errno(err, RF_FAILED, errno, "removing %s", stash);
    return 0;
}

const struct rf_step_ops rf_step_admin_password = {"password", password_probe, password_apply, NULL};
