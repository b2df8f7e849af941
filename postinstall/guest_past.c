/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/guest_past.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"

#include <dirent.h>
#include <string.h>

enum { MARK_MAX = 4096 };

static json_t *past_of(const char *directory, const char *name)
{
    rf_autofree char *mark = rf_format("%s/%s/settled.json", directory, name);
    rf_autofree char *file = rf_format("%s/%s/" RF_ZONE_FILE, directory, name), *zone = rf_read_line(file);
    rf_autojson json_t *settled = rf_exists(mark) ? rf_json_load(mark, MARK_MAX, NULL) : NULL;
    return settled ? json_pack("{s:s*,s:s*}", "recipe", rf_json_string(settled, "recipe"), "zone",
                               zone && *zone ? zone : NULL)
                   : NULL;
}

json_t *rf_guest_pasts(const char *root)
{
    json_t *pasts = json_object();
    rf_autofree char *directory = rf_format("%s%s", root, RF_STATE_GUESTS);
    rf_autodir DIR *entries = opendir(directory);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        json_t *past = entry->d_name[0] == '.' ? NULL : past_of(directory, entry->d_name);
        if (past)
            json_object_set_new(pasts, entry->d_name, past);
    }
    return pasts;
}

static void check_recipe(const struct rf_node_guest *guest, size_t index, const char *was, rf_problems *problems)
{
    const char *name = guest->asked->name, *now = guest->recipe->name;
    rf_autofree char *path = rf_format("guests[%zu].recipe", index);
    if (strcmp(was, now) != 0)
        rf_profile_problem(guest->node->profile, problems, path,
                           "%s was set up with the recipe '%s' on this node, and its disk does not become one of '%s'; "
                           "write that, or give the new guest another name (to make it anew, and lose what is on it: "
                           "'richtfest guest delete %s --with-its-disk' first)",
                           name, was, now, name);
}

static void check_zone(const struct rf_node_guest *guest, size_t index, const char *was, rf_problems *problems)
{
    const char *name = guest->asked->name;
    rf_autofree char *path = rf_format("guests[%zu].settings.%s", index, guest->recipe->zone);
    if (strcmp(was, guest->zone) != 0)
        rf_profile_problem(guest->node->profile, problems, path,
                           "%s holds the domain %s on this node; a domain's name can't be changed: write that (a new "
                           "domain is made in a new guest, or after 'richtfest guest delete %s --with-its-disk', which "
                           "removes all of its accounts)",
                           name, was, name);
}

void rf_guest_pasts_check(const rf_node_model *model, const json_t *known, rf_problems *problems)
{
    for (size_t i = 0; i < model->guests_count; i++) {
        const struct rf_node_guest *guest = &model->guests[i];
        const json_t *past = json_object_get(known, guest->asked->name);
        const char *recipe = rf_json_string(past, "recipe"), *zone = rf_json_string(past, "zone");
        if (recipe)
            check_recipe(guest, i, recipe, problems);
        if (zone && guest->zone)
            check_zone(guest, i, zone, problems);
    }
}

static char *zone_path(const struct rf_node_guest *guest)
{
    return rf_guest_state_path(guest, RF_ZONE_FILE);
}

int rf_guest_zone_keep(const struct rf_node_guest *guest, rf_error **err)
{
    rf_autofree char *path = zone_path(guest), *state = rf_guest_state_path(guest, "");
    rf_autofree char *line = guest->zone ? rf_format("%s\n", guest->zone) : NULL;
    if (!line)
        return 0;
    return rf_make_dirs(state, 0700, err) < 0 ? -1 : rf_write_file(path, line, strlen(line), 0600, err);
}

bool rf_guest_zone_kept(const struct rf_node_guest *guest)
{
    rf_autofree char *path = zone_path(guest), *kept = rf_read_line(path);
    return !guest->zone || (kept && strcmp(kept, guest->zone) == 0);
}
