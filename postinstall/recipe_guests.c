/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The guests of a profile against each other, as far as only their recipes can tell. */
#include "base/json.h"
#include "base/memory.h"
#include "postinstall/address.h"
#include "postinstall/recipe_read.h"
#include "profiles/suggest.h"

#include <string.h>

#define GROUP "group" /* a member's setting of this name is the directory's group that may use it: description.c */

enum { NETBIOS_MAX = 15 }; /* [MS-ADTS] 3.1.1.1.5; also leaves room for the prefix of a member's service account */

struct together {
    const rf_profile *profile;
    const rf_recipe *const *recipes;
    rf_problems *problems;
};

static size_t index_of(const rf_profile *profile, const char *name)
{
    size_t i = 0;
    while (i < profile->guests_count && (!profile->guests[i].name || strcmp(profile->guests[i].name, name) != 0))
        i++;
    return i;
}

/* The first guest that is a directory, as an example. */
static const char *some_directory(const struct together *all)
{
    for (size_t i = 0; i < all->profile->guests_count; i++)
        if (all->recipes[i] && all->recipes[i]->serves_directory)
            return all->profile->guests[i].name;
    return NULL;
}

static void check_directory(const struct together *all, size_t index)
{
    const struct rf_guest *guest = &all->profile->guests[index];
    const rf_recipe *recipe = all->recipes[index];
    const char *example = some_directory(all);
    rf_autofree char *path = rf_format("guests[%zu].directory", index);
    if (!guest->directory && recipe->wants_directory == RF_DIRECTORY_REQUIRED) {
        rf_profile_problem(all->profile, all->problems, path, "'%s' needs one; write for example `directory: %s`",
                           recipe->name, example ? example : "dc1");
        return;
    }
    size_t named = guest->directory ? index_of(all->profile, guest->directory) : all->profile->guests_count;
    if (named == all->profile->guests_count || !all->recipes[named])
        return; /* none, or the profile's own rules have said that it is unknown */
    if (recipe->wants_directory == RF_DIRECTORY_NONE)
        rf_profile_problem_key(all->profile, all->problems, path, "'%s' has no use for a directory; leave it out",
                               recipe->name);
    else if (!all->recipes[named]->serves_directory)
        rf_profile_problem(all->profile, all->problems, path,
                           example ? "\"%s\" (%s) is no directory; write for example `%s`"
                                   : "\"%s\" (%s) is no directory, and no guest of this profile is one%s",
                           guest->directory, all->recipes[named]->name, example ? example : "");
}

/* The directory that a guest is, or is in; guests_count where there is none (or the profile's other problems hide it). */
static size_t directory_of(const struct together *all, size_t index)
{
    const struct rf_guest *guest = &all->profile->guests[index];
    size_t none = all->profile->guests_count,
           named = guest->directory ? index_of(all->profile, guest->directory) : none;
    if (all->recipes[index]->serves_directory)
        return index;
    return named < none && all->recipes[named] && all->recipes[named]->serves_directory ? named : none;
}

/* The short name of the domain, which is a machine's name in the same network; NULL: none. The caller frees it. */
static char *domain_of(const struct together *all, size_t directory)
{
    const rf_recipe *recipe = all->recipes[directory];
    rf_autojson json_t *settings = rf_recipe_settings(recipe, &all->profile->guests[directory]);
    for (size_t i = 0; i < recipe->settings_count; i++) {
        const char *value = rf_json_string(settings, recipe->settings[i].name);
        if (recipe->settings[i].type == rf_setting_type("netbios") && value)
            return rf_strdup(value);
    }
    return NULL;
}

/* What a domain controller and its members may be called: their accounts in the directory are made of the name, and a longer one would be
 * cut off. (The profile's own rules have said so of members.) */
static void check_machine_name(const struct together *all, size_t index)
{
    const char *name = all->profile->guests[index].name;
    size_t directory = directory_of(all, index);
    rf_autofree char *path = rf_format("guests[%zu].name", index);
    if (!name || directory == all->profile->guests_count)
        return;
    rf_autofree char *domain = domain_of(all, directory);
    if (strlen(name) > NETBIOS_MAX && directory == index)
        rf_profile_problem(all->profile, all->problems, path,
                           "\"%s\" has %zu characters; machines of a directory have at most %d (NetBIOS)", name,
                           strlen(name), NETBIOS_MAX);
    if (domain && strcasecmp(domain, name) == 0)
        rf_profile_problem(
            all->profile, all->problems, path,
            "\"%s\" is the short name of the domain itself (guests[%zu]); a machine of that domain needs "
            "another one",
            name, directory);
}

/* The groups that a directory has: those of its profile and those that it has anyway. Borrowed words, the caller frees the array; NULL:
 * nobody knows them. */
static const char **groups_of(const rf_recipe *recipe, const json_t *settings, size_t *ret_count)
{
    for (size_t i = 0; i < recipe->settings_count; i++) {
        const struct rf_recipe_setting *setting = &recipe->settings[i];
        if (setting->type != &rf_setting_names || !json_array_size(setting->more_groups))
            continue;
        const json_t *lists[] = {json_object_get(settings, setting->name), setting->more_groups};
        const char **names = rf_alloc((json_array_size(lists[0]) + json_array_size(lists[1])) * sizeof(*names));
        *ret_count = 0;
        for (size_t list = 0; list < RF_COUNT(lists); list++)
            for (size_t k = 0; k < json_array_size(lists[list]); k++)
                names[(*ret_count)++] = json_string_value(json_array_get(lists[list], k));
        return names;
    }
    return NULL;
}

static void say_no_group(const struct together *all, size_t index, size_t directory, const char *group,
                         const char *near)
{
    rf_autofree char *path = rf_format("guests[%zu].settings." GROUP, index);
    rf_autofree char *advice = near ? rf_format("did you mean \"%s\"?", near)
                                    : rf_format("write it into guests[%zu].settings.groups too", directory);
    rf_profile_problem(all->profile, all->problems, path, "%s has no group \"%s\", so nobody could log in; %s",
                       all->profile->guests[directory].name, group, advice);
}

/* The directory makes a group that a member asks for, and puts the probe's account into it: a mistyped one is found by people only. */
static void check_group(const struct together *all, size_t index)
{
    size_t directory = directory_of(all, index), count = 0;
    if (directory == index || directory == all->profile->guests_count)
        return;
    rf_autojson json_t *settings = rf_recipe_settings(all->recipes[index], &all->profile->guests[index]);
    rf_autojson json_t *theirs = rf_recipe_settings(all->recipes[directory], &all->profile->guests[directory]);
    const char *group = rf_json_string(settings, GROUP);
    rf_autofree const char **names = groups_of(all->recipes[directory], theirs, &count);
    if (!group || !*group || !names)
        return;
    for (size_t i = 0; i < count; i++)
        if (names[i] && strcasecmp(names[i], group) == 0)
            return;
    say_no_group(all, index, directory, group, rf_suggest(group, names, count));
}

/* The value of a guest's setting that must be its own; NULL where it has none. Borrowed from the profile. */
static const char *value_of(const struct together *all, size_t index, const char *setting)
{
    const char *value = setting ? rf_json_string(all->profile->guests[index].settings, setting) : NULL;
    return value && *value ? value : NULL;
}

static const char *published(const rf_recipe *recipe)
{
    return recipe->publish.host;
}

static const char *zone(const rf_recipe *recipe)
{
    return recipe->zone;
}

/* No other guest before this one has the same. */
static void check_own(const struct together *all, size_t index, const char *(*setting)(const rf_recipe *),
                      const char *what)
{
    const char *value = value_of(all, index, setting(all->recipes[index]));
    rf_autofree char *path = rf_format("guests[%zu].settings.%s", index, setting(all->recipes[index]));
    for (size_t i = 0; value && i < index; i++) {
        const char *other = all->recipes[i] ? value_of(all, i, setting(all->recipes[i])) : NULL;
        if (!other || strcasecmp(other, value) != 0)
            continue;
        rf_profile_problem(all->profile, all->problems, path,
                           "%s is also guests[%zu]'s; each guest needs %s of its own", value, i, what);
        return;
    }
}

static bool is_admin(const rf_profile *profile, const char *name)
{
    for (size_t i = 0; name && i < profile->node.admins_count; i++)
        if (profile->node.admins[i].name && strcasecmp(profile->node.admins[i].name, name) == 0)
            return true;
    return false;
}

/* Admins have an account of their own in every guest, which may do everything there without a password: a user of the same name, of the machine or of
 * the directory that it asks, would be that one. */
static void check_users(const struct together *all, size_t index)
{
    const rf_recipe *recipe = all->recipes[index];
    for (size_t i = 0; i < recipe->settings_count; i++) {
        const struct rf_recipe_setting *setting = &recipe->settings[i];
        const json_t *users = json_object_get(all->profile->guests[index].settings, setting->name);
        for (size_t k = 0; setting->type == &rf_setting_accounts && k < json_array_size(users); k++) {
            const char *name = rf_json_string(json_array_get(users, k), "name");
            rf_autofree char *path = rf_format("guests[%zu].settings.%s[%zu].name", index, setting->name, k);
            if (is_admin(all->profile, name))
                rf_profile_problem(
                    all->profile, all->problems, path,
                    "%s is an admin of the node (node.admins), who is root in every guest, and a user of "
                    "that name would be, too; give one of them another name",
                    name);
        }
    }
}

/* Do the VPN's peers ask this guest for names? (postinstall/vpn.c tells them to.) */
static bool answers_peers(const struct together *all, size_t index)
{
    const rf_recipe *recipe = all->recipes[index];
    for (size_t i = 0; recipe && recipe->zone && i < recipe->ports_count; i++)
        if (recipe->ports[i].port == 53 && (recipe->ports[i].to & RF_TO_VPN))
            return true;
    return false;
}

/* "crm.firma.example" and "firma.example" itself, for the zone "FIRMA.EXAMPLE". */
static bool is_within(const char *name, const char *zone_name)
{
    const size_t length = strlen(name), zone_length = strlen(zone_name);
    return length >= zone_length && strcasecmp(name + length - zone_length, zone_name) == 0 &&
           (length == zone_length || name[length - zone_length - 1] == '.');
}

/* A directory knows of its own zone what its members are, and says of everything else in it that there is no such name: peers, who ask it, would
 * never come to the proxy. */
static void check_peers_names(const struct together *all, size_t index)
{
    const char *host = value_of(all, index, published(all->recipes[index]));
    for (size_t i = 0; host && all->profile->access.vpn.peers_count && i < all->profile->guests_count; i++) {
        const char *theirs = answers_peers(all, i) ? value_of(all, i, zone(all->recipes[i])) : NULL;
        if (!theirs || !is_within(host, theirs))
            continue;
        rf_autofree char *path = rf_format("guests[%zu].settings.%s", index, published(all->recipes[index]));
        rf_profile_problem(
            all->profile, all->problems, path,
            "%s lies in the domain of %s (%s), which the VPN's peers ask for names and which would not lead "
            "them to the node; write a name outside of it, or give a new domain one of its own (for "
            "example AD.%s)",
            host, all->profile->guests[i].name, theirs, theirs);
        return;
    }
}

/* Only what somebody wrote: a recipe's default is no claim about the machine. */
static void check_cores(const struct together *all, size_t index)
{
    unsigned cores = all->profile->guests[index].cores;
    rf_autofree char *path = rf_format("guests[%zu].cores", index);
    if (all->profile->requires.cores && cores > all->profile->requires.cores)
        rf_profile_problem(all->profile, all->problems, path,
                           "%u are more than the machine must have (requires.cores: %u)", cores,
                           all->profile->requires.cores);
}

static void check_place(const struct together *all, const struct rf_subnet *subnet, size_t index)
{
    const rf_profile *profile = all->profile;
    const char *address = profile->guests[index].address;
    rf_autofree char *own = rf_subnet_guest(subnet, index), *path = rf_format("guests[%zu].address", index);
    rf_autofree char *first = rf_subnet_dhcp_first(subnet), *last = rf_subnet_dhcp_last(subnet);
    for (size_t i = 0; !address && i < profile->guests_count; i++)
        if (profile->guests[i].address && strcmp(profile->guests[i].address, own) == 0)
            rf_profile_problem(profile, all->problems, path,
                               "its place in the list gives it %s, which guests[%zu] has; write an address here too",
                               own, i);
    if (!address && index == rf_subnet_guests_max(subnet)) /* the first without room says it for all */
        rf_profile_problem(profile, all->problems, "network.guests.subnet",
                           "%s has room for %zu guests and the profile has %zu; choose a larger subnet",
                           profile->network.guests.subnet, rf_subnet_guests_max(subnet), profile->guests_count);
    if (address && rf_subnet_in_dhcp(subnet, address))
        rf_profile_problem(profile, all->problems, path,
                           "%s may be given to somebody else: DHCP has %s to %s; write a lower one", address, first,
                           last);
}

static void check_addresses(const struct together *all)
{
    struct rf_subnet subnet;
    rf_autoerror rf_error *why = NULL;
    if (!all->profile->network.guests.subnet ||
        rf_subnet_parse(all->profile->network.guests.subnet, &subnet, &why) < 0) {
        rf_autofree char *text = rf_error_text(why);
        rf_profile_problem(all->profile, all->problems, "network.guests.subnet", "%s",
                           text ? text : "guests need a network; write for example 'subnet: 10.20.0.0/24'");
        return;
    }
    for (size_t i = 0; i < all->profile->guests_count; i++)
        check_place(all, &subnet, i);
}

void rf_recipe_check_together(const rf_profile *profile, const rf_recipe *const *recipes, rf_problems *problems)
{
    const struct together all = {profile, recipes, problems};
    if (profile->guests_count == 0)
        return;
    check_addresses(&all);
    for (size_t i = 0; i < profile->guests_count; i++) {
        if (!recipes[i])
            continue;
        check_cores(&all, i);
        check_directory(&all, i);
        check_machine_name(&all, i);
        check_group(&all, i);
        check_users(&all, i);
        check_peers_names(&all, i);
        check_own(&all, i, published, "a published name");
        check_own(&all, i, zone, "a zone");
    }
}
