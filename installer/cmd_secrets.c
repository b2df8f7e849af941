/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest secrets show: what was handed over, still encrypted; whoever holds a key reads it. */
#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "installer/subcommand.h"

#include <dirent.h>
#include <string.h>

enum { AGE_MAX = 1 << 20 };

static bool is_age(const char *name)
{
    const char *suffix = strrchr(name, '.');
    return suffix && strcmp(suffix, ".age") == 0;
}

/* "dc1" for dc1.age and dc1.1a2b3c4d.age, "admins/jiku" for an admin's. */
static bool belongs_to(const char *file, const char *wanted)
{
    size_t length = wanted ? strlen(wanted) : 0;
    return !wanted || (strncmp(file, wanted, length) == 0 && file[length] == '.');
}

static int age_only(const struct dirent *entry)
{
    return is_age(entry->d_name);
}

/* Prints each file under its name; returns how many. */
static size_t print_below(const char *directory, const char *prefix, const char *wanted)
{
    struct dirent **entries = NULL;
    size_t printed = 0;
    int count = scandir(directory, &entries, age_only, alphasort);
    for (int i = 0; i < count; i++) {
        rf_autofree char *path = rf_format("%s/%s", directory, entries[i]->d_name), *text = NULL;
        rf_autofree char *name = rf_format("%s%s", prefix, entries[i]->d_name);
        if (belongs_to(name, wanted) && rf_read_file(path, AGE_MAX, &text, NULL, NULL) == 0) {
            printf("%s%s\n%s", printed ? "\n" : "", path, text);
            printed++;
        }
        free(entries[i]);
    }
    free(entries);
    return printed;
}

static int run(const struct rf_subcommand *self, int argc, char **argv)
{
    char **words;
    int count = rf_read_options(self, argc, argv, NULL, &words);
    if (count < 0)
        return RF_USAGE;
    const char *wanted = count ? words[0] : NULL;
    rf_error *error = NULL;
    if (count > 1)
        return rf_say_usage(self, "one guest or admin, or all of them");
    if (!rf_exists(RF_STATE_PROFILE)) {
        rf_fail(&error, RF_BAD_MACHINE, "this is no Richtfest node: %s is not there", RF_STATE_PROFILE);
        return rf_say_error(error);
    }
    size_t printed = print_below(RF_STATE_HANDOVER, "", wanted);
    printed += print_below(RF_STATE_HANDOVER "/admins", "admins/", wanted);
    if (printed)
        return RF_OK;
    rf_fail(&error, RF_FAILED, "nothing was handed over%s%s; it is when a guest is healthy (and this runs as root)",
            wanted ? " for " : "", wanted ? wanted : "");
    return rf_say_error(error);
}

const struct rf_subcommand rf_cmd_secrets_show = {
    .name = "secrets show",
    .usage = "[GUEST | admins/ADMIN]",
    .summary = "on the node: the passwords that were handed over, encrypted to the admins' SSH keys",
    .help = "Pipe one to the machine that has your key:\n"
            "    ssh NODE sudo richtfest secrets show dc1 | sed 1d | age -d -i ~/.ssh/id_ed25519\n"
            "The node itself can't read them: nobody's private key is on it.\n",
    .run = run,
};
