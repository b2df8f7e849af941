/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest verify-boot: proves from the bytes on the disks that each of them boots the node alone. */
#include "base/command.h"
#include "base/json.h"
#include "base/memory.h"
#include "installer/inputs.h"
#include "installer/on_node.h"
#include "installer/subcommand.h"
#include "installer/verify_boot.h"

struct options {
    bool json, mend;
};

static const struct rf_option known[] = {
    RF_OPTION_FLAG(struct options, mend, "mend",
                   "write the boot loaders anew where they are not those of this node's packages"),
    RF_OPTION_FLAG(struct options, json, "json", "as JSON"),
    {0}};

static int verify(const struct options *options, json_t **ret_disks, rf_error **err)
{
    rf_autoonnode struct rf_on_node node = {0};
    rf_automachine rf_machine *machine = NULL;
    rf_autorunner rf_runner *runner = rf_runner_real();
    rf_autoevents rf_events *events = rf_events_new("verify-boot");
    struct rf_step_env env = {.runner = runner, .events = events};
    int outcome =
        options->mend ? rf_on_node_open_alone(&node, "richtfest verify-boot --mend", err) : rf_on_node_open(&node, err);
    if (outcome == 0 && (outcome = rf_read_machine(NULL, &machine, err)) == 0)
        outcome = rf_verify_boot(&env, node.profile, machine, options->mend, ret_disks, err);
    return outcome;
}

static int run(const struct rf_subcommand *self, int argc, char **argv)
{
    struct options options = {0};
    rf_autojson json_t *disks = NULL;
    rf_error *error = NULL;
    char **words;
    int count = rf_read_options(self, argc, argv, &options, &words);
    if (count < 0)
        return RF_USAGE;
    if (count)
        return rf_say_usage(self, "it takes no word");
    if (verify(&options, &disks, &error) < 0)
        return rf_say_error(error);
    rf_autofree char *text = options.json ? rf_json_text(disks) : rf_verify_boot_text(disks);
    fputs(text, stdout);
    return rf_verify_boot_all(disks) ? RF_OK : RF_FAILED;
}

const struct rf_subcommand rf_cmd_verify_boot = {
    .name = "verify-boot",
    .usage = "[--mend] [--json]",
    .summary = "on the node: proves from the bytes on each disk that it boots alone, by BIOS and UEFI",
    .options = known,
    .help = "Exit code 3: a disk does not. A disk that is not there is not in the list; 'richtfest status' says that.\n"
            "A package upgrade of shim or GRUB runs it with --mend by itself.\n",
    .run = run,
};
