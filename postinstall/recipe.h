/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A recipe: one folder of data per kind of guest, no C.
 *
 *   recipe.yaml      what this file reads
 *   user-data.j2     cloud-init's user data; cloud-init's own Jinja fills it in from the seed's meta-data
 *   files/           a tree that the image builder copies into the guest's image, modes included
 */
#pragma once

#include "base/problem.h"
#include "postinstall/setting.h"
#include "profiles/profile.h"

#define RF_RECIPE_MAX (64U << 10) /* bytes of recipe.yaml and of user-data.j2, each */

struct rf_probe_ops; /* postinstall/probe.h */

struct rf_recipe_size {
    unsigned cores;
    uint64_t memory, disk; /* bytes */
};

struct rf_recipe_setting {
    char *name, *title;
    const struct rf_setting_type *type;
    bool required;
    json_t *fallback;     /* or NULL */
    char *first_label_of; /* the default is this other setting's first DNS label; or NULL */
};

struct rf_recipe_secret {
    char *name;  /* key in the seed's meta-data and in the hand-over */
    char *title; /* what the admins read beside it */
    unsigned length;
};

/* A port that the guest serves; for the reference and for the firewall of later issues. */
struct rf_recipe_port {
    char *protocol; /* "tcp" or "udp" */
    unsigned port;
    char *title;
};

struct rf_recipe_probe {
    char *name; /* "Kerberos": unique in the recipe */
    const struct rf_probe_ops *ops;
    json_t *argv;         /* array of strings (exec); else NULL */
    char *secret;         /* exec: this secret on standard input, as long as it is kept; or NULL */
    char *service, *zone; /* dns_srv: "_ldap._tcp", and the setting that holds the zone */
    unsigned port;
    unsigned seconds; /* one attempt */
};

typedef struct rf_recipe {
    char *name;      /* the folder's */
    char *directory; /* the folder's path */
    char *title;
    char *image; /* file below RF_BASE_IMAGES */
    /* For the image builder, arrays of strings: packages to install, units to enable and to mask, files to remove. */
    json_t *image_packages, *image_enable, *image_mask, *image_remove;
    struct rf_recipe_size defaults, minimums;
    struct rf_recipe_setting *settings;
    size_t settings_count;
    struct rf_recipe_secret *secrets;
    size_t secrets_count;
    struct rf_recipe_port *ports;
    size_t ports_count;
    char *zone;              /* the setting whose value is the DNS zone that this guest serves; or NULL */
    unsigned health_seconds; /* how long a guest may take from its start until it is healthy */
    struct rf_recipe_probe *probes;
    size_t probes_count;
} rf_recipe;

/* The directory to use: RICHTFEST_RECIPES from the environment, else RF_RECIPES_DIR. Borrowed. */
const char *rf_recipes_dir(void);

/* Reads recipes_dir/name/recipe.yaml. NULL and problems (with FILE:LINE:COLUMN) where it is wrong or can't be read. */
rf_recipe *rf_recipe_load(const char *recipes_dir, const char *name, rf_problems *problems);

/* The same from a text; no file is opened. `file` names it in messages, `directory` is kept. */
rf_recipe *rf_recipe_parse(const char *file, const char *directory, const char *name, const char *text, size_t size,
                           rf_problems *problems);

void rf_recipe_free(rf_recipe *recipe);
RF_GUARD(rf_recipe, rf_recipe_free);
#define rf_autorecipe RF_CLEANUP(rf_guard_rf_recipe)

/* The names of all recipes in the directory, sorted; a JSON array of strings. Empty where there is none. */
json_t *rf_recipe_names(const char *recipes_dir);

/* The guest's settings with the recipe's defaults filled in. The caller owns the object. Only for a guest that rf_guests_check
 * has passed. */
json_t *rf_recipe_settings(const rf_recipe *recipe, const struct rf_guest *guest);

/* Checks every guest of the profile against its recipe: unknown recipe, unknown, missing and ill-typed settings, too few
 * cores, too little memory or disk, more guests than the subnet has room for. Every problem is added with the profile's
 * positions. Reads the recipes' files, nothing else. */
void rf_guests_check(const rf_profile *profile, const char *recipes_dir, rf_problems *problems);
