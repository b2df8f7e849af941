/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest root list, rollback, snapshot, prune. */
#include "base/memory.h"
#include "installer/apt_run.h"
#include "installer/root_command.h"
#include "installer/subcommand.h"

#include <errno.h>
#include <stdlib.h>

struct list_options {
    bool json;
};

static const struct rf_option list_known[] = {RF_OPTION_FLAG(struct list_options, json, "json", "for programs"), {0}};

static int list_roots(bool as_json, rf_error **err)
{
    rf_autorootcommand struct rf_root_command command = {0};
    if (rf_root_command_open(&command, NULL, err) < 0)
        return -1;
    rf_autojson json_t *json = rf_roots_json(command.roots);
    rf_autofree char *table = rf_roots_text(command.roots), *news = rf_roots_news(json), *text = rf_json_text(json);
    if (as_json)
        fputs(text, stdout);
    else
        printf("%s%s%s", table, *news ? "\n" : "", news);
    return 0;
}

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
    return list_roots(options.json, &error) < 0 ? rf_say_error(error) : RF_OK;
}

const struct rf_subcommand rf_cmd_root_list = {
    .name = "root list",
    .usage = "[--json]",
    .summary = "on the node: its roots, which of them runs and which is booted next",
    .options = list_known,
    .help = "A root is a complete system beside others; data, guests and the node's identity belong to none of them.\n",
    .run = list,
};

/* 0: the word is no number of a root. */
static unsigned number_of(const char *word)
{
    char *end;
    errno = 0;
    const unsigned long number = strtoul(word, &end, 10);
    return *word >= '1' && *word <= '9' && *end == '\0' && errno == 0 && number <= RF_ROOT_NUMBER_MAX ? (unsigned)number
                                                                                                      : 0;
}

/* 0: to the one that it is by itself. */
static int roll_back(unsigned number, rf_error **err)
{
    rf_autorootcommand struct rf_root_command command = {0};
    bool trial;
    if (rf_root_command_open(&command, "richtfest root rollback", err) < 0)
        return -1;
    number = number ? number : rf_roots_back(command.roots);
    if (!number)
        return rf_fail(err, RF_BAD_MACHINE, "there is no other root to go back to");
    if (rf_root_command_disks(&command, err) < 0)
        return -1;
    const struct rf_root_switch to = {.layout = command.layout,
                                      .node_id = command.profile->node.id,
                                      .top = RF_ROOTS_TOP,
                                      .target = RF_ROOTS_TARGET,
                                      .number = number};
    if (rf_root_switch_to(&command.env, command.roots, &to, &trial, err) < 0)
        return -1;
    if (trial)
        printf("root %u is booted next, on trial: where it is not healthy in %d boots, root %u runs again.\n"
               "Restart this node when it suits you: systemctl reboot\n",
               number, RF_TRIAL_TRIES, command.roots->running);
    else
        printf("root %u is booted from now on\n", number);
    return 0;
}

static int rollback(const struct rf_subcommand *self, int argc, char **argv)
{
    rf_error *error = NULL;
    char **words;
    const int count = rf_read_options(self, argc, argv, NULL, &words);
    if (count < 0)
        return RF_USAGE;
    const unsigned number = count == 1 ? number_of(words[0]) : 0;
    if (count > 1 || (count == 1 && number == 0))
        return rf_say_usage(self, "it takes the number of a root ('richtfest root list'), or nothing");
    return roll_back(number, &error) < 0 ? rf_say_error(error) : RF_OK;
}

const struct rf_subcommand rf_cmd_root_rollback = {
    .name = "root rollback",
    .usage = "[N]",
    .summary = "on the node: boots another root from the next start on (the newest snapshot, or the one before)",
    .help =
        "Data, guests and the profile stay as they are; what changed in the root since then is not in the other one.\n"
        "The number of the root that runs takes back a switch that was not booted yet.\n",
    .run = rollback,
};

struct snapshot_options {
    const char *before_apt;
};

static const struct rf_option snapshot_known[] = {
    RF_OPTION_TEXT(struct snapshot_options, before_apt, "before-apt", "PID",
                   "for the run of apt with that process id: one each, and a few are kept"),
    {0}};

static int take_snapshot(const char *before_apt, rf_error **err)
{
    rf_autorootcommand struct rf_root_command command = {0};
    unsigned number;
    rf_autofree char *run = before_apt ? rf_apt_run("/proc", (unsigned)strtoul(before_apt, NULL, 10)) : NULL;
    if (rf_root_command_open(&command, "richtfest root snapshot", err) < 0 ||
        rf_root_snapshot(&command.env, RF_ROOTS_TOP, command.roots, run, &number, err) < 0)
        return -1;
    printf("root %u is a snapshot of root %u, as it is now%s\n", number, command.roots->running,
           before_apt ? "; 'richtfest root rollback' boots it" : "");
    return 0;
}

static int snapshot(const struct rf_subcommand *self, int argc, char **argv)
{
    struct snapshot_options options = {0};
    rf_error *error = NULL;
    char **words;
    const int count = rf_read_options(self, argc, argv, &options, &words);
    if (count < 0)
        return RF_USAGE;
    if (count > 0)
        return rf_say_usage(self, "it takes no word");
    return take_snapshot(options.before_apt, &error) < 0 ? rf_say_error(error) : RF_OK;
}

const struct rf_subcommand rf_cmd_root_snapshot = {
    .name = "root snapshot",
    .usage = "[--before-apt PID]",
    .summary = "on the node: keeps the running root as it is now, as another one that can be booted",
    .options = snapshot_known,
    .help = "apt takes one by itself before it changes packages; the newest three of those are kept.\n"
            "One that a person took stays until 'richtfest root prune'.\n",
    .run = snapshot,
};

static int remove_one(struct rf_root_command *command, unsigned number, rf_error **err)
{
    if (rf_root_remove(&command->env, RF_ROOTS_TOP, command->roots, number, err) < 0)
        return -1;
    printf("root %u is removed\n", number);
    return 0;
}

static int remove_all(struct rf_root_command *command, rf_error **err)
{
    if (rf_roots_clear(&command->env, RF_ROOTS_TOP, err) < 0)
        return -1;
    for (size_t i = 0; i < command->roots->count; i++) {
        const unsigned number = command->roots->list[i].number;
        const char *needed = rf_root_needed(command->roots, number);
        if (needed)
            printf("root %u stays: %s\n", number, needed);
        else if (remove_one(command, number, err) < 0)
            return -1;
    }
    return 0;
}

static int prune_roots(const unsigned *numbers, size_t count, rf_error **err)
{
    rf_autorootcommand struct rf_root_command command = {0};
    if (rf_root_command_open(&command, "richtfest root prune", err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (remove_one(&command, numbers[i], err) < 0)
            return -1;
    return count ? 0 : remove_all(&command, err);
}

static int prune(const struct rf_subcommand *self, int argc, char **argv)
{
    rf_error *error = NULL;
    char **words;
    const int count = rf_read_options(self, argc, argv, NULL, &words);
    if (count < 0)
        return RF_USAGE;
    rf_autofree unsigned *numbers = rf_alloc(((size_t)count + 1) * sizeof(*numbers));
    for (int i = 0; i < count; i++)
        if ((numbers[i] = number_of(words[i])) == 0)
            return rf_say_usage(self, "it takes numbers of roots ('richtfest root list'), or nothing");
    return prune_roots(numbers, (size_t)count, &error) < 0 ? rf_say_error(error) : RF_OK;
}

const struct rf_subcommand rf_cmd_root_prune = {
    .name = "root prune",
    .usage = "[N …]",
    .summary = "on the node: removes roots that are not needed, or those of that number",
    .help =
        "Never the one that runs, the one that is booted next, what it falls back to, and the last good one besides.\n",
    .run = prune,
};
