/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest docs WHAT: prints what the documentation generates from the tables. */
#include "base/memory.h"
#include "installer/subcommand.h"
#include "profiles/profile.h"

#include <string.h>

static char *schema(void)
{
    rf_autojson json_t *json = rf_profile_json_schema();
    return rf_json_text(json);
}

static const struct {
    const char *name;
    char *(*text)(void);
} pages[] = {{"profile", rf_profile_reference}, {"profile-schema", schema}};

static int run(const struct rf_subcommand *self, int argc, char **argv)
{
    char **words;
    const int count = rf_read_options(self, argc, argv, NULL, &words);
    if (count < 0)
        return RF_USAGE;
    for (size_t i = 0; count == 1 && i < RF_COUNT(pages); i++) {
        if (strcmp(words[0], pages[i].name) != 0)
            continue;
        rf_autofree char *text = pages[i].text();
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
