/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Of recipe.yaml: settings and secrets. */
#include "base/memory.h"
#include "postinstall/recipe_read.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

enum {
    SECRET_LENGTH = 20,
    SECRET_MIN = 12,
    SECRET_MAX = 64,
};

const struct rf_recipe_setting *rf_recipe_setting_named(const rf_recipe *recipe, const char *name)
{
    for (size_t i = 0; i < recipe->settings_count; i++)
        if (strcmp(recipe->settings[i].name, name) == 0)
            return &recipe->settings[i];
    return NULL;
}

const struct rf_recipe_secret *rf_recipe_secret_named(const rf_recipe *recipe, const char *name)
{
    for (size_t i = 0; i < recipe->secrets_count; i++)
        if (strcmp(recipe->secrets[i].name, name) == 0)
            return &recipe->secrets[i];
    return NULL;
}

/* What only some types have. */
static void read_parameters(struct rf_recipe_setting *setting, const struct rf_reader *at)
{
    bool integer = setting->type && strcmp(setting->type->name, "integer") == 0;
    bool choice = setting->type && strcmp(setting->type->name, "choice") == 0;
    bool dial = setting->type && strcmp(setting->type->name, "dial") == 0;
    bool accounts = setting->type == &rf_setting_accounts;
    setting->min = (json_int_t)rf_reader_integer(at, "min", 0, INT_MAX);
    setting->max = (json_int_t)rf_reader_integer(at, "max", INT_MAX, INT_MAX);
    setting->choices = rf_reader_strings(at, "choices");
    setting->places = rf_reader_strings(at, "places");
    setting->groups = rf_strdup(rf_reader_string(at, "groups", false));
    setting->more_groups = rf_reader_strings(at, "more_groups");
    if (setting->min > setting->max)
        rf_reader_problem(at, "max", "it is smaller than min");
    if (choice && json_array_size(setting->choices) == 0)
        rf_reader_problem(at, NULL, "a choice needs 'choices', a list of words");
    if (!choice && json_array_size(setting->choices))
        rf_reader_problem(at, "choices", "only a setting of type choice has them");
    if (dial != (json_array_size(setting->places) > 0))
        rf_reader_problem(at, dial ? NULL : "places",
                          dial ? "a setting of type dial needs 'places', the number's first"
                               : "only a setting of type dial has them");
    if (!integer && (setting->min || setting->max != INT_MAX))
        rf_reader_problem(at, "min", "only a setting of type integer has min and max");
    if (!accounts && setting->groups)
        rf_reader_problem(at, "groups", "only a setting of type accounts has it");
    if (!accounts && setting->type != &rf_setting_names && json_array_size(setting->more_groups))
        rf_reader_problem(at, "more_groups", "only settings of the types accounts and names have it");
}

/* Where a problem of a default is told. */
static void say_default(void *data, const char *where, const char *text)
{
    const struct rf_reader *at = data;
    rf_reader_problem(at, "default", "%s%s%s", where, *where ? ": " : "", text);
}

static void read_default(struct rf_recipe_setting *setting, const struct rf_reader *at)
{
    setting->fallback = rf_reader_json(at, "default");
    const struct rf_setting_check check = {.setting = setting, .problem = say_default, .data = (void *)at};
    if (setting->fallback && setting->type)
        rf_setting_check(&check, setting->fallback);
    if (setting->fallback && setting->required)
        rf_reader_problem(at, "required", "a setting with a default is not required");
}

static void read_setting(rf_recipe *recipe, const char *name, const struct rf_reader *at)
{
    RF_READER_KNOWN(at, "type", "title", "required", "default", "first_label_of", "choices", "places", "min", "max",
                    "groups", "more_groups");
    struct rf_recipe_setting *setting = rf_array_add(&recipe->settings, &recipe->settings_count, sizeof(*setting));
    const char *type = rf_reader_string(at, "type", true);
    setting->name = rf_strdup(name);
    setting->title = rf_strdup(rf_reader_string(at, "title", true));
    setting->type = type ? rf_setting_type(type) : NULL;
    setting->required = rf_reader_boolean(at, "required", false);
    setting->first_label_of = rf_strdup(rf_reader_string(at, "first_label_of", false));
    if (type && !setting->type) {
        rf_autofree char *names = rf_setting_type_names();
        rf_reader_problem(at, "type", "unknown type '%s'; there are %s", type, names);
    }
    read_parameters(setting, at);
    read_default(setting, at);
}

/* References are checked when all are read: they may point forward. */
static void check_references(const rf_recipe *recipe, const struct rf_reader *settings)
{
    struct rf_reader at;
    for (size_t i = 0; i < recipe->settings_count && rf_reader_entry(settings, i, &at); i++) {
        const struct rf_recipe_setting *setting = &recipe->settings[i];
        const struct rf_recipe_setting *groups =
            setting->groups ? rf_recipe_setting_named(recipe, setting->groups) : NULL;
        if (setting->first_label_of && !rf_recipe_setting_named(recipe, setting->first_label_of))
            rf_reader_problem(&at, "first_label_of", "there is no setting '%s'", setting->first_label_of);
        if (setting->groups && (!groups || groups->type != &rf_setting_names))
            rf_reader_problem(&at, "groups", "there is no setting '%s' of type names", setting->groups);
    }
}

static bool good_secret_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    return islower((unsigned char)name[0]) && strspn(name, letters) == strlen(name);
}

static void read_secret(rf_recipe *recipe, const char *name, const struct rf_reader *at)
{
    static const char *const taken[] = {"tls_key", "directory_service", "directory_join"};
    RF_READER_KNOWN(at, "title", "length", "at_least", "keep", "each");
    struct rf_recipe_secret *secret = rf_array_add(&recipe->secrets, &recipe->secrets_count, sizeof(*secret));
    secret->name = rf_strdup(name);
    secret->title = rf_strdup(rf_reader_string(at, "title", true));
    secret->length = (unsigned)rf_reader_integer(at, "length", SECRET_LENGTH, SECRET_MAX);
    secret->keep = rf_reader_boolean(at, "keep", false);
    secret->each = rf_strdup(rf_reader_string(at, "each", false));
    const struct rf_recipe_setting *each = secret->each ? rf_recipe_setting_named(recipe, secret->each) : NULL;
    if (secret->each && (!each || each->type != &rf_setting_accounts))
        rf_reader_problem(at, "each", "there is no setting '%s' of type accounts", secret->each);
    secret->at_least = rf_strdup(rf_reader_string(at, "at_least", false));
    const struct rf_recipe_setting *least = secret->at_least ? rf_recipe_setting_named(recipe, secret->at_least) : NULL;
    if (secret->at_least && (!least || strcmp(least->type ? least->type->name : "", "integer") != 0))
        rf_reader_problem(at, "at_least", "there is no setting '%s' of type integer", secret->at_least);
    else if (least && least->max > SECRET_MAX)
        rf_reader_problem(at, "at_least", "'%s' may ask for more than %d characters; give it a 'max'", secret->at_least,
                          SECRET_MAX);
    if (secret->each && secret->keep)
        rf_reader_problem(at, "keep", "people's passwords do not stay on the node");
    if (secret->length < SECRET_MIN)
        rf_reader_problem(at, "length", "a password shorter than %d characters is none", SECRET_MIN);
    if (!good_secret_name(name))
        rf_reader_problem(at, NULL, "a secret's name has lower-case letters, digits and '_', the first a letter");
    for (size_t i = 0; i < RF_COUNT(taken); i++)
        if (strcmp(name, taken[i]) == 0)
            rf_reader_problem(at, NULL, "the node itself hands a secret of this name in; choose another one");
}

void rf_recipe_read_settings(rf_recipe *recipe, const struct rf_reader *root)
{
    struct rf_reader settings = rf_reader_map(root, "settings"), secrets = rf_reader_map(root, "secrets"), at;
    for (size_t i = 0; rf_reader_entry(&settings, i, &at); i++)
        read_setting(recipe, at.node->key, &at);
    check_references(recipe, &settings);
    for (size_t i = 0; rf_reader_entry(&secrets, i, &at); i++)
        read_secret(recipe, at.node->key, &at);
}

void rf_recipe_free_settings(rf_recipe *recipe)
{
    for (size_t i = 0; i < recipe->settings_count; i++) {
        struct rf_recipe_setting *setting = &recipe->settings[i];
        free(setting->name);
        free(setting->title);
        free(setting->first_label_of);
        free(setting->groups);
        json_decref(setting->fallback);
        json_decref(setting->choices);
        json_decref(setting->places);
        json_decref(setting->more_groups);
    }
    free(recipe->settings);
    for (size_t i = 0; i < recipe->secrets_count; i++) {
        free(recipe->secrets[i].name);
        free(recipe->secrets[i].title);
        free(recipe->secrets[i].each);
        free(recipe->secrets[i].at_least);
    }
    free(recipe->secrets);
}
