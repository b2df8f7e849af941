/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading recipe.yaml. */
#include "postinstall/recipe.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "postinstall/recipe_read.h"
#include "profiles/yaml.h"

#include <dirent.h>
#include <string.h>

static void read_recipe(rf_recipe *recipe, const struct rf_reader *root)
{
    RF_READER_KNOWN(root, "recipe", "title", "image", "artefacts", "more_artefacts", "firmware", "tpm", "defaults",
                    "minimums", "settings", "secrets", "directory", "serves", "zone", "ports", "publish", "configure",
                    "backup", "health", "fetch", "machine");
    if (rf_reader_integer(root, "recipe", 0, UINT32_MAX) != 1)
        rf_reader_problem(root, "recipe", "this program reads recipes of version 1; write 'recipe: 1'");
    recipe->title = rf_strdup(rf_reader_string(root, "title", true));
    rf_recipe_read_image(recipe, root);
    rf_recipe_read_settings(recipe, root);
    rf_recipe_read_fetch(recipe, root);
    rf_recipe_read_service(recipe, root);
    rf_recipe_read_health(recipe, root);
}

rf_recipe *rf_recipe_parse(const char *file, const char *directory, const char *name, const char *text, size_t size,
                           rf_problems *problems)
{
    size_t before = problems->count;
    rf_autonode rf_node *document = rf_yaml_read(file, text, size, problems);
    if (!document)
        return NULL;
    struct rf_reader root = {.file = file, .problems = problems, .node = document};
    if (document->kind != RF_NODE_MAP) {
        rf_reader_problem(&root, NULL, "a mapping (key: value) is expected here");
        return NULL;
    }
    rf_autorecipe rf_recipe *recipe = rf_alloc(sizeof(*recipe));
    recipe->name = rf_strdup(name);
    recipe->directory = rf_strdup(directory);
    read_recipe(recipe, &root);
    return problems->count == before ? RF_STEAL(recipe) : NULL;
}

const char *rf_recipes_dir(void)
{
    const char *dir = getenv("RICHTFEST_RECIPES");
    return dir && *dir ? dir : RF_RECIPES_DIR;
}

rf_recipe *rf_recipe_load_folder(const char *folder, const char *name, rf_problems *problems)
{
    rf_autofree char *file = rf_format("%s/recipe.yaml", folder);
    rf_autofree char *text = NULL;
    rf_autoerror rf_error *why = NULL;
    size_t size = 0;
    if (rf_read_file(file, RF_RECIPE_MAX, &text, &size, &why) < 0) {
        rf_autofree char *line = rf_error_text(why);
        rf_problem_at(problems, file, 0, 0, NULL, "%s", line);
        return NULL;
    }
    return rf_recipe_parse(file, folder, name, text, size, problems);
}

rf_recipe *rf_recipe_load(const char *recipes_dir, const char *name, rf_problems *problems)
{
    rf_autofree char *folder = rf_format("%s/%s", recipes_dir, name);
    return rf_recipe_load_folder(folder, name, problems);
}

static int is_recipe(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && entry->d_type != DT_REG;
}

json_t *rf_recipe_names(const char *recipes_dir)
{
    json_t *names = json_array();
    struct dirent **entries = NULL;
    int count = scandir(recipes_dir, &entries, is_recipe, alphasort);
    for (int i = 0; i < count; i++) {
        json_array_append_new(names, json_string(entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
    return names;
}

void rf_recipe_free(rf_recipe *recipe)
{
    if (!recipe)
        return;
    rf_recipe_free_image(recipe);
    rf_recipe_free_fetch(recipe);
    rf_recipe_free_settings(recipe);
    rf_recipe_free_service(recipe);
    rf_recipe_free_health(recipe);
    free(recipe->name);
    free(recipe->directory);
    free(recipe->title);
    free(recipe);
}
