/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest inventory: this machine as JSON, the format that `plan --machine` reads. */
#include "base/memory.h"
#include "installer/inputs.h"
#include "installer/subcommand.h"

static int run(const struct rf_subcommand *self, int argc, char **argv)
{
    char **words;
    int count = rf_read_options(self, argc, argv, NULL, &words);
    if (count < 0)
        return RF_USAGE;
    if (count > 0)
        return rf_say_usage(self, "it takes no arguments");
    rf_automachine rf_machine *machine = NULL;
    rf_error *error = NULL;
    if (rf_read_machine(NULL, &machine, &error) < 0)
        return rf_say_error(error);
    rf_autojson json_t *json = rf_machine_to_json(machine);
    rf_autofree char *text = rf_json_text(json);
    fputs(text, stdout);
    return RF_OK;
}

const struct rf_subcommand rf_cmd_inventory = {
    .name = "inventory",
    .usage = "",
    .summary = "describes this machine as JSON (disks, signatures, memory, network)",
    .help =
        "Reads only; run it as root, or disks can't be opened. Keep the output as a file and plan with it elsewhere:\n"
        "  richtfest inventory >machine.json\n"
        "  richtfest plan PROFILE --machine machine.json\n",
    .run = run,
};
