/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest secrets show: what was handed over, still encrypted; whoever holds a key reads it. */
#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "installer/subcommand.h"
#include "postinstall/handed_over.h"

enum { AGE_MAX = 1 << 20 };

/* One file under its name. */
static int print_one(const char *name, rf_error **err)
{
    rf_autofree char *path = rf_handed_over_path("", name), *text = NULL;
    if (rf_read_file(path, AGE_MAX, &text, NULL, err) < 0)
        return -1;
    printf("%s\n%s", path, text);
    return 0;
}

/* One where a guest is asked for: age takes no two after each other, and the pipe of the help is for one. */
static int print(const json_t *names, const char *wanted, rf_error **err)
{
    const size_t count = json_array_size(names), shown = wanted && count ? 1 : count;
    if (count == 0)
        return rf_fail(err, RF_FAILED,
                       "nothing was handed over%s%s; it is when a guest is healthy (and this runs as root)",
                       wanted ? " for " : "", wanted ? wanted : "");
    for (size_t i = 0; i < shown; i++) {
        printf("%s", i ? "\n" : "");
        if (print_one(json_string_value(json_array_get(names, i)), err) < 0)
            return -1;
    }
    for (size_t i = shown; i < count; i++)
        fprintf(stderr, "richtfest: more was handed over later: richtfest secrets show %s\n",
                json_string_value(json_array_get(names, i)));
    return 0;
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
    rf_autojson json_t *names = rf_handed_over("", wanted);
    return print(names, wanted, &error) < 0 ? rf_say_error(error) : RF_OK;
}

const struct rf_subcommand rf_cmd_secrets_show = {
    .name = "secrets show",
    .usage = "[GUEST | GUEST.LATER | admins/ADMIN]",
    .summary = "on the node: the passwords that were handed over, encrypted to the admins' SSH keys",
    .help =
        "Pipe one to the machine that has your key:\n"
        "    ssh NODE sudo richtfest secrets show dc1 | sed 1d | age -d -i ~/.ssh/id_ed25519\n"
        "Passwords of accounts that came later have a name of their own, which is said beside the first ones (and by "
        "richtfest status); without a name all are printed, which age does not take at once.\n"
        "The node itself can't read them: nobody's private key is on it.\n",
    .run = run,
};
