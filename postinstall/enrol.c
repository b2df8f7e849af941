/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asking the directory. */
#include "postinstall/enrol.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "postinstall/description.h"
#include "postinstall/guest_exec.h"
#include "postinstall/secret.h"

#include <string.h>

enum { SECONDS = 300, RECORD_MAX = 4096 };

#define PROGRAM "/usr/lib/richtfest/enrol"
#define RECORD "enrolled.json"

static void add_account(json_t *request, const char *kind, char *name, const char *password)
{
    if (password)
        json_object_set_new(request, kind, json_pack("{s:s,s:s}", "name", name, "password", password));
    free(name);
}

json_t *rf_enrol_request(const struct rf_node_guest *guest, const json_t *secrets)
{
    json_t *request =
        json_pack("{s:s,s:s,s:s}", "member", guest->asked->name, "fqdn", guest->fqdn, "address", guest->address);
    add_account(request, "service", rf_member_service(guest), rf_json_string(secrets, RF_SECRET_SERVICE));
    add_account(request, "computer", rf_member_computer(guest), rf_json_string(secrets, RF_SECRET_JOIN));
    const char *group = rf_json_string(guest->settings, "group");
    if (group)
        json_object_set_new(request, "groups", json_pack("[s]", group));
    return request;
}

/* Of what is asked now, and of which directory: with the passwords, as long as there are any. */
static void digest_of(const struct rf_node_guest *guest, const json_t *secrets, char ret_hex[RF_SHA256_HEX])
{
    rf_autojson json_t *request = rf_enrol_request(guest, secrets);
    rf_autofree char *born = rf_guest_born(guest->directory);
    json_object_set_new(request, "directory", json_string(born ? born : ""));
    rf_autosecret char *text = rf_json_text(request);
    rf_sha256(text, strlen(text), ret_hex);
}

static json_t *record_now(const struct rf_node_guest *guest)
{
    char with[RF_SHA256_HEX] = "", without[RF_SHA256_HEX];
    rf_autojson json_t *pending = rf_secret_pending(guest);
    digest_of(guest, NULL, without);
    if (rf_json_string(pending, RF_SECRET_SERVICE))
        digest_of(guest, pending, with);
    return json_pack("{s:s,s:s}", "request", without, "secrets", with);
}

static bool same(const json_t *recorded, const json_t *now, const char *key)
{
    const char *then = rf_json_string(recorded, key), *wanted = rf_json_string(now, key);
    return then && strcmp(then, wanted) == 0;
}

static enum rf_probe enrol_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    const struct rf_node_guest *guest = arg;
    rf_autofree char *path = rf_guest_state_path(guest, RECORD);
    rf_autojson json_t *now = record_now(guest),
                       *recorded = rf_exists(path) ? rf_json_load(path, RECORD_MAX, NULL) : NULL;
    bool no_secrets = !*rf_json_string(now, "secrets");
    return same(recorded, now, "request") && (no_secrets || same(recorded, now, "secrets")) ? RF_PROBE_DONE
                                                                                            : RF_PROBE_TODO;
}

int rf_enrol_ask(struct rf_step_env *env, const struct rf_node_guest *guest, rf_agent *directory, unsigned seconds,
                 rf_error **err)
{
    rf_autofree char *path = rf_guest_state_path(guest, RECORD), *state = rf_guest_state_path(guest, "");
    rf_autojson json_t *pending = rf_secret_pending(guest), *request = rf_enrol_request(guest, pending);
    rf_autojson json_t *argv = json_pack("[s]", PROGRAM), *now = record_now(guest);
    rf_autosecret char *input = json_dumps(request, JSON_COMPACT);
    rf_autofree char *text = rf_json_text(now);
    if (rf_guest_exec(env, directory, argv, input, seconds, err) < 0)
        return rf_wrap(err, "the directory %s", guest->directory->asked->name);
    if (rf_make_dirs(state, 0700, err) < 0)
        return -1;
    return rf_write_file(path, text, strlen(text), 0600, err);
}

static int enrol_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_node_guest *guest = arg;
    rf_autoagent rf_agent *agent = rf_agent_libvirt(guest->node->libvirt, guest->directory->asked->name);
    return rf_enrol_ask(env, guest, agent, rf_guest_patience(guest, SECONDS), err);
}

const struct rf_step_ops rf_step_enrol = {"enrol", enrol_probe, enrol_apply, NULL};
