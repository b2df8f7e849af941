/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/arrays.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/units.h"

#include <stdbool.h>
#include <string.h>

/* The kernel's Documentation/admin-guide/md.rst names the attributes. */
static char *attribute(const char *sysroot, const char *array, const char *name)
{
    rf_autofree char *path = rf_format("%s/sys/block/%s/%s", sysroot, array, name);
    return rf_read_line(path);
}

static uint64_t number(const char *sysroot, const char *array, const char *name)
{
    rf_autofree char *text = attribute(sysroot, array, name);
    return text ? strtoull(text, NULL, 10) : 0;
}

char *rf_array_given_name(const char *sysroot, const char *array)
{
    rf_autofree char *folder = rf_format("%s/dev/md", sysroot);
    rf_autodir DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char target[256];
        rf_autofree char *path = rf_format("%s/%s", folder, entry->d_name);
        ssize_t length = readlink(path, target, sizeof(target) - 1);
        if (length <= 0)
            continue;
        target[length] = '\0';
        const char *slash = strrchr(target, '/');
        if (strcmp(slash ? slash + 1 : target, array) == 0)
            return rf_strdup(entry->d_name);
    }
    return rf_strdup(array);
}

/* sync_completed is "done / total" in sectors, "none" before the first, "delayed" while another array on the same disks has its turn;
 * sync_speed is KiB a second. Both count the same sectors at every level, so what is left follows from them. */
static json_t *resync(const char *sysroot, const char *array, const char *action)
{
    rf_autofree char *completed = attribute(sysroot, array, "md/sync_completed");
    unsigned long long done = 0, total = 0;
    bool waits = completed && strcmp(completed, "delayed") == 0;
    if (completed)
        sscanf(completed, "%llu / %llu", &done, &total);
    uint64_t speed = number(sysroot, array, "md/sync_speed") * 1024;
    json_t *object = json_pack("{s:s,s:I}", "action", action, "speed", (json_int_t)speed);
    if (waits)
        json_object_set_new(object, "waits", json_true());
    if (total)
        json_object_set_new(object, "percent", json_integer((json_int_t)(done * 100 / total)));
    if (total && speed)
        json_object_set_new(object, "seconds_left", json_integer((json_int_t)((total - done) * 512 / speed)));
    return object;
}

/* "md/dev-sdc3" → is it a spare: without a place in the array, and not thrown out of it. */
static bool is_spare(const char *slot, const char *state)
{
    return strcmp(slot, "none") == 0 && !strstr(state, "faulty");
}

/* With a place, and not in step yet: md goes on calling it a spare. */
static bool is_filled(const char *slot, const char *state)
{
    return strcmp(slot, "none") != 0 && strstr(state, "spare");
}

static int is_device(const struct dirent *entry)
{
    return strncmp(entry->d_name, "dev-", 4) == 0;
}

static int by_name(const struct dirent **left, const struct dirent **right)
{
    return strverscmp((*left)->d_name, (*right)->d_name);
}

/* The kernel names of the partitions of that kind, in order. */
static json_t *partitions(const char *sysroot, const char *array, bool (*kind)(const char *slot, const char *state))
{
    json_t *list = json_array();
    rf_autofree char *folder = rf_format("%s/sys/block/%s/md", sysroot, array);
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_device, by_name);
    for (int i = 0; i < count; i++) {
        rf_autofree char *slot_name = rf_format("md/%s/slot", entries[i]->d_name),
                         *state_name = rf_format("md/%s/state", entries[i]->d_name),
                         *slot = attribute(sysroot, array, slot_name), *state = attribute(sysroot, array, state_name);
        if (slot && state && kind(slot, state))
            json_array_append_new(list, json_string(entries[i]->d_name + 4));
        free(entries[i]);
    }
    free(entries);
    return list;
}

/* A resync leaves an array as it is: its data is whole, only not yet compared. */
static const char *state_of(uint64_t degraded, unsigned missing, const char *action, const char *array_state)
{
    if (array_state && (strcmp(array_state, "inactive") == 0 || strcmp(array_state, "broken") == 0))
        return array_state;
    if (action && strcmp(action, "recover") == 0)
        return "rebuilding";
    if (degraded)
        return degraded <= missing ? "degraded on purpose" : "degraded";
    return action && strcmp(action, "reshape") == 0 ? "growing" : "clean";
}

static json_t *array_json(const char *sysroot, const char *array, unsigned missing)
{
    rf_autofree char *name = rf_array_given_name(sysroot, array), *level = attribute(sysroot, array, "md/level");
    rf_autofree char *action = attribute(sysroot, array, "md/sync_action");
    rf_autofree char *array_state = attribute(sysroot, array, "md/array_state");
    uint64_t members = number(sysroot, array, "md/raid_disks"), degraded = number(sysroot, array, "md/degraded");
    json_t *object =
        json_pack("{s:s,s:s,s:I,s:I,s:I,s:s,s:o,s:o}", "name", name, "level", level ? level : "?", "size",
                  (json_int_t)(number(sysroot, array, "size") * 512), "members", (json_int_t)members, "working",
                  (json_int_t)(members - degraded), "state", state_of(degraded, missing, action, array_state), "spares",
                  partitions(sysroot, array, is_spare), "onto", partitions(sysroot, array, is_filled));
    if (action && strcmp(action, "idle") != 0)
        json_object_set_new(object, "resync", resync(sysroot, array, action));
    return object;
}

static int is_array(const struct dirent *entry)
{
    return strncmp(entry->d_name, "md", 2) == 0;
}

json_t *rf_arrays_json(const char *sysroot, unsigned missing)
{
    json_t *list = json_array();
    rf_autofree char *folder = rf_format("%s/sys/block", sysroot);
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_array, by_name);
    for (int i = 0; i < count; i++) {
        json_array_append_new(list, array_json(sysroot, entries[i]->d_name, missing));
        free(entries[i]);
    }
    free(entries);
    return list;
}

bool rf_arrays_well(const json_t *arrays)
{
    static const char *const well[] = {"clean", "growing", "degraded on purpose"};
    for (size_t i = 0; i < json_array_size(arrays); i++) {
        const char *state = rf_json_string(json_array_get(arrays, i), "state");
        bool good = false;
        for (size_t j = 0; j < RF_COUNT(well); j++)
            good |= strcmp(state, well[j]) == 0;
        if (!good)
            return false;
    }
    return true;
}

/* What is not known yet is left out: at the beginning there is no speed, and so no end. */
static char *resync_text(const json_t *resync)
{
    if (!resync)
        return rf_strdup("");
    char *text = rf_format("  %s", rf_json_string(resync, "action"));
    if (json_is_true(json_object_get(resync, "waits"))) {
        rf_append(&text, " waits for another array");
        return text;
    }
    rf_append(&text, " %lld %%", (long long)rf_json_integer(resync, "percent", 0));
    uint64_t speed = (uint64_t)rf_json_integer(resync, "speed", 0);
    if (!speed || !json_object_get(resync, "seconds_left"))
        return text;
    rf_autofree char *rate = rf_size_text(speed);
    rf_autofree char *left = rf_seconds_text((double)rf_json_integer(resync, "seconds_left", 0));
    rf_append(&text, ", %s/s, %s left", rate, left);
    return text;
}

/* Which disk is being filled: the one that must not be pulled. */
static char *onto_text(const json_t *onto)
{
    char *text = rf_strdup("");
    for (size_t i = 0; i < json_array_size(onto); i++)
        rf_append(&text, "%s %s", i ? "," : " onto", json_string_value(json_array_get(onto, i)));
    return text;
}

static char *spares_text(const json_t *spares)
{
    size_t count = json_array_size(spares);
    return count ? rf_format(", %zu spare%s", count, count == 1 ? "" : "s") : rf_strdup("");
}

char *rf_arrays_text(const json_t *arrays)
{
    char *text = rf_format("%-12s %-8s %10s  %-8s %s\n", "ARRAY", "LEVEL", "SIZE", "MEMBERS", "STATE");
    size_t index;
    const json_t *array;
    json_array_foreach((json_t *)arrays, index, array)
    {
        rf_autofree char *size = rf_size_text((uint64_t)rf_json_integer(array, "size", 0));
        rf_autofree char *work = resync_text(json_object_get(array, "resync"));
        rf_autofree char *members = rf_format("%lld of %lld", (long long)rf_json_integer(array, "working", 0),
                                              (long long)rf_json_integer(array, "members", 0));
        rf_autofree char *spare = spares_text(json_object_get(array, "spares"));
        rf_autofree char *onto = onto_text(json_object_get(array, "onto"));
        rf_append(&text, "%-12s %-8s %10s  %-8s %s%s%s%s\n", rf_json_string(array, "name"),
                  rf_json_string(array, "level"), size, members, rf_json_string(array, "state"), onto, spare, work);
    }
    return text;
}
