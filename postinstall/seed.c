/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Seeds for cloud-init. */
#include "postinstall/seed.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "postinstall/configure.h"
#include "postinstall/description.h"
#include "postinstall/domain.h"
#include "postinstall/guest_tls.h"
#include "postinstall/iso.h"
#include "postinstall/secret.h"

#include <libgen.h>
#include <string.h>

char *rf_seed_meta_data(const struct rf_node_guest *guest, const char *authority, const char *certificate,
                        const json_t *secrets)
{
    rf_autojson json_t *meta = json_object();
    json_t *description = rf_description(guest);
    rf_description_add(description, authority, certificate, secrets);
    json_object_set_new(meta, "instance-id", json_string(guest->uuid));
    json_object_set_new(meta, "local-hostname", json_string(guest->asked->name));
    json_object_set_new(meta, "richtfest", description);
    return rf_json_text(meta);
}

/* The guest that serves the zone asks itself, everybody else asks the node. */
char *rf_seed_network_config(const struct rf_node_guest *guest)
{
    rf_autofree char *gateway = rf_subnet_node(&guest->node->subnet);
    rf_autofree char *address = rf_format("%s/%u", guest->address, guest->node->subnet.prefix);
    const char *resolver = guest->zone ? guest->address : gateway;
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

int rf_seed_write(const struct rf_node_guest *guest, const char *path, rf_error **err)
{
    rf_autofree char *template = rf_format("%s/user-data.j2", guest->recipe->directory);
    rf_autofree char *user_data = NULL, *network = rf_seed_network_config(guest);
    rf_autofree char *authority = rf_ca_certificate(guest->node), *certificate = rf_guest_certificate(guest);
    rf_autojson json_t *secrets = rf_secret_load(guest);
    rf_autosecret char *meta = rf_seed_meta_data(guest, authority, certificate, secrets);
    if (!authority || !certificate || !rf_json_string(secrets, RF_SECRET_TLS_KEY))
        return rf_fail(err, RF_FAILED, "the seed of %s: its certificate is not there", guest->asked->name);
    if (rf_read_file(template, RF_RECIPE_MAX, &user_data, NULL, err) < 0)
        return -1;
    const struct rf_iso_file files[] = {{.name = "meta-data", .text = meta},
                                        {.name = "user-data", .text = user_data},
                                        {.name = "network-config", .text = network}};
    if (rf_iso_write(path, "cidata", files, RF_COUNT(files), err) < 0)
        return rf_wrap(err, "the seed of %s", guest->asked->name);
    return 0;
}

static int seed_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    rf_autofree char *path = rf_guest_seed_path(arg), *directory = rf_strdup(path);
    if (rf_make_dirs(dirname(directory), 0711, err) < 0 || rf_seed_write(arg, path, err) < 0)
        return -1;
    return rf_configure_seeded(arg, err);
}

/* Written again at every run until the guest runs, so the probe can't be asked. */
static int seed_verify(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    rf_autofree char *path = rf_guest_seed_path(arg);
    return rf_exists(path) ? 0 : rf_fail(err, RF_FAILED, "%s is not there", path);
}

const struct rf_step_ops rf_step_seed = {"seed", seed_probe, seed_apply, seed_verify};
