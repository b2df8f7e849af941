/* SPDX-License-Identifier: GPL-3.0-or-later */
/* age, by standard input and output. */
#include "postinstall/handover.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/units.h"
#include "postinstall/secret.h"
#include "profiles/sshkey.h"

#include <libgen.h>
#include <string.h>

void rf_handover_check(const rf_profile *profile, rf_problems *problems)
{
    rf_autofree char *keys = rf_handover_recipients(profile, NULL);
    if (!keys)
        rf_problem_at(problems, profile->file, 0, 0, "node.admins",
                      "no admin has a key that passwords can be encrypted to; add one of type ssh-ed25519 or ssh-rsa "
                      "(age does not take ecdsa and hardware-backed sk- keys)");
}

static void append_keys(char **text, const struct rf_admin *admin)
{
    for (size_t i = 0; i < admin->ssh_keys_count; i++)
        if (rf_ssh_key_for_age(admin->ssh_keys[i]))
            rf_append(text, "%s\n", admin->ssh_keys[i]);
}

char *rf_handover_recipients(const rf_profile *profile, const struct rf_admin *admin)
{
    char *text = NULL;
    if (admin)
        append_keys(&text, admin);
    for (size_t i = 0; !text && i < profile->node.admins_count; i++)
        for (; i < profile->node.admins_count; i++)
            append_keys(&text, &profile->node.admins[i]);
    return text;
}

static void remove_file(char **path)
{
    if (*path)
        unlink(*path);
    free(*path);
}

int rf_handover_encrypt(rf_runner *runner, const rf_node_model *model, const char *recipients, const char *secret,
                        char **ret_armored, rf_error **err)
{
    char unique[RF_UUID_TEXT];
    rf_uuid_random(unique);
    rf_autofree char *directory = rf_node_path(model, "%s", RF_RUN_DIR);
    RF_CLEANUP(remove_file) char *file = rf_format("%s/recipients.%s", directory, unique);
    if (!recipients)
        return rf_fail(err, RF_BAD_PROFILE, "no admin has an ssh-ed25519 or ssh-rsa key to encrypt passwords to");
    if (rf_make_dirs(directory, 0700, err) < 0 || rf_write_file(file, recipients, strlen(recipients), 0600, err) < 0)
        return -1;
    struct rf_command command = {
        .argv = RF_ARGV("age", "--encrypt", "--armor", "--recipients-file", file),
        .input = secret,
        .input_size = strlen(secret),
    };
    rf_autoresult struct rf_result result = {0};
    if (rf_run(runner, &command, &result, err) < 0)
        return rf_wrap(err, "encrypting to the admins' keys");
    *ret_armored = RF_STEAL(result.out);
    return 0;
}

int rf_handover_deliver(struct rf_step_env *env, const char *path, const char *kind, const char *name,
                        const char *armored, rf_error **err)
{
    rf_autofree char *directory = rf_strdup(path);
    rf_autofree char *message =
        rf_format("the password for %s %s, encrypted to the admins' SSH keys, is in %s; read it "
                  "with: age -d -i YOUR-PRIVATE-KEY FILE",
                  kind, name, path);
    rf_autojson json_t *extra = json_pack("{s:{s:s,s:s}}", "handover", kind, name, "age", armored);
    if (rf_make_dirs(dirname(directory), 0700, err) < 0)
        return -1;
    rf_emit(env->events, &(struct rf_event){.step = env->step ? env->step->id : NULL,
                                            .title = env->step ? env->step->title : NULL,
                                            .state = RF_PROGRESS,
                                            .seconds = rf_now() - env->started,
                                            .message = message,
                                            .extra = extra});
    return rf_write_file(path, armored, strlen(armored), 0600, err);
}

/* The keys of those that people get, as one text; NULL where nothing is pending for them. */
static char *pending_keys(const struct rf_node_guest *guest, const json_t *pending)
{
    char *text = NULL;
    size_t count;
    struct rf_secret *secrets = rf_secret_list(guest, &count);
    for (size_t i = 0; i < count; i++)
        if (secrets[i].title && json_object_get(pending, secrets[i].key))
            rf_append(&text, "%s\n", secrets[i].key);
    rf_secrets_free(secrets, count);
    return text;
}

/* Passwords that come later (of a new account) get a file of their own: the first one stays readable. NULL: nothing is pending. */
static char *handover_path(const struct rf_node_guest *guest)
{
    char hex[RF_SHA256_HEX];
    const char *name = guest->asked->name;
    rf_autojson json_t *pending = rf_secret_pending(guest);
    rf_autofree char *keys = pending_keys(guest, pending);
    if (!rf_guest_settled(guest))
        return rf_node_path(guest->node, "%s/%s.age", RF_STATE_HANDOVER, name);
    if (!keys)
        return NULL;
    rf_sha256(keys, strlen(keys), hex);
    return rf_node_path(guest->node, "%s/%s.%.8s.age", RF_STATE_HANDOVER, name, hex);
}

static enum rf_probe handover_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    rf_autofree char *path = handover_path(arg);
    return !path || rf_exists(path) ? RF_PROBE_DONE : RF_PROBE_TODO;
}

/* What the admins read after decryption. */
static char *guest_text(const struct rf_node_guest *guest, const json_t *pending)
{
    char *text = rf_format("guest: %s (%s)\nnode: %s\naddress: %s\n", guest->fqdn, guest->recipe->title,
                           guest->node->profile->node.hostname, guest->address);
    size_t count;
    struct rf_secret *secrets = rf_secret_list(guest, &count);
    if (guest->published)
        rf_append(&text, "web: https://%s/\n", guest->published);
    for (size_t i = 0; i < count; i++) {
        const char *value = rf_json_string(pending, secrets[i].key);
        if (secrets[i].title && value)
            rf_append(&text, "%s: %s\n", secrets[i].title, value);
    }
    rf_secrets_free(secrets, count);
    return text;
}

static int handover_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_node_guest *guest = arg;
    rf_autojson json_t *pending = rf_secret_pending(guest);
    rf_autosecret char *text = guest_text(guest, pending);
    rf_autofree char *recipients = rf_handover_recipients(guest->node->profile, NULL);
    rf_autofree char *path = handover_path(guest), *armored = NULL;
    if (!pending || !path)
        return rf_fail(err, RF_FAILED, "the passwords of %s are not on this node any more", guest->asked->name);
    if (rf_handover_encrypt(env->runner, guest->node, recipients, text, &armored, err) < 0)
        return -1;
    return rf_handover_deliver(env, path, "guest", guest->asked->name, armored, err);
}

const struct rf_step_ops rf_step_handover = {"handover", handover_probe, handover_apply, NULL};
