/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest artefact list, fetch, verify: what recipes need and Debian does not carry. */
#include "base/memory.h"
#include "image/artefact_shelf.h"
#include "installer/session.h"
#include "installer/subcommand.h"

#include <string.h>

struct options {
    struct rf_image_options image;
    bool pin, json;
    char **names; /* what follows the options; NULL-terminated by argv itself */
};

#define COMMON_OPTIONS                                                                                                 \
    RF_OPTION_TEXT(struct options, image.cache, "cache", "DIR", "of the image build (default: richtfest-cache)"),      \
        RF_OPTION_TEXT(struct options, image.artefacts, "artefacts", "DIR",                                            \
                       "files placed there by hand (default: artefacts beside the cache)"),                            \
        RF_OPTION_TEXT(struct options, image.source, "source", "DIR",                                                  \
                       "the project's sources, where they are not beside the program"),                                \
        RF_OPTION_TEXT(struct options, image.recipes, "recipes", "DIR", "the guests' recipes from elsewhere"),         \
        RF_OPTION_TEXT(struct options, image.data, "data", "DIR", "the image's own files from elsewhere")

static const struct rf_option list_options[] = {
    COMMON_OPTIONS,
    RF_OPTION_FLAG(struct options, json, "json", "everything about each, for programs"),
    {0}};

static const struct rf_option fetch_options[] = {
    COMMON_OPTIONS,
    RF_OPTION_TEXT(struct options, image.artefact_mirror, "artefact-mirror", "URL", "look there first, as URL/FILE"),
    RF_OPTION_FLAG(struct options, pin, "pin",
                   "write down the checksum of what is to be had now, for those NAMEs that have none"),
    RF_OPTION_FLAG(struct options, json, "json", "events as JSON lines"),
    {0}};

static const struct rf_option verify_options[] = {COMMON_OPTIONS, {0}};

static bool chosen(const struct options *options, const struct rf_artefact *artefact)
{
    for (size_t i = 0; options->names[i]; i++)
        if (strcmp(options->names[i], artefact->name) == 0)
            return true;
    return !options->names[0];
}

static int check_names(const struct options *options, const struct rf_artefacts *manifest, rf_error **err)
{
    for (size_t i = 0; options->names[i]; i++)
        if (!rf_artefact_named(manifest, options->names[i]))
            return rf_fail(err, RF_USAGE, "there is no artefact '%s' in %s", options->names[i], manifest->file);
    return 0;
}

static int open_shelf(const struct options *options, bool change, rf_artefact_shelf **ret_shelf, rf_error **err)
{
    rf_autoshelf rf_artefact_shelf *shelf = NULL;
    if (rf_artefact_shelf_open(&options->image, change, &shelf, err) < 0 ||
        check_names(options, rf_artefact_shelf_manifest(shelf), err) < 0)
        return -1;
    *ret_shelf = RF_STEAL(shelf);
    return 0;
}

static void print_json(const rf_artefact_shelf *shelf, const struct options *options)
{
    const struct rf_artefacts *manifest = rf_artefact_shelf_manifest(shelf);
    rf_autojson json_t *list = json_array();
    for (size_t i = 0; i < manifest->count; i++)
        if (chosen(options, &manifest->items[i]))
            json_array_append_new(list, rf_artefact_shelf_json(shelf, &manifest->items[i]));
    rf_autofree char *text = rf_json_text(list);
    fputs(text, stdout);
}

static int list(const struct rf_subcommand *self, int argc, char **argv)
{
    struct options options = {0};
    rf_autoshelf rf_artefact_shelf *shelf = NULL;
    rf_autoerror rf_error *error = NULL;
    if (rf_read_options(self, argc, argv, &options, &options.names) < 0)
        return RF_USAGE;
    if (open_shelf(&options, false, &shelf, &error) < 0)
        return rf_say_error(RF_STEAL(error));
    if (options.json) {
        print_json(shelf, &options);
        return RF_OK;
    }
    const struct rf_artefacts *manifest = rf_artefact_shelf_manifest(shelf);
    for (size_t i = 0; i < manifest->count; i++) {
        rf_autofree char *text =
            chosen(&options, &manifest->items[i]) ? rf_artefact_shelf_text(shelf, &manifest->items[i]) : NULL;
        fputs(text ? text : "", stdout);
    }
    return RF_OK;
}

/* Each of them, whatever becomes of the others; how many failed. */
static size_t fetch_all(rf_artefact_shelf *shelf, const struct options *options, const struct rf_session *session)
{
    const struct rf_artefacts *manifest = rf_artefact_shelf_manifest(shelf);
    size_t failed = 0;
    for (size_t i = 0; i < manifest->count; i++) {
        rf_autofree char *note = NULL;
        if (!chosen(options, &manifest->items[i]))
            continue;
        failed += rf_artefact_shelf_fetch(shelf, &manifest->items[i], options->pin, session->runner, session->events,
                                          &note, NULL) < 0;
        if (note)
            rf_emit_message(session->events, RF_WAITING, "%s", note);
    }
    return failed;
}

static int fetch(const struct rf_subcommand *self, int argc, char **argv)
{
    struct options options = {0};
    rf_autoshelf rf_artefact_shelf *shelf = NULL;
    rf_autoerror rf_error *error = NULL;
    if (rf_read_options(self, argc, argv, &options, &options.names) < 0)
        return RF_USAGE;
    if (options.pin && !options.names[0])
        return rf_say_usage(self, "--pin takes names: a checksum is written down for one artefact at a time, by a "
                                  "person who means it");
    if (open_shelf(&options, true, &shelf, &error) < 0)
        return rf_say_error(RF_STEAL(error));
    rf_autosession struct rf_session session;
    rf_session_open(&session, options.json ? RF_AUDIENCE_JSON : RF_AUDIENCE_TERMINAL, NULL, "build");
    const size_t failed = fetch_all(shelf, &options, &session);
    if (failed)
        rf_fail(&error, RF_FAILED, "%zu could not be fetched; an image that is built now waits for them", failed);
    rf_session_end(&session, error, "all artefacts are in the cache");
    return (int)rf_error_code(error);
}

/* -1 wrong, 0 right or nothing to look at. */
static int verify_one(rf_artefact_shelf *shelf, const struct rf_artefact *artefact, bool asked, rf_runner *runner)
{
    rf_autofree char *note = NULL;
    rf_autoerror rf_error *error = NULL;
    const enum rf_artefact_state state = rf_artefact_look(rf_artefact_shelf_store(shelf), artefact);
    if (state != RF_ARTEFACT_READY) {
        printf("%-24s %s: not in the cache\n", artefact->name, rf_artefact_state_name(state));
        return asked ? -1 : 0;
    }
    if (rf_artefact_verify(rf_artefact_shelf_store(shelf), artefact, runner, &note, &error) < 0) {
        rf_say_error(RF_STEAL(error));
        return -1;
    }
    printf("%-24s %s\n", artefact->name, note);
    return 0;
}

static int verify(const struct rf_subcommand *self, int argc, char **argv)
{
    struct options options = {0};
    rf_autoshelf rf_artefact_shelf *shelf = NULL;
    rf_autoerror rf_error *error = NULL;
    if (rf_read_options(self, argc, argv, &options, &options.names) < 0)
        return RF_USAGE;
    if (open_shelf(&options, false, &shelf, &error) < 0)
        return rf_say_error(RF_STEAL(error));
    rf_autorunner rf_runner *runner = rf_runner_real();
    const struct rf_artefacts *manifest = rf_artefact_shelf_manifest(shelf);
    int code = RF_OK;
    for (size_t i = 0; i < manifest->count; i++)
        if (chosen(&options, &manifest->items[i]) &&
            verify_one(shelf, &manifest->items[i], options.names[0] != NULL, runner) < 0)
            code = RF_FAILED;
    return code;
}

const struct rf_subcommand rf_cmd_artefact_list = {
    .name = "artefact list",
    .usage = "[--json] [--cache DIR] … [NAME…]",
    .summary = "what recipes need and Debian does not carry, and whether it is there",
    .options = list_options,
    .run = list,
};

const struct rf_subcommand rf_cmd_artefact_fetch = {
    .name = "artefact fetch",
    .usage = "[--pin] [--artefact-mirror URL] [--artefacts DIR] [--cache DIR] … [NAME…]",
    .summary = "brings artefacts into the cache, each compared with its pinned checksum",
    .options = fetch_options,
    .help = "3: at least one could not be fetched; the others were.\n",
    .run = fetch,
};

const struct rf_subcommand rf_cmd_artefact_verify = {
    .name = "artefact verify",
    .usage = "[--cache DIR] … [NAME…]",
    .summary = "reads the cached artefacts again: checksums, and signatures where the key is there",
    .options = verify_options,
    .help = "3: one is wrong, or one of the NAMEs is not in the cache.\n",
    .run = verify,
};
