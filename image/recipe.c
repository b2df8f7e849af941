/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/recipe.h"

#include "base/file.h"
#include "base/memory.h"
#include "profiles/suggest.h"
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
        free_words(recipes[i].build);
        free_words(recipes[i].artefacts);
    }
    free(recipes);
}

#define WORD_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._@:/"

static bool made_of(const char *word, const char *characters)
{
    if (!isalnum((unsigned char)word[0]) && word[0] != '/')
        return false;
    return word[strspn(word, characters)] == '\0' && !strstr(word, "..");
}

/* Words become arguments of commands run as root: names of packages and units, and paths. No option, no "..". */
static bool word_valid(const char *word)
{
    return made_of(word, WORD_CHARACTERS);
}

/* A path that glob(7) may find several of. */
static bool pattern_valid(const char *word)
{
    return made_of(word, WORD_CHARACTERS "*?[]~");
}

/* An argument of the recipe's own command: what it means is the command's business. */
static bool argument_valid(const char *word)
{
    return word[0] != '\0';
}

/* An absent list is empty. */
static char **list_of(const rf_node *above, const char *key, bool (*valid)(const char *word), const char *file,
                      rf_problems *problems)
{
    const rf_node *list = above ? rf_node_child(above, key) : NULL;
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
        if (item->kind == RF_NODE_TEXT && valid(item->text))
            words[used++] = rf_strdup(item->text);
        else
            rf_problem_at(problems, file, item->line, item->column, key, "this can't be a name or a path");
    }
    return words;
}

static char **words_of(const rf_node *above, const char *key, const char *file, rf_problems *problems)
{
    return list_of(above, key, word_valid, file, problems);
}

/* Takes both over. */
static char **join(char **words, char **more)
{
    size_t count = 0, further = 0;
    while (words[count])
        count++;
    while (more[further])
        further++;
    char **all = rf_alloc((count + further + 1) * sizeof(*all));
    memcpy(all, words, count * sizeof(*all));
    memcpy(all + count, more, further * sizeof(*all));
    free(words);
    free(more);
    return all;
}

static bool file_valid(const rf_node *name)
{
    return name && name->kind == RF_NODE_TEXT && word_valid(name->text) && !strchr(name->text, '/');
}

static void read_file_name(struct rf_image_recipe *recipe, const char *file, const rf_node *image,
                           rf_problems *problems)
{
    const rf_node *name = rf_node_child(image, "file"), *at = name ? name : image;
    if (!file_valid(name))
        rf_problem_at(problems, file, at->line, at->column, "image.file", "a plain file name is wanted");
    else if (strncmp(name->text, RF_GUEST_BASE_PREFIX, strlen(RF_GUEST_BASE_PREFIX)) == 0)
        rf_problem_at(problems, file, at->line, at->column, "image.file",
                      "names that begin with '" RF_GUEST_BASE_PREFIX "' belong to the base of all images");
    else
        recipe->file = rf_strdup(name->text);
}

static void check_file_names(const struct rf_image_recipe *recipes, size_t count, rf_problems *problems)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; recipes[i].file && j < i; j++)
            if (recipes[j].file && strcmp(recipes[i].file, recipes[j].file) == 0)
                rf_problem(problems, recipes[i].name, "recipe %s has an image of that name, too: %s", recipes[j].name,
                           recipes[i].file);
}

static void read_recipe(struct rf_image_recipe *recipe, const char *file, const rf_node *root, const rf_node *image,
                        rf_problems *problems)
{
    recipe->wanted = true;
    recipe->packages = words_of(image, "packages", file, problems);
    recipe->enable = words_of(image, "enable", file, problems);
    recipe->mask = words_of(image, "mask", file, problems);
    recipe->remove = list_of(image, "remove", pattern_valid, file, problems);
    recipe->build = list_of(image, "build", argument_valid, file, problems);
    recipe->artefacts =
        join(words_of(root, "artefacts", file, problems), words_of(root, "more_artefacts", file, problems));
    read_file_name(recipe, file, image, problems);
    const rf_node *build = rf_node_child(image, "build");
    if (recipe->build[0] && recipe->build[0][0] != '/')
        rf_problem_at(problems, file, build->line, build->column, "image.build",
                      "the command is named by its whole path: /usr/lib/richtfest/…");
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
    const rf_node *image = root ? rf_node_child(root, "image") : NULL;
    if (!image)
        return;
    struct rf_image_recipe *recipe = rf_array_add(recipes, count, sizeof(*recipe));
    *recipe = (struct rf_image_recipe){.name = rf_strdup(name), .directory = RF_STEAL(folder)};
    read_recipe(recipe, file, root, image, problems);
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
    check_file_names(recipes, count, problems);
    *ret_recipes = recipes;
    *ret_count = count;
    return 0;
}

static struct rf_image_recipe *recipe_named(struct rf_image_recipe *recipes, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(recipes[i].name, name) == 0)
            return &recipes[i];
    return NULL;
}

static int unknown_recipe(const struct rf_image_recipe *recipes, size_t count, const char *name, rf_error **err)
{
    rf_autofree const char **names = rf_alloc((count + 1) * sizeof(*names));
    rf_autofree char *all = NULL;
    for (size_t i = 0; i < count; i++) {
        names[i] = recipes[i].name;
        rf_append(&all, "%s%s", i ? ", " : "", recipes[i].name);
    }
    const char *near = rf_suggest(name, names, count);
    return near ? rf_fail(err, RF_USAGE, "there is no recipe '%s' with an image; did you mean '%s'?", name, near)
                : rf_fail(err, RF_USAGE, "there is no recipe '%s' with an image; there are %s", name,
                          all ? all : "none");
}

int rf_image_recipes_choose(struct rf_image_recipe *recipes, size_t count, const char *names, rf_error **err)
{
    for (size_t i = 0; i < count; i++)
        recipes[i].wanted = false;
    rf_autofree char *copy = rf_strdup(names);
    for (char *rest = copy, *name; (name = strsep(&rest, ","));) {
        struct rf_image_recipe *recipe = recipe_named(recipes, count, name);
        if (!recipe)
            return unknown_recipe(recipes, count, name, err);
        recipe->wanted = true;
    }
    return 0;
}
