/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/options.h"

#include "base/memory.h"
#include "profiles/suggest.h"

#include <getopt.h>
#include <string.h>

enum { FIRST = 256 }; /* what getopt_long returns for the first row: no character, so neither '?' nor ':' */

static size_t count_of(const struct rf_option *known)
{
    size_t count = 0;
    while (known && known[count].name)
        count++;
    return count;
}

static struct option *for_getopt(const struct rf_option *known, size_t count)
{
    struct option *rows = rf_alloc((count + 1) * sizeof(*rows));
    for (size_t i = 0; i < count; i++)
        rows[i] =
            (struct option){known[i].name, known[i].value ? required_argument : no_argument, NULL, FIRST + (int)i};
    return rows;
}

static int unknown(const struct rf_option *known, size_t count, const char *typed, rf_error **err)
{
    rf_autofree char *word = rf_format("%.*s", (int)strcspn(typed, "="), typed);
    rf_autofree const char **names = rf_alloc((count + 1) * sizeof(*names));
    size_t begun = 0;
    for (size_t i = 0; i < count; i++) {
        names[i] = known[i].name;
        begun += strncmp(known[i].name, word + 2, strlen(word + 2)) == 0;
    }
    if (begun > 1)
        return rf_fail(err, RF_USAGE, "`%s` may be more than one option; write it out", word);
    const char *near = rf_suggest(word + 2, names, count);
    return near ? rf_fail(err, RF_USAGE, "unknown option `%s`; did you mean `--%s`?", word, near)
                : rf_fail(err, RF_USAGE, "unknown option `%s`", word);
}

static int without_value(const struct rf_option *option, rf_error **err)
{
    return rf_fail(err, RF_USAGE, "`--%s` needs its value: --%s %s", option->name, option->name, option->value);
}

static int set(const struct rf_option *option, void *target, rf_error **err)
{
    char *member = (char *)target + option->offset;
    if (!option->value) {
        *(bool *)member = true;
        return 0;
    }
    if (!*optarg)
        return without_value(option, err);
    *(const char **)member = optarg;
    return 0;
}

/* `before` is the word that getopt_long has just passed. */
static int take(const struct rf_option *known, size_t count, int found, const char *before, void *target,
                rf_error **err)
{
    if (found >= FIRST)
        return set(&known[found - FIRST], target, err);
    if (optopt == 0)
        return unknown(known, count, before, err);
    if (optopt < FIRST)
        return rf_fail(err, RF_USAGE, "unknown option `-%c`; options are whole words behind two dashes", optopt);
    const struct rf_option *option = &known[optopt - FIRST];
    return found == ':' ? without_value(option, err) : rf_fail(err, RF_USAGE, "`--%s` takes no value", option->name);
}

int rf_options_parse(const struct rf_option *known, int argc, char **argv, void *target, char ***ret_words,
                     rf_error **err)
{
    const size_t count = count_of(known);
    rf_autofree struct option *rows = for_getopt(known, count);
    optind = 0; /* from the start again (getopt(3), NOTES) */
    opterr = 0;
    for (int found; (found = getopt_long(argc, argv, ":", rows, NULL)) != -1;)
        if (take(known, count, found, argv[optind - 1], target, err) < 0)
            return -1;
    *ret_words = argv + optind;
    return argc - optind;
}

char *rf_options_text(const struct rf_option *known)
{
    const size_t count = count_of(known);
    rf_autofree char **left = rf_alloc((count + 1) * sizeof(*left));
    size_t width = 0;
    for (size_t i = 0; i < count; i++) {
        left[i] = rf_format("--%s%s%s", known[i].name, known[i].value ? " " : "", known[i].value ? known[i].value : "");
        width = strlen(left[i]) > width ? strlen(left[i]) : width;
    }
    char *text = rf_strdup("");
    for (size_t i = 0; i < count; i++) {
        rf_append(&text, "  %-*s   %s\n", (int)width, left[i], known[i].help);
        free(left[i]);
    }
    return text;
}
