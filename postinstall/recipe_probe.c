/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Of recipe.yaml: the probes that say whether the guest works. */
#include "base/memory.h"
#include "postinstall/probe.h"
#include "postinstall/recipe_read.h"

#include <string.h>

enum {
    SECONDS_MAX = 24 * 3600,
    HEALTH_SECONDS = 900, /* a first boot with cloud-init takes one minute with KVM and ten without */
    PROBE_SECONDS = 30,
    PORT_MAX = 65535,
    STATUS_MAX = 599,
    KEYS_MAX = 16,
};

#define OF_DIRECTORY "directory."

/* The keys that every probe has, and those of its type. */
static void check_keys(const struct rf_recipe_probe *probe, const struct rf_reader *at)
{
    const char *known[KEYS_MAX] = {"name", "type", "seconds", "when"};
    size_t count = 4;
    for (const char *const *key = probe->ops ? probe->ops->keys : NULL; key && *key && count < KEYS_MAX; key++)
        known[count++] = *key;
    if (probe->ops)
        rf_reader_known(at, known, count);
}

static void read_secret(const rf_recipe *recipe, struct rf_recipe_probe *probe, const struct rf_reader *at)
{
    const char *name = rf_reader_string(at, "secret", false);
    if (!name)
        return;
    probe->of_directory = strncmp(name, OF_DIRECTORY, strlen(OF_DIRECTORY)) == 0;
    probe->secret = rf_strdup(name + (probe->of_directory ? strlen(OF_DIRECTORY) : 0));
    if (probe->of_directory && recipe->wants_directory == RF_DIRECTORY_NONE)
        rf_reader_problem(at, "secret", "this guest has no directory; write 'directory: optional' or 'required'");
    if (!probe->of_directory && !rf_recipe_secret_named(recipe, name))
        rf_reader_problem(at, "secret", "there is no secret '%s'", name);
}

static void check_setting(const rf_recipe *recipe, const char *name, const char *key, const struct rf_reader *at)
{
    if (name && !rf_recipe_setting_named(recipe, name))
        rf_reader_problem(at, key, "there is no setting '%s'", name);
}

static void read_http(struct rf_recipe_probe *probe, const struct rf_reader *at)
{
    static const char *const ways[] = {"guest", "proxy"};
    probe->path = rf_strdup(rf_reader_string(at, "path", false));
    probe->contains = rf_strdup(rf_reader_string(at, "contains", false));
    probe->host = rf_strdup(rf_reader_string(at, "host", false));
    probe->status = (unsigned)rf_reader_integer(at, "status", 0, STATUS_MAX);
    probe->via_proxy = rf_reader_word(at, "via", ways, RF_COUNT(ways), 0) == 1;
    if (probe->path && probe->path[0] != '/')
        rf_reader_problem(at, "path", "'%s' must begin with a slash", probe->path);
    if (probe->via_proxy && probe->port)
        rf_reader_problem(at, "port", "people come to the proxy by HTTPS: without `port`, or `via: guest`");
}

static void check_name(const rf_recipe *recipe, const struct rf_recipe_probe *probe, const struct rf_reader *at)
{
    for (size_t i = 0; i + 1 < recipe->probes_count; i++)
        if (probe->name && recipe->probes[i].name && strcmp(recipe->probes[i].name, probe->name) == 0)
            rf_reader_problem(at, "name", "there is another probe '%s'", probe->name);
}

/* `when: {SETTING: VALUE}` */
static void read_when(const rf_recipe *recipe, struct rf_recipe_probe *probe, const struct rf_reader *at)
{
    struct rf_reader when = rf_reader_map(at, "when"), entry;
    if (!when.node)
        return;
    if (!rf_reader_entry(&when, 0, &entry) || when.node->count != 1 || entry.node->kind != RF_NODE_TEXT) {
        rf_reader_problem(at, "when", "one setting and its value are wanted here: {health: agent}");
        return;
    }
    probe->when = rf_strdup(entry.node->key);
    probe->is = rf_strdup(entry.node->text);
    check_setting(recipe, probe->when, "when", at);
}

static void read_probe(rf_recipe *recipe, const struct rf_reader *at)
{
    struct rf_recipe_probe *probe = rf_array_add(&recipe->probes, &recipe->probes_count, sizeof(*probe));
    const char *type = rf_reader_string(at, "type", true);
    probe->name = rf_strdup(rf_reader_string(at, "name", true));
    probe->ops = type ? rf_probe_ops(type) : NULL;
    probe->argv = rf_reader_argv(at, "argv");
    probe->service = rf_strdup(rf_reader_string(at, "service", false));
    probe->zone = rf_strdup(rf_reader_string(at, "zone", false));
    probe->port = (unsigned)rf_reader_integer(at, "port", 0, PORT_MAX);
    probe->port_of = rf_strdup(rf_reader_string(at, "port_of", false));
    probe->seconds = (unsigned)rf_reader_integer(at, "seconds", PROBE_SECONDS, SECONDS_MAX);
    read_secret(recipe, probe, at);
    read_when(recipe, probe, at);
    read_http(probe, at);
    if (type && !probe->ops) {
        rf_autofree char *names = rf_probe_names();
        rf_reader_problem(at, "type", "unknown probe '%s'; there are %s", type, names);
    }
    check_keys(probe, at);
    check_name(recipe, probe, at);
    check_setting(recipe, probe->zone, "zone", at);
    check_setting(recipe, probe->host, "host", at);
    check_setting(recipe, probe->port_of, "port_of", at);
    const char *missing = probe->ops ? probe->ops->missing(probe) : NULL;
    if (missing)
        rf_reader_problem(at, NULL, "a probe of type %s needs '%s'", probe->ops->name, missing);
}

void rf_recipe_read_health(rf_recipe *recipe, const struct rf_reader *root)
{
    struct rf_reader health = rf_reader_map(root, "health"), at;
    RF_READER_KNOWN(&health, "seconds", "probes");
    recipe->health_seconds = (unsigned)rf_reader_integer(&health, "seconds", HEALTH_SECONDS, SECONDS_MAX);
    struct rf_reader probes = rf_reader_list(&health, "probes");
    for (size_t i = 0; rf_reader_entry(&probes, i, &at); i++)
        read_probe(recipe, &at);
    if (recipe->probes_count == 0)
        rf_reader_problem(root, "health",
                          "a recipe needs at least one probe: nobody could say whether the guest works");
}

void rf_recipe_free_probe(struct rf_recipe_probe *probe)
{
    free(probe->port_of);
    free(probe->when);
    free(probe->is);
    free(probe->name);
    json_decref(probe->argv);
    free(probe->secret);
    free(probe->service);
    free(probe->zone);
    free(probe->path);
    free(probe->contains);
    free(probe->host);
}

void rf_recipe_without_directory(rf_recipe *recipe)
{
    size_t kept = 0;
    for (size_t i = 0; i < recipe->probes_count; i++) {
        if (recipe->probes[i].of_directory)
            rf_recipe_free_probe(&recipe->probes[i]);
        else
            recipe->probes[kept++] = recipe->probes[i];
    }
    recipe->probes_count = kept;
}

void rf_recipe_free_health(rf_recipe *recipe)
{
    for (size_t i = 0; i < recipe->probes_count; i++)
        rf_recipe_free_probe(&recipe->probes[i]);
    free(recipe->probes);
}
