/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Generated passwords between first start and hand-over. */
#include "postinstall/secret.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"

#include <errno.h>
#include <string.h>

enum { SECRETS_MAX = 65536 };

json_t *rf_secret_load(const struct rf_node_guest *guest)
{
    rf_autofree char *path = rf_guest_state_path(guest, "secrets.json");
    return rf_exists(path) ? rf_json_load(path, SECRETS_MAX, NULL) : NULL;
}

int rf_secret_remove(const struct rf_node_guest *guest, rf_error **err)
{
    rf_autofree char *path = rf_guest_state_path(guest, "secrets.json");
    if (unlink(path) < 0 && errno != ENOENT)
        return rf_fail_errno(err, RF_FAILED, errno, "removing %s", path);
    return 0;
}

static enum rf_probe secret_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    const struct rf_node_guest *guest = arg;
    if (rf_guest_settled(guest) || guest->recipe->secrets_count == 0)
        return RF_PROBE_DONE;
    rf_autojson json_t *secrets = rf_secret_load(guest);
    for (size_t i = 0; i < guest->recipe->secrets_count; i++)
        if (!rf_json_string(secrets, guest->recipe->secrets[i].name))
            return RF_PROBE_TODO;
    return RF_PROBE_DONE;
}

static int secret_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    const struct rf_node_guest *guest = arg;
    rf_autofree char *all = rf_node_path(guest->node, "%s", RF_STATE_GUESTS);
    rf_autofree char *directory = rf_guest_state_path(guest, ""), *path = rf_guest_state_path(guest, "secrets.json");
    json_t *kept = rf_secret_load(guest);
    rf_autojson json_t *secrets = kept ? kept : json_object();
    for (size_t i = 0; i < guest->recipe->secrets_count; i++) {
        const struct rf_recipe_secret *secret = &guest->recipe->secrets[i];
        if (rf_json_string(secrets, secret->name))
            continue;
        rf_autosecret char *password = rf_password(secret->length);
        json_object_set_new(secrets, secret->name, json_string(password));
    }
    rf_autosecret char *text = rf_json_text(secrets);
    if (rf_make_dirs(all, 0700, err) < 0 || rf_make_dirs(directory, 0700, err) < 0)
        return -1;
    return rf_write_file(path, text, strlen(text), 0600, err);
}

const struct rf_step_ops rf_step_secret = {"secret", secret_probe, secret_apply, NULL};
