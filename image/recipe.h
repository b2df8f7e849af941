/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the builder needs of a guest's recipe: the part `image` of recipe.yaml. The rest is the node's (postinstall/recipe.h). */
#pragma once

#include "base/problem.h"

#include <stddef.h>

struct rf_image_recipe {
    char *name;                                  /* the folder's */
    char *directory;                             /* its path */
    char *file;                                  /* "active-directory.qcow2" */
    char **packages, **enable, **mask, **remove; /* NULL-terminated lists of words */
};

/* Every recipe below `directory`, sorted by name. Folders without a recipe.yaml are left out. What is wrong in one is added to
 * `problems`; -1 only where the directory can't be read. */
int rf_image_recipes(const char *directory, struct rf_image_recipe **ret_recipes, size_t *ret_count,
                     rf_problems *problems, rf_error **err);
void rf_image_recipes_free(struct rf_image_recipe *recipes, size_t count);
