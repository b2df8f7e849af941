/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the profile's design has and this version does not. A row leaves when its field enters the schema. */
#include "profiles/unsupported.h"

#include "profiles/text.h"

#include <string.h>

const struct rf_unsupported rf_unsupported_table[] = {
    {"cluster", NULL, "leave it out: each node stands alone for now"},
    {"network.uplink.address", "*", "static addresses come later; write `dhcp`"},
    {"network.uplink.gateway", NULL, "leave it out: it comes by DHCP"},
    {"network.uplink.dns", NULL, "leave it out: it comes by DHCP"},
    {"network.uplink.vlan", NULL, "leave it out: the uplink must be untagged for now"},
    {"network.uplink.mac", NULL, "leave it out; to choose the card write `match: {mac: …}`"},
};

const size_t rf_unsupported_count = RF_COUNT(rf_unsupported_table);

const struct rf_unsupported *rf_unsupported_key(const char *path)
{
    for (size_t i = 0; i < rf_unsupported_count; i++)
        if (!rf_unsupported_table[i].value && !strcmp(rf_unsupported_table[i].key, path))
            return &rf_unsupported_table[i];
    return NULL;
}

static bool value_matches(const struct rf_unsupported *row, const rf_node *node)
{
    if (!strcmp(row->value, "{}"))
        return node->kind == RF_NODE_MAP;
    return node->kind == RF_NODE_TEXT && !strcmp(row->value, node->text);
}

static bool report(const struct rf_place *place, const rf_node *node, bool any)
{
    for (size_t i = 0; i < rf_unsupported_count; i++) {
        const struct rf_unsupported *row = &rf_unsupported_table[i];
        if (!row->value || strcmp(row->key, place->path) != 0)
            continue;
        if (!(any ? !strcmp(row->value, "*") : value_matches(row, node)))
            continue;
        rf_autofree char *shown = rf_shown(node->kind == RF_NODE_TEXT ? node->text : "{…}");
        rf_place_problem(place, node, "\"%s\" is not supported by this version; %s", shown, row->instead);
        return true;
    }
    return false;
}

bool rf_unsupported_value(const struct rf_place *place, const rf_node *node)
{
    return report(place, node, false);
}

bool rf_unsupported_any(const struct rf_place *place, const rf_node *node)
{
    return report(place, node, true);
}
