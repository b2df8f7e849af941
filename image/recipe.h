/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the builder needs of a guest's recipe: the part `image` of recipe.yaml, and the artefacts. The rest is the node's
 * (postinstall/recipe.h). */
#pragma once

#include "base/problem.h"

#include <stdbool.h>
#include <stddef.h>

#define RF_GUEST_BASE_PREFIX "base-" /* no recipe's file may begin with this: what all images stand on does */

struct rf_image_recipe {
    char *name;                                  /* the folder's */
    char *directory;                             /* its path */
    char *file;                                  /* "active-directory.qcow2" */
    char **packages, **enable, **mask, **remove; /* NULL-terminated lists of words */
    char **build;     /* a command for the chroot, run once when everything is in place; empty: none */
    char **artefacts; /* names in image/data/artefacts.yaml: `artefacts` and `more_artefacts` */
    bool wanted;      /* is built; the others only keep their place in the cache */
};

/* Every recipe below `directory` that has an image, sorted by name. Folders without a recipe.yaml, and recipes without `image`
 * (theirs is fetched by the node), are left out. What is wrong in one is added to `problems`; -1 only where the directory can't
 * be read. All are wanted. */
int rf_image_recipes(const char *directory, struct rf_image_recipe **ret_recipes, size_t *ret_count,
                     rf_problems *problems, rf_error **err);
void rf_image_recipes_free(struct rf_image_recipe *recipes, size_t count);

/* Wants only those in `names` ("nextcloud,tryton"). RF_USAGE: one that is unknown, with a suggestion. */
int rf_image_recipes_choose(struct rf_image_recipe *recipes, size_t count, const char *names, rf_error **err);
