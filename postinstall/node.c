/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From profile and facts to the node's model. */
#include "postinstall/node.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/units.h"
#include "postinstall/guest_address.h"
#include "postinstall/guest_past.h"
#include "postinstall/pool_room.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#define SEEDS_DIR "/run/richtfest-seeds" /* 0711: QEMU's own user opens the seed that libvirt hands to it */
#define CONSOLES_DIR "/var/log/libvirt/qemu"

static uint64_t whole_mib(uint64_t bytes)
{
    return (bytes + RF_MIB - 1) / RF_MIB * RF_MIB;
}

static char *lower(const char *text)
{
    char *copy = rf_strdup(text);
    for (char *c = copy; c && *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return copy;
}

/* Of a setting, in lower case; NULL where the recipe names none or the guest has no value. */
static char *lower_setting(const struct rf_node_guest *guest, const char *setting)
{
    return setting ? lower(rf_json_string(guest->settings, setting)) : NULL;
}

static void set_name(struct rf_node_guest *guest, const rf_node_model *model)
{
    const char *zone = guest->directory ? guest->directory->zone : guest->zone;
    guest->fqdn = rf_format("%s.%s", guest->asked->name, zone ? zone : model->profile->node.hostname);
}

void rf_bridge_device(const struct rf_bridge *bridge, char ret_device[16])
{
    snprintf(ret_device, 16, RF_LAN_BRIDGE_PREFIX "%.11s", bridge->name);
}

char *rf_guest_lan_address(const struct rf_node_guest *guest)
{
    const char *text = guest->bridge ? guest->asked->lan.address : NULL;
    return text && strcmp(text, "dhcp") != 0 ? rf_format("%.*s", (int)strcspn(text, "/"), text) : NULL;
}

/* Its card in the customer's own network. */
static void fill_lan(struct rf_node_guest *guest, const rf_profile *profile)
{
    rf_autofree char *what = rf_format("guest/%s/lan", guest->asked->name);
    for (size_t i = 0; guest->asked->bridge && i < profile->network.bridges_count; i++)
        if (strcmp(profile->network.bridges[i].name, guest->asked->bridge) == 0)
            guest->bridge = &profile->network.bridges[i];
    rf_mac(profile->node.id, what, guest->lan_mac);
    snprintf(guest->lan_port, sizeof(guest->lan_port), RF_LAN_PORT_PREFIX "%.8s", guest->uuid);
}

static void add_bridges(rf_node_model *model)
{
    const rf_profile *profile = model->profile;
    model->bridges_count = profile->network.bridges_count;
    model->bridges = rf_alloc(sizeof(*model->bridges) * (model->bridges_count + 1));
    for (size_t i = 0; i < model->bridges_count; i++) {
        model->bridges[i] = (struct rf_node_bridge){.node = model, .asked = &profile->network.bridges[i]};
        rf_bridge_device(model->bridges[i].asked, model->bridges[i].device);
    }
}

static void fill_guest(struct rf_node_guest *guest, const rf_node_model *model, size_t index)
{
    const struct rf_guest *asked = guest->asked;
    const struct rf_recipe_size *defaults = &guest->recipe->defaults;
    rf_autofree char *what = rf_format("guest/%s", asked->name);
    rf_uuid(model->profile->node.id, what, guest->uuid);
    rf_mac(model->profile->node.id, what, guest->mac);
    snprintf(guest->port, sizeof(guest->port), RF_PORT_PREFIX "%.8s", guest->uuid);
    guest->cores = asked->cores ? asked->cores : defaults->cores;
    guest->memory = whole_mib(asked->memory ? asked->memory : defaults->memory);
    guest->disk = whole_mib(asked->disk ? asked->disk : defaults->disk);
    guest->settings = rf_recipe_settings(guest->recipe, asked);
    rf_recipe_choose(guest->recipe, guest->settings);
    guest->zone = lower_setting(guest, guest->recipe->zone);
    guest->published = lower_setting(guest, guest->recipe->publish.host);
    guest->lane = (unsigned)index + 1;
    fill_lan(guest, model->profile);
}

static void add_guests(rf_node_model *model, const char *recipes_dir, rf_problems *problems)
{
    const rf_profile *profile = model->profile;
    model->guests = rf_alloc(sizeof(*model->guests) * (profile->guests_count + 1));
    for (size_t i = 0; i < profile->guests_count; i++) {
        struct rf_node_guest *guest = &model->guests[i];
        guest->node = model;
        guest->asked = &profile->guests[i];
        guest->recipe = rf_recipe_load(recipes_dir, guest->asked->recipe, problems);
        if (!guest->recipe)
            return;
        model->guests_count++;
        fill_guest(guest, model, i);
    }
    for (size_t i = 0; i < model->guests_count; i++) {
        const char *directory = model->guests[i].asked->directory;
        model->guests[i].directory = directory ? rf_node_guest_named(model, directory) : NULL;
        set_name(&model->guests[i], model);
        if (!model->guests[i].directory)
            rf_recipe_without_directory(model->guests[i].recipe);
    }
}

/* Domains that carry our mark and are not in the profile. */
static void add_retired(rf_node_model *model, const json_t *facts)
{
    const char *name;
    json_t *known;
    size_t allocated = json_object_size(json_object_get(facts, "guests"));
    model->retired = rf_alloc(sizeof(*model->retired) * (allocated + 1));
    json_object_foreach(json_object_get(facts, "guests"), name, known)
    {
        if (rf_json_string(known, "digest") && !rf_node_guest_named(model, name))
            model->retired[model->retired_count++] = (struct rf_node_retired){model, rf_strdup(name)};
    }
}

static void add_admins(rf_node_model *model)
{
    const rf_profile *profile = model->profile;
    model->admins = rf_alloc(sizeof(*model->admins) * (profile->node.admins_count + 1));
    model->admins_count = profile->node.admins_count;
    for (size_t i = 0; i < model->admins_count; i++)
        model->admins[i] = (struct rf_node_admin){.node = model, .asked = &profile->node.admins[i]};
}

rf_node_model *rf_node_model_new(const rf_profile *profile, const json_t *facts, const struct rf_node_options *options,
                                 rf_problems *problems)
{
    static const struct rf_node_options none;
    const struct rf_node_options *o = options ? options : &none;
    const char *recipes_dir = o->recipes_dir ? o->recipes_dir : rf_recipes_dir();
    size_t before = problems->count;
    rf_guests_check(profile, recipes_dir, problems);
    if (problems->count > before)
        return NULL;
    rf_autonodemodel rf_node_model *model = rf_alloc(sizeof(*model));
    model->profile = profile;
    model->root = rf_strdup(o->root ? o->root : "");
    model->room = rf_pool_room_new();
    model->libvirt = rf_libvirt_new(o->uri ? o->uri : RF_LIBVIRT_URI, o->patience);
    model->kvm = !json_is_false(json_object_get(facts, "kvm"));
    model->kvm_reason = rf_strdup(rf_json_string(facts, "kvm_reason"));
    if (profile->network.guests.subnet && rf_subnet_parse(profile->network.guests.subnet, &model->subnet, NULL) < 0)
        return NULL;
    add_guests(model, recipes_dir, problems);
    rf_guest_addresses_give(model, json_object_get(facts, "addresses"), problems);
    rf_guest_pasts_check(model, json_object_get(facts, "past"), problems);
    add_retired(model, facts);
    add_admins(model);
    model->artefacts = json_incref(json_object_get(facts, "artefacts"));
    add_bridges(model);
    return problems->count == before ? RF_STEAL(model) : NULL;
}

void rf_node_model_free(rf_node_model *model)
{
    if (!model)
        return;
    for (size_t i = 0; i < model->guests_count; i++) {
        rf_recipe_free(model->guests[i].recipe);
        free(model->guests[i].address);
        free(model->guests[i].fqdn);
        free(model->guests[i].zone);
        free(model->guests[i].published);
        json_decref(model->guests[i].settings);
    }
    for (size_t i = 0; i < model->retired_count; i++)
        free(model->retired[i].name);
    free(model->retired);
    free(model->guests);
    free(model->admins);
    json_decref(model->artefacts);
    free(model->bridges);
    rf_libvirt_free(model->libvirt);
    rf_pool_room_free(model->room);
    free(model->kvm_reason);
    free(model->root);
    free(model);
}

char *rf_node_path(const rf_node_model *model, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    rf_autofree char *text = rf_format_list(format, args);
    va_end(args);
    return rf_format("%s%s", model->root, text);
}

const struct rf_node_guest *rf_node_guest_named(const rf_node_model *model, const char *name)
{
    for (size_t i = 0; i < model->guests_count; i++)
        if (strcmp(model->guests[i].asked->name, name) == 0)
            return &model->guests[i];
    return NULL;
}

bool rf_node_published(const rf_node_model *model)
{
    for (size_t i = 0; i < model->guests_count; i++)
        if (model->guests[i].published)
            return true;
    return false;
}

bool rf_node_vpn(const rf_node_model *model)
{
    return model->profile->access.vpn.peers_count > 0;
}

char *rf_guest_state_path(const struct rf_node_guest *guest, const char *file)
{
    return rf_node_path(guest->node, "%s/%s/%s", RF_STATE_GUESTS, guest->asked->name, file);
}

char *rf_guest_disk_path(const struct rf_node_guest *guest)
{
    return rf_node_path(guest->node, "%s/%s.qcow2", RF_POOL_DIR, guest->asked->name);
}

/* The value of the setting that the recipe names; NULL where it names none. */
static const char *setting_value(const struct rf_node_guest *guest, const char *setting)
{
    return setting ? rf_json_string(guest->settings, setting) : NULL;
}

const char *rf_guest_fetch_url(const struct rf_node_guest *guest)
{
    return setting_value(guest, guest->recipe->fetch.url);
}

const char *rf_guest_fetch_sha256(const struct rf_node_guest *guest)
{
    return setting_value(guest, guest->recipe->fetch.sha256);
}

const char *rf_guest_fetch_format(const struct rf_node_guest *guest)
{
    return setting_value(guest, guest->recipe->fetch.format);
}

char *rf_guest_fetched_path(const struct rf_node_guest *guest)
{
    const char *sha256 = rf_guest_fetch_sha256(guest);
    return sha256 ? rf_node_path(guest->node, "%s/%s", RF_FETCHED_DIR, sha256) : NULL;
}

char *rf_node_seed_path(const rf_node_model *model, const char *name)
{
    return rf_node_path(model, "%s/%s.iso", SEEDS_DIR, name);
}

char *rf_node_artefacts_path(const rf_node_model *model, const char *name)
{
    return rf_node_path(model, "%s/.%s.artefacts.iso", RF_POOL_DIR, name);
}

char *rf_guest_seed_path(const struct rf_node_guest *guest)
{
    return rf_node_seed_path(guest->node, guest->asked->name);
}

char *rf_guest_artefacts_path(const struct rf_node_guest *guest)
{
    return rf_node_artefacts_path(guest->node, guest->asked->name);
}

char *rf_guest_console_path(const struct rf_node_guest *guest)
{
    return rf_node_path(guest->node, "%s/%s-console.log", CONSOLES_DIR, guest->asked->name);
}

char *rf_guest_born(const struct rf_node_guest *guest)
{
    rf_autofree char *path = rf_guest_state_path(guest, "born");
    return rf_read_line(path);
}

bool rf_guest_settled(const struct rf_node_guest *guest)
{
    rf_autofree char *path = rf_guest_state_path(guest, "settled.json");
    return rf_exists(path);
}
