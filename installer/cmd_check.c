/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest check PROFILE: every problem, with its position. */
#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"
#include "installer/artefacts.h"
#include "installer/inputs.h"
#include "installer/subcommand.h"

struct options {
    const char *medium;
};

static const struct rf_option known[] = {
    RF_OPTION_TEXT(struct options, medium, "medium", "DIR",
                   "an ISO that is mounted there: which artefacts its images lack (default: the one that runs)"),
    {0}};

static int run(const struct rf_subcommand *self, int argc, char **argv)
{
    struct options options = {.medium = RF_MEDIUM_DIR};
    char **words;
    int count = rf_read_options(self, argc, argv, &options, &words);
    if (count < 0)
        return RF_USAGE;
    if (count != 1 || !*words[0])
        return rf_say_usage(self, count < 2 ? "which profile?" : "one profile at a time");
    rf_autoprofile rf_profile *profile = NULL;
    int code = rf_command_profile(words[0], false, &profile);
    if (code != RF_OK)
        return code;
    printf("%s: valid; node %s with %zu guest%s\n", words[0], profile->node.id, profile->guests_count,
           profile->guests_count == 1 ? "" : "s");
    rf_autojson json_t *artefacts = rf_artefacts_here(options.medium);
    rf_autofree char *waiting = rf_artefacts_waiting_text(profile, artefacts, NULL);
    fputs(waiting, stdout);
    return RF_OK;
}

const struct rf_subcommand rf_cmd_check = {
    .name = "check",
    .usage = "PROFILE [--medium DIR]",
    .summary = "validates a profile; every problem with its position",
    .options = known,
    .help =
        "PROFILE is a file, or - for standard input. Where an ISO or a node is at hand it says too what guests would "
        "wait\nfor. 0: valid, 1: not.\n",
    .run = run,
};
