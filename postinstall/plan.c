/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From model and facts to steps. */
#include "postinstall/plan.h"

#include "base/digest.h"
#include "base/json.h"
#include "base/memory.h"
#include "postinstall/admins.h"
#include "postinstall/bridge.h"
#include "postinstall/ca.h"
#include "postinstall/facts.h"
#include "postinstall/firewall.h"
#include "postinstall/handover.h"
#include "postinstall/isolation.h"
#include "postinstall/isolation_lan.h"
#include "postinstall/network.h"
#include "postinstall/plan_guest.h"
#include "postinstall/pool.h"
#include "postinstall/proxy.h"
#include "postinstall/vpn.h"

#include <string.h>

/* libvirtd is started by the node's own boot; a slow machine needs that long. */
enum { PATIENCE = 60 };

static bool is_true(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static bool same_digest(const json_t *digest, const char *text)
{
    char hex[RF_SHA256_HEX];
    rf_sha256(text, strlen(text), hex);
    return json_is_string(digest) && strcmp(json_string_value(digest), hex) == 0;
}

static bool network_done(const rf_node_model *model, const json_t *facts)
{
    const json_t *network = json_object_get(facts, "network");
    const char *xml = rf_json_string(network, "xml");
    return xml && is_true(network, "active") && is_true(network, "autostart") && rf_network_same(model, xml);
}

static void add_admins(const rf_node_model *model, const json_t *facts, rf_plan *plan)
{
    for (size_t i = 0; i < model->admins_count; i++) {
        const struct rf_node_admin *admin = &model->admins[i];
        const json_t *known = json_object_get(json_object_get(facts, "admins"), admin->asked->name);
        rf_autofree char *id = rf_format("admin/%s", admin->asked->name);
        rf_autofree char *keys = rf_admin_keys(admin->asked);
        struct rf_step *step =
            rf_plan_add(plan, &rf_step_admin, admin, RF_PHASE_NODE, id, "Make the account of %s with %zu SSH key%s",
                        admin->asked->name, admin->asked->ssh_keys_count, admin->asked->ssh_keys_count == 1 ? "" : "s");
        step->done = same_digest(json_object_get(known, "keys"), keys);
    }
    for (size_t i = 0; i < model->admins_count; i++) {
        const struct rf_node_admin *admin = &model->admins[i];
        const json_t *known = json_object_get(json_object_get(facts, "admins"), admin->asked->name);
        rf_autofree char *id = rf_format("password/%s", admin->asked->name);
        struct rf_step *step = rf_plan_add(plan, &rf_step_admin_password, admin, RF_PHASE_NODE, id,
                                           "Hand a password for Cockpit and sudo over to %s", admin->asked->name);
        step->done = is_true(known, "handed_over");
    }
}

/* Left-overs of a former profile are what the facts know beyond this one. */
static void add_admins_old(const rf_node_model *model, const json_t *facts, rf_plan *plan)
{
    const char *name;
    json_t *known;
    rf_autofree char *names = NULL;
    json_object_foreach(json_object_get(facts, "admins"), name, known)
    {
        bool asked = false;
        for (size_t i = 0; i < model->admins_count; i++)
            asked |= strcmp(model->admins[i].asked->name, name) == 0;
        if (!asked && is_true(known, "ours"))
            rf_append(&names, "%s%s", names ? ", " : "", name);
    }
    if (names)
        rf_plan_add(plan, &rf_step_admins_old, model, RF_PHASE_NODE, "admins-old",
                    "Lock the account of %s and take the keys away: the profile no longer has it", names);
}

static void add_node(const rf_node_model *model, const json_t *facts, rf_plan *plan)
{
    const json_t *files = json_object_get(facts, "files"), *pool = json_object_get(facts, "pool");
    rf_autofree char *rules = rf_firewall_text(model);
    struct rf_step *step = rf_plan_add(
        plan, &rf_step_firewall, model, RF_PHASE_NODE, "firewall", "Let in SSH and Cockpit%s%s, and nothing else",
        rf_node_published(model) ? ", the published names" : "", rf_node_vpn(model) ? ", the VPN" : "");
    step->done = same_digest(json_object_get(files, RF_FIREWALL_FILE), rules);
    if (model->guests_count == 0)
        return;
    step = rf_plan_add(plan, &rf_step_ca, model, RF_PHASE_NODE, "ca", "Make the node's own certificate authority");
    step->done = is_true(facts, "ca");
    step = rf_plan_add(plan, &rf_step_network, model, RF_PHASE_NODE, "network/" RF_NETWORK_NAME,
                       "Make the guests' network %s", model->profile->network.guests.subnet);
    step->done = network_done(model, facts);
    rf_autofree char *isolation = rf_isolation_text(model);
    step = rf_plan_add(plan, &rf_step_isolation, model, RF_PHASE_NODE, "isolation",
                       "Keep the guests apart, but for the ports that they offer each other");
    step->done = same_digest(json_object_get(files, RF_ISOLATION_FILE), isolation);
    step = rf_plan_add(plan, &rf_step_pool, model, RF_PHASE_NODE, "pool/" RF_POOL_NAME,
                       "Make the pool of the guests' disk images");
    step->done = is_true(pool, "active") && is_true(pool, "autostart");
}

/* "Publish crm.firma.example, cloud.firma.example by HTTPS" */
static char *proxy_title(const rf_node_model *model)
{
    char *text = NULL;
    for (size_t i = 0; i < model->guests_count; i++)
        if (model->guests[i].published)
            rf_append(&text, "%s%s", text ? ", " : "Publish ", model->guests[i].published);
    if (!text)
        return rf_strdup("Stop the reverse proxy: nothing is published any more");
    rf_append(&text, " by HTTPS");
    return text;
}

/* Beside the guests: neither waits for the other, and a name that can't be published is no reason to leave a guest down. */
static void add_access(const rf_node_model *model, const json_t *facts, rf_plan *plan)
{
    const json_t *proxy = json_object_get(json_object_get(facts, "files"), RF_PROXY_FILE);
    const char *vpn = rf_json_string(facts, "vpn");
    if (rf_node_published(model) || proxy) {
        rf_autofree char *title = proxy_title(model), *text = rf_proxy_text(model);
        struct rf_step *step = rf_plan_add(plan, &rf_step_proxy, model, RF_PHASE_NODE, "proxy", "%s", title);
        step->lane = RF_LANE_PROXY;
        step->independent = true;
        step->done = rf_node_published(model) && same_digest(proxy, text);
    }
    if (rf_node_vpn(model) || vpn) {
        size_t peers = model->profile->access.vpn.peers_count;
        char digest[RF_SHA256_HEX];
        rf_vpn_digest(model->profile, digest);
        struct rf_step *step =
            rf_plan_add(plan, &rf_step_vpn, model, RF_PHASE_NODE, "vpn",
                        peers ? "Make the VPN for %zu peer%s" : "Take the VPN away: %zu peers%s", peers,
                        peers == 1 ? ""
                        : peers    ? "s"
                                   : "");
        step->lane = RF_LANE_VPN;
        step->independent = true;
        step->done = peers && vpn && strcmp(vpn, digest) == 0;
    }
}

static void add_bridge(const struct rf_node_bridge *bridge, size_t index, const json_t *facts, rf_plan *plan)
{
    const json_t *known = json_object_get(facts, "bridges");
    const char *digest = rf_json_string(known, bridge->asked->uplink ? "uplink" : bridge->asked->name);
    rf_autofree char *id = rf_format("bridge/%s", bridge->asked->name);
    char wanted[RF_SHA256_HEX];
    rf_bridge_digest(bridge->asked, bridge->node->profile, wanted);
    struct rf_step *step =
        bridge->asked->uplink
            ? rf_plan_add(plan, &rf_step_bridge, bridge, RF_PHASE_NODE, id,
                          "See that the installation made the bridge %s over the uplink", bridge->asked->name)
            : rf_plan_add(plan, &rf_step_bridge, bridge, RF_PHASE_NODE, id, "Make the bridge %s over the card %s",
                          bridge->asked->name, bridge->asked->mac);
    step->lane = RF_LANE_BRIDGES + (unsigned)index;
    step->independent = true;
    step->done = digest && strcmp(digest, wanted) == 0;
}

/* Never anything to be done, so no plan shows it; but each run looks. */
static void add_lan_addresses(const rf_node_model *model, rf_plan *plan)
{
    bool any = false;
    for (size_t i = 0; i < model->guests_count && !any; i++) {
        rf_autofree char *fixed = rf_guest_lan_address(&model->guests[i]);
        any = fixed != NULL;
    }
    if (!any)
        return;
    struct rf_step *step = rf_plan_add(plan, &rf_step_lan_addresses, model, RF_PHASE_NODE, "lan-addresses",
                                       "See that no guest was given an address of the node's own");
    step->lane = RF_LANE_LAN_ADDRESSES;
    step->independent = true;
    step->done = true;
}

/* Beside the rest: a guest waits for its own bridge, and no other one does. */
static void add_bridges(const rf_node_model *model, const json_t *facts, rf_plan *plan)
{
    const char *name;
    json_t *digest;
    bool old = false;
    for (size_t i = 0; i < model->bridges_count; i++)
        add_bridge(&model->bridges[i], i, facts, plan);
    json_object_foreach(json_object_get(facts, "bridges"), name, digest)
    {
        bool wanted = strcmp(name, "uplink") == 0;
        for (size_t i = 0; i < model->bridges_count && !wanted; i++)
            wanted = !model->bridges[i].asked->uplink && strcmp(model->bridges[i].asked->name, name) == 0;
        old |= !wanted;
    }
    if (!old)
        return;
    struct rf_step *step = rf_plan_add(plan, &rf_step_bridges_old, model, RF_PHASE_NODE, "bridges-old",
                                       "Take bridges away that the profile no longer has");
    step->lane = RF_LANE_BRIDGES_OLD;
    step->independent = true;
}

void rf_node_plan_add(const rf_node_model *model, const json_t *facts, rf_plan *plan)
{
    rf_autofree char *sshd = rf_sshd_config();
    struct rf_step *step =
        rf_plan_add(plan, &rf_step_sshd, model, RF_PHASE_NODE, "sshd", "Let SSH take the admins' keys only");
    step->done = same_digest(json_object_get(json_object_get(facts, "files"), RF_SSHD_CONFIG), sshd);
    add_admins(model, facts, plan);
    add_admins_old(model, facts, plan);
    add_node(model, facts, plan);
    add_access(model, facts, plan);
    add_bridges(model, facts, plan);
    add_lan_addresses(model, plan);
    for (size_t i = 0; i < model->guests_count; i++)
        rf_guest_plan_add(&model->guests[i], facts, plan);
    rf_retired_plan_add(model, facts, plan);
}

int rf_node_plan(const rf_profile *profile, const json_t *facts, const char *recipes_dir, rf_plan *plan,
                 struct rf_node_model **ret_model, rf_problems *problems, rf_error **err)
{
    const struct rf_node_options options = {.recipes_dir = recipes_dir, .patience = PATIENCE};
    size_t before = problems->count;
    rf_handover_check(profile, problems);
    rf_autonodemodel rf_node_model *model = rf_node_model_new(profile, facts, &options, problems);
    if (!model || problems->count > before)
        return rf_fail(err, RF_BAD_PROFILE, "the profile's guests or admins are wrong");
    rf_node_plan_add(model, facts, plan);
    *ret_model = RF_STEAL(model);
    return 0;
}
