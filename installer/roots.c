/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/roots.h"

#include "base/file.h"
#include "base/memory.h"
#include "image/region.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG_MAX = 1 << 16, NOTE_MAX = 1 << 16 };

static char *note_path(const char *top, unsigned number)
{
    return rf_format("%s" RF_NODE_DIR "/" RF_ROOTS_DIR "/%u.json", top, number);
}

void rf_root_clear(struct rf_root *root)
{
    free(root->how);
    free(root->version);
    free(root->digest);
    free(root->run);
    *root = (struct rf_root){0};
}

void rf_roots_free(rf_roots *roots)
{
    if (!roots)
        return;
    for (size_t i = 0; i < roots->count; i++)
        rf_root_clear(&roots->list[i]);
    free(roots->list);
    free(roots);
}

/* "12" is root 12; "12.new", "012" and "x" are none: 0. */
static unsigned number_of(const char *name)
{
    char *end;
    const unsigned long number = *name >= '1' && *name <= '9' ? strtoul(name, &end, 10) : 0;
    return number && *end == '\0' && number <= RF_ROOT_NUMBER_MAX ? (unsigned)number : 0;
}

/* What can't be read is not known: the root is there all the same. */
static void read_note(const char *top, struct rf_root *root)
{
    rf_autofree char *path = note_path(top, root->number);
    rf_autojson json_t *note = rf_json_load(path, NOTE_MAX, NULL);
    root->how = rf_strdup(rf_json_string(note, "how"));
    root->version = rf_strdup(rf_json_string(note, "version"));
    root->digest = rf_strdup(rf_json_string(note, "digest"));
    root->run = rf_strdup(rf_json_string(note, "run"));
    root->of = (unsigned)rf_json_integer(note, "of", 0);
    root->made = rf_json_integer(note, "made", 0);
    root->good = rf_json_integer(note, "good", 0);
    root->failed = rf_json_integer(note, "failed", 0);
}

static int by_number(const void *left, const void *right)
{
    const unsigned a = ((const struct rf_root *)left)->number, b = ((const struct rf_root *)right)->number;
    return (a > b) - (a < b);
}

static int read_list(const char *top, rf_roots *roots, rf_error **err)
{
    rf_autofree char *path = rf_format("%s/" RF_ROOTS_DIR, top);
    rf_autodir DIR *dir = opendir(path);
    if (!dir)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be read", path);
    for (struct dirent *entry; (entry = readdir(dir));) {
        const unsigned number = number_of(entry->d_name);
        if (!number)
            continue;
        struct rf_root *root = rf_array_add(&roots->list, &roots->count, sizeof(*roots->list));
        root->number = number;
        read_note(top, root);
    }
    if (roots->count)
        qsort(roots->list, roots->count, sizeof(*roots->list), by_number);
    return 0;
}

int rf_roots_read(const char *top, unsigned running, rf_roots **ret_roots, rf_error **err)
{
    rf_autoroots rf_roots *roots = rf_alloc(sizeof(*roots));
    rf_autofree char *path = rf_format("%s" RF_NODE_GRUB_CONFIG, top), *text = NULL;
    rf_autoerror rf_error *why = NULL;
    roots->running = running;
    if (rf_read_file(path, CONFIG_MAX, &text, NULL, &why) < 0 || rf_boot_choice_parse(text, &roots->choice, &why) < 0)
        return rf_fail(err, RF_BAD_MACHINE,
                       "the system volume does not say which root is booted: it was installed by an older Richtfest");
    if (read_list(top, roots, err) < 0)
        return -1;
    *ret_roots = RF_STEAL(roots);
    return 0;
}

const struct rf_root *rf_roots_find(const rf_roots *roots, unsigned number)
{
    for (size_t i = 0; i < roots->count; i++)
        if (roots->list[i].number == number)
            return &roots->list[i];
    return NULL;
}

bool rf_roots_on_trial(const rf_roots *roots)
{
    return *roots->choice.trial && roots->choice.root == roots->running;
}

unsigned rf_roots_next(const rf_roots *roots)
{
    return roots->count ? roots->list[roots->count - 1].number + 1 : 1;
}

static bool is_snapshot(const struct rf_root *root)
{
    return root->how && strcmp(root->how, RF_ROOT_SNAPSHOT) == 0;
}

unsigned rf_roots_back(const rf_roots *roots)
{
    if (rf_roots_on_trial(roots))
        return roots->choice.before;
    for (size_t i = roots->count; i-- > 0;)
        if (is_snapshot(&roots->list[i]) && roots->list[i].of == roots->running &&
            roots->list[i].number != roots->choice.root)
            return roots->list[i].number;
    const unsigned before = roots->choice.before;
    if (before && before != roots->running && rf_roots_find(roots, before))
        return before;
    return rf_roots_good(roots, roots->running);
}

unsigned rf_roots_good(const rf_roots *roots, unsigned number)
{
    unsigned snapshot = 0;
    for (size_t i = roots->count; i-- > 0;) {
        const struct rf_root *root = &roots->list[i];
        if (root->number == number || !root->good || root->failed > root->good)
            continue;
        if (!is_snapshot(root))
            return root->number;
        snapshot = snapshot ? snapshot : root->number;
    }
    return snapshot;
}

const char *rf_root_needed(const rf_roots *roots, unsigned number)
{
    if (number == roots->running)
        return "it runs";
    if (number == roots->choice.root)
        return "it is booted next";
    if (number == roots->choice.before)
        return "it is what the node falls back to";
    return number == rf_roots_good(roots, roots->running) ? "it is the last good one besides the one that runs" : NULL;
}

unsigned *rf_roots_surplus(const rf_roots *roots, unsigned keep, size_t *ret_count)
{
    unsigned *surplus = rf_alloc((roots->count + 1) * sizeof(*surplus));
    size_t seen = 0, count = 0;
    for (size_t i = roots->count; i-- > 0;) {
        const struct rf_root *root = &roots->list[i];
        if (!is_snapshot(root) || !root->run || ++seen <= keep || rf_root_needed(roots, root->number))
            continue;
        surplus[count++] = root->number;
    }
    for (size_t i = 0; i < count / 2; i++) {
        const unsigned swap = surplus[i];
        surplus[i] = surplus[count - 1 - i];
        surplus[count - 1 - i] = swap;
    }
    *ret_count = count;
    return surplus;
}

static json_t *note_json(const struct rf_root *root)
{
    return json_pack("{s:I,s:s?,s:s?,s:s?,s:s?,s:I,s:I,s:I,s:I}", "number", (json_int_t)root->number, "how", root->how,
                     "version", root->version, "digest", root->digest, "run", root->run, "of", (json_int_t)root->of,
                     "made", root->made, "good", root->good, "failed", root->failed);
}

int rf_root_note(const char *top, const struct rf_root *root, rf_error **err)
{
    rf_autofree char *directory = rf_format("%s" RF_NODE_DIR "/" RF_ROOTS_DIR, top);
    rf_autofree char *path = note_path(top, root->number);
    rf_autojson json_t *note = note_json(root);
    rf_autofree char *text = rf_json_text(note);
    if (rf_make_dirs(directory, 0755, err) < 0)
        return -1;
    return rf_write_file(path, text, strlen(text), 0600, err);
}

int rf_roots_choose(const char *top, const char *node_id, const char *system_uuid, const struct rf_boot_choice *choice,
                    rf_error **err)
{
    rf_autofree char *directory = rf_format("%s" RF_NODE_DIR, top), *path = rf_format("%s" RF_NODE_GRUB_CONFIG, top);
    rf_autofree char *text = rf_boot_choice_text(node_id, system_uuid, choice);
    if (rf_make_dirs(directory, 0755, err) < 0)
        return -1;
    return rf_write_file(path, text, strlen(text), 0600, err);
}
