/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/recipe.h"

#include "base/file.h"
#include "base/memory.h"
#include "profiles/yaml.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

enum { RECIPE_MAX = 64 << 10, WORDS_MAX = 1000 };

static void free_words(char **words)
{
    for (size_t i = 0; words && words[i]; i++)
        free(words[i]);
    free(words);
}

void rf_image_recipes_free(struct rf_image_recipe *recipes, size_t count)
{
    for (size_t i = 0; recipes && i < count; i++) {
        free(recipes[i].name);
        free(recipes[i].directory);
        free(recipes[i].file);
        free_words(recipes[i].packages);
        free_words(recipes[i].enable);
        free_words(recipes[i].mask);
        free_words(recipes[i].remove);
    }
    free(recipes);
}

/* Words become arguments of commands run as root: names of packages and units, and paths. No option, no "..". */
static bool word_valid(const char *word)
{
    if (!isalnum((unsigned char)word[0]) && word[0] != '/')
        return false;
    return word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._@:/")] == '\0' &&
           !strstr(word, "..");
}

/* An absent list is empty. */
static char **words_of(const rf_node *image, const char *key, const char *file, rf_problems *problems)
{
    const rf_node *list = rf_node_child(image, key);
    char **words = rf_alloc((list && list->count < WORDS_MAX ? list->count + 1 : 1) * sizeof(*words));
    if (!list)
        return words;
    if (list->kind != RF_NODE_LIST || list->count >= WORDS_MAX) {
        rf_problem_at(problems, file, list->line, list->column, key, "a list is wanted here");
        return words;
    }
    size_t used = 0;
    for (size_t i = 0; i < list->count; i++) {
        const rf_node *item = &list->children[i];
        if (item->kind == RF_NODE_TEXT && word_valid(item->text))
            words[used++] = rf_strdup(item->text);
        else
            rf_problem_at(problems, file, item->line, item->column, key, "this can't be a name or a path");
    }
    return words;
}

static void read_recipe(struct rf_image_recipe *recipe, const char *file, const rf_node *root, rf_problems *problems)
{
    const rf_node *image = rf_node_child(root, "image"), *name = image ? rf_node_child(image, "file") : NULL;
    recipe->packages = words_of(image, "packages", file, problems);
    recipe->enable = words_of(image, "enable", file, problems);
    recipe->mask = words_of(image, "mask", file, problems);
    recipe->remove = words_of(image, "remove", file, problems);
    if (!name || name->kind != RF_NODE_TEXT || !word_valid(name->text) || strchr(name->text, '/'))
        rf_problem_at(problems, file, root->line, root->column, "image.file", "a plain file name is wanted");
    else
        recipe->file = rf_strdup(name->text);
}

static int is_name(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void add_recipe(const char *directory, const char *name, struct rf_image_recipe **recipes, size_t *count,
                       rf_problems *problems)
{
    rf_autofree char *folder = rf_format("%s/%s", directory, name);
    rf_autofree char *file = rf_format("%s/recipe.yaml", folder);
    rf_autofree char *text = NULL;
    size_t size;
    if (!rf_exists(file))
        return;
    rf_autoerror rf_error *error = NULL;
    if (rf_read_file(file, RECIPE_MAX, &text, &size, &error) < 0) {
        rf_autofree char *why = rf_error_text(error);
        rf_problem_at(problems, file, 0, 0, NULL, "%s", why);
        return;
    }
    rf_autonode rf_node *root = rf_yaml_read(file, text, size, problems);
    if (!root)
        return;
    struct rf_image_recipe *recipe = rf_array_add(recipes, count, sizeof(*recipe));
    *recipe = (struct rf_image_recipe){.name = rf_strdup(name), .directory = RF_STEAL(folder)};
    read_recipe(recipe, file, root, problems);
}

int rf_image_recipes(const char *directory, struct rf_image_recipe **ret_recipes, size_t *ret_count,
                     rf_problems *problems, rf_error **err)
{
    struct dirent **names = NULL;
    int found = scandir(directory, &names, is_name, alphasort);
    if (found < 0)
        return rf_fail_errno(err, RF_BAD_MACHINE, errno, "the recipes in %s can't be read", directory);
    struct rf_image_recipe *recipes = NULL;
    size_t count = 0;
    for (int i = 0; i < found; i++) {
        add_recipe(directory, names[i]->d_name, &recipes, &count, problems);
        free(names[i]);
    }
    free(names);
    *ret_recipes = recipes;
    *ret_count = count;
    return 0;
}
