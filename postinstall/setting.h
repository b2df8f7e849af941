/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A recipe's settings: what a guest of the profile may say below `settings`. Each type is one row with the check of a value; a list's
 * or an object's check says which part of it is wrong, so that the message stands at that part.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct rf_setting_type;

struct rf_recipe_setting {
    char *name, *title;
    const struct rf_setting_type *type;
    bool required;
    json_t *fallback;     /* or NULL */
    char *first_label_of; /* the default is this other setting's first DNS label; or NULL */
    json_t *choices;      /* of `choice`: array of strings; else NULL */
    json_t *places;       /* of `dial`: what it may hold, the number's first; array of strings; else NULL */
    json_int_t min, max;  /* of `integer`, both included */
    char *groups; /* of `accounts`: the setting of type `names` that lists the groups they may be in; or NULL: any */
    /* Groups that are there anyway, array of strings, or NULL. Of `accounts`: that they may be in beyond that list; of `names`: that
     * members may name beyond what it lists. */
    json_t *more_groups;
};

struct rf_setting_check {
    const struct rf_recipe_setting *setting;
    const json_t *settings; /* all the guest's settings, defaults filled in, for what one says about another; or NULL */
    /* Called for each problem: `where` is the part of the value ("" or "[1].mail"), `text` a whole message. */
    void (*problem)(void *data, const char *where, const char *text);
    void *data;
};

struct rf_setting_type {
    const char *name;
    const char *example;
    /* NULL where a simple value is fine, else what is wrong with it ("is not …"; a constant). NULL for the others. */
    const char *(*wrong)(const json_t *value);
    /* For types whose check needs more than the value, or says more than one problem. */
    void (*check)(const struct rf_setting_check *check, const json_t *value);
};

/* NULL for an unknown name. */
const struct rf_setting_type *rf_setting_type(const char *name);

/* "boolean, choice, …": for messages. The caller frees it. */
char *rf_setting_type_names(void);

/* Tells every problem of a value. Pure. */
void rf_setting_check(const struct rf_setting_check *check, const json_t *value);

/* The first problem of a value as a whole message without its place, or NULL. The caller frees it. */
char *rf_setting_wrong(const struct rf_recipe_setting *setting, const json_t *value);

/* For the types: tells one problem as `VALUE WRONG; write for example 'EXAMPLE'`. */
void rf_setting_say(const struct rf_setting_check *check, const char *where, const json_t *value, const char *wrong,
                    const char *example);

/* For the types: is this a host name of at least two labels (RFC 1123, 2.1)? */
bool rf_setting_is_name(const char *text);

extern const struct rf_setting_type rf_setting_names, rf_setting_paths, rf_setting_accounts; /* setting_list.c */
