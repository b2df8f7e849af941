/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program's commands: one file each (installer/cmd_*.c), one row each in installer/main.c. */
#pragma once

#include "base/error.h"
#include "base/problem.h"
#include "installer/options.h"
#include "profiles/profile.h"

#include <stdbool.h>

struct rf_subcommand {
    const char *name;  /* "image build": one or two words */
    const char *usage; /* what follows the name: "PROFILE [--machine FILE]" */
    const char *summary;
    const struct rf_option *options; /* its table; or NULL */
    const char *help;                /* what is to be said beyond the options: exit codes, whole lines; or NULL */
    bool hidden;                     /* for the project's own files: not listed */
    /* `argv[0]` is the command's name. Returns the exit code. */
    int (*run)(const struct rf_subcommand *self, int argc, char **argv);
};

extern const struct rf_subcommand rf_cmd_check, rf_cmd_inventory, rf_cmd_plan, rf_cmd_apply, rf_cmd_status,
    rf_cmd_verify_boot, rf_cmd_image_build, rf_cmd_image_customize, rf_cmd_image_inspect, rf_cmd_recipe_check,
    rf_cmd_recipe_list, rf_cmd_recipe_seed, rf_cmd_secrets_show, rf_cmd_vpn_show, rf_cmd_guest_list,
    rf_cmd_guest_console, rf_cmd_guest_snapshot, rf_cmd_guest_rollback, rf_cmd_guest_export, rf_cmd_guest_import,
    rf_cmd_guest_resize, rf_cmd_guest_delete, rf_cmd_artefact_list, rf_cmd_artefact_fetch, rf_cmd_artefact_verify,
    rf_cmd_root_list, rf_cmd_root_deploy, rf_cmd_root_rollback, rf_cmd_root_snapshot, rf_cmd_root_prune,
    rf_cmd_root_good, rf_cmd_docs, rf_cmd_md_event;

/* The list that `help` prints; the caller frees it. Defined in installer/main.c. */
char *rf_help_text(void);

/* "richtfest: error: …" on standard error; returns the error's exit code. Frees the error. */
int rf_say_error(rf_error *err);

/* The profile that a command was given (installer/inputs.h): RF_OK and *ret_profile, which the caller frees, or the exit code of what
 * is wrong, which was said. `install`: the example key is wrong, too. */
int rf_command_profile(const char *path, bool install, rf_profile **ret_profile);

/* The problems on standard error, one line each, and `code` returned. */
int rf_say_problems(const rf_problems *problems, enum rf_code code);

/* rf_options_parse for the command's own table. Where it fails, that is said like rf_say_usage does and -1 returned: the command ends with
 * RF_USAGE. */
int rf_read_options(const struct rf_subcommand *command, int argc, char **argv, void *target, char ***ret_words);

/* "richtfest COMMAND: what" and the usage line on standard error; returns RF_USAGE. */
int rf_say_usage(const struct rf_subcommand *command, const char *format, ...) RF_PRINTF(2, 3);
