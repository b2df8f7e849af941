/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading /sys/class/net and /proc/net. */
#include "postinstall/card.h"

#include "base/file.h"
#include "base/memory.h"

#include <dirent.h>
#include <string.h>

enum { ROUTES_MAX = 1 << 20 };

/* Its hardware address where it is a card: what has no device behind it (bridges, ports of guests) is none. The caller frees it. */
static char *address_of(const rf_node_model *model, const char *name)
{
    rf_autofree char *device = rf_node_path(model, "/sys/class/net/%s/device", name);
    rf_autofree char *path = rf_node_path(model, "/sys/class/net/%s/address", name);
    return name[0] != '.' && rf_exists(device) ? rf_read_line(path) : NULL;
}

static DIR *open_cards(const rf_node_model *model)
{
    rf_autofree char *path = rf_node_path(model, "/sys/class/net");
    return opendir(path);
}

char *rf_card_named(const rf_node_model *model, const char *mac)
{
    rf_autodir DIR *cards = open_cards(model);
    for (struct dirent *entry; mac && cards && (entry = readdir(cards));) {
        rf_autofree char *address = address_of(model, entry->d_name);
        if (address && strcasecmp(address, mac) == 0)
            return rf_strdup(entry->d_name);
    }
    return NULL;
}

char *rf_cards_text(const rf_node_model *model)
{
    char *text = NULL;
    rf_autodir DIR *cards = open_cards(model);
    for (struct dirent *entry; cards && (entry = readdir(cards));) {
        rf_autofree char *address = address_of(model, entry->d_name);
        if (address)
            rf_append(&text, "%s%s %s", text ? ", " : "", entry->d_name, address);
    }
    return text ? text : rf_strdup("none");
}

static bool is(const char *field, const char *wanted)
{
    return field && strcmp(field, wanted) == 0;
}

/* Columns of /proc/net/route: interface, destination, gateway, flags, …, and of /proc/net/ipv6_route: destination, its prefix, …, the
 * interface last. */
static bool leads_out(char *line, bool six, const char *card)
{
    char *fields[16] = {0}, *rest = NULL;
    size_t count = 0;
    for (char *word = strtok_r(line, " \t", &rest); word && count < RF_COUNT(fields);
         word = strtok_r(NULL, " \t", &rest))
        fields[count++] = word;
    if (count < 4)
        return false;
    const char *interface = six ? fields[count - 1] : fields[0];
    bool all = six ? is(fields[0], "00000000000000000000000000000000") && is(fields[1], "00")
                   : is(fields[1], "00000000") && !is(fields[0], "Iface");
    return all && !is(interface, "lo") && (!card || is(interface, card));
}

static bool any_leads_out(const rf_node_model *model, const char *file, bool six, const char *card)
{
    rf_autofree char *path = rf_node_path(model, "/proc/net/%s", file), *text = NULL;
    char *rest = NULL;
    if (!rf_exists(path) || rf_read_file(path, ROUTES_MAX, &text, NULL, NULL) < 0)
        return false;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        if (leads_out(line, six, card))
            return true;
    return false;
}

bool rf_way_out(const rf_node_model *model, const char *card)
{
    return any_leads_out(model, "route", false, card) || any_leads_out(model, "ipv6_route", true, card);
}
