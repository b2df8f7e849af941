/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading recipe.yaml, a file per subject. Only postinstall/recipe*.c include this. */
#pragma once

#include "postinstall/reader.h"
#include "postinstall/recipe.h"

/* Each fills its part of the recipe from the document's root and adds problems; what they allocate is freed by the function beside
 * it. They are called in this order: later ones refer to the settings and secrets. */
void rf_recipe_read_image(rf_recipe *recipe, const struct rf_reader *root);
void rf_recipe_free_image(rf_recipe *recipe);
void rf_recipe_read_settings(rf_recipe *recipe, const struct rf_reader *root);
void rf_recipe_free_settings(rf_recipe *recipe);
void rf_recipe_read_service(rf_recipe *recipe, const struct rf_reader *root);
void rf_recipe_free_service(rf_recipe *recipe);
void rf_recipe_read_health(rf_recipe *recipe, const struct rf_reader *root);
void rf_recipe_free_health(rf_recipe *recipe);

/* What one probe holds, not itself. */
void rf_recipe_free_probe(struct rf_recipe_probe *probe);

/* Reads `fetch` and `machine`, which name settings: after the settings. */
void rf_recipe_read_fetch(rf_recipe *recipe, const struct rf_reader *root);
void rf_recipe_free_fetch(rf_recipe *recipe);

/* What one guest's settings (with defaults) say together that no machine can be. `problem` gets the setting and a whole message. Pure. */
void rf_recipe_check_machine(const rf_recipe *recipe, const json_t *settings,
                             void (*problem)(void *data, const char *setting, const char *text), void *data);

/* What the profile's guests are to each other: directories, published names, zones, addresses, cores. `recipes` has one for each
 * guest, NULL where it is not known. Pure. */
void rf_recipe_check_together(const rf_profile *profile, const rf_recipe *const *recipes, rf_problems *problems);
