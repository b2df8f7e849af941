/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest status: the node, its disks and arrays, each guest's health. */
#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/units.h"
#include "installer/addresses.h"
#include "installer/arrays.h"
#include "installer/disks.h"
#include "installer/inputs.h"
#include "installer/join.h"
#include "installer/last_run.h"
#include "installer/root_change.h"
#include "installer/subcommand.h"
#include "installer/undelivered.h"
#include "installer/watch.h"
#include "postinstall/status.h"
#include "raid/inventory.h"

#include <errno.h>
#include <string.h>

enum { WATCH_MS = 5000, TICK_MS = 1000 };

static double uptime(void)
{
    rf_autofree char *text = rf_read_line("/proc/uptime");
    return text ? strtod(text, NULL) : 0;
}

static json_t *node_json(const rf_profile *profile)
{
    rf_autofree char *addresses = rf_addresses_text();
    return json_pack("{s:s,s:s,s:s,s:f,s:s}", "id", profile->node.id, "hostname", profile->node.hostname, "version",
                     RF_VERSION, "uptime", uptime(), "addresses", addresses);
}

/* The disks and what runs on them only: the rest of the machine is no part of this view, and asking for it takes time. */
static rf_machine *disks_of_node(void)
{
    rf_machine *machine = rf_alloc(sizeof(*machine));
    machine->environment = RF_ENV_NODE;
    rf_inventory_disks("", machine);
    rf_inventory_volumes("", machine);
    return machine;
}

/* NULL where they can't be looked at: the rest of the status does not depend on it. */
static json_t *roots_json(void)
{
    rf_autorunner rf_runner *runner = rf_runner_real();
    rf_autofree char *cmdline = NULL;
    rf_autoroots rf_roots *roots = NULL;
    if (rf_read_file("/proc/cmdline", 1 << 16, &cmdline, NULL, NULL) < 0 || rf_roots_enter(runner, NULL) < 0 ||
        rf_roots_read(RF_ROOTS_TOP, rf_boot_running(cmdline), &roots, NULL) < 0)
        return NULL;
    return rf_roots_json(roots);
}

static bool guests_are_well(const json_t *guests)
{
    size_t index;
    const json_t *guest;
    json_array_foreach((json_t *)json_object_get(guests, "guests"), index, guest)
    {
        if (!json_is_true(json_object_get(guest, "healthy")))
            return false;
    }
    return true;
}

static void print_text(const json_t *status)
{
    const json_t *node = json_object_get(status, "node");
    rf_autofree char *up = rf_seconds_text(json_real_value(json_object_get(node, "uptime")));
    rf_autofree char *disks = rf_disks_text(json_object_get(status, "disks"));
    rf_autofree char *arrays = rf_arrays_text(json_object_get(status, "arrays"));
    rf_autofree char *guests = rf_node_status_text(json_object_get(status, "guests"));
    rf_autofree char *roots = rf_roots_news(json_object_get(status, "roots"));
    rf_autofree char *report = rf_undelivered_text(json_object_get(status, "report"));
    rf_autofree char *joining = rf_join_text(json_object_get(status, "storage"));
    printf("Node %s (%s), Richtfest %s, up %s, %s\n%s%s\n%s%s\n%s\n%s", rf_json_string(node, "id"),
           rf_json_string(node, "hostname"), rf_json_string(node, "version"), up, rf_json_string(node, "addresses"),
           roots, report, disks, joining, arrays, guests);
    rf_autofree char *run = rf_last_run_text(json_object_get(status, "last_run"));
    printf("%s%s\n%s\n", *run ? "\n" : "", run,
           json_is_true(json_object_get(status, "healthy")) ? "All healthy." : "NOT healthy; see above.");
}

static json_t *ask(const rf_profile *profile, rf_error **err)
{
    rf_autojson json_t *guests = rf_node_status_json(profile, NULL, err);
    if (!guests)
        return NULL;
    rf_autojson json_t *arrays = rf_arrays_json("", profile->storage.missing);
    rf_automachine rf_machine *machine = disks_of_node();
    rf_autojson json_t *disks = rf_disks_json(profile, machine, arrays);
    rf_autojson json_t *run = rf_last_run_json(RF_STATE_LAST_RUN);
    bool healthy = rf_disks_boot(disks) && rf_arrays_well(arrays) && guests_are_well(guests) && rf_last_run_well(run);
    return json_pack("{s:o,s:o,s:O,s:o,s:O,s:O,s:O?,s:o?,s:b}", "node", node_json(profile), "report",
                     rf_undelivered_json(RF_STATE_SPOOL), "disks", disks, "storage", rf_join_look(profile, machine),
                     "arrays", arrays, "guests", guests, "last_run", run, "roots", roots_json(), "healthy", healthy);
}

static int show(const rf_profile *profile, bool as_json, rf_error **err)
{
    rf_autojson json_t *status = ask(profile, err);
    if (!status)
        return -1;
    if (as_json) {
        rf_autofree char *text = rf_json_text(status);
        fputs(text, stdout);
    } else {
        print_text(status);
    }
    return json_is_true(json_object_get(status, "healthy")) ? RF_OK : RF_FAILED;
}

static json_t *ask_again(void *profile, rf_error **err)
{
    return ask(profile, err);
}

/* Probes of a cold guest take minutes: the last picture stays, with a line that says what is being done. */
static bool draw(void *data, const json_t *status, double asking)
{
    (void)data;
    printf("\033[H\033[2J"); /* ECMA-48: cursor home, erase the display */
    if (status)
        print_text(status);
    if (asking >= 0)
        printf("%sAsking%s, for %.0f s now.\n", status ? "\n" : "", status ? " again" : "", asking);
    return fflush(stdout) == 0;
}

/* Until the person ends it. */
static int watch(rf_profile *profile, rf_error **err)
{
    const struct rf_watch endless = {ask_again, draw, profile, TICK_MS, WATCH_MS};
    if (rf_watch(&endless, err) < 0)
        return -1;
    return rf_fail_errno(err, RF_FAILED, errno, "writing");
}

struct options {
    bool json, watch;
};

static const struct rf_option known[] = {
    RF_OPTION_FLAG(struct options, json, "json", "everything, for programs"),
    RF_OPTION_FLAG(struct options, watch, "watch", "again every few seconds, until it is interrupted"),
    {0}};

static int run(const struct rf_subcommand *self, int argc, char **argv)
{
    struct options options = {0};
    char **words;
    int count = rf_read_options(self, argc, argv, &options, &words);
    if (count < 0)
        return RF_USAGE;
    if (count > 0 || (options.json && options.watch))
        return rf_say_usage(self, "it takes --json, --watch or nothing");
    rf_autoprofile rf_profile *profile = NULL;
    rf_error *error = NULL;
    if (!rf_exists(RF_STATE_PROFILE)) {
        rf_fail(&error, RF_BAD_MACHINE, "this is no Richtfest node: %s is not there", RF_STATE_PROFILE);
        return rf_say_error(error);
    }
    int code = rf_command_profile(RF_STATE_PROFILE, false, &profile);
    if (code != RF_OK)
        return code;
    int outcome = options.watch ? watch(profile, &error) : show(profile, options.json, &error);
    return outcome < 0 ? rf_say_error(error) : outcome;
}

const struct rf_subcommand rf_cmd_status = {
    .name = "status",
    .usage = "[--json | --watch]",
    .summary = "on the node: itself, its disks and arrays, its guests and their health",
    .options = known,
    .help = "Asks everything now; as root, because the profile is readable for root only.\n"
            "  --json    for programs\n"
            "  --watch   again every few seconds, until it is interrupted\n"
            "Programs in the guests that log in as a user may take up to three minutes each where a guest is slow.\n"
            "0: all healthy. 3: something is not. 2: this is no node.\n",
    .run = run,
};
