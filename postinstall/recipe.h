/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A recipe: one folder of data per kind of guest, no C.
 *
 *   recipe.yaml      what this file reads; every key is explained in docs/reference/recipe.md
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

struct rf_recipe_secret {
    char *name;  /* key in the seed's meta-data and in the hand-over */
    char *title; /* what the admins read beside it */
    unsigned length;
    char *at_least; /* the setting (of type integer) that may ask for more characters; or NULL */
    bool keep;      /* stays on the node for the standing probes, and is never handed over */
    char *each;     /* one for each account of this setting, its key "NAME.ACCOUNT"; or NULL */
};

/* Who reaches a port from beyond the guest's own node. */
enum rf_recipe_to {
    RF_TO_MEMBERS = 1, /* the guests whose directory this guest is */
    RF_TO_GUESTS = 2,  /* every guest of the node */
    RF_TO_VPN = 4,     /* the peers of access.vpn */
};

struct rf_recipe_port {
    char *protocol; /* "tcp" or "udp" */
    unsigned port;
    char *title;
    unsigned to; /* enum rf_recipe_to; a guest with `reach` reaches all ports anyway */
};

struct rf_recipe_probe {
    char *name; /* "Kerberos": unique in the recipe */
    const struct rf_probe_ops *ops;
    json_t *argv;         /* array of strings (exec); else NULL */
    char *secret;         /* exec: this secret on standard input, as long as it is kept; or NULL */
    bool of_directory;    /* the secret is one of the guest's directory's; without a directory the probe is not asked */
    char *service, *zone; /* dns_srv: "_ldap._tcp", and the setting that holds the zone */
    char *path, *contains; /* http: what is asked for, what the answer holds */
    char *host;            /* http, exec: the setting that names the site */
    unsigned status;       /* http: 0: any of 200 to 399 */
    bool via_proxy;        /* http, exec: by the published name over HTTPS, as people do; else the guest's own port */
    unsigned port;
    unsigned seconds; /* one attempt */
    char *port_of;    /* tcp: the setting that holds the port; or NULL */
    char *when, *is;  /* asked only where this setting has this value; or NULL: always */
};

/* The settings that say which image the node fetches; all NULL where the image comes with the ISO. */
struct rf_recipe_fetch {
    char *url, *sha256, *format;
};

/* The settings that choose the machine instead of the recipe; or NULL. */
struct rf_recipe_machine {
    char *firmware, *tpm, *drivers;
};

/* How the node's reverse proxy shows the guest to the world. */
struct rf_recipe_publish {
    char *host;    /* the setting that names it; NULL: not published */
    unsigned port; /* of the guest, plain HTTP */
    char *title;
    uint64_t body; /* bytes that one request may bring */
};

/* What a backup takes and what it must hold still for that; arrays of strings. */
struct rf_recipe_backup {
    json_t *paths, *quiesce, *thaw;
};

enum rf_recipe_directory { RF_DIRECTORY_NONE, RF_DIRECTORY_OPTIONAL, RF_DIRECTORY_REQUIRED };

typedef struct rf_recipe {
    char *name;      /* the folder's */
    char *directory; /* the folder's path */
    char *title;
    char *image; /* file below RF_BASE_IMAGES; NULL: fetched */
    struct rf_recipe_fetch fetch;
    struct rf_recipe_machine machine;
    /* For the image builder, arrays of strings: packages to install, units to enable and to mask, files to remove, the command to run
     * once, the artefacts to unpack: those that the guest can't be without, and those that it can. */
    json_t *image_packages, *image_enable, *image_mask, *image_remove, *image_build, *artefacts, *more_artefacts;
    bool uefi, tpm; /* the machine that the image wants */
    bool plain;     /* devices that every system has drivers for, instead of virtio */
    struct rf_recipe_size defaults, minimums;
    struct rf_recipe_setting *settings;
    size_t settings_count;
    struct rf_recipe_secret *secrets;
    size_t secrets_count;
    struct rf_recipe_port *ports;
    size_t ports_count;
    struct rf_recipe_publish publish;
    enum rf_recipe_directory wants_directory;
    bool serves_directory; /* it holds the accounts, and enrols members (/usr/lib/richtfest/enrol) */
    char *zone;            /* the setting whose value is the DNS zone that this guest serves; or NULL */
    json_t *configure; /* array of strings: run with the guest's description when its settings changed; may be empty */
    struct rf_recipe_backup backup;
    unsigned health_seconds; /* how long a guest may take until one probe says ok, and then the next */
    struct rf_recipe_probe *probes;
    size_t probes_count;
} rf_recipe;

/* The directory to use: RICHTFEST_RECIPES from the environment, else RF_RECIPES_DIR. Borrowed. */
const char *rf_recipes_dir(void);

/* Reads recipes_dir/name/recipe.yaml. NULL and problems (with FILE:LINE:COLUMN) where it is wrong or can't be read. */
rf_recipe *rf_recipe_load(const char *recipes_dir, const char *name, rf_problems *problems);

/* The same for a folder anywhere. */
rf_recipe *rf_recipe_load_folder(const char *folder, const char *name, rf_problems *problems);

/* The same from a text; no file is opened. `file` names it in messages, `directory` is kept. */
rf_recipe *rf_recipe_parse(const char *file, const char *directory, const char *name, const char *text, size_t size,
                           rf_problems *problems);

void rf_recipe_free(rf_recipe *recipe);
RF_GUARD(rf_recipe, rf_recipe_free);
#define rf_autorecipe RF_CLEANUP(rf_guard_rf_recipe)

/* The recipe's row of that name, or NULL. Borrowed. */
const struct rf_recipe_setting *rf_recipe_setting_named(const rf_recipe *recipe, const char *name);
const struct rf_recipe_secret *rf_recipe_secret_named(const rf_recipe *recipe, const char *name);

/* Lets a guest's settings (with defaults) choose: the machine, the probes that are asked, their ports, how long passwords must be. The recipe is that guest's own from
 * then on. */
void rf_recipe_choose(rf_recipe *recipe, const json_t *settings);

/* Leaves out the probes that ask with a secret of the directory: for a guest that has none. */
void rf_recipe_without_directory(rf_recipe *recipe);

/* The names of all recipes in the directory, sorted; a JSON array of strings. Empty where there is none. */
json_t *rf_recipe_names(const char *recipes_dir);

/* Checks a folder as a whole, for whoever writes one: recipe.yaml, the template, the programs and units that it names. Every problem is
 * added (with the recipe too, then). Reads files, nothing else. NULL where recipe.yaml itself is wrong. */
rf_recipe *rf_recipe_check_folder(const char *folder, rf_problems *problems);

/* The guest's settings with the recipe's defaults filled in. The caller owns the object. Only for a guest that rf_guests_check
 * has passed. */
json_t *rf_recipe_settings(const rf_recipe *recipe, const struct rf_guest *guest);

/* Checks every guest of the profile against its recipe: unknown recipe, unknown, missing and ill-typed settings, too few
 * cores, too little memory or disk, a directory that is none, more guests than the subnet has room for. Every problem is added with the
 * profile's positions. Reads the recipes' files, nothing else. */
void rf_guests_check(const rf_profile *profile, const char *recipes_dir, rf_problems *problems);
