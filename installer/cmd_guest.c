/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest guest list, console, snapshot, rollback. */
#include "base/json.h"
#include "base/memory.h"
#include "base/units.h"
#include "installer/on_node.h"
#include "installer/subcommand.h"
#include "postinstall/guest_file.h"
#include "postinstall/rollback.h"
#include "postinstall/snapshot.h"

#include <errno.h>
#include <time.h>

enum { AGENT_SECONDS = 30 }; /* what a guest's agent may take to answer after a rollback */

static const char *or_dash(const char *text)
{
    return text ? text : "-";
}

static void print_guest(const json_t *guest)
{
    rf_autofree char *memory = rf_size_text_binary((uint64_t)rf_json_integer(guest, "memory", 0));
    rf_autofree char *disk = rf_size_text((uint64_t)rf_json_integer(guest, "disk", 0));
    printf("%-15s %-18s %-10s %5d %-10s %-9s %-15s %9d%s%s%s%s\n", rf_json_string(guest, "name"),
           or_dash(rf_json_string(guest, "recipe")), rf_json_string(guest, "state"),
           (int)rf_json_integer(guest, "cores", 0), memory, disk, or_dash(rf_json_string(guest, "address")),
           (int)rf_json_integer(guest, "snapshots", 0),
           json_is_true(json_object_get(guest, "in_profile")) ? "" : "  kept: not in the profile",
           rf_json_string(guest, "lan") ? "  at " : "",
           rf_json_string(guest, "lan") ? rf_json_string(guest, "lan") : "",
           json_is_true(json_object_get(guest, "restart_needed")) ? "  changed: start it anew" : "");
}

static int list_guests(bool json, rf_error **err)
{
    rf_autoonnode struct rf_on_node node = {0};
    rf_autojson json_t *list = rf_on_node_open(&node, err) == 0 ? rf_guest_list(node.model, err) : NULL;
    if (!list)
        return -1;
    if (json) {
        rf_autofree char *text = rf_json_text(list);
        fputs(text, stdout);
        return 0;
    }
    printf("%-15s %-18s %-10s %5s %-10s %-9s %-15s %9s\n", "GUEST", "RECIPE", "STATE", "CORES", "MEMORY", "DISK",
           "ADDRESS", "SNAPSHOTS");
    for (size_t i = 0; i < json_array_size(list); i++)
        print_guest(json_array_get(list, i));
    return 0;
}

struct list_options {
    bool json;
};

static const struct rf_option list_known[] = {
    RF_OPTION_FLAG(struct list_options, json, "json", "everything, for programs"),
    {0}};

static int list(const struct rf_subcommand *self, int argc, char **argv)
{
    struct list_options options = {0};
    rf_error *error = NULL;
    char **words;
    const int count = rf_read_options(self, argc, argv, &options, &words);
    if (count < 0)
        return RF_USAGE;
    if (count > 0)
        return rf_say_usage(self, "it takes nothing but --json");
    return list_guests(options.json, &error) < 0 ? rf_say_error(error) : RF_OK;
}

const struct rf_subcommand rf_cmd_guest_list = {
    .name = "guest list",
    .usage = "[--json]",
    .summary = "on the node: its guests, their sizes and snapshots",
    .options = list_known,
    .help = "Guests, snapshots, the network `guests` and the pool `images` have the same names in Cockpit and virsh.\n",
    .run = list,
};

/* virsh does this well (its escape is Ctrl and ]); all that is ours is to know which guests are. */
static int attach(const char *name, rf_error **err)
{
    rf_autoonnode struct rf_on_node node = {0};
    if (rf_on_node_open(&node, err) < 0)
        return -1;
    rf_autodomain virDomainPtr domain = rf_guest_domain(node.model, name, err);
    if (!domain)
        return -1;
    execlp("virsh", "virsh", "--connect", RF_LIBVIRT_URI, "console", name, (char *)NULL);
    return rf_fail_errno(err, RF_FAILED, errno, "virsh");
}

static int console(const struct rf_subcommand *self, int argc, char **argv)
{
    rf_error *error = NULL;
    char **words;
    const int count = rf_read_options(self, argc, argv, NULL, &words);
    if (count < 0)
        return RF_USAGE;
    if (count != 1)
        return rf_say_usage(self, "which guest?");
    attach(words[0], &error);
    return rf_say_error(error);
}

const struct rf_subcommand rf_cmd_guest_console = {
    .name = "guest console",
    .usage = "GUEST",
    .summary = "on the node: a guest's serial console",
    .help = "Leave it by Ctrl and ].\n",
    .run = console,
};

static void print_snapshots(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        char when[32];
        time_t taken = (time_t)rf_json_integer(one, "taken", 0);
        struct tm utc;
        strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&taken, &utc));
        printf("%-40s %s%s%s\n", rf_json_string(one, "name"), when, rf_json_string(one, "description") ? "  " : "",
               rf_json_string(one, "description") ? rf_json_string(one, "description") : "");
    }
}

struct snapshot_options {
    const char *guest, *name;
    bool list, delete;
};

static int snapshot_guest(const struct snapshot_options *options, rf_error **err)
{
    rf_autoonnode struct rf_on_node node = {0};
    rf_autofree char *name = NULL;
    const int opened =
        options->list ? rf_on_node_open(&node, err) : rf_on_node_open_alone(&node, "richtfest guest snapshot", err);
    if (opened < 0)
        return -1;
    rf_autodomain virDomainPtr domain = rf_guest_domain(node.model, options->guest, err);
    if (!domain)
        return -1;
    if (options->delete)
        return rf_snapshot_delete(domain, options->name, err);
    if (options->list) {
        rf_autojson json_t *found = rf_snapshot_list(domain, err);
        print_snapshots(found);
        return found ? 0 : -1;
    }
    rf_autopoolshare struct rf_pool_share share = {0};
    struct rf_step_env env = {0};
    if (rf_snapshot_room(&env, node.model, domain, &share, err) < 0)
        return -1;
    if (rf_snapshot_take(domain, options->name, NULL, &name, err) < 0)
        return -1;
    printf("%s: snapshot %s\n", options->guest, name);
    return 0;
}

static const struct rf_option snapshot_known[] = {
    RF_OPTION_FLAG(struct snapshot_options, list, "list", "lists them"),
    RF_OPTION_FLAG(struct snapshot_options, delete, "delete", "removes the one of that name"),
    {0}};

static bool snapshot_fits(const struct snapshot_options *options, int count)
{
    if (options->list)
        return count == 1 && !options->delete;
    return count == 2 || (count == 1 && !options->delete);
}

static int snapshot(const struct rf_subcommand *self, int argc, char **argv)
{
    struct snapshot_options options = {0};
    rf_error *error = NULL;
    char **words;
    const int count = rf_read_options(self, argc, argv, &options, &words);
    if (count < 0)
        return RF_USAGE;
    if (!snapshot_fits(&options, count))
        return rf_say_usage(self, "a guest, and perhaps a name");
    options.guest = words[0];
    options.name = count == 2 ? words[1] : NULL;
    return snapshot_guest(&options, &error) < 0 ? rf_say_error(error) : RF_OK;
}

const struct rf_subcommand rf_cmd_guest_snapshot = {
    .name = "guest snapshot",
    .usage = "GUEST [NAME] | --list GUEST | --delete GUEST NAME",
    .summary = "on the node: takes a snapshot of a guest, lists them, or removes one",
    .options = snapshot_known,
    .help = "A running guest stands still while its memory is written. Cockpit shows the same snapshots.\n"
            "Those that begin with " RF_SNAPSHOT_PREFIX
            " were taken before the engine changed the guest; it keeps its last three.\n",
    .run = snapshot,
};

static int bring_back(const char *guest, const char *name, rf_error **err)
{
    rf_autoonnode struct rf_on_node node = {0};
    rf_autofree char *back = NULL, *words = NULL;
    if (rf_on_node_open_alone(&node, "richtfest guest rollback", err) < 0)
        return -1;
    if (rf_guest_rollback(node.model, guest, name, AGENT_SECONDS, &back, &words, err) < 0)
        return -1;
    printf("%s is as it was at %s\n%s", guest, back, words);
    return 0;
}

static int rollback(const struct rf_subcommand *self, int argc, char **argv)
{
    rf_error *error = NULL;
    char **words;
    const int count = rf_read_options(self, argc, argv, NULL, &words);
    if (count < 0)
        return RF_USAGE;
    if (count < 1 || count > 2)
        return rf_say_usage(self, "which guest?");
    return bring_back(words[0], count == 2 ? words[1] : NULL, &error) < 0 ? rf_say_error(error) : RF_OK;
}

const struct rf_subcommand rf_cmd_guest_rollback = {
    .name = "guest rollback",
    .usage = "GUEST [SNAPSHOT]",
    .summary = "on the node: brings a guest back to a snapshot (the newest one)",
    .help = "What the guest did since then is lost. A running one gets the time of the node; 'richtfest apply --node'\n"
            "then tells it what has changed since, and enrols it anew where it is a member of a directory.\n",
    .run = rollback,
};
