/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The node's state, asked now. */
#include "postinstall/status.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/units.h"
#include "postinstall/artefact.h"
#include "postinstall/domain.h"
#include "postinstall/facts.h"
#include "postinstall/fetch.h"
#include "postinstall/guest_address.h"
#include "postinstall/handed_over.h"
#include "postinstall/health.h"
#include "postinstall/probe.h"
#include "postinstall/probe_record.h"
#include "postinstall/proxy.h"
#include "postinstall/retire.h"
#include "postinstall/status_ask.h"

#include <pthread.h>
#include <string.h>

static json_t *network_json(const rf_node_model *model, virConnectPtr connection)
{
    rf_autonetwork virNetworkPtr network = virNetworkLookupByName(connection, RF_NETWORK_NAME);
    return json_pack("{s:s,s:s*,s:b}", "name", RF_NETWORK_NAME, "subnet", model->profile->network.guests.subnet,
                     "active", network && virNetworkIsActive(network) == 1);
}

static json_t *pool_json(const rf_node_model *model, virConnectPtr connection)
{
    rf_autofree char *path = rf_node_path(model, "%s", RF_POOL_DIR);
    rf_autopool virStoragePoolPtr pool = virStoragePoolLookupByTargetPath(connection, path);
    virStoragePoolInfo info = {0};
    bool active = pool && virStoragePoolIsActive(pool) == 1 && virStoragePoolGetInfo(pool, &info) == 0;
    return json_pack("{s:s,s:b,s:I,s:I}", "path", path, "active", active, "size", (json_int_t)info.capacity, "free",
                     (json_int_t)info.available);
}

/* One guest's probes, asked beside the others'. */
struct asking {
    const struct rf_node_guest *guest;
    bool running;
    json_t *probes;
    pthread_t thread;
};

static void *ask(void *data)
{
    struct asking *asking = data;
    rf_autoagent rf_agent *agent = rf_agent_libvirt(asking->guest->node->libvirt, asking->guest->asked->name);
    asking->probes = asking->running ? rf_status_ask(asking->guest, agent) : json_array();
    rf_probe_record(asking->guest, asking->probes);
    return NULL;
}

static bool is_running(const struct rf_node_guest *guest, virConnectPtr connection)
{
    rf_autodomain virDomainPtr domain = NULL;
    int state = VIR_DOMAIN_NOSTATE;
    return connection && rf_domain_find(connection, guest->asked->name, &domain, NULL) == 1 &&
           virDomainGetState(domain, &state, NULL, 0) == 0 && state == VIR_DOMAIN_RUNNING;
}

/* The caller frees the array and the probes in it. */
static struct asking *ask_all(const rf_node_model *model, virConnectPtr connection)
{
    struct asking *askings = rf_alloc((model->guests_count + 1) * sizeof(*askings));
    for (size_t i = 0; i < model->guests_count; i++) {
        askings[i] = (struct asking){&model->guests[i], is_running(&model->guests[i], connection), NULL, 0};
        if (pthread_create(&askings[i].thread, NULL, ask, &askings[i]) != 0)
            abort();
    }
    for (size_t i = 0; i < model->guests_count; i++)
        pthread_join(askings[i].thread, NULL);
    return askings;
}

static void add_health(json_t *json, const struct rf_node_guest *guest, json_t *probes)
{
    rf_autojson json_t *recorded = rf_health_recorded(guest);
    bool healthy = rf_health_all_ok(probes, guest->recipe->probes_count);
    json_object_set_new(json, "healthy", json_boolean(healthy));
    if (healthy && rf_json_string(recorded, "since"))
        json_object_set(json, "since", json_object_get(recorded, "since"));
    json_object_set_new(json, "probes", probes);
}

/* Domains of ours that the profile no longer has. */
static json_t *kept_json(const rf_node_model *model, virConnectPtr connection)
{
    json_t *kept = json_array();
    virDomainPtr *domains = NULL;
    int count = connection ? virConnectListAllDomains(connection, &domains, 0) : 0, state;
    for (int i = 0; i < count; i++) {
        const char *name = virDomainGetName(domains[i]);
        if (rf_domain_ours(domains[i]) && !rf_node_guest_named(model, name) &&
            virDomainGetState(domains[i], &state, NULL, 0) == 0)
            json_array_append_new(kept, json_pack("{s:s,s:s}", "name", name, "state", rf_domain_state_name(state)));
        virDomainFree(domains[i]);
    }
    free(domains);
    return kept;
}

/* The guest is well all the same; but people outside see a warning, and somebody has to learn of it. */
static void add_published(json_t *json, const struct rf_node_guest *guest)
{
    if (!guest->published)
        return;
    json_object_set_new(json, "published", json_string(guest->published));
    if (guest->node->profile->access.tls == RF_TLS_ACME && !rf_proxy_has_acme(guest))
        json_object_set_new(json, "own_ca", json_true());
}

/* The first passwords, and those of accounts that came later. */
static void add_handed_over(json_t *json, const struct rf_node_guest *guest)
{
    rf_autojson json_t *names = rf_handed_over(guest->node->root, guest->asked->name), *later = json_array();
    for (size_t i = 0; i < json_array_size(names); i++) {
        rf_autofree char *path = rf_handed_over_path(guest->node->root, json_string_value(json_array_get(names, i)));
        if (i == 0)
            json_object_set_new(json, "handover", json_string(path));
        else
            json_array_append_new(later, json_string(path));
    }
    if (json_array_size(later))
        json_object_set(json, "handover_later", later);
}

static json_t *guest_json(const struct rf_node_guest *guest, virConnectPtr connection, json_t *probes)
{
    rf_autodomain virDomainPtr domain = NULL;
    int state = VIR_DOMAIN_NOSTATE;
    const int found = connection ? rf_domain_find(connection, guest->asked->name, &domain, NULL) : -1;
    if (domain)
        virDomainGetState(domain, &state, NULL, 0);
    const char *absent = found < 0 ? "unknown" : "not defined";
    json_t *json =
        json_pack("{s:s,s:s,s:s,s:s,s:s}", "name", guest->asked->name, "recipe", guest->recipe->name, "state",
                  domain ? rf_domain_state_name(state) : absent, "address", guest->address, "fqdn", guest->fqdn);
    add_health(json, guest, probes);
    if (domain && rf_domain_restart_needed(domain))
        json_object_set_new(json, "restart_needed", json_true());
    rf_autofree char *tuning = domain && rf_domain_tuning_refused(domain) ? rf_domain_tuning_of(domain) : NULL;
    if (tuning)
        json_object_set_new(json, "tuning_refused", json_string(tuning));
    json_t *waiting = rf_artefact_waiting(guest);
    rf_autofree char *image = rf_fetch_waiting(guest);
    if (image)
        json_array_append_new(waiting, json_string(image));
    if (json_array_size(waiting))
        json_object_set(json, "waiting", waiting);
    json_decref(waiting);
    rf_autofree char *changed = rf_fetch_changed(guest);
    if (changed)
        json_object_set_new(json, "other_image", json_string(changed));
    add_published(json, guest);
    add_handed_over(json, guest);
    return json;
}

static rf_node_model *model_for(const rf_profile *profile, const struct rf_node_options *options, rf_error **err)
{
    rf_autoproblems rf_problems problems = {0};
    rf_autojson json_t *facts = json_object();
    json_t *artefacts = rf_artefacts_known(options && options->root ? options->root : "");
    if (artefacts)
        json_object_set_new(facts, "artefacts", artefacts);
    json_object_set_new(facts, "addresses", rf_guest_addresses(options && options->root ? options->root : ""));
    rf_node_model *model = rf_node_model_new(profile, facts, options, &problems);
    rf_autofree char *text = model ? NULL : rf_problems_text(&problems);
    if (!model)
        rf_fail(err, RF_BAD_PROFILE, "the node's profile does not fit this program:\n%s", text);
    return model;
}

json_t *rf_node_status_json(const rf_profile *profile, const struct rf_node_options *options, rf_error **err)
{
    rf_autonodemodel rf_node_model *model = model_for(profile, options, err);
    if (!model)
        return NULL;
    rf_autoerror rf_error *why = NULL;
    virConnectPtr connection = rf_libvirt_connect(model->libvirt, &why);
    rf_autofree char *text = rf_error_text(why);
    json_t *status = json_object(), *guests = json_array();
    json_object_set_new(status, "libvirt", json_string(text ? text : "reachable"));
    if (connection) {
        json_object_set_new(status, "network", network_json(model, connection));
        json_object_set_new(status, "pool", pool_json(model, connection));
    }
    rf_autofree struct asking *askings = ask_all(model, connection);
    for (size_t i = 0; i < model->guests_count; i++)
        json_array_append_new(guests, guest_json(&model->guests[i], connection, askings[i].probes));
    json_object_set_new(status, "guests", guests);
    json_object_set_new(status, "kept", kept_json(model, connection));
    return status;
}

static const char *or_dash(const char *text)
{
    return text ? text : "-";
}

static void append_probe(char **text, const json_t *probe)
{
    const json_t *error = json_object_get(probe, "error");
    bool fine = strcmp(or_dash(rf_json_string(probe, "state")), rf_health_name(RF_HEALTH_OK)) == 0;
    rf_append(text, "  %-24s %-8s %-20s %s\n", or_dash(rf_json_string(probe, "probe")),
              or_dash(rf_json_string(probe, "state")), or_dash(rf_json_string(probe, "since")),
              or_dash(rf_json_string(probe, "words")));
    if (fine && error)
        rf_append(text, "  %-24s %-8s %-20s %s\n", "", "was not", or_dash(rf_json_string(error, "at")),
                  or_dash(rf_json_string(error, "words")));
}

static void append_guest(char **text, const json_t *guest)
{
    const char *health = json_is_true(json_object_get(guest, "healthy")) ? "healthy" : "not healthy";
    rf_append(text, "%-12s %-18s %-12s %-15s %-12s %s\n", or_dash(rf_json_string(guest, "name")),
              or_dash(rf_json_string(guest, "recipe")), or_dash(rf_json_string(guest, "state")),
              or_dash(rf_json_string(guest, "address")), health, or_dash(rf_json_string(guest, "since")));
    const json_t *probes = json_object_get(guest, "probes");
    for (size_t i = 0; i < json_array_size(probes); i++)
        append_probe(text, json_array_get(probes, i));
    const json_t *waiting = json_object_get(guest, "waiting");
    for (size_t i = 0; i < json_array_size(waiting); i++)
        rf_append(text, "  %s\n", json_string_value(json_array_get(waiting, i)));
    if (rf_json_string(guest, "published"))
        rf_append(text, "  published:               https://%s/%s\n", rf_json_string(guest, "published"),
                  json_is_true(json_object_get(guest, "own_ca")) ? " (own CA: ACME could not be reached yet)" : "");
    if (json_is_true(json_object_get(guest, "restart_needed")))
        rf_append(text,
                  "  restart needed:          it runs with its former definition until it is shut down and started\n");
    if (rf_json_string(guest, "tuning_refused"))
        rf_append(text, "  weight and limits:       %s\n", rf_json_string(guest, "tuning_refused"));
    if (rf_json_string(guest, "other_image"))
        rf_append(text, "  image:                   %s\n", rf_json_string(guest, "other_image"));
    if (rf_json_string(guest, "handover"))
        rf_append(text, "  passwords, encrypted:    %s\n", rf_json_string(guest, "handover"));
    for (size_t i = 0; i < json_array_size(json_object_get(guest, "handover_later")); i++)
        rf_append(text, "  of later accounts:       %s\n",
                  json_string_value(json_array_get(json_object_get(guest, "handover_later"), i)));
}

static void append_kept(char **text, const json_t *kept)
{
    for (size_t i = 0; i < json_array_size(kept); i++) {
        const json_t *one = json_array_get(kept, i);
        rf_append(text, "%-12s %-18s %-12s %-15s kept: not in the profile\n", or_dash(rf_json_string(one, "name")), "-",
                  or_dash(rf_json_string(one, "state")), "-");
    }
}

static void append_node(char **text, const json_t *status)
{
    const json_t *network = json_object_get(status, "network"), *pool = json_object_get(status, "pool");
    if (network)
        rf_append(text, "network %s (%s): %s\n", or_dash(rf_json_string(network, "name")),
                  or_dash(rf_json_string(network, "subnet")),
                  json_is_true(json_object_get(network, "active")) ? "active" : "not active");
    if (pool) {
        rf_autofree char *size = rf_size_text((uint64_t)rf_json_integer(pool, "size", 0));
        rf_autofree char *available = rf_size_text((uint64_t)rf_json_integer(pool, "free", 0));
        rf_append(text, "pool %s: %s, %s free of %s\n", or_dash(rf_json_string(pool, "path")),
                  json_is_true(json_object_get(pool, "active")) ? "active" : "not active", available, size);
    }
    if (!network)
        rf_append(text, "%s\n", or_dash(rf_json_string(status, "libvirt")));
}

char *rf_node_status_text(const json_t *status)
{
    const json_t *guests = json_object_get(status, "guests");
    char *text = NULL;
    append_node(&text, status);
    if (json_array_size(guests))
        rf_append(&text, "\n%-12s %-18s %-12s %-15s %-12s %s\n", "GUEST", "RECIPE", "STATE", "ADDRESS", "HEALTH",
                  "SINCE");
    for (size_t i = 0; i < json_array_size(guests); i++)
        append_guest(&text, json_array_get(guests, i));
    append_kept(&text, json_object_get(status, "kept"));
    return text ? text : rf_strdup("");
}
