/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest image customize: a profile, or its URL, into a finished ISO, in place. */
#include "base/file.h"
#include "base/memory.h"
#include "image/certificates.h"
#include "image/image.h"
#include "installer/inputs.h"
#include "installer/subcommand.h"

#include <string.h>

static const struct rf_option known[] = {
    RF_OPTION_TEXT(struct rf_customize_options, profile_url, "profile-url", "URL", "fetched at boot, http or https"),
    RF_OPTION_TEXT(struct rf_customize_options, profile, "profile", "FILE", "embedded; it is checked first"),
    RF_OPTION_FLAG(struct rf_customize_options, reset, "reset", "neither of the two, as it left the builder"),
    RF_OPTION_TEXT(struct rf_customize_options, kernel_arguments, "kernel-arguments", "WORDS",
                   "for the live system's kernel and the node's: \"console=ttyS1,115200\""),
    RF_OPTION_TEXT(struct rf_customize_options, ca, "ca", "FILE",
                   "PEM: further CAs that the installer and the node trust, for the profile's URL and report.url"),
    RF_OPTION_TEXT(struct rf_customize_options, output, "output", "COPY", "leave ISO as it is and customise a copy"),
    {0}};

static int read_ca(const char *path, char **ret_text, size_t *ret_size, rf_error **err)
{
    rf_autoerror rf_error *error = NULL;
    if (!path || rf_read_file(path, RF_CA_MAX, ret_text, ret_size, &error) == 0)
        return 0;
    rf_autofree char *why = rf_error_text(error);
    return rf_fail(err, RF_USAGE, "--ca: %s", why);
}

static int customize(struct rf_customize_options *options)
{
    rf_autofree char *ca = NULL;
    rf_error *error = NULL;
    if (read_ca(options->ca, &ca, &options->ca_size, &error) < 0)
        return rf_say_error(error);
    options->ca_text = ca;
    if (rf_image_customize(options, &error) < 0)
        return rf_say_error(error);
    const char *what = options->profile_url ? "fetches its profile by URL"
                       : options->profile   ? "carries its profile"
                       : options->ca        ? "has no profile"
                                            : "is as it left the builder";
    printf("%s now %s%s%s\n", options->output ? options->output : options->iso, what,
           options->ca ? " and trusts the CA of " : "", options->ca ? options->ca : "");
    return RF_OK;
}

static int run(const struct rf_subcommand *self, int argc, char **argv)
{
    struct rf_customize_options options = {0};
    char **words;
    int count = rf_read_options(self, argc, argv, &options, &words);
    if (count < 0)
        return RF_USAGE;
    if (count != 1 || (options.profile_url != NULL) + (options.profile != NULL) + options.reset != 1)
        return rf_say_usage(self, "one ISO, and one of --profile-url, --profile and --reset");
    options.iso = words[0];
    if (!options.profile)
        return customize(&options);
    rf_autoprofile rf_profile *profile = NULL;
    int code = rf_command_profile(options.profile, true, &profile);
    if (code != RF_OK)
        return code;
    options.profile_text = profile->text;
    options.profile_size = strlen(profile->text);
    options.profile_node_id = profile->node.id;
    return customize(&options);
}

const struct rf_subcommand rf_cmd_image_customize = {
    .name = "image customize",
    .usage = "--profile-url URL | --profile FILE | --reset [--ca FILE] [--kernel-arguments WORDS] [--output COPY] ISO",
    .summary = "puts a profile, or where to fetch it, into a finished ISO, in place",
    .options = known,
    .help = "1: the profile is wrong. 2: no ISO of ours. Nothing is written then.\n",
    .run = run,
};
