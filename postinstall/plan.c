/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From model and facts to steps. */
#include "postinstall/plan.h"

#include "base/digest.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/units.h"
#include "postinstall/admins.h"
#include "postinstall/disk.h"
#include "postinstall/domain.h"
#include "postinstall/domain_xml.h"
#include "postinstall/facts.h"
#include "postinstall/firewall.h"
#include "postinstall/handover.h"
#include "postinstall/health.h"
#include "postinstall/network.h"
#include "postinstall/pool.h"
#include "postinstall/secret.h"
#include "postinstall/seed.h"

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

static void add_node(const rf_node_model *model, const json_t *facts, rf_plan *plan)
{
    const json_t *files = json_object_get(facts, "files"), *pool = json_object_get(facts, "pool");
    rf_autofree char *rules = rf_firewall_text();
    struct rf_step *step = rf_plan_add(plan, &rf_step_firewall, model, RF_PHASE_NODE, "firewall",
                                       "Let in SSH and Cockpit, and nothing else");
    step->done = same_digest(json_object_get(files, RF_FIREWALL_FILE), rules);
    if (model->guests_count == 0)
        return;
    step = rf_plan_add(plan, &rf_step_network, model, RF_PHASE_NODE, "network/" RF_NETWORK_NAME,
                       "Make the guests' network %s", model->profile->network.guests.subnet);
    step->done = network_done(model, facts);
    step = rf_plan_add(plan, &rf_step_pool, model, RF_PHASE_NODE, "pool/" RF_POOL_NAME,
                       "Make the pool of the guests' disk images");
    step->done = is_true(pool, "active") && is_true(pool, "autostart");
}

struct guest_view { /* what the facts say of one guest */
    bool disk, settled, defined, running, healthy;
};

static struct guest_view view_of(const struct rf_node_guest *guest, const json_t *facts)
{
    const json_t *known = json_object_get(json_object_get(facts, "guests"), guest->asked->name);
    const char *digest = rf_json_string(known, "digest"), *state = rf_json_string(known, "state");
    char wanted[RF_SHA256_HEX];
    rf_domain_digest(guest, wanted);
    return (struct guest_view){
        .disk = (uint64_t)rf_json_integer(known, "disk", 0) >= guest->disk,
        .settled = is_true(known, "settled"),
        .defined = digest && strcmp(digest, wanted) == 0,
        .running = state && strcmp(state, rf_domain_state_name(VIR_DOMAIN_RUNNING)) == 0,
        .healthy = is_true(known, "healthy"),
    };
}

static void add_step(rf_plan *plan, const struct rf_step_ops *ops, const struct rf_node_guest *guest, bool done,
                     const char *title)
{
    rf_autofree char *id = rf_format("%s/%s", ops->name, guest->asked->name);
    struct rf_step *step = rf_plan_add(plan, ops, guest, RF_PHASE_NODE, id, "%s", title);
    step->lane = guest->lane;
    step->done = done;
}

static void add_guest(const struct rf_node_guest *guest, const json_t *facts, rf_plan *plan)
{
    struct guest_view view = view_of(guest, facts);
    const char *name = guest->asked->name;
    rf_autofree char *disk_size = rf_size_text(guest->disk), *memory = rf_size_text_binary(guest->memory);
    rf_autofree char *disk = rf_format("Make the disk of %s (%s) from %s", name, disk_size, guest->recipe->image);
    rf_autofree char *secret = rf_format("Generate the passwords of %s", name);
    rf_autofree char *seed = rf_format("Write the seed of %s", name);
    rf_autofree char *domain = rf_format("Define %s: %s, %u core%s, %s of memory, %s", name, guest->recipe->name,
                                         guest->cores, guest->cores == 1 ? "" : "s", memory, guest->address);
    rf_autofree char *start = rf_format("Start %s", name);
    rf_autofree char *health = rf_format("Wait until %s is healthy (%zu probes)", name, guest->recipe->probes_count);
    rf_autofree char *handover = rf_format("Hand the passwords of %s over to the admins", name);
    rf_autofree char *unseed = rf_format("Switch cloud-init off in %s and remove what it kept of the seed", name);
    rf_autofree char *settle = rf_format("Remove seed and passwords of %s; let it start with the node", name);
    add_step(plan, &rf_step_disk, guest, view.disk, disk);
    if (guest->recipe->secrets_count)
        add_step(plan, &rf_step_secret, guest, view.settled, secret);
    add_step(plan, &rf_step_seed, guest, view.settled, seed);
    add_step(plan, &rf_step_domain, guest, view.defined, domain);
    add_step(plan, &rf_step_start, guest, view.running, start);
    add_step(plan, &rf_step_health, guest, view.healthy, health);
    if (guest->recipe->secrets_count)
        add_step(plan, &rf_step_handover, guest, view.settled, handover);
    add_step(plan, &rf_step_unseed, guest, view.settled, unseed);
    add_step(plan, &rf_step_settle, guest, view.settled, settle);
}

void rf_node_plan_add(const rf_node_model *model, const json_t *facts, rf_plan *plan)
{
    rf_autofree char *sshd = rf_sshd_config();
    struct rf_step *step =
        rf_plan_add(plan, &rf_step_sshd, model, RF_PHASE_NODE, "sshd", "Let SSH take the admins' keys only");
    step->done = same_digest(json_object_get(json_object_get(facts, "files"), RF_SSHD_CONFIG), sshd);
    add_admins(model, facts, plan);
    add_node(model, facts, plan);
    for (size_t i = 0; i < model->guests_count; i++)
        add_guest(&model->guests[i], facts, plan);
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
