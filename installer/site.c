/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/site.h"

#include "base/json.h"
#include "base/memory.h"
#include "installer/deploy.h"
#include "installer/inputs.h"
#include "installer/join.h"
#include "postinstall/capacity.h"
#include "postinstall/plan.h"
#include "raid/plan.h"

#include <string.h>

struct rf_site {
    rf_plan *plan;
    rf_layout *layout;
    rf_deploy *deploy;
    rf_node_model *node;
    enum rf_phase phase;
    char *disks;   /* what is wrong with a node's disks, or NULL */
    char *waiting; /* its disks that wait for a person, or NULL */
};

/* The medium is checked first, then the disks are made, then they are filled. */
static void add_install_steps(struct rf_site *site, const rf_profile *profile, const rf_machine *machine,
                              const struct rf_site_options *options)
{
    site->deploy = rf_deploy_new(profile, machine, site->layout, options);
    rf_deploy_check_steps(site->deploy, site->plan);
    rf_raid_steps(site->layout, machine, site->plan);
    rf_deploy_steps(site->deploy, site->plan);
}

/* A node whose disks no longer fit (one of them died) still gets its guests up: it is said, and the work goes on. One that fits except for its
 * memory or its processors gets its disks as well. */
static int plan_node_disks(struct rf_site *site, const rf_profile *profile, const rf_machine *machine, rf_error **err)
{
    rf_autoproblems rf_problems tolerated = {0}, again = {0};
    rf_profile lenient = *profile; /* borrowed */
    memset(&lenient.requires, 0, sizeof(lenient.requires));
    if (rf_raid_plan(profile, machine, &site->layout, &tolerated, err) < 0 ||
        (!site->layout && rf_raid_plan(&lenient, machine, &site->layout, &again, err) < 0))
        return -1;
    const size_t before = tolerated.count;
    if (site->layout)
        rf_join_check(site->layout, machine, &tolerated);
    if (tolerated.count > before) {
        rf_layout_free(site->layout);
        site->layout = NULL;
    }
    if (tolerated.count)
        site->disks = rf_problems_text(&tolerated);
    return 0;
}

static int plan_disks(struct rf_site *site, const rf_profile *profile, const rf_machine *machine, rf_problems *problems,
                      rf_error **err)
{
    return site->phase == RF_PHASE_NODE ? plan_node_disks(site, profile, machine, err)
                                        : rf_raid_plan(profile, machine, &site->layout, problems, err);
}

/* Behind the guests: a disk that fails does not keep them from starting. */
static void join_disks(struct rf_site *site, const rf_profile *profile, const rf_machine *machine,
                       const struct rf_site_options *options)
{
    const bool waits = options->unattended && profile->storage.replace == RF_REPLACE_ASK;
    rf_join_steps(site->layout, machine, waits, site->plan);
    rf_autojson json_t *joining = waits ? rf_join_json(site->layout, machine) : json_array();
    for (size_t i = 0; i < json_array_size(joining); i++)
        rf_append(&site->waiting, "%s%s", site->waiting ? "\n" : "",
                  rf_json_string(json_array_get(joining, i), "text"));
}

/* What is known of the node; of one that is still to be made, what a medium says of its artefacts. The caller owns it. */
static json_t *facts_of(const rf_machine *machine, const struct rf_site_options *options)
{
    json_t *facts = machine->node ? json_copy(machine->node) : NULL;
    if (!options->artefacts || json_object_get(facts, "artefacts"))
        return facts;
    facts = facts ? facts : json_object();
    json_object_set(facts, "artefacts", (json_t *)options->artefacts);
    return facts;
}

/* On a node the guests that fit go on, and who does not is said when it is started (postinstall/domain.c). */
static void check_capacity(struct rf_site *site, const rf_machine *machine, rf_problems *problems)
{
    rf_autoproblems rf_problems tolerated = {0};
    bool node = site->phase == RF_PHASE_NODE;
    rf_capacity_check(site->node, machine->memory, machine->cores, node ? &tolerated : problems);
    if (tolerated.count == 0)
        return;
    rf_autofree char *text = rf_problems_text(&tolerated);
    rf_append(&site->disks, "%s%s", site->disks ? "\n" : "", text);
}

int rf_site_new(const rf_profile *profile, const rf_machine *machine, const struct rf_site_options *options,
                struct rf_site **ret_site, rf_problems *problems, rf_error **err)
{
    rf_autosite struct rf_site *site = rf_alloc(sizeof(*site));
    site->plan = rf_plan_new();
    site->phase = machine->environment == RF_ENV_NODE ? RF_PHASE_NODE : RF_PHASE_INSTALL;
    if (plan_disks(site, profile, machine, problems, err) < 0)
        return -1;
    if (problems->count)
        return 0;
    if (site->layout)
        add_install_steps(site, profile, machine, options);
    rf_autojson json_t *facts = facts_of(machine, options);
    if (rf_node_plan(profile, facts, NULL, site->plan, &site->node, problems, err) < 0)
        return -1;
    check_capacity(site, machine, problems);
    if (site->deploy && site->node)
        rf_deploy_need_images(site->deploy, site->node);
    if (site->layout)
        join_disks(site, profile, machine, options);
    if (problems->count == 0)
        *ret_site = RF_STEAL(site);
    return 0;
}

const rf_plan *rf_site_plan(const struct rf_site *site)
{
    return site->plan;
}

enum rf_phase rf_site_phase(const struct rf_site *site)
{
    return site->phase;
}

const char *rf_site_disks(const struct rf_site *site)
{
    return site->disks;
}

const char *rf_site_waiting(const struct rf_site *site)
{
    return site->waiting;
}

void rf_site_free(struct rf_site *site)
{
    if (!site)
        return;
    rf_plan_free(site->plan);
    rf_deploy_free(site->deploy);
    rf_layout_free(site->layout);
    rf_node_model_free(site->node);
    free(site->disks);
    free(site->waiting);
    free(site);
}
