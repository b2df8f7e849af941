/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest docs WHAT: prints what the documentation generates from the tables. */
#include "base/memory.h"
#include "installer/subcommand.h"
#include "profiles/profile.h"

#include <string.h>

static int run(const struct rf_subcommand *self, int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "profile") == 0) {
        rf_autofree char *text = rf_profile_reference();
        fputs(text, stdout);
        return RF_OK;
    }
    if (argc == 2 && strcmp(argv[1], "profile-schema") == 0) {
        rf_autojson json_t *schema = rf_profile_json_schema();
        rf_autofree char *text = rf_json_text(schema);
        fputs(text, stdout);
        return RF_OK;
    }
    return rf_say_usage(self, "profile or profile-schema");
}

const struct rf_subcommand rf_cmd_docs = {
    .name = "docs",
    .usage = "profile|profile-schema",
    .summary = "prints the profile's reference page, or its JSON Schema",
    .hidden = true,
    .run = run,
};
