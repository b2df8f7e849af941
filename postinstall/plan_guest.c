/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a guest and what the facts say of it to steps. */
#include "postinstall/plan_guest.h"

#include "base/fetch.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/units.h"
#include "postinstall/artefact.h"
#include "postinstall/configure.h"
#include "postinstall/disk.h"
#include "postinstall/domain.h"
#include "postinstall/domain_xml.h"
#include "postinstall/enrol.h"
#include "postinstall/facts.h"
#include "postinstall/fetch.h"
#include "postinstall/grow.h"
#include "postinstall/handover.h"
#include "postinstall/health.h"
#include "postinstall/retire.h"
#include "postinstall/secret.h"
#include "postinstall/seed.h"
#include "postinstall/tuning.h"

#include <string.h>

struct guest_view { /* what the facts say of one guest */
    bool made, disk, settled, defined, running, healthy, configured;
    bool tuned;  /* with its weight and limits */
    bool bridge; /* which it is at was made in a former run */
};

static bool is_true(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

/* Was its bridge made in a former run? */
static bool bridge_known(const struct rf_node_guest *guest, const json_t *facts)
{
    const json_t *known = json_object_get(facts, "bridges");
    return guest->bridge && json_object_get(known, guest->bridge->uplink ? "uplink" : guest->bridge->name);
}

static struct guest_view view_of(const struct rf_node_guest *guest, const json_t *facts)
{
    const json_t *known = json_object_get(json_object_get(facts, "guests"), guest->asked->name);
    const char *digest = rf_json_string(known, "digest"), *state = rf_json_string(known, "state");
    const char *configured = rf_json_string(known, "configured"), *tuning = rf_json_string(known, "tuning");
    rf_autofree char *wanted_tuning = rf_tuning_text(guest);
    char wanted[RF_SHA256_HEX], description[RF_SHA256_HEX];
    rf_domain_digest(guest, wanted);
    rf_configure_digest(guest, description);
    return (struct guest_view){
        .made = rf_json_integer(known, "disk", 0) > 0,
        .disk = (uint64_t)rf_json_integer(known, "disk", 0) >= guest->disk,
        .settled = is_true(known, "settled"),
        .defined = digest && strcmp(digest, wanted) == 0,
        .tuned = strcmp(tuning ? tuning : "", wanted_tuning) == 0,
        .bridge = bridge_known(guest, facts),
        .running = state && strcmp(state, rf_domain_state_name(VIR_DOMAIN_RUNNING)) == 0,
        .healthy = is_true(known, "healthy"),
        .configured = configured && strcmp(configured, description) == 0,
    };
}

static struct rf_step *add_step(rf_plan *plan, const struct rf_step_ops *ops, const struct rf_node_guest *guest,
                                bool done, const char *title)
{
    rf_autofree char *id = rf_format("%s/%s", ops->name, guest->asked->name);
    struct rf_step *step = rf_plan_add(plan, ops, guest, RF_PHASE_NODE, id, "%s", title);
    step->lane = guest->lane;
    step->independent = true;
    step->done = done;
    return step;
}

static void wait_for_directory(struct rf_step *step, const struct rf_node_guest *guest, bool any)
{
    rf_autofree char *id = guest->directory ? rf_format("health/%s", guest->directory->asked->name) : NULL;
    if (id)
        rf_step_after(step, id, any);
}

static void add_enrol(rf_plan *plan, const struct rf_node_guest *guest, bool settled)
{
    if (!guest->directory)
        return;
    rf_autofree char *title =
        rf_format("Make room for %s in the directory %s", guest->asked->name, guest->directory->asked->name);
    wait_for_directory(add_step(plan, &rf_step_enrol, guest, settled, title), guest, false);
}

/* The image of a guest whose recipe brings none. */
static void add_fetch(rf_plan *plan, const struct rf_node_guest *guest, const struct guest_view *view)
{
    const char *url = rf_guest_fetch_url(guest);
    if (!url)
        return;
    rf_autofree char *shown = rf_url_public(url);
    rf_autofree char *title = rf_format("Fetch the image of %s from %s", guest->asked->name, shown);
    add_step(plan, &rf_step_fetch, guest, view->made, title);
}

/* What the image of a guest lacks: the ISO was built without it. */
static void add_artefacts(rf_plan *plan, const struct rf_node_guest *guest, bool settled)
{
    rf_autofree char *names = rf_artefact_lacking(guest);
    if (!names)
        return;
    rf_autofree char *title = rf_format("Fetch what the image of %s lacks: %s", guest->asked->name, names);
    add_step(plan, &rf_step_artefact, guest, settled, title);
}

/* What is changed while it runs says so: nobody has to plan a restart for it. */
static char *domain_title(const struct rf_node_guest *guest, const struct guest_view *view)
{
    rf_autofree char *memory = rf_size_text_binary(guest->memory), *tuning = rf_tuning_text(guest);
    rf_autofree char *words = rf_tuning_words(guest);
    if (view->defined && !view->tuned)
        return rf_format("Give %s %s%s", guest->asked->name, words, view->running ? ", while it runs" : "");
    return rf_format("Define %s: %s, %u core%s, %s of memory, %s%s%s", guest->asked->name, guest->recipe->name,
                     guest->cores, guest->cores == 1 ? "" : "s", memory, guest->address, *tuning ? ", " : "",
                     *tuning ? words : "");
}

/* Until the guest is defined. */
static void add_making(rf_plan *plan, const struct rf_node_guest *guest, const struct guest_view *view)
{
    const char *name = guest->asked->name;
    bool passwords = rf_secret_for_people(guest);
    rf_autofree char *disk_size = rf_size_text(guest->disk);
    const char *image = guest->recipe->image ? guest->recipe->image : "that image";
    rf_autofree char *disk = rf_format("Make the disk of %s (%s) from %s", name, disk_size, image);
    rf_autofree char *secret =
        rf_format("Generate the %scertificate of %s", passwords ? "passwords and the " : "", name);
    rf_autofree char *seed = rf_format("Write the seed of %s", name);
    rf_autofree char *domain = domain_title(guest, view);
    add_artefacts(plan, guest, view->settled);
    add_fetch(plan, guest, view);
    add_step(plan, &rf_step_disk, guest, view->disk, disk);
    add_step(plan, &rf_step_secret, guest, view->settled, secret);
    if (!view->settled)
        add_enrol(plan, guest, false);
    add_step(plan, &rf_step_seed, guest, view->settled, seed);
    rf_autofree char *bridge = guest->bridge ? rf_format("bridge/%s", guest->bridge->name) : NULL;
    struct rf_step *defining = add_step(plan, &rf_step_domain, guest, view->defined && view->tuned, domain);
    /* A bridge that has gone wrong does not keep guests down that are in use, a member of a directory after a reboot. But none is given a
     * bridge that never was: it would not start again. */
    if (bridge)
        rf_step_after(defining, bridge, view->settled && (view->defined || view->bridge));
}

/* From its start until nothing is left to be done. */
static void add_running(rf_plan *plan, const struct rf_node_guest *guest, const struct guest_view *view)
{
    const char *name = guest->asked->name;
    const bool ours = !rf_guest_fetch_url(guest); /* what is in others' images, and where, nobody knows */
    rf_autofree char *start = rf_format("Start %s", name);
    rf_autofree char *health = rf_format("Wait until %s is healthy (%zu probe%s)", name, guest->recipe->probes_count,
                                         guest->recipe->probes_count == 1 ? "" : "s");
    rf_autofree char *grow = rf_format("Let %s take the space of its larger disk", name);
    rf_autofree char *handover = rf_format("Hand the passwords of %s over to the admins", name);
    rf_autofree char *unseed = rf_format("Switch cloud-init off in %s and remove what it kept of the seed", name);
    rf_autofree char *settle = rf_format("Remove seed and passwords of %s; let it come up with the node", name);
    rf_autofree char *configure = rf_format("Tell %s what has changed since it was set up", name);
    wait_for_directory(add_step(plan, &rf_step_start, guest, view->running, start), guest, view->settled);
    add_step(plan, &rf_step_health, guest, view->healthy, health);
    if (view->settled && ours)
        add_step(plan, &rf_step_grow, guest, view->disk, grow);
    if (view->settled)
        add_enrol(plan, guest, true);
    if (rf_secret_for_people(guest))
        add_step(plan, &rf_step_handover, guest, view->settled, handover);
    if (ours)
        add_step(plan, &rf_step_unseed, guest, view->settled, unseed);
    add_step(plan, &rf_step_settle, guest, view->settled, settle);
    if (json_array_size(guest->recipe->configure) && view->settled)
        add_step(plan, &rf_step_guest_configure, guest, view->configured, configure);
}

void rf_guest_plan_add(const struct rf_node_guest *guest, const json_t *facts, rf_plan *plan)
{
    struct guest_view view = view_of(guest, facts);
    add_making(plan, guest, &view);
    add_running(plan, guest, &view);
}

void rf_retired_plan_add(const rf_node_model *model, const json_t *facts, rf_plan *plan)
{
    for (size_t i = 0; i < model->retired_count; i++) {
        const struct rf_node_retired *retired = &model->retired[i];
        const json_t *known = json_object_get(json_object_get(facts, "guests"), retired->name);
        const char *state = rf_json_string(known, "state");
        rf_autofree char *id = rf_format("retire/%s", retired->name);
        struct rf_step *step = rf_plan_add(plan, &rf_step_retire, retired, RF_PHASE_NODE, id,
                                           "Shut %s down and keep it: the profile no longer has it", retired->name);
        step->lane = RF_LANE_RETIRED + (unsigned)i;
        step->independent = true;
        step->done =
            !is_true(known, "autostart") && state && strcmp(state, rf_domain_state_name(VIR_DOMAIN_SHUTOFF)) == 0;
    }
}
