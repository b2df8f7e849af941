/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading recipe.yaml. */
#include "postinstall/recipe.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "postinstall/probe.h"
#include "postinstall/reader.h"
#include "profiles/yaml.h"

#include <dirent.h>
#include <string.h>

enum {
    CORES_MAX = 512,
    SECONDS_MAX = 24 * 3600,
    HEALTH_SECONDS = 900, /* a first boot with cloud-init takes one minute with KVM and ten without */
    PROBE_SECONDS = 30,
    SECRET_LENGTH = 20,
    SECRET_MIN = 12,
    SECRET_MAX = 64,
    PORT_MAX = 65535,
};

#define KNOWN(at, ...)                                                                                                 \
    rf_reader_known(at, (const char *const[]){__VA_ARGS__}, RF_COUNT(((const char *[]){__VA_ARGS__})))

static struct rf_recipe_size read_size(const struct rf_reader *root, const char *key)
{
    struct rf_reader at = rf_reader_map(root, key);
    KNOWN(&at, "cores", "memory", "disk");
    return (struct rf_recipe_size){.cores = (unsigned)rf_reader_integer(&at, "cores", 1, CORES_MAX),
                                   .memory = rf_reader_size(&at, "memory"),
                                   .disk = rf_reader_size(&at, "disk")};
}

static json_t *fallback_of(const struct rf_setting_type *type, const char *text)
{
    if (!text || !type)
        return NULL;
    if (strcmp(type->name, "integer") == 0)
        return json_integer(strtoll(text, NULL, 10));
    if (strcmp(type->name, "boolean") == 0)
        return json_boolean(strcmp(text, "true") == 0);
    return json_string(text);
}

static void read_setting(rf_recipe *recipe, const char *name, const struct rf_reader *at)
{
    KNOWN(at, "type", "title", "required", "default", "first_label_of");
    struct rf_recipe_setting *setting = rf_array_add(&recipe->settings, &recipe->settings_count, sizeof(*setting));
    const char *type = rf_reader_string(at, "type", true);
    setting->name = rf_strdup(name);
    setting->title = rf_strdup(rf_reader_string(at, "title", true));
    setting->type = type ? rf_setting_type(type) : NULL;
    setting->required = rf_reader_boolean(at, "required", false);
    setting->first_label_of = rf_strdup(rf_reader_string(at, "first_label_of", false));
    setting->fallback = fallback_of(setting->type, rf_reader_string(at, "default", false));
    if (type && !setting->type) {
        rf_autofree char *names = rf_setting_type_names();
        rf_reader_problem(at, "type", "unknown type '%s'; there are %s", type, names);
    }
    const char *wrong = setting->fallback ? setting->type->wrong(setting->fallback) : NULL;
    if (wrong)
        rf_reader_problem(at, "default", "this %s", wrong);
}

static void read_secret(rf_recipe *recipe, const char *name, const struct rf_reader *at)
{
    KNOWN(at, "title", "length");
    struct rf_recipe_secret *secret = rf_array_add(&recipe->secrets, &recipe->secrets_count, sizeof(*secret));
    secret->name = rf_strdup(name);
    secret->title = rf_strdup(rf_reader_string(at, "title", true));
    secret->length = (unsigned)rf_reader_integer(at, "length", SECRET_LENGTH, SECRET_MAX);
    if (secret->length < SECRET_MIN)
        rf_reader_problem(at, "length", "a password shorter than %d characters is none", SECRET_MIN);
}

static void read_port(rf_recipe *recipe, const struct rf_reader *at)
{
    KNOWN(at, "protocol", "port", "title");
    struct rf_recipe_port *port = rf_array_add(&recipe->ports, &recipe->ports_count, sizeof(*port));
    port->protocol = rf_strdup(rf_reader_string(at, "protocol", true));
    port->port = (unsigned)rf_reader_integer(at, "port", 0, PORT_MAX);
    port->title = rf_strdup(rf_reader_string(at, "title", true));
    if (port->protocol && strcmp(port->protocol, "tcp") != 0 && strcmp(port->protocol, "udp") != 0)
        rf_reader_problem(at, "protocol", "'%s' is neither tcp nor udp", port->protocol);
    if (port->port == 0)
        rf_reader_problem(at, "port", "a port from 1 to 65535 is needed");
}

static const struct rf_recipe_setting *setting_named(const rf_recipe *recipe, const char *name)
{
    for (size_t i = 0; i < recipe->settings_count; i++)
        if (strcmp(recipe->settings[i].name, name) == 0)
            return &recipe->settings[i];
    return NULL;
}

static const struct rf_recipe_secret *secret_named(const rf_recipe *recipe, const char *name)
{
    for (size_t i = 0; i < recipe->secrets_count; i++)
        if (strcmp(recipe->secrets[i].name, name) == 0)
            return &recipe->secrets[i];
    return NULL;
}

static void check_probe(const rf_recipe *recipe, const struct rf_recipe_probe *probe, const struct rf_reader *at)
{
    if (probe->zone && !setting_named(recipe, probe->zone))
        rf_reader_problem(at, "zone", "there is no setting '%s'", probe->zone);
    if (probe->secret && !secret_named(recipe, probe->secret))
        rf_reader_problem(at, "secret", "there is no secret '%s'", probe->secret);
    const char *missing = probe->ops ? probe->ops->missing(probe) : NULL;
    if (missing)
        rf_reader_problem(at, NULL, "a probe of type %s needs '%s'", probe->ops->name, missing);
}

static void read_probe(rf_recipe *recipe, const struct rf_reader *at)
{
    KNOWN(at, "name", "type", "argv", "secret", "service", "zone", "port", "seconds");
    struct rf_recipe_probe *probe = rf_array_add(&recipe->probes, &recipe->probes_count, sizeof(*probe));
    const char *type = rf_reader_string(at, "type", true);
    probe->name = rf_strdup(rf_reader_string(at, "name", true));
    probe->ops = type ? rf_probe_ops(type) : NULL;
    probe->argv = rf_reader_strings(at, "argv");
    probe->secret = rf_strdup(rf_reader_string(at, "secret", false));
    probe->service = rf_strdup(rf_reader_string(at, "service", false));
    probe->zone = rf_strdup(rf_reader_string(at, "zone", false));
    probe->port = (unsigned)rf_reader_integer(at, "port", 0, PORT_MAX);
    probe->seconds = (unsigned)rf_reader_integer(at, "seconds", PROBE_SECONDS, SECONDS_MAX);
    if (type && !probe->ops) {
        rf_autofree char *names = rf_probe_names();
        rf_reader_problem(at, "type", "unknown probe '%s'; there are %s", type, names);
    }
    check_probe(recipe, probe, at);
}

static void read_image(rf_recipe *recipe, const struct rf_reader *root)
{
    struct rf_reader at = rf_reader_map(root, "image");
    KNOWN(&at, "file", "packages", "enable", "mask", "remove");
    if (!at.node)
        rf_reader_problem(root, NULL, "the key 'image' is missing");
    else
        recipe->image = rf_strdup(rf_reader_string(&at, "file", true));
    recipe->image_packages = rf_reader_strings(&at, "packages");
    recipe->image_enable = rf_reader_strings(&at, "enable");
    recipe->image_mask = rf_reader_strings(&at, "mask");
    recipe->image_remove = rf_reader_strings(&at, "remove");
    if (recipe->image && (strchr(recipe->image, '/') || recipe->image[0] == '.'))
        rf_reader_problem(&at, "file", "'%s' must be a plain file name", recipe->image);
}

static void read_settings(rf_recipe *recipe, const struct rf_reader *root)
{
    struct rf_reader settings = rf_reader_map(root, "settings"), secrets = rf_reader_map(root, "secrets"), at;
    for (size_t i = 0; rf_reader_entry(&settings, i, &at); i++)
        read_setting(recipe, at.node->key, &at);
    for (size_t i = 0; i < recipe->settings_count; i++) {
        const char *of = recipe->settings[i].first_label_of;
        if (of && !setting_named(recipe, of))
            rf_reader_problem(&settings, recipe->settings[i].name, "first_label_of: there is no setting '%s'", of);
    }
    for (size_t i = 0; rf_reader_entry(&secrets, i, &at); i++)
        read_secret(recipe, at.node->key, &at);
    recipe->zone = rf_strdup(rf_reader_string(root, "zone", false));
    if (recipe->zone && !setting_named(recipe, recipe->zone))
        rf_reader_problem(root, "zone", "there is no setting '%s'", recipe->zone);
}

static void read_health(rf_recipe *recipe, const struct rf_reader *root)
{
    struct rf_reader health = rf_reader_map(root, "health"), at;
    KNOWN(&health, "seconds", "probes");
    recipe->health_seconds = (unsigned)rf_reader_integer(&health, "seconds", HEALTH_SECONDS, SECONDS_MAX);
    struct rf_reader probes = rf_reader_list(&health, "probes");
    for (size_t i = 0; rf_reader_entry(&probes, i, &at); i++)
        read_probe(recipe, &at);
    if (recipe->probes_count == 0)
        rf_reader_problem(root, "health",
                          "a recipe needs at least one probe: nobody could say whether the guest works");
}

static void read_recipe(rf_recipe *recipe, const struct rf_reader *root)
{
    KNOWN(root, "recipe", "title", "image", "defaults", "minimums", "settings", "secrets", "ports", "zone", "health");
    if (rf_reader_integer(root, "recipe", 0, UINT32_MAX) != 1)
        rf_reader_problem(root, "recipe", "this program reads recipes of version 1; write 'recipe: 1'");
    recipe->title = rf_strdup(rf_reader_string(root, "title", true));
    read_image(recipe, root);
    recipe->defaults = read_size(root, "defaults");
    recipe->minimums = read_size(root, "minimums");
    if (recipe->defaults.memory == 0 || recipe->defaults.disk == 0)
        rf_reader_problem(root, "defaults", "memory and disk are needed");
    read_settings(recipe, root);
    struct rf_reader ports = rf_reader_list(root, "ports"), at;
    for (size_t i = 0; rf_reader_entry(&ports, i, &at); i++)
        read_port(recipe, &at);
    read_health(recipe, root);
}

rf_recipe *rf_recipe_parse(const char *file, const char *directory, const char *name, const char *text, size_t size,
                           rf_problems *problems)
{
    size_t before = problems->count;
    rf_autonode rf_node *document = rf_yaml_read(file, text, size, problems);
    if (!document)
        return NULL;
    struct rf_reader root = {.file = file, .problems = problems, .node = document};
    if (document->kind != RF_NODE_MAP) {
        rf_reader_problem(&root, NULL, "a mapping (key: value) is expected here");
        return NULL;
    }
    rf_autorecipe rf_recipe *recipe = rf_alloc(sizeof(*recipe));
    recipe->name = rf_strdup(name);
    recipe->directory = rf_strdup(directory);
    read_recipe(recipe, &root);
    return problems->count == before ? RF_STEAL(recipe) : NULL;
}

const char *rf_recipes_dir(void)
{
    const char *dir = getenv("RICHTFEST_RECIPES");
    return dir && *dir ? dir : RF_RECIPES_DIR;
}

rf_recipe *rf_recipe_load(const char *recipes_dir, const char *name, rf_problems *problems)
{
    rf_autofree char *directory = rf_format("%s/%s", recipes_dir, name);
    rf_autofree char *file = rf_format("%s/recipe.yaml", directory);
    rf_autofree char *text = NULL;
    rf_autoerror rf_error *why = NULL;
    size_t size = 0;
    if (rf_read_file(file, RF_RECIPE_MAX, &text, &size, &why) < 0) {
        rf_autofree char *line = rf_error_text(why);
        rf_problem_at(problems, file, 0, 0, NULL, "%s", line);
        return NULL;
    }
    return rf_recipe_parse(file, directory, name, text, size, problems);
}

static int is_recipe(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && entry->d_type != DT_REG;
}

json_t *rf_recipe_names(const char *recipes_dir)
{
    json_t *names = json_array();
    struct dirent **entries = NULL;
    int count = scandir(recipes_dir, &entries, is_recipe, alphasort);
    for (int i = 0; i < count; i++) {
        json_array_append_new(names, json_string(entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
    return names;
}

static void free_settings(rf_recipe *recipe)
{
    for (size_t i = 0; i < recipe->settings_count; i++) {
        free(recipe->settings[i].name);
        free(recipe->settings[i].title);
        free(recipe->settings[i].first_label_of);
        json_decref(recipe->settings[i].fallback);
    }
    for (size_t i = 0; i < recipe->secrets_count; i++) {
        free(recipe->secrets[i].name);
        free(recipe->secrets[i].title);
    }
    free(recipe->settings);
    free(recipe->secrets);
}

static void free_probes(rf_recipe *recipe)
{
    for (size_t i = 0; i < recipe->probes_count; i++) {
        free(recipe->probes[i].name);
        json_decref(recipe->probes[i].argv);
        free(recipe->probes[i].secret);
        free(recipe->probes[i].service);
        free(recipe->probes[i].zone);
    }
    free(recipe->probes);
}

void rf_recipe_free(rf_recipe *recipe)
{
    if (!recipe)
        return;
    free_settings(recipe);
    free_probes(recipe);
    for (size_t i = 0; i < recipe->ports_count; i++) {
        free(recipe->ports[i].protocol);
        free(recipe->ports[i].title);
    }
    free(recipe->ports);
    free(recipe->name);
    free(recipe->directory);
    free(recipe->title);
    free(recipe->image);
    free(recipe->zone);
    json_decref(recipe->image_packages);
    json_decref(recipe->image_enable);
    json_decref(recipe->image_mask);
    json_decref(recipe->image_remove);
    free(recipe);
}
