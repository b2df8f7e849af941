/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program's words to the person who typed a command. */
#include "base/memory.h"
#include "installer/inputs.h"
#include "installer/subcommand.h"

#include <stdarg.h>

int rf_say_error(rf_error *err)
{
    rf_autofree char *text = rf_error_text(err);
    int code = rf_error_code(err);
    fprintf(stderr, "richtfest: error: %s\n", text ? text : "unknown");
    rf_error_free(err);
    return code;
}

int rf_say_problems(const rf_problems *problems, enum rf_code code)
{
    rf_autofree char *text = rf_problems_text(problems);
    fputs(text, stderr);
    return code;
}

int rf_command_profile(const char *path, bool install, rf_profile **ret_profile)
{
    rf_autoproblems rf_problems problems = {0};
    rf_autoprofile rf_profile *profile = NULL;
    rf_error *error = NULL;
    if (rf_read_profile(path, &profile, &problems, &error) < 0)
        return rf_say_error(error);
    if (profile && install)
        rf_check_example_key(profile, &problems);
    if (problems.count)
        return rf_say_problems(&problems, RF_BAD_PROFILE);
    *ret_profile = RF_STEAL(profile);
    return RF_OK;
}

int rf_say_usage(const struct rf_subcommand *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "richtfest %s: ", command->name);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nusage: richtfest %s %s\n", command->name, command->usage);
    return RF_USAGE;
}

int rf_read_options(const struct rf_subcommand *command, int argc, char **argv, void *target, char ***ret_words)
{
    rf_autoerror rf_error *error = NULL;
    int count = rf_options_parse(command->options, argc, argv, target, ret_words, &error);
    rf_autofree char *why = rf_error_text(error);
    if (count < 0)
        rf_say_usage(command, "%s", why);
    return count;
}
