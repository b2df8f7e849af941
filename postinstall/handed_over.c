/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/handed_over.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"

#include <dirent.h>
#include <string.h>

#define SUFFIX ".age"

static bool belongs_to(const char *name, const char *wanted)
{
    const size_t length = wanted ? strlen(wanted) : 0;
    return !wanted || (strncmp(name, wanted, length) == 0 && (name[length] == '.' || !name[length]));
}

static void add_below(json_t *names, const char *root, const char *prefix, const char *wanted)
{
    rf_autofree char *directory = rf_format("%s" RF_STATE_HANDOVER "/%s", root, prefix);
    rf_autodir DIR *entries = opendir(directory);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        const char *suffix = strrchr(entry->d_name, '.');
        if (!suffix || strcmp(suffix, SUFFIX) != 0)
            continue;
        rf_autofree char *name = rf_format("%s%.*s", prefix, (int)(suffix - entry->d_name), entry->d_name);
        if (belongs_to(name, wanted))
            json_array_append_new(names, json_string(name));
    }
}

static int by_name(const void *left, const void *right)
{
    return strcmp(json_string_value(*(json_t *const *)left), json_string_value(*(json_t *const *)right));
}

json_t *rf_handed_over(const char *root, const char *wanted)
{
    rf_autojson json_t *found = json_array();
    json_t *sorted = json_array();
    add_below(found, root, "", wanted);
    add_below(found, root, "admins/", wanted);
    const size_t count = json_array_size(found);
    rf_autofree json_t **names = rf_alloc((count + 1) * sizeof(json_t *));
    for (size_t i = 0; i < count; i++)
        names[i] = json_array_get(found, i);
    qsort(names, count, sizeof(json_t *), by_name);
    for (size_t i = 0; i < count; i++)
        json_array_append(sorted, names[i]);
    return sorted;
}

char *rf_handed_over_path(const char *root, const char *name)
{
    return rf_format("%s" RF_STATE_HANDOVER "/%s" SUFFIX, root, name);
}
