/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/keep_profile.h"

#include "base/file.h"
#include "base/memory.h"
#include "profiles/yaml.h"

#include <string.h>

/* node.id out of a text that may be wrong elsewhere; the caller frees it. NULL: it does not say. */
static char *id_in(const char *text)
{
    rf_autoproblems rf_problems ignored = {0};
    rf_autonode rf_node *root = rf_yaml_read("", text, strlen(text), &ignored);
    const rf_node *node = root ? rf_node_child(root, "node") : NULL;
    const rf_node *id = node ? rf_node_child(node, "id") : NULL;
    return id && id->kind == RF_NODE_TEXT ? rf_strdup(id->text) : NULL;
}

int rf_profile_check_node(const rf_profile *profile, const char *path, rf_error **err)
{
    rf_autosecret char *text = NULL; /* report.url may hold a token */
    if (!rf_exists(path))
        return 0;
    if (rf_read_file(path, RF_PROFILE_MAX, &text, NULL, err) < 0)
        return -1;
    rf_autofree char *own = id_in(text);
    if (!own || strcmp(own, profile->node.id) == 0)
        return 0;
    return rf_fail(err, RF_BAD_MACHINE,
                   "%s is the profile of the node %s, and this is %s: nothing is changed; take the profile that has "
                   "`id: %s` (this node's own is %s)",
                   profile->file, profile->node.id, own, own, path);
}

int rf_profile_keep(rf_events *events, const rf_profile *profile, const char *path, rf_error **err)
{
    rf_autosecret char *former = NULL;
    rf_autofree char *before = rf_format("%s" RF_PROFILE_BEFORE, path);
    if (rf_exists(path) && rf_read_file(path, RF_PROFILE_MAX, &former, NULL, err) < 0)
        return rf_wrap(err, "keeping the node's profile");
    if (former && strcmp(former, profile->text) == 0)
        return 0;
    if ((former && rf_write_file(before, former, strlen(former), 0600, err) < 0) ||
        rf_write_file(path, profile->text, strlen(profile->text), 0600, err) < 0)
        return rf_wrap(err, "keeping the node's profile");
    rf_emit_message(events, RF_PROGRESS, "%s is this node's profile from now on (%s; the former one: %s)",
                    profile->file, path, former ? before : "none");
    return 0;
}
