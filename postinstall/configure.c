/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Telling a guest what has changed. */
#include "postinstall/configure.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "postinstall/ca.h"
#include "postinstall/description.h"
#include "postinstall/guest_exec.h"
#include "postinstall/guest_tls.h"
#include "postinstall/health.h"
#include "postinstall/secret.h"
#include "postinstall/snapshot.h"

#include <errno.h>
#include <string.h>

enum { RECORD_MAX = 4096 };

#define SEEDED "seeded.json"
#define CONFIGURED RF_CONFIGURED_FILE

void rf_configure_digest(const struct rf_node_guest *guest, char ret_hex[RF_SHA256_HEX])
{
    rf_autojson json_t *description = rf_description(guest);
    rf_autofree char *text = rf_json_text(description);
    rf_sha256(text, strlen(text), ret_hex);
}

static int record(const struct rf_node_guest *guest, const char *file, const char *digest, rf_error **err)
{
    rf_autofree char *path = rf_guest_state_path(guest, file), *state = rf_guest_state_path(guest, "");
    char kept[RF_SHA256_HEX];
    rf_secret_kept_digest(guest, kept);
    rf_autojson json_t *json = json_pack("{s:s,s:s}", "digest", digest, "kept", kept);
    rf_autofree char *text = rf_json_text(json);
    if (rf_make_dirs(state, 0700, err) < 0)
        return -1;
    return rf_write_file(path, text, strlen(text), 0600, err);
}

char *rf_configure_recorded(const char *path)
{
    rf_autojson json_t *json = rf_exists(path) ? rf_json_load(path, RECORD_MAX, NULL) : NULL;
    return rf_strdup(rf_json_string(json, "digest"));
}

static char *recorded(const struct rf_node_guest *guest, const char *file)
{
    rf_autofree char *path = rf_guest_state_path(guest, file);
    return rf_configure_recorded(path);
}

int rf_configure_seeded(const struct rf_node_guest *guest, rf_error **err)
{
    char digest[RF_SHA256_HEX];
    rf_configure_digest(guest, digest);
    return record(guest, SEEDED, digest, err);
}

/* The profile may have changed while the guest came up: it knows what its seed said. */
int rf_configure_settled(const struct rf_node_guest *guest, rf_error **err)
{
    rf_autofree char *digest = recorded(guest, SEEDED);
    return record(guest, CONFIGURED, digest ? digest : "", err);
}

/* Does it know the passwords that are kept for its probes? */
static bool knows_kept(const struct rf_node_guest *guest)
{
    char kept[RF_SHA256_HEX];
    rf_autofree char *path = rf_guest_state_path(guest, CONFIGURED);
    rf_autojson json_t *json = rf_exists(path) ? rf_json_load(path, RECORD_MAX, NULL) : NULL;
    const char *known = rf_json_string(json, "kept");
    rf_secret_kept_digest(guest, kept);
    return known && strcmp(known, kept) == 0;
}

bool rf_configure_owed(const struct rf_node_guest *guest)
{
    rf_autofree char *known = recorded(guest, CONFIGURED);
    rf_autojson json_t *pending = rf_secret_pending(guest);
    const bool member = rf_json_string(pending, RF_SECRET_SERVICE) || rf_json_string(pending, RF_SECRET_JOIN);
    return json_array_size(guest->recipe->configure) && rf_guest_settled(guest) && !rf_secret_seeding(guest) &&
           (!known || member);
}

static enum rf_probe configure_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    const struct rf_node_guest *guest = arg;
    rf_autofree char *known = recorded(guest, CONFIGURED), *certificate = rf_guest_certificate(guest);
    rf_autojson json_t *pending = rf_secret_pending(guest);
    char digest[RF_SHA256_HEX];
    rf_configure_digest(guest, digest);
    bool done = known && strcmp(known, digest) == 0 && !pending && knows_kept(guest) &&
                rf_guest_certificate_good(guest, certificate);
    return done ? RF_PROBE_DONE : RF_PROBE_TODO;
}

/* The document, with a new key and certificate where the guest's own no longer does; *ret_certificate is NULL where it does. */
static int document_of(const struct rf_node_guest *guest, char **ret_document, char **ret_certificate, rf_error **err)
{
    rf_autofree char *authority = rf_ca_certificate(guest->node), *certificate = rf_guest_certificate(guest);
    rf_autosecret char *key = NULL;
    rf_autojson json_t *description = rf_description(guest), *loaded = rf_secret_load(guest);
    rf_autojson json_t *secrets = loaded ? json_incref(loaded) : json_object();
    if (!rf_guest_certificate_good(guest, certificate)) {
        free(RF_STEAL(certificate));
        if (rf_guest_certificate_issue(guest, &key, &certificate, err) < 0)
            return -1;
        json_object_set_new(secrets, RF_SECRET_TLS_KEY, json_string(key));
        *ret_certificate = rf_strdup(certificate);
    }
    rf_description_add(description, authority, certificate, secrets);
    *ret_document = json_dumps(description, JSON_COMPACT);
    return 0;
}

int rf_configure_run(struct rf_step_env *env, const struct rf_node_guest *guest, rf_agent *agent, rf_error **err)
{
    rf_autosecret char *document = NULL;
    rf_autofree char *certificate = NULL;
    char digest[RF_SHA256_HEX];
    rf_configure_digest(guest, digest);
    if (document_of(guest, &document, &certificate, err) < 0)
        return -1;
    unsigned seconds = rf_guest_patience(guest, guest->recipe->health_seconds);
    if (rf_guest_exec(env, agent, guest->recipe->configure, document, seconds, err) < 0)
        return rf_wrap(err, "configuring %s", guest->asked->name);
    if (certificate && rf_guest_certificate_keep(guest, certificate, err) < 0)
        return -1;
    if (record(guest, CONFIGURED, digest, err) < 0)
        return -1;
    return rf_secret_remove(guest, err); /* last: a kill before it only makes the guest be told once more */
}

static int configure_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_node_guest *guest = arg;
    rf_autoagent rf_agent *agent = rf_agent_libvirt(guest->node->libvirt, guest->asked->name);
    char digest[RF_SHA256_HEX];
    rf_configure_digest(guest, digest);
    if (rf_snapshot_once(env, guest, "configure", digest, err) < 0 || rf_configure_run(env, guest, agent, err) < 0)
        return -1;
    return rf_snapshot_spent(guest, "configure", err);
}

static int configure_verify(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_node_guest *guest = arg;
    rf_autoagent rf_agent *agent = rf_agent_libvirt(guest->node->libvirt, guest->asked->name);
    if (configure_probe(env, arg, err) != RF_PROBE_DONE)
        return rf_fail(err, RF_FAILED, "%s was configured, but looking again it is not", guest->asked->name);
    return rf_health_wait(env, guest, agent, err);
}

const struct rf_step_ops rf_step_guest_configure = {"configure", configure_probe, configure_apply, configure_verify};
