/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest image build: the ISO. */
#include "base/memory.h"
#include "image/image.h"
#include "installer/session.h"
#include "installer/subcommand.h"

struct options {
    struct rf_image_options image;
    bool plan, json;
};

static const struct rf_option known[] = {
    RF_OPTION_TEXT(struct options, image.output, "output", "FILE",
                   "the ISO (default richtfest.iso); FILE.sha256 and FILE.json come beside it"),
    RF_OPTION_TEXT(struct options, image.cache, "cache", "DIR", "what is built once and used again"),
    RF_OPTION_TEXT(struct options, image.mirror, "mirror", "URL",
                   "Debian's archive (default: what this machine's apt uses)"),
    RF_OPTION_TEXT(struct options, image.suite, "suite", "NAME",
                   "Debian's release (trixie, the only one that it was tried with)"),
    RF_OPTION_TEXT(struct options, image.keyring, "keyring", "FILE", "keys that may sign the archive"),
    RF_OPTION_TEXT(struct options, image.source, "source", "DIR",
                   "the project's sources, where they are not beside the program"),
    RF_OPTION_TEXT(struct options, image.recipes, "recipes", "DIR", "the guests' recipes from elsewhere"),
    RF_OPTION_TEXT(struct options, image.data, "data", "DIR", "the image's own files from elsewhere"),
    RF_OPTION_TEXT(struct options, image.recipe, "recipe", "NAMES",
                   "only the images of these recipes, as NAME,NAME (default: all)"),
    RF_OPTION_TEXT(struct options, image.guests_only, "guests-only", "DIR",
                   "no ISO: put the guests' images (base and overlays) into DIR"),
    RF_OPTION_TEXT(struct options, image.artefacts, "artefacts", "DIR",
                   "files that Debian does not carry, placed there by hand (default: artefacts beside the cache)"),
    RF_OPTION_TEXT(struct options, image.artefact_mirror, "artefact-mirror", "URL",
                   "look for them there first, as URL/FILE"),
    RF_OPTION_FLAG(struct options, image.refresh, "refresh",
                   "take today's packages, even where the cache has fitting ones"),
    RF_OPTION_FLAG(struct options, plan, "plan", "print the steps and build nothing"),
    RF_OPTION_FLAG(struct options, json, "json", "events as JSON lines"),
    {0}};

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
    char **words;
    int count = rf_read_options(self, argc, argv, &options, &words);
    if (count < 0)
        return RF_USAGE;
    if (count > 0)
        return rf_say_usage(self, "it takes options only, and `%s` is none", words[0]);
    return build(&options);
}

const struct rf_subcommand rf_cmd_image_build = {
    .name = "image build",
    .usage = "[--output FILE] [--cache DIR] [--mirror URL] [--suite NAME] …",
    .summary = "builds the ISO: node root, guests' images, boot loaders, manifest",
    .options = known,
    .help = "What artefacts there are says richtfest artefact list. Needs root. 2: this machine lacks tools, room or "
            "the suite's key; all reasons are listed.\n",
    .run = run,
};
