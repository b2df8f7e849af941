/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A guest's description of itself. */
#include "postinstall/description.h"

#include "base/json.h"
#include "base/memory.h"

#include <ctype.h>
#include <string.h>

#define GROUP "group" /* a member's setting of this name is the directory's group that may use it */
#define UNIT "Richtfest"

static char *upper(const char *text)
{
    char *copy = rf_strdup(text);
    for (char *c = copy; c && *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return copy;
}

char *rf_member_service(const struct rf_node_guest *guest)
{
    return rf_format("svc-%s", guest->asked->name);
}

char *rf_member_computer(const struct rf_node_guest *guest)
{
    return upper(guest->asked->name);
}

/* "DC=ad,DC=firma,DC=example" */
static char *base_dn(const char *zone)
{
    char *text = NULL;
    for (const char *label = zone; *label;) {
        size_t length = strcspn(label, ".");
        rf_append(&text, "%sDC=%.*s", text ? "," : "", (int)length, label);
        label += length + (label[length] == '.');
    }
    return text;
}

static json_t *directory_json(const struct rf_node_guest *guest)
{
    const struct rf_node_guest *directory = guest->directory;
    rf_autofree char *realm = upper(directory->zone), *base = base_dn(directory->zone);
    rf_autofree char *uri = rf_format("ldaps://%s:636", directory->fqdn), *service = rf_member_service(guest);
    rf_autofree char *computer = rf_member_computer(guest);
    rf_autofree char *service_dn = rf_format("CN=%s,OU=" UNIT ",%s", service, base);
    rf_autofree char *domain = upper(rf_json_string(directory->settings, "domain"));
    json_t *json = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s*,s:s,s:s,s:s,s:s,s:s}", "name", directory->asked->name,
                             "address", directory->address, "fqdn", directory->fqdn, "realm", realm, "zone",
                             directory->zone, "domain", domain, "base_dn", base, "uri", uri, "service", service,
                             "service_dn", service_dn, "computer", computer);
    const char *group = rf_json_string(guest->settings, GROUP);
    if (group)
        json_object_set_new(json, GROUP, json_string(group));
    return json;
}

static json_t *admins_json(const rf_profile *profile)
{
    json_t *admins = json_array();
    for (size_t i = 0; i < profile->node.admins_count; i++) {
        json_t *keys = json_array();
        for (size_t k = 0; k < profile->node.admins[i].ssh_keys_count; k++)
            json_array_append_new(keys, json_string(profile->node.admins[i].ssh_keys[k]));
        json_array_append_new(admins, json_pack("{s:s,s:o}", "name", profile->node.admins[i].name, "ssh_keys", keys));
    }
    return admins;
}

/* Where its image came from is the node's business: an address can hold a password, and cloud-init shows this to everybody in the guest. */
static json_t *settings_json(const struct rf_node_guest *guest)
{
    json_t *settings = json_copy(guest->settings);
    if (guest->recipe->fetch.url)
        json_object_del(settings, guest->recipe->fetch.url);
    return settings;
}

/* Its card in the customer's own network, which the guest sets up itself: image/data/guest-root, guest.py. */
static json_t *lan_json(const struct rf_node_guest *guest)
{
    json_t *lan = json_pack("{s:s}", "mac", guest->lan_mac);
    rf_autofree char *fixed = rf_guest_lan_address(guest);
    if (fixed)
        json_object_set_new(lan, "address", json_string(guest->asked->lan.address));
    if (fixed && guest->asked->lan.gateway)
        json_object_set_new(lan, "gateway", json_string(guest->asked->lan.gateway));
    return lan;
}

json_t *rf_description(const struct rf_node_guest *guest)
{
    const rf_node_model *node = guest->node;
    rf_autofree char *gateway = rf_subnet_node(&node->subnet);
    json_t *json = json_pack("{s:s,s:s,s:s,s:i,s:s,s:s,s:s}", "name", guest->asked->name, "fqdn", guest->fqdn,
                             "address", guest->address, "prefix", (int)node->subnet.prefix, "gateway", gateway,
                             "subnet", node->profile->network.guests.subnet, "node", node->profile->node.id);
    if (node->profile->node.timezone)
        json_object_set_new(json, "timezone", json_string(node->profile->node.timezone));
    json_object_set_new(json, "admins", admins_json(node->profile));
    json_object_set_new(json, "settings", settings_json(guest));
    if (guest->bridge)
        json_object_set_new(json, "lan", lan_json(guest));
    if (guest->directory)
        json_object_set_new(json, "directory", directory_json(guest));
    if (guest->published)
        json_object_set_new(json, "published", json_pack("[s]", guest->published));
    return json;
}

void rf_description_add(json_t *description, const char *authority, const char *certificate, const json_t *secrets)
{
    if (authority)
        json_object_set_new(description, "ca", json_string(authority));
    if (certificate)
        json_object_set_new(description, "certificate", json_string(certificate));
    if (secrets)
        json_object_set(description, RF_CREDENTIALS, (json_t *)secrets);
}
