/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest check PROFILE: every problem, with its position. */
#include "base/memory.h"
#include "installer/inputs.h"
#include "installer/subcommand.h"

static int run(const struct rf_subcommand *self, int argc, char **argv)
{
    char **words;
    int count = rf_read_options(self, argc, argv, NULL, &words);
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
    return RF_OK;
}

const struct rf_subcommand rf_cmd_check = {
    .name = "check",
    .usage = "PROFILE",
    .summary = "validates a profile; every problem with its position",
    .help = "PROFILE is a file, or - for standard input. 0: valid, 1: not.\n",
    .run = run,
};
