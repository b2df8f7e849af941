/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest plan PROFILE: what apply would do here, and what that destroys. Writes nothing. */
#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"
#include "installer/artefacts.h"
#include "installer/inputs.h"
#include "installer/keep_profile.h"
#include "installer/site.h"
#include "installer/subcommand.h"

struct options {
    const char *machine, *medium;
    bool json;
};

static const struct rf_option known[] = {
    RF_OPTION_TEXT(struct options, machine, "machine", "FILE",
                   "plan for a machine recorded by `richtfest inventory`, instead of this one"),
    RF_OPTION_TEXT(struct options, medium, "medium", "DIR",
                   "an ISO that is mounted there: which artefacts its images lack (default: the one that runs)"),
    RF_OPTION_FLAG(struct options, json, "json", "the same for programs"),
    {0}};

/* Of the machine that is planned for: what it says itself, or the medium that is here. One that was recorded is not this one. */
static json_t *artefacts_for(const struct options *options, const rf_machine *machine)
{
    json_t *own = json_object_get(machine->node, "artefacts");
    if (own)
        return json_incref(own);
    if (options->medium || !options->machine)
        return rf_artefacts_here(options->medium ? options->medium : RF_MEDIUM_DIR);
    return NULL;
}

static void print(const rf_plan *plan, bool json)
{
    rf_autojson json_t *list = json ? rf_plan_json(plan) : NULL;
    rf_autofree char *text = json ? rf_json_text(list) : rf_plan_text(plan);
    fputs(text, stdout);
}

static int run(const struct rf_subcommand *self, int argc, char **argv)
{
    struct options options = {0};
    char **words;
    int count = rf_read_options(self, argc, argv, &options, &words);
    if (count < 0)
        return RF_USAGE;
    if (count != 1)
        return rf_say_usage(self, "one profile, and perhaps a recorded machine");
    rf_autoproblems rf_problems problems = {0};
    rf_autoprofile rf_profile *profile = NULL;
    rf_automachine rf_machine *machine = NULL;
    rf_autosite struct rf_site *site = NULL;
    rf_error *error = NULL;
    int code = rf_command_profile(words[0], false, &profile);
    if (code != RF_OK)
        return code;
    if ((!options.machine && rf_profile_check_node(profile, RF_STATE_PROFILE, &error) < 0) ||
        rf_read_machine(options.machine, &machine, &error) < 0)
        return rf_say_error(error);
    rf_autojson json_t *artefacts = artefacts_for(&options, machine);
    struct rf_site_options where = {.medium = RF_MEDIUM_DIR, .target = RF_RUN_DIR "/target", .artefacts = artefacts};
    if (rf_site_new(profile, machine, &where, &site, &problems, &error) < 0)
        return rf_say_error(error);
    if (problems.count)
        return rf_say_problems(&problems, RF_BAD_MACHINE);
    if (rf_site_disks(site)) /* as apply says it, and goes on */
        fprintf(stderr, "this node no longer fits its profile:\n%s\n", rf_site_disks(site));
    print(rf_site_plan(site), options.json);
    rf_autofree char *waiting = options.json ? NULL : rf_artefacts_waiting_text(profile, artefacts, machine->node);
    if (waiting && *waiting)
        printf("\nNot to be had yet:\n%s", waiting);
    return RF_OK;
}

const struct rf_subcommand rf_cmd_plan = {
    .name = "plan",
    .usage = "PROFILE [--machine FILE] [--medium DIR] [--json]",
    .summary = "prints the steps that lead from this machine to the profile; writes nothing",
    .options = known,
    .help = "1: the profile is wrong. 2: the machine does not fit, or foreign data is in the way; all reasons are "
            "listed.\n",
    .run = run,
};
