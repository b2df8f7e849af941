/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest image inspect: what an ISO holds, secrets redacted. */
#include "base/memory.h"
#include "image/image.h"
#include "installer/subcommand.h"

#include <getopt.h>

static int parse(int argc, char **argv, struct rf_inspect_options *options, bool *as_json)
{
    static const struct option known[] = {
        {"json", no_argument, NULL, 'j'}, {"verify", no_argument, NULL, 'v'}, {NULL, 0, NULL, 0}};
    int found;
    opterr = 0;
    while ((found = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (found == 'j')
            *as_json = true;
        else if (found == 'v')
            options->verify = true;
        else
            return -1;
    }
    options->iso = optind == argc - 1 ? argv[optind] : NULL;
    return options->iso ? 0 : -1;
}

static int run(const struct rf_subcommand *self, int argc, char **argv)
{
    struct rf_inspect_options options = {0};
    bool as_json = false;
    if (parse(argc, argv, &options, &as_json) < 0)
        return rf_say_usage(self, "which ISO?");
    rf_autojson json_t *inspected = NULL;
    rf_error *error = NULL;
    if (rf_image_inspect_json(&options, &inspected, &error) < 0)
        return rf_say_error(error);
    rf_autofree char *text = as_json ? rf_json_text(inspected) : rf_image_inspect_text(inspected);
    fputs(text, stdout);
    return RF_OK;
}

const struct rf_subcommand rf_cmd_image_inspect = {
    .name = "image inspect",
    .usage = "[--json] [--verify] ISO",
    .summary = "shows what an ISO holds: versions, checksums, its profile (secrets redacted)",
    .help = "  --verify   reads every payload and compares its SHA-256\n",
    .run = run,
};
