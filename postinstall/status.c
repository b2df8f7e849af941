/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The node's state, asked now. */
#include "postinstall/status.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/units.h"
#include "postinstall/facts.h"
#include "postinstall/health.h"

#include <string.h>

enum { PROBE_SECONDS = 10 };

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

static void add_health(json_t *json, const struct rf_node_guest *guest, bool running)
{
    rf_autojson json_t *recorded = rf_health_recorded(guest);
    rf_autoagent rf_agent *agent = rf_agent_libvirt(guest->node->libvirt, guest->asked->name);
    json_t *probes = running ? rf_health_ask(guest, agent, PROBE_SECONDS) : json_array();
    bool healthy = rf_health_all_ok(probes);
    json_object_set_new(json, "healthy", json_boolean(healthy));
    if (healthy && rf_json_string(recorded, "since"))
        json_object_set(json, "since", json_object_get(recorded, "since"));
    json_object_set_new(json, "probes", probes);
}

static json_t *guest_json(const struct rf_node_guest *guest, virConnectPtr connection)
{
    rf_autodomain virDomainPtr domain = connection ? virDomainLookupByName(connection, guest->asked->name) : NULL;
    int state = VIR_DOMAIN_NOSTATE;
    if (domain)
        virDomainGetState(domain, &state, NULL, 0);
    const char *absent = connection ? "not defined" : "unknown";
    json_t *json =
        json_pack("{s:s,s:s,s:s,s:s,s:s}", "name", guest->asked->name, "recipe", guest->recipe->name, "state",
                  domain ? rf_domain_state_name(state) : absent, "address", guest->address, "fqdn", guest->fqdn);
    add_health(json, guest, domain && state == VIR_DOMAIN_RUNNING);
    rf_autofree char *handover = rf_node_path(guest->node, "%s/%s.age", RF_STATE_HANDOVER, guest->asked->name);
    if (rf_exists(handover))
        json_object_set_new(json, "handover", json_string(handover));
    return json;
}

static rf_node_model *model_for(const rf_profile *profile, const struct rf_node_options *options, rf_error **err)
{
    rf_autoproblems rf_problems problems = {0};
    rf_node_model *model = rf_node_model_new(profile, NULL, options, &problems);
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
    for (size_t i = 0; i < model->guests_count; i++)
        json_array_append_new(guests, guest_json(&model->guests[i], connection));
    json_object_set_new(status, "guests", guests);
    return status;
}

static const char *or_dash(const char *text)
{
    return text ? text : "-";
}

static void append_guest(char **text, const json_t *guest)
{
    const char *health = json_is_true(json_object_get(guest, "healthy")) ? "healthy" : "not healthy";
    rf_append(text, "%-12s %-18s %-12s %-15s %-12s %s\n", or_dash(rf_json_string(guest, "name")),
              or_dash(rf_json_string(guest, "recipe")), or_dash(rf_json_string(guest, "state")),
              or_dash(rf_json_string(guest, "address")), health, or_dash(rf_json_string(guest, "since")));
    const json_t *probes = json_object_get(guest, "probes");
    for (size_t i = 0; i < json_array_size(probes); i++) {
        const json_t *probe = json_array_get(probes, i);
        rf_append(text, "  %-24s %-8s %s\n", or_dash(rf_json_string(probe, "probe")),
                  or_dash(rf_json_string(probe, "state")), or_dash(rf_json_string(probe, "words")));
    }
    if (rf_json_string(guest, "handover"))
        rf_append(text, "  passwords, encrypted:    %s\n", rf_json_string(guest, "handover"));
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
    return text ? text : rf_strdup("");
}
