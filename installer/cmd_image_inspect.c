/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest image inspect: what an ISO holds, secrets redacted. */
#include "base/memory.h"
#include "image/image.h"
#include "installer/subcommand.h"

struct options {
    bool json, verify;
};

static const struct rf_option known[] = {
    RF_OPTION_FLAG(struct options, json, "json", "everything, for programs"),
    RF_OPTION_FLAG(struct options, verify, "verify", "reads every payload and compares its SHA-256"),
    {0}};

static int run(const struct rf_subcommand *self, int argc, char **argv)
{
    struct options options = {0};
    char **words;
    int count = rf_read_options(self, argc, argv, &options, &words);
    if (count < 0)
        return RF_USAGE;
    if (count != 1)
        return rf_say_usage(self, "which ISO?");
    const struct rf_inspect_options asked = {.iso = words[0], .verify = options.verify};
    rf_autojson json_t *inspected = NULL;
    rf_error *error = NULL;
    if (rf_image_inspect_json(&asked, &inspected, &error) < 0)
        return rf_say_error(error);
    rf_autofree char *text = options.json ? rf_json_text(inspected) : rf_image_inspect_text(inspected);
    fputs(text, stdout);
    return RF_OK;
}

const struct rf_subcommand rf_cmd_image_inspect = {
    .name = "image inspect",
    .usage = "[--json] [--verify] ISO",
    .summary = "shows what an ISO holds: versions, checksums, its profile (secrets redacted)",
    .options = known,
    .run = run,
};
