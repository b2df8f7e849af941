/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Of recipe.yaml: an image that the node fetches, and a machine that the guest's settings choose. */
#include "base/json.h"
#include "base/memory.h"
#include "postinstall/recipe_read.h"

#include <string.h>

#define UEFI "uefi"
#define PLAIN "plain"

/* The name of a setting that must be there, of that type; NULL where the key is absent or wrong. */
static char *read_setting(const rf_recipe *recipe, const struct rf_reader *at, const char *key, const char *type,
                          bool required)
{
    const char *name = rf_reader_string(at, key, required);
    const struct rf_recipe_setting *setting = name ? rf_recipe_setting_named(recipe, name) : NULL;
    if (name && (!setting || !setting->type || strcmp(setting->type->name, type) != 0))
        rf_reader_problem(at, key, "there is no setting '%s' of type %s", name, type);
    return rf_strdup(name);
}

static bool offers(const struct rf_recipe_setting *setting, const char *word)
{
    for (size_t i = 0; i < json_array_size(setting->choices); i++)
        if (strcmp(json_string_value(json_array_get(setting->choices, i)), word) == 0)
            return true;
    return false;
}

/* Every word that the setting offers must be one that this program knows. */
static void check_choices(const rf_recipe *recipe, const struct rf_reader *at, const char *key, const char *name,
                          const char *one, const char *other)
{
    const struct rf_recipe_setting *setting = name ? rf_recipe_setting_named(recipe, name) : NULL;
    const size_t known = setting ? (size_t)offers(setting, one) + (size_t)offers(setting, other) : 0;
    if (setting && known != json_array_size(setting->choices))
        rf_reader_problem(at, key, "the setting '%s' may offer %s and %s, and nothing else", name, one, other);
}

void rf_recipe_read_fetch(rf_recipe *recipe, const struct rf_reader *root)
{
    struct rf_reader fetch = rf_reader_map(root, "fetch"), machine = rf_reader_map(root, "machine");
    RF_READER_KNOWN(&fetch, "url", "sha256", "format");
    RF_READER_KNOWN(&machine, "firmware", "tpm", "drivers");
    if (fetch.node) {
        recipe->fetch = (struct rf_recipe_fetch){.url = read_setting(recipe, &fetch, "url", "url", true),
                                                 .sha256 = read_setting(recipe, &fetch, "sha256", "sha256", true),
                                                 .format = read_setting(recipe, &fetch, "format", "choice", true)};
        check_choices(recipe, &fetch, "format", recipe->fetch.format, "qcow2", "raw");
    }
    if (machine.node) {
        recipe->machine =
            (struct rf_recipe_machine){.firmware = read_setting(recipe, &machine, "firmware", "choice", false),
                                       .tpm = read_setting(recipe, &machine, "tpm", "boolean", false),
                                       .drivers = read_setting(recipe, &machine, "drivers", "choice", false)};
        check_choices(recipe, &machine, "firmware", recipe->machine.firmware, "bios", UEFI);
        check_choices(recipe, &machine, "drivers", recipe->machine.drivers, "virtio", PLAIN);
    }
}

void rf_recipe_free_fetch(rf_recipe *recipe)
{
    free(recipe->fetch.url);
    free(recipe->fetch.sha256);
    free(recipe->fetch.format);
    free(recipe->machine.firmware);
    free(recipe->machine.tpm);
    free(recipe->machine.drivers);
}

static bool is_word(const json_t *settings, const char *name, const char *word)
{
    const char *value = rf_json_string(settings, name);
    return value && strcmp(value, word) == 0;
}

struct machine {
    bool uefi, tpm, plain;
};

static struct machine machine_of(const rf_recipe *recipe, const json_t *settings)
{
    struct machine machine = {recipe->uefi, recipe->tpm, recipe->plain};
    if (recipe->machine.firmware)
        machine.uefi = is_word(settings, recipe->machine.firmware, UEFI);
    if (recipe->machine.tpm)
        machine.tpm = json_is_true(json_object_get(settings, recipe->machine.tpm));
    if (recipe->machine.drivers)
        machine.plain = is_word(settings, recipe->machine.drivers, PLAIN);
    return machine;
}

void rf_recipe_check_machine(const rf_recipe *recipe, const json_t *settings,
                             void (*problem)(void *data, const char *setting, const char *text), void *data)
{
    const struct machine machine = machine_of(recipe, settings);
    if (machine.tpm && !machine.uefi && recipe->machine.tpm)
        problem(data, recipe->machine.tpm, "systems that want a TPM want UEFI too; write 'firmware: uefi' beside it");
}

static bool wanted(const struct rf_recipe_probe *probe, const json_t *settings)
{
    const json_t *value = probe->when ? json_object_get(settings, probe->when) : NULL;
    const char *word = json_is_boolean(value) ? (json_is_true(value) ? "true" : "false") : json_string_value(value);
    return !probe->when || (word && strcmp(word, probe->is) == 0);
}

/* A rule about passwords holds for those that the node makes, too: the directory would refuse them. */
static void choose_lengths(rf_recipe *recipe, const json_t *settings)
{
    for (size_t i = 0; i < recipe->secrets_count; i++) {
        struct rf_recipe_secret *secret = &recipe->secrets[i];
        json_int_t least = secret->at_least ? rf_json_integer(settings, secret->at_least, 0) : 0;
        if (least > (json_int_t)secret->length)
            secret->length = (unsigned)least;
    }
}

void rf_recipe_choose(rf_recipe *recipe, const json_t *settings)
{
    const struct machine machine = machine_of(recipe, settings);
    size_t kept = 0;
    recipe->uefi = machine.uefi;
    recipe->tpm = machine.tpm;
    recipe->plain = machine.plain;
    for (size_t i = 0; i < recipe->probes_count; i++) {
        struct rf_recipe_probe *probe = &recipe->probes[i];
        if (probe->port_of)
            probe->port = (unsigned)rf_json_integer(settings, probe->port_of, probe->port);
        if (wanted(probe, settings))
            recipe->probes[kept++] = *probe;
        else
            rf_recipe_free_probe(probe);
    }
    recipe->probes_count = kept;
    choose_lengths(recipe, settings);
}
