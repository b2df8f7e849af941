/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/guest_address.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <string.h>

static char *read_address(const char *path)
{
    struct in_addr parsed;
    char *text = rf_read_line(path);
    if (text && inet_pton(AF_INET, text, &parsed) == 1)
        return text;
    free(text);
    return NULL;
}

json_t *rf_guest_addresses(const char *root)
{
    json_t *known = json_object();
    rf_autofree char *directory = rf_format("%s%s", root, RF_STATE_GUESTS);
    rf_autodir DIR *entries = opendir(directory);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        rf_autofree char *path = rf_format("%s/%s/" RF_ADDRESS_FILE, directory, entry->d_name);
        rf_autofree char *address = read_address(path);
        if (address && entry->d_name[0] != '.')
            json_object_set_new(known, entry->d_name, json_string(address));
    }
    return known;
}

/* Who has it for good, in the profile or kept from an earlier one; NULL: nobody. */
static const char *keeper_of(const json_t *known, const char *address)
{
    const char *name;
    json_t *kept;
    json_object_foreach((json_t *)known, name, kept)
    {
        if (json_is_string(kept) && strcmp(json_string_value(kept), address) == 0)
            return name;
    }
    return NULL;
}

static bool taken(const rf_node_model *model, const json_t *known, const char *address)
{
    for (size_t i = 0; i < model->guests_count; i++)
        if (model->guests[i].address && strcmp(model->guests[i].address, address) == 0)
            return true;
    return keeper_of(known, address) != NULL;
}

/* It was made with `kept`, and nobody tells it another one. */
static void check_kept(const struct rf_node_guest *guest, size_t index, const char *kept, rf_problems *problems)
{
    const char *asked = guest->asked->address, *name = guest->asked->name;
    rf_autofree char *path = rf_format("guests[%zu].address", index);
    if (asked && strcmp(asked, kept) != 0)
        rf_profile_problem(guest->node->profile, problems, path,
                           "%s was set up with %s on this node and keeps it; write that, or leave it out (a guest that "
                           "is made anew gets another one: 'richtfest guest delete %s --with-its-disk')",
                           name, kept, name);
    else if (!rf_subnet_holds(&guest->node->subnet, kept))
        rf_profile_problem(guest->node->profile, problems, "network.guests.subnet",
                           "%s was set up with %s on this node, which is not in this subnet; write the former one",
                           name, kept);
}

static void check_asked(const struct rf_node_guest *guest, size_t index, const json_t *known, rf_problems *problems)
{
    const char *other = keeper_of(known, guest->asked->address);
    rf_autofree char *path = rf_format("guests[%zu].address", index);
    if (other && rf_node_guest_named(guest->node, other))
        rf_profile_problem(guest->node->profile, problems, path, "%s is that of %s on this node; write another one",
                           guest->asked->address, other);
    else if (other)
        rf_profile_problem(guest->node->profile, problems, path,
                           "%s is that of %s, which this node keeps; write another one, or remove that guest first "
                           "('richtfest guest delete %s --with-its-disk')",
                           guest->asked->address, other, other);
}

/* Those that are said: by the guest's own past, or by the profile. */
static void give_said(struct rf_node_guest *guest, size_t index, const json_t *known, rf_problems *problems)
{
    const char *kept = rf_json_string(known, guest->asked->name);
    if (kept)
        check_kept(guest, index, kept, problems);
    else if (guest->asked->address)
        check_asked(guest, index, known, problems);
    guest->address = rf_strdup(kept ? kept : guest->asked->address);
}

static void give_if_free(rf_node_model *model, struct rf_node_guest *guest, size_t place, const json_t *known)
{
    rf_autofree char *address = rf_subnet_guest(&model->subnet, place);
    if (!guest->address && !taken(model, known, address))
        guest->address = RF_STEAL(address);
}

void rf_guest_addresses_give(rf_node_model *model, const json_t *known, rf_problems *problems)
{
    const size_t places = rf_subnet_guests_max(&model->subnet);
    for (size_t i = 0; i < model->guests_count; i++)
        give_said(&model->guests[i], i, known, problems);
    for (size_t i = 0; i < model->guests_count; i++)
        give_if_free(model, &model->guests[i], i, known);
    for (size_t i = 0; i < model->guests_count; i++) {
        struct rf_node_guest *guest = &model->guests[i];
        for (size_t place = 0; place < places && !guest->address; place++)
            give_if_free(model, guest, place, known);
        if (!guest->address)
            rf_profile_problem(
                model->profile, problems, "network.guests.subnet",
                "no address is left for %s; 'richtfest guest delete' frees those of guests that are kept",
                guest->asked->name);
    }
}

int rf_guest_address_keep(const struct rf_node_guest *guest, rf_error **err)
{
    rf_autofree char *path = rf_guest_state_path(guest, RF_ADDRESS_FILE), *state = rf_guest_state_path(guest, "");
    rf_autofree char *line = rf_format("%s\n", guest->address);
    if (rf_make_dirs(state, 0700, err) < 0)
        return -1;
    return rf_write_file(path, line, strlen(line), 0600, err);
}

bool rf_guest_address_kept(const struct rf_node_guest *guest)
{
    rf_autofree char *path = rf_guest_state_path(guest, RF_ADDRESS_FILE), *kept = read_address(path);
    return kept && strcmp(kept, guest->address) == 0;
}
