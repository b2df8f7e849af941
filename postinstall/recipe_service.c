/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Of recipe.yaml: what the guest is to others: ports, published name, directory, backup, reconfiguration. */
#include "base/memory.h"
#include "base/units.h"
#include "postinstall/recipe_read.h"

#include <string.h>

enum { PORT_MAX = 65535, HTTP_PORT = 80 };

#define BODY_DEFAULT (UINT64_C(1) * RF_GIB)

static const struct {
    const char *word;
    unsigned to;
} audiences[] = {{"members", RF_TO_MEMBERS}, {"guests", RF_TO_GUESTS}, {"vpn", RF_TO_VPN}};

static unsigned read_audience(const struct rf_reader *at, const rf_node *node)
{
    for (size_t i = 0; i < RF_COUNT(audiences); i++)
        if (node->kind == RF_NODE_TEXT && strcmp(audiences[i].word, node->text) == 0)
            return audiences[i].to;
    rf_reader_problem(at, "to", "'%s' is not known here; write members, guests or vpn",
                      node->kind == RF_NODE_TEXT ? node->text : "a list in a list");
    return 0;
}

/* A word or a list of words. */
static unsigned read_to(const struct rf_reader *at, unsigned fallback)
{
    const rf_node *node = at->node ? rf_node_child(at->node, "to") : NULL;
    unsigned to = 0;
    if (!node)
        return fallback;
    if (node->kind == RF_NODE_TEXT)
        return read_audience(at, node);
    for (size_t i = 0; i < node->count; i++)
        to |= read_audience(at, &node->children[i]);
    return to;
}

static void read_port(rf_recipe *recipe, const struct rf_reader *at)
{
    static const char *const protocols[] = {"tcp", "udp"};
    RF_READER_KNOWN(at, "protocol", "port", "title", "to");
    struct rf_recipe_port *port = rf_array_add(&recipe->ports, &recipe->ports_count, sizeof(*port));
    port->protocol = rf_strdup(protocols[rf_reader_word(at, "protocol", protocols, RF_COUNT(protocols), 0)]);
    port->port = (unsigned)rf_reader_integer(at, "port", 0, PORT_MAX);
    port->title = rf_strdup(rf_reader_string(at, "title", true));
    port->to = read_to(at, recipe->serves_directory ? RF_TO_MEMBERS : 0);
    if (at->node->kind == RF_NODE_MAP && !rf_node_child(at->node, "protocol"))
        rf_reader_problem(at, NULL, "the key 'protocol' is missing");
    if (port->port == 0)
        rf_reader_problem(at, "port", "a port from 1 to 65535 is needed");
    if ((port->to & RF_TO_MEMBERS) && !recipe->serves_directory)
        rf_reader_problem(at, "to", "only a directory has members; write 'serves: directory', or guests or vpn here");
}

static void read_publish(rf_recipe *recipe, const struct rf_reader *root)
{
    struct rf_reader at = rf_reader_map(root, "publish");
    if (!at.node)
        return;
    RF_READER_KNOWN(&at, "host", "port", "title", "body");
    recipe->publish.host = rf_strdup(rf_reader_string(&at, "host", true));
    recipe->publish.port = (unsigned)rf_reader_integer(&at, "port", HTTP_PORT, PORT_MAX);
    recipe->publish.title = rf_strdup(rf_reader_string(&at, "title", false));
    recipe->publish.body = rf_reader_size(&at, "body");
    recipe->publish.body = recipe->publish.body ? recipe->publish.body : BODY_DEFAULT;
    const struct rf_recipe_setting *host =
        recipe->publish.host ? rf_recipe_setting_named(recipe, recipe->publish.host) : NULL;
    if (recipe->publish.host && (!host || !host->type || strcmp(host->type->name, "host") != 0))
        rf_reader_problem(&at, "host", "there is no setting '%s' of type host", recipe->publish.host);
    if (recipe->publish.port == 0)
        rf_reader_problem(&at, "port", "a port from 1 to 65535 is needed");
}

static void read_directory(rf_recipe *recipe, const struct rf_reader *root)
{
    static const char *const wants[] = {"none", "optional", "required"}, *const serves[] = {"nothing", "directory"};
    recipe->wants_directory =
        (enum rf_recipe_directory)rf_reader_word(root, "directory", wants, RF_COUNT(wants), RF_DIRECTORY_NONE);
    recipe->serves_directory = rf_reader_word(root, "serves", serves, RF_COUNT(serves), 0) == 1;
    recipe->zone = rf_strdup(rf_reader_string(root, "zone", false));
    if (recipe->zone && !rf_recipe_setting_named(recipe, recipe->zone))
        rf_reader_problem(root, "zone", "there is no setting '%s'", recipe->zone);
    if (recipe->serves_directory && !recipe->zone)
        rf_reader_problem(root, "serves", "a directory answers DNS for its zone; name the setting by 'zone'");
    if (recipe->serves_directory && recipe->wants_directory != RF_DIRECTORY_NONE)
        rf_reader_problem(root, "directory", "a directory is no member of another one here");
}

static void read_backup(rf_recipe *recipe, const struct rf_reader *root)
{
    struct rf_reader at = rf_reader_map(root, "backup");
    RF_READER_KNOWN(&at, "paths", "quiesce", "thaw");
    recipe->backup.paths = rf_reader_strings(&at, "paths");
    recipe->backup.quiesce = rf_reader_argv(&at, "quiesce");
    recipe->backup.thaw = rf_reader_argv(&at, "thaw");
    for (size_t i = 0; i < json_array_size(recipe->backup.paths); i++) {
        const char *path = json_string_value(json_array_get(recipe->backup.paths, i));
        if (path[0] != '/')
            rf_reader_problem(&at, "paths", "'%s' is no absolute path", path);
    }
    if (json_array_size(recipe->backup.quiesce) && json_array_size(recipe->backup.thaw) == 0)
        rf_reader_problem(&at, "quiesce", "what is held still must be let go again; write 'thaw' too");
}

void rf_recipe_read_service(rf_recipe *recipe, const struct rf_reader *root)
{
    struct rf_reader ports = rf_reader_list(root, "ports"), at;
    read_directory(recipe, root);
    for (size_t i = 0; rf_reader_entry(&ports, i, &at); i++)
        read_port(recipe, &at);
    read_publish(recipe, root);
    recipe->configure = rf_reader_argv(root, "configure");
    read_backup(recipe, root);
}

void rf_recipe_free_service(rf_recipe *recipe)
{
    for (size_t i = 0; i < recipe->ports_count; i++) {
        free(recipe->ports[i].protocol);
        free(recipe->ports[i].title);
    }
    free(recipe->ports);
    free(recipe->publish.host);
    free(recipe->publish.title);
    free(recipe->zone);
    json_decref(recipe->configure);
    json_decref(recipe->backup.paths);
    json_decref(recipe->backup.quiesce);
    json_decref(recipe->backup.thaw);
}
