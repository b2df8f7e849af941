/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Of recipe.yaml: the disk image, the machine that it wants, its sizes. */
#include "base/memory.h"
#include "postinstall/recipe_read.h"

#include <string.h>

enum { CORES_MAX = 512 };

static struct rf_recipe_size read_size(const struct rf_reader *root, const char *key)
{
    struct rf_reader at = rf_reader_map(root, key);
    RF_READER_KNOWN(&at, "cores", "memory", "disk");
    return (struct rf_recipe_size){.cores = (unsigned)rf_reader_integer(&at, "cores", 1, CORES_MAX),
                                   .memory = rf_reader_size(&at, "memory"),
                                   .disk = rf_reader_size(&at, "disk")};
}

static void read_machine(rf_recipe *recipe, const struct rf_reader *root)
{
    static const char *const firmwares[] = {"bios", "uefi"};
    recipe->uefi = rf_reader_word(root, "firmware", firmwares, RF_COUNT(firmwares), 0) == 1;
    recipe->tpm = rf_reader_boolean(root, "tpm", false);
    if (recipe->tpm && !recipe->uefi)
        rf_reader_problem(root, "tpm", "systems that want a TPM want UEFI too; write 'firmware: uefi'");
}

void rf_recipe_read_image(rf_recipe *recipe, const struct rf_reader *root)
{
    struct rf_reader at = rf_reader_map(root, "image");
    RF_READER_KNOWN(&at, "file", "packages", "enable", "mask", "remove", "build", "overlay");
    const bool fetched = root->node && rf_node_child(root->node, "fetch");
    if (!at.node && !fetched)
        rf_reader_problem(root, NULL, "the key 'image' is missing");
    else if (at.node && fetched)
        rf_reader_problem(root, "fetch", "a guest's image is built or fetched, not both; leave out 'image' or 'fetch'");
    else if (at.node)
        recipe->image = rf_strdup(rf_reader_string(&at, "file", true));
    recipe->image_packages = rf_reader_strings(&at, "packages");
    recipe->image_enable = rf_reader_strings(&at, "enable");
    recipe->image_mask = rf_reader_strings(&at, "mask");
    recipe->image_remove = rf_reader_strings(&at, "remove");
    recipe->image_build = rf_reader_argv(&at, "build");
    recipe->artefacts = rf_reader_strings(root, "artefacts");
    recipe->more_artefacts = rf_reader_strings(root, "more_artefacts");
    if (!rf_reader_boolean(&at, "overlay", true))
        rf_reader_problem(&at, "overlay", "every recipe's image is an overlay; leave it out");
    if (recipe->image && (strchr(recipe->image, '/') || recipe->image[0] == '.'))
        rf_reader_problem(&at, "file", "'%s' must be a plain file name", recipe->image);
    read_machine(recipe, root);
    recipe->defaults = read_size(root, "defaults");
    recipe->minimums = read_size(root, "minimums");
    if (recipe->defaults.memory == 0 || recipe->defaults.disk == 0)
        rf_reader_problem(root, "defaults", "memory and disk are needed");
    else if (recipe->defaults.memory < recipe->minimums.memory || recipe->defaults.disk < recipe->minimums.disk ||
             recipe->defaults.cores < recipe->minimums.cores)
        rf_reader_problem(root, "defaults", "they are below the minimums");
}

void rf_recipe_free_image(rf_recipe *recipe)
{
    free(recipe->image);
    json_decref(recipe->image_packages);
    json_decref(recipe->image_enable);
    json_decref(recipe->image_mask);
    json_decref(recipe->image_remove);
    json_decref(recipe->image_build);
    json_decref(recipe->artefacts);
    json_decref(recipe->more_artefacts);
}
