/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest image build: the ISO. */
#include "base/memory.h"
#include "image/image.h"
#include "installer/session.h"
#include "installer/subcommand.h"

#include <getopt.h>
#include <string.h>

/* Options whose value is a text: their letter is their place in `texts`, counted from FIRST_TEXT. */
enum { FIRST_TEXT = 1000 };

static const struct option known[] = {{"output", required_argument, NULL, FIRST_TEXT},
                                      {"cache", required_argument, NULL, FIRST_TEXT + 1},
                                      {"suite", required_argument, NULL, FIRST_TEXT + 2},
                                      {"mirror", required_argument, NULL, FIRST_TEXT + 3},
                                      {"keyring", required_argument, NULL, FIRST_TEXT + 4},
                                      {"source", required_argument, NULL, FIRST_TEXT + 5},
                                      {"recipes", required_argument, NULL, FIRST_TEXT + 6},
                                      {"data", required_argument, NULL, FIRST_TEXT + 7},
                                      {"recipe", required_argument, NULL, FIRST_TEXT + 8},
                                      {"guests-only", required_argument, NULL, FIRST_TEXT + 9},
                                      {"artefacts", required_argument, NULL, FIRST_TEXT + 10},
                                      {"artefact-mirror", required_argument, NULL, FIRST_TEXT + 11},
                                      {"refresh", no_argument, NULL, 'R'},
                                      {"plan", no_argument, NULL, 'p'},
                                      {"json", no_argument, NULL, 'j'},
                                      {NULL, 0, NULL, 0}};

struct options {
    struct rf_image_options image;
    bool plan, json;
};

static const char **text_option(struct rf_image_options *image, int letter)
{
    const char **const texts[] = {&image->output,  &image->cache,       &image->suite,     &image->mirror,
                                  &image->keyring, &image->source,      &image->recipes,   &image->data,
                                  &image->recipe,  &image->guests_only, &image->artefacts, &image->artefact_mirror};
    return letter >= FIRST_TEXT ? texts[letter - FIRST_TEXT] : NULL;
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
    const char *made = options->image.guests_only ? options->image.guests_only
                       : options->image.output    ? options->image.output
                                                  : "richtfest.iso";
    rf_autofree char *done =
        rf_format("%s is ready (%zu steps done, %zu were done already)", made, summary.applied, summary.skipped);
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
            "  --recipe NAME[,NAME…]   only these recipes' images (default: all)\n"
            "  --guests-only DIR       no ISO: put the guests' images (base and overlays) into DIR\n"
            "  --artefacts DIR         files that Debian does not carry, placed there by hand (default: `artefacts` "
            "beside\n"
            "                          the cache); see `richtfest artefact list`\n"
            "  --artefact-mirror URL   look for them there first, as URL/FILE\n"
            "  --refresh       take today's packages, even where the cache has fitting ones\n"
            "  --plan          print the steps and build nothing\n"
            "  --json          events as JSON lines\n"
            "Needs root. 2: this machine lacks tools, room or the suite's key; all reasons are listed.\n",
    .run = run,
};
