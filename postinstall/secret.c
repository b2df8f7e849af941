/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Generated passwords between a guest's need and their hand-over. */
#include "postinstall/secret.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"
#include "postinstall/guest_tls.h"

#include <errno.h>
#include <string.h>

enum { SECRETS_MAX = 1 << 20, MACHINE_LENGTH = 32 };

#define PENDING "secrets.json"
#define KEPT "kept.json"
#define GENERATED "generated.json" /* the keys of all that were generated since the guest's disk was made */

static struct rf_secret *add(struct rf_secret **list, size_t *count, char *key, char *title, unsigned length, bool keep)
{
    struct rf_secret *secret = rf_array_add(list, count, sizeof(*secret));
    *secret = (struct rf_secret){key, rf_strdup(key), title, length, keep};
    return secret;
}

static void add_of_member(struct rf_secret **list, size_t *count, const struct rf_node_guest *guest, const char *key)
{
    rf_autofree char *born = rf_guest_born(guest->directory);
    struct rf_secret *secret = add(list, count, rf_strdup(key), NULL, MACHINE_LENGTH, false);
    if (born)
        rf_append(&secret->mark, "@%s", born);
}

static void add_each(struct rf_secret **list, size_t *count, const struct rf_node_guest *guest,
                     const struct rf_recipe_secret *secret)
{
    size_t index;
    json_t *account;
    json_array_foreach(json_object_get(guest->settings, secret->each), index, account)
    {
        const char *name = rf_json_string(account, "name");
        if (name)
            add(list, count, rf_format("%s.%s", secret->name, name), rf_format("%s %s", secret->title, name),
                secret->length, false);
    }
}

struct rf_secret *rf_secret_list(const struct rf_node_guest *guest, size_t *ret_count)
{
    struct rf_secret *list = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < guest->recipe->secrets_count; i++) {
        const struct rf_recipe_secret *secret = &guest->recipe->secrets[i];
        if (secret->each)
            add_each(&list, ret_count, guest, secret);
        else
            add(&list, ret_count, rf_strdup(secret->name), secret->keep ? NULL : rf_strdup(secret->title),
                secret->length, secret->keep);
    }
    if (guest->directory) {
        add_of_member(&list, ret_count, guest, RF_SECRET_SERVICE);
        add_of_member(&list, ret_count, guest, RF_SECRET_JOIN);
    }
    return list;
}

void rf_secrets_free(struct rf_secret *secrets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(secrets[i].key);
        free(secrets[i].mark);
        free(secrets[i].title);
    }
    free(secrets);
}

static json_t *load(const struct rf_node_guest *guest, const char *file)
{
    rf_autofree char *path = rf_guest_state_path(guest, file);
    return rf_exists(path) ? rf_json_load(path, SECRETS_MAX, NULL) : NULL;
}

static int store(const struct rf_node_guest *guest, const char *file, const json_t *json, rf_error **err)
{
    rf_autofree char *path = rf_guest_state_path(guest, file);
    rf_autosecret char *text = rf_json_text(json);
    return rf_write_file(path, text, strlen(text), 0600, err);
}

json_t *rf_secret_pending(const struct rf_node_guest *guest)
{
    return load(guest, PENDING);
}

json_t *rf_secret_kept(const struct rf_node_guest *guest)
{
    return load(guest, KEPT);
}

json_t *rf_secret_load(const struct rf_node_guest *guest)
{
    json_t *pending = rf_secret_pending(guest);
    rf_autojson json_t *kept = rf_secret_kept(guest);
    if (!pending)
        return json_incref(kept);
    if (kept)
        json_object_update(pending, kept);
    return pending;
}

int rf_secret_handed_over(const struct rf_node_guest *guest, rf_error **err)
{
    rf_autojson json_t *pending = rf_secret_pending(guest);
    const char *key = rf_json_string(pending, RF_SECRET_TLS_KEY);
    rf_autojson json_t *rest = key ? json_pack("{s:s}", RF_SECRET_TLS_KEY, key) : NULL;
    return rest ? store(guest, PENDING, rest, err) : 0;
}

bool rf_secret_seeding(const struct rf_node_guest *guest)
{
    rf_autojson json_t *pending = rf_secret_pending(guest);
    return rf_json_string(pending, RF_SECRET_TLS_KEY) != NULL;
}

int rf_secret_remove(const struct rf_node_guest *guest, rf_error **err)
{
    rf_autofree char *path = rf_guest_state_path(guest, PENDING);
    if (unlink(path) < 0 && errno != ENOENT)
        return rf_fail_errno(err, RF_FAILED, errno, "removing %s", path);
    return 0;
}

bool rf_secret_for_people(const struct rf_node_guest *guest)
{
    size_t count;
    struct rf_secret *secrets = rf_secret_list(guest, &count);
    bool found = false;
    for (size_t i = 0; i < count; i++)
        found |= secrets[i].title != NULL;
    rf_secrets_free(secrets, count);
    return found;
}

static bool holds(const json_t *list, const char *key)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *known = json_string_value(json_array_get(list, i));
        if (known && strcmp(known, key) == 0)
            return true;
    }
    return false;
}

/* Before its first boot the guest needs a key with its certificate; later ones come by its recipe's `configure`. */
static bool needs_tls(const struct rf_node_guest *guest, const json_t *pending)
{
    rf_autofree char *certificate = rf_guest_certificate(guest);
    return !rf_guest_settled(guest) && !rf_certificate_matches(certificate, rf_json_string(pending, RF_SECRET_TLS_KEY));
}

static bool wanted(const struct rf_secret *secrets, size_t count, const char *mark)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(secrets[i].mark, mark) == 0)
            return true;
    return false;
}

/* By its key, or by its mark. */
static bool of_member(const char *text)
{
    return strncmp(text, RF_SECRET_SERVICE, strlen(RF_SECRET_SERVICE)) == 0 ||
           strncmp(text, RF_SECRET_JOIN, strlen(RF_SECRET_JOIN)) == 0;
}

/* Of one of several accounts, as "user.anna" is. */
static bool of_account(const rf_recipe *recipe, const char *mark)
{
    for (size_t i = 0; i < recipe->secrets_count; i++) {
        const struct rf_recipe_secret *secret = &recipe->secrets[i];
        size_t length = strlen(secret->name);
        if (secret->each && strncmp(mark, secret->name, length) == 0 && mark[length] == '.')
            return true;
    }
    return false;
}

/* Of an account that left the profile, or of a directory that did: coming back they need a password again, and nobody knows the former one. */
static bool stale(const struct rf_node_guest *guest, const struct rf_secret *secrets, size_t count, const char *mark)
{
    return !wanted(secrets, count, mark) && (of_account(guest->recipe, mark) || (of_member(mark) && !guest->directory));
}

/* The marks that still say something. */
static json_t *fresh(const struct rf_node_guest *guest, const struct rf_secret *secrets, size_t count,
                     const json_t *generated)
{
    json_t *rest = json_array();
    for (size_t i = 0; i < json_array_size(generated); i++) {
        const char *mark = json_string_value(json_array_get(generated, i));
        if (mark && !stale(guest, secrets, count, mark))
            json_array_append_new(rest, json_string(mark));
    }
    return rest;
}

static enum rf_probe secret_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    const struct rf_node_guest *guest = arg;
    rf_autojson json_t *generated = load(guest, GENERATED), *pending = rf_secret_pending(guest);
    bool done = !needs_tls(guest, pending);
    size_t count;
    struct rf_secret *secrets = rf_secret_list(guest, &count);
    for (size_t i = 0; i < count; i++)
        done = done && holds(generated, secrets[i].mark);
    rf_autojson json_t *rest = fresh(guest, secrets, count, generated);
    done = done && json_array_size(rest) == json_array_size(generated);
    rf_secrets_free(secrets, count);
    return done ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static void generate(const struct rf_secret *secret, json_t *pending, json_t *kept, json_t *generated)
{
    json_t *place = secret->keep ? kept : pending;
    if (holds(generated, secret->mark))
        return;
    if (!json_object_get(place, secret->key)) { /* else: killed before it was noted as generated */
        rf_autosecret char *password = rf_password(secret->length);
        json_object_set_new(place, secret->key, json_string(password));
    }
    json_array_append_new(generated, json_string(secret->mark));
}

/* The certificate first: a kill in between leaves one that no key matches, and both are made anew. */
static int add_tls(const struct rf_node_guest *guest, json_t *pending, rf_error **err)
{
    rf_autofree char *certificate = NULL;
    rf_autosecret char *key = NULL;
    if (!needs_tls(guest, pending))
        return 0;
    if (rf_guest_certificate_issue(guest, &key, &certificate, err) < 0 ||
        rf_guest_certificate_keep(guest, certificate, err) < 0)
        return -1;
    return json_object_set_new(pending, RF_SECRET_TLS_KEY, json_string(key));
}

int rf_secret_forget_member(const struct rf_node_guest *guest, rf_error **err)
{
    rf_autojson json_t *generated = load(guest, GENERATED), *rest = json_array();
    for (size_t i = 0; i < json_array_size(generated); i++) {
        const char *mark = json_string_value(json_array_get(generated, i));
        if (mark && !of_member(mark))
            json_array_append_new(rest, json_string(mark));
    }
    return generated ? store(guest, GENERATED, rest, err) : 0;
}

int rf_secret_mark_known(const struct rf_node_guest *guest, rf_error **err)
{
    size_t count;
    struct rf_secret *secrets = rf_secret_list(guest, &count);
    rf_autojson json_t *generated = json_array();
    for (size_t i = 0; i < count; i++)
        if (!secrets[i].keep && !of_member(secrets[i].key))
            json_array_append_new(generated, json_string(secrets[i].mark));
    rf_secrets_free(secrets, count);
    return store(guest, GENERATED, generated, err);
}

void rf_secret_kept_digest(const struct rf_node_guest *guest, char ret_hex[RF_SHA256_HEX])
{
    rf_autojson json_t *kept = rf_secret_kept(guest);
    rf_autosecret char *text = kept ? json_dumps(kept, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    ret_hex[0] = '\0';
    if (text)
        rf_sha256(text, strlen(text), ret_hex);
}

static json_t *or_new(json_t *json, json_t *fresh)
{
    if (!json)
        return fresh;
    json_decref(fresh);
    return json;
}

static int secret_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    const struct rf_node_guest *guest = arg;
    rf_autofree char *all = rf_node_path(guest->node, "%s", RF_STATE_GUESTS),
                     *directory = rf_guest_state_path(guest, "");
    rf_autojson json_t *pending = or_new(rf_secret_pending(guest), json_object());
    rf_autojson json_t *kept = or_new(rf_secret_kept(guest), json_object());
    rf_autojson json_t *marks = load(guest, GENERATED);
    if (rf_make_dirs(all, 0700, err) < 0 || rf_make_dirs(directory, 0700, err) < 0 || add_tls(guest, pending, err) < 0)
        return -1;
    size_t count;
    struct rf_secret *secrets = rf_secret_list(guest, &count);
    rf_autojson json_t *generated = fresh(guest, secrets, count, marks);
    for (size_t i = 0; i < count; i++)
        generate(&secrets[i], pending, kept, generated);
    rf_secrets_free(secrets, count);
    if ((json_object_size(kept) && store(guest, KEPT, kept, err) < 0) ||
        (json_object_size(pending) && store(guest, PENDING, pending, err) < 0))
        return -1;
    return store(guest, GENERATED, generated, err);
}

const struct rf_step_ops rf_step_secret = {"secret", secret_probe, secret_apply, NULL};
