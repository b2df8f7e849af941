/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The guests of a profile against their recipes. */
#include "base/json.h"
#include "base/memory.h"
#include "base/units.h"
#include "postinstall/recipe_read.h"
#include "profiles/suggest.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

enum { WORDS_MAX = 64 };

struct check {
    const rf_profile *profile;
    const struct rf_guest *guest;
    size_t index;
    rf_problems *problems;
};

static void problem(const struct check *check, const char *key, const char *format, ...) RF_PRINTF(3, 4);

/* At the value of the guest's key, or at what is around it where it is not written. */
static void problem(const struct check *check, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    rf_autofree char *text = rf_format_list(format, args);
    va_end(args);
    rf_autofree char *path = rf_format("guests[%zu].%s", check->index, key);
    rf_profile_problem(check->profile, check->problems, path, "%s", text);
}

static size_t words_of(const json_t *names, const char **ret_words)
{
    size_t count = json_array_size(names) < WORDS_MAX ? json_array_size(names) : WORDS_MAX;
    for (size_t i = 0; i < count; i++)
        ret_words[i] = json_string_value(json_array_get(names, i));
    return count;
}

static bool known_recipe(const struct check *check, const char *recipes_dir)
{
    json_t *names = rf_recipe_names(recipes_dir);
    const char *words[WORDS_MAX];
    size_t count = words_of(names, words);
    bool known = false;
    rf_autofree char *all = NULL;
    for (size_t i = 0; i < count; i++) {
        known |= strcmp(words[i], check->guest->recipe) == 0;
        rf_append(&all, "%s%s", i ? ", " : "", words[i]);
    }
    const char *near = rf_suggest(check->guest->recipe, words, count);
    if (!known && near)
        problem(check, "recipe", "there is no recipe '%s'; did you mean '%s'?", check->guest->recipe, near);
    else if (!known)
        problem(check, "recipe", "there is no recipe '%s'; there are: %s", check->guest->recipe, all ? all : "none");
    json_decref(names);
    return known;
}

static void check_size(const struct check *check, const char *key, uint64_t asked, uint64_t minimum)
{
    if (asked == 0 || asked >= minimum)
        return;
    rf_autofree char *has = rf_size_text(asked), *needs = rf_size_text(minimum);
    problem(check, key, "%s is too little for '%s'; give it %s or more", has, check->guest->recipe, needs);
}

static void check_sizes(const struct check *check, const rf_recipe *recipe)
{
    if (check->guest->cores && check->guest->cores < recipe->minimums.cores)
        problem(check, "cores", "%u is too little for '%s'; give it %u or more", check->guest->cores,
                check->guest->recipe, recipe->minimums.cores);
    check_size(check, "memory", check->guest->memory, recipe->minimums.memory);
    check_size(check, "disk", check->guest->disk, recipe->minimums.disk);
}

static void check_known(const struct check *check, const rf_recipe *recipe)
{
    const char *words[WORDS_MAX], *key;
    json_t *value;
    size_t count = recipe->settings_count < WORDS_MAX ? recipe->settings_count : WORDS_MAX;
    for (size_t i = 0; i < count; i++)
        words[i] = recipe->settings[i].name;
    json_object_foreach(check->guest->settings, key, value)
    {
        bool known = false;
        for (size_t i = 0; i < count; i++)
            known |= strcmp(words[i], key) == 0;
        if (known)
            continue;
        const char *near = rf_suggest(key, words, count);
        rf_autofree char *path = rf_format("guests[%zu].settings.%s", check->index, key);
        rf_profile_problem_key(check->profile, check->problems, path,
                               near ? "the recipe '%s' has no such setting; did you mean '%s'?"
                                    : "the recipe '%s' has no such setting%s",
                               recipe->name, near ? near : "");
    }
}

/* One setting of the guest under check. */
struct value {
    const struct check *check;
    const struct rf_recipe_setting *setting;
};

static void say_value(void *data, const char *where, const char *text)
{
    const struct value *value = data;
    rf_autofree char *key = rf_format("settings.%s%s", value->setting->name, where);
    problem(value->check, key, "%s", text);
}

static void say_missing(const struct check *check, const struct rf_recipe_setting *setting)
{
    const char *first = json_string_value(json_array_get(setting->choices, 0));
    const char *example = first ? first : setting->type->example;
    rf_autofree char *path = rf_format("settings.%s", setting->name);
    problem(check, path, "this setting is missing (%s); write for example '%s: %s'", setting->title, setting->name,
            example);
}

static void check_settings(const struct check *check, const rf_recipe *recipe)
{
    rf_autojson json_t *all = rf_recipe_settings(recipe, check->guest);
    check_known(check, recipe);
    for (size_t i = 0; i < recipe->settings_count; i++) {
        const struct rf_recipe_setting *setting = &recipe->settings[i];
        const json_t *given = json_object_get(check->guest->settings, setting->name);
        struct value value = {check, setting};
        if (given)
            rf_setting_check(&(struct rf_setting_check){setting, all, say_value, &value}, given);
        else if (setting->required)
            say_missing(check, setting);
    }
}

/* A default that derives from another setting may not fit its own type (a NetBIOS name from a long label). */
static void check_derived(const struct check *check, const rf_recipe *recipe)
{
    rf_autojson json_t *settings = rf_recipe_settings(recipe, check->guest);
    for (size_t i = 0; i < recipe->settings_count; i++) {
        const struct rf_recipe_setting *setting = &recipe->settings[i];
        const json_t *value = json_object_get(settings, setting->name);
        if (!setting->first_label_of || !value || json_object_get(check->guest->settings, setting->name))
            continue;
        rf_autofree char *wrong = rf_setting_wrong(setting, value);
        rf_autofree char *path = rf_format("settings.%s", setting->name);
        if (wrong)
            problem(check, path, "its default, made from %s, does not do: %s", setting->first_label_of, wrong);
    }
}

static void say_machine(void *data, const char *setting, const char *text)
{
    rf_autofree char *key = rf_format("settings.%s", setting);
    problem(data, key, "%s", text);
}

static rf_recipe *check_guest(const struct check *check, const char *recipes_dir)
{
    if (!known_recipe(check, recipes_dir))
        return NULL;
    rf_recipe *recipe = rf_recipe_load(recipes_dir, check->guest->recipe, check->problems);
    if (!recipe)
        return NULL;
    check_sizes(check, recipe);
    check_settings(check, recipe);
    check_derived(check, recipe);
    rf_autojson json_t *settings = rf_recipe_settings(recipe, check->guest);
    rf_recipe_check_machine(recipe, settings, say_machine, (void *)check);
    return recipe;
}

void rf_guests_check(const rf_profile *profile, const char *recipes_dir, rf_problems *problems)
{
    rf_autofree rf_recipe **recipes = rf_alloc((profile->guests_count + 1) * sizeof(rf_recipe *));
    for (size_t i = 0; i < profile->guests_count; i++)
        recipes[i] = check_guest(&(struct check){profile, &profile->guests[i], i, problems}, recipes_dir);
    rf_recipe_check_together(profile, (const rf_recipe *const *)recipes, problems);
    for (size_t i = 0; i < profile->guests_count; i++)
        rf_recipe_free(recipes[i]);
}

static json_t *derived(const struct rf_recipe_setting *setting, const json_t *settings)
{
    const char *from =
        setting->first_label_of ? json_string_value(json_object_get(settings, setting->first_label_of)) : NULL;
    if (!from)
        return setting->fallback ? json_incref(setting->fallback) : NULL;
    return json_stringn(from, strcspn(from, "."));
}

json_t *rf_recipe_settings(const rf_recipe *recipe, const struct rf_guest *guest)
{
    json_t *settings = guest->settings ? json_deep_copy(guest->settings) : json_object();
    for (size_t i = 0; i < recipe->settings_count; i++) {
        const struct rf_recipe_setting *setting = &recipe->settings[i];
        if (json_object_get(settings, setting->name))
            continue;
        json_t *value = derived(setting, settings);
        if (value)
            json_object_set_new(settings, setting->name, value);
    }
    return settings;
}
