/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest image build: the ISO. */
#include "base/memory.h"
#include "image/image.h"
#include "installer/session.h"
#include "installer/subcommand.h"

#include <getopt.h>
#include <string.h>

static const struct option known[] = {
    {"output", required_argument, NULL, 'o'},  {"cache", required_argument, NULL, 'c'},
    {"suite", required_argument, NULL, 's'},   {"mirror", required_argument, NULL, 'm'},
    {"keyring", required_argument, NULL, 'k'}, {"source", required_argument, NULL, 'S'},
    {"recipes", required_argument, NULL, 'r'}, {"data", required_argument, NULL, 'd'},
    {"refresh", no_argument, NULL, 'R'},       {"plan", no_argument, NULL, 'p'},
    {"json", no_argument, NULL, 'j'},          {NULL, 0, NULL, 0}};

struct options {
    struct rf_image_options image;
    bool plan, json;
};

static const char **text_option(struct rf_image_options *image, int letter)
{
    switch (letter) {
    case 'o':
        return &image->output;
    case 'c':
        return &image->cache;
    case 's':
        return &image->suite;
    case 'm':
        return &image->mirror;
    case 'k':
        return &image->keyring;
    case 'S':
        return &image->source;
    case 'r':
        return &image->recipes;
    case 'd':
        return &image->data;
    default:
        return NULL;
    }
}

static int parse(int argc, char **argv, struct options *options)
{
    int found;
    opterr = 0;
    while ((found = getopt_long(argc, argv, "", known, NULL)) != -1) {
        const char **text = text_option(&options->image, found);
        if (text)
            *text = optarg;
        else if (found == 'R')
            options->image.refresh = true;
        else if (found == 'p')
            options->plan = true;
        else if (found == 'j')
            options->json = true;
        else
            return -1;
    }
    return optind == argc ? 0 : -1;
}

static int build(struct options *options)
{
    rf_autofree char *kill_at = rf_session_kill_at();
    rf_autoerror rf_error *error = NULL;
    rf_autosession struct rf_session session;
    options->image.kill_at = kill_at;
    rf_session_open(&session, options->json ? RF_AUDIENCE_JSON : RF_AUDIENCE_TERMINAL, NULL, "build");
    if (options->plan) {
        rf_autofree char *text = NULL;
        if (rf_image_build_plan(&options->image, session.runner, &text, &error) < 0)
            return rf_say_error(RF_STEAL(error));
        fputs(text, stdout);
        return RF_OK;
    }
    struct rf_apply_summary summary = {0};
    int outcome = rf_image_build(&options->image, session.runner, session.events, &summary, &error);
    rf_autofree char *done =
        rf_format("%s is ready (%zu steps done, %zu were done already)",
                  options->image.output ? options->image.output : "richtfest.iso", summary.applied, summary.skipped);
    rf_session_end(&session, error, done);
    return outcome < 0 ? (int)rf_error_code(error) : RF_OK;
}

static int run(const struct rf_subcommand *self, int argc, char **argv)
{
    struct options options = {0};
    if (parse(argc, argv, &options) < 0)
        return rf_say_usage(self, "unknown or incomplete option");
    return build(&options);
}

const struct rf_subcommand rf_cmd_image_build = {
    .name = "image build",
    .usage = "[--output FILE] [--cache DIR] [--mirror URL] [--suite NAME] …",
    .summary = "builds the ISO: node root, guests' images, boot loaders, manifest",
    .help = "  --output FILE   the ISO (default richtfest.iso); FILE.sha256 and FILE.json come beside it\n"
            "  --cache DIR     what is built once and used again\n"
            "  --mirror URL    Debian's archive (default: what this machine's apt uses)\n"
            "  --suite NAME    Debian's release (default trixie)\n"
            "  --keyring FILE  keys that may sign the archive\n"
            "  --source DIR    the project's sources, --recipes DIR, --data DIR: parts of them from elsewhere\n"
            "  --refresh       take today's packages, even where the cache has fitting ones\n"
            "  --plan          print the steps and build nothing\n"
            "  --json          events as JSON lines\n"
            "Needs root. 2: this machine lacks tools, room or the suite's key; all reasons are listed.\n",
    .run = run,
};
