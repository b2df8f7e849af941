/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Seeds for cloud-init. */
#include "postinstall/seed.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "postinstall/domain.h"
#include "postinstall/iso.h"
#include "postinstall/secret.h"

#include <libgen.h>
#include <string.h>

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

static json_t *values_json(const struct rf_node_guest *guest, const json_t *secrets)
{
    const rf_node_model *node = guest->node;
    rf_autofree char *gateway = rf_subnet_node(&node->subnet);
    json_t *values = json_pack("{s:s,s:s,s:s,s:i,s:s,s:s,s:s}", "name", guest->asked->name, "fqdn", guest->fqdn,
                               "address", guest->address, "prefix", (int)node->subnet.prefix, "gateway", gateway,
                               "subnet", node->profile->network.guests.subnet, "node", node->profile->node.id);
    if (node->profile->node.timezone)
        json_object_set_new(values, "timezone", json_string(node->profile->node.timezone));
    json_object_set_new(values, "admins", admins_json(node->profile));
    json_object_set(values, "settings", guest->settings);
    if (secrets)
        json_object_set(values, "security-credentials", (json_t *)secrets);
    return values;
}

char *rf_seed_meta_data(const struct rf_node_guest *guest, const json_t *secrets)
{
    rf_autojson json_t *meta = json_object();
    json_object_set_new(meta, "instance-id", json_string(guest->uuid));
    json_object_set_new(meta, "local-hostname", json_string(guest->asked->name));
    json_object_set_new(meta, "richtfest", values_json(guest, secrets));
    return rf_json_text(meta);
}

/* The guest that serves the zone asks itself, everybody else asks the node. */
char *rf_seed_network_config(const struct rf_node_guest *guest)
{
    rf_autofree char *gateway = rf_subnet_node(&guest->node->subnet);
    rf_autofree char *address = rf_format("%s/%u", guest->address, guest->node->subnet.prefix);
    const char *resolver = guest->recipe->zone ? guest->address : gateway;
    rf_autojson json_t *interface =
        json_pack("{s:{s:s},s:s,s:b,s:b,s:b,s:b}", "match", "macaddress", guest->mac, "set-name", "eth0", "dhcp4", 0,
                  "dhcp6", 0, "accept-ra", 0, "optional", 1);
    json_object_set_new(interface, "addresses", json_pack("[s]", address));
    json_object_set_new(interface, "routes", json_pack("[{s:s,s:s}]", "to", "0.0.0.0/0", "via", gateway));
    json_object_set_new(interface, "nameservers", json_pack("{s:[s]}", "addresses", resolver));
    const char *dot = strchr(guest->fqdn, '.');
    if (dot)
        json_object_set_new(json_object_get(interface, "nameservers"), "search", json_pack("[s]", dot + 1));
    rf_autojson json_t *config = json_pack("{s:i,s:{s:O}}", "version", 2, "ethernets", "guest", interface);
    return rf_json_text(config);
}

static enum rf_probe seed_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    const struct rf_node_guest *guest = arg;
    rf_autofree char *path = rf_guest_seed_path(guest);
    if (rf_guest_settled(guest))
        return RF_PROBE_DONE;
    int running = rf_domain_running(guest, err);
    if (running < 0)
        return RF_PROBE_ERROR;
    return running && rf_exists(path) ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static int seed_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    const struct rf_node_guest *guest = arg;
    rf_autofree char *path = rf_guest_seed_path(guest);
    rf_autofree char *directory = rf_strdup(path);
    rf_autofree char *template = rf_format("%s/user-data.j2", guest->recipe->directory);
    rf_autofree char *user_data = NULL, *network = rf_seed_network_config(guest);
    rf_autojson json_t *secrets = rf_secret_load(guest);
    rf_autosecret char *meta = rf_seed_meta_data(guest, secrets);
    if (rf_read_file(template, RF_RECIPE_MAX, &user_data, NULL, err) < 0)
        return -1;
    if (rf_make_dirs(dirname(directory), 0711, err) < 0)
        return -1;
    const struct rf_iso_file files[] = {{"meta-data", meta}, {"user-data", user_data}, {"network-config", network}};
    if (rf_iso_write(path, "cidata", files, RF_COUNT(files), err) < 0)
        return rf_wrap(err, "the seed of %s", guest->asked->name);
    return 0;
}

/* Written again at every run until the guest runs, so the probe can't be asked. */
static int seed_verify(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    rf_autofree char *path = rf_guest_seed_path(arg);
    return rf_exists(path) ? 0 : rf_fail(err, RF_FAILED, "%s is not there", path);
}

const struct rf_step_ops rf_step_seed = {"seed", seed_probe, seed_apply, seed_verify};
