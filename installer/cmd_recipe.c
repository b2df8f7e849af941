/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest recipe check DIR, recipe list: for whoever writes recipes, and for whoever chooses one. */
#include "base/memory.h"
#include "installer/subcommand.h"
#include "postinstall/recipe.h"

static int check(const struct rf_subcommand *self, int argc, char **argv)
{
    char **words;
    int count = rf_read_options(self, argc, argv, NULL, &words);
    if (count < 0)
        return RF_USAGE;
    if (count != 1 || !*words[0])
        return rf_say_usage(self, count < 2 ? "which folder?" : "one folder at a time");
    rf_autoproblems rf_problems problems = {0};
    rf_autorecipe rf_recipe *recipe = rf_recipe_check_folder(words[0], &problems);
    if (problems.count)
        return rf_say_problems(&problems, RF_BAD_PROFILE);
    printf("%s: valid; recipe %s (%s) with %zu setting%s and %zu probe%s\n", words[0], recipe->name, recipe->title,
           recipe->settings_count, recipe->settings_count == 1 ? "" : "s", recipe->probes_count,
           recipe->probes_count == 1 ? "" : "s");
    return RF_OK;
}

const struct rf_subcommand rf_cmd_recipe_check = {
    .name = "recipe check",
    .usage = "DIR",
    .summary = "validates a recipe's folder; every problem with its position",
    .help = "DIR holds recipe.yaml, user-data.j2 and files/. 0: valid, 1: not.\n",
    .run = check,
};

static int list(const struct rf_subcommand *self, int argc, char **argv)
{
    char **words;
    int count = rf_read_options(self, argc, argv, NULL, &words);
    if (count < 0)
        return RF_USAGE;
    if (count > 0)
        return rf_say_usage(self, "it takes no arguments");
    static const char *const wants[] = {"", "; may have a directory", "; needs a directory"};
    rf_autoproblems rf_problems problems = {0};
    json_t *names = rf_recipe_names(rf_recipes_dir());
    size_t index;
    json_t *name;
    json_array_foreach(names, index, name)
    {
        rf_autorecipe rf_recipe *recipe = rf_recipe_load(rf_recipes_dir(), json_string_value(name), &problems);
        if (recipe)
            printf("%-18s %s%s%s%s\n", recipe->name, recipe->title, wants[recipe->wants_directory],
                   recipe->serves_directory ? "; is a directory" : "",
                   recipe->publish.host ? "; published by HTTPS" : "");
    }
    json_decref(names);
    return problems.count ? rf_say_problems(&problems, RF_BAD_PROFILE) : RF_OK;
}

const struct rf_subcommand rf_cmd_recipe_list = {
    .name = "recipe list",
    .usage = "",
    .summary = "the recipes that guests can have",
    .run = list,
};
