/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small edits in roots whose files are hard-linked to the cache: the cache must not change. */
#include "base/file.h"
#include "image/clean.h"
#include "image/text.h"
#include "image/tree.h"
#include "tests/unit/unit.h"

static void values_are_filled_in(void **state)
{
    (void)state;
    const char *const values[] = {"A", "1", "LONG_NAME", "two", NULL};
    rf_autofree char *text = rf_text_fill("@A@ @B@ a@b @LONG_NAME@@A@ @A", values);
    assert_string_equal(text, "1 @B@ a@b two1 @A");
}

static char *put(const char *top, const char *name, const char *text)
{
    char *path = rf_format("%s/%s", top, name);
    rf_autofree char *above = rf_strdup(path);
    *strrchr(above, '/') = '\0';
    assert_int_equal(rf_make_dirs(above, 0755, NULL), 0);
    assert_int_equal(rf_write_file(path, text, strlen(text), 0644, NULL), 0);
    return path;
}

static void assert_text(const char *path, const char *text)
{
    rf_autofree char *found = NULL;
    assert_int_equal(rf_read_file(path, 1000, &found, NULL, NULL), 0);
    assert_string_equal(found, text);
}

static void links_to_the_cache_are_cut(void **state)
{
    (void)state;
    rf_autofree char *top = unit_directory();
    rf_autofree char *cached = put(top, "cache/etc/file", "cached\ndrop\n"),
                     *ours = put(top, "data/etc/file", "ours\n");
    rf_autofree char *root = rf_format("%s/root", top), *data = rf_format("%s/data", top);
    rf_autofree char *linked = rf_format("%s/etc/file", root), *etc = rf_format("%s/etc", root);
    assert_int_equal(rf_make_dirs(etc, 0755, NULL), 0);
    assert_int_equal(link(cached, linked), 0);
    assert_int_equal(rf_text_drop_line(root, "/etc/file", "drop", NULL), 0);
    assert_text(linked, "cached\n");
    assert_text(cached, "cached\ndrop\n");
    unlink(linked);
    assert_int_equal(link(cached, linked), 0);
    assert_int_equal(rf_tree_overlay(data, root, 1000, NULL), 0);
    assert_text(linked, "ours\n");
    assert_text(cached, "cached\ndrop\n");
    struct stat status;
    assert_int_equal(stat(linked, &status), 0);
    assert_int_equal(status.st_mtim.tv_sec, 1000);
    rf_autofree char *id = put(top, "cache/etc/machine-id", "0123\n"), *root_id = rf_format("%s/etc/machine-id", root);
    assert_int_equal(link(id, root_id), 0);
    char *const patterns[] = {"etc/f*", "nothing/*", NULL};
    assert_int_equal(rf_root_clean(root, patterns, 1000, NULL), 0);
    assert_false(rf_exists(linked));
    assert_text(root_id, "");
    assert_text(id, "0123\n");
    (void)ours;
    rf_remove_tree(top, NULL);
}

static void sources_are_brought_without_touching_what_is_equal(void **state)
{
    (void)state;
    rf_autofree char *top = unit_directory(), *from = rf_format("%s/from", top), *to = rf_format("%s/to", top);
    rf_autofree char *same = put(top, "from/a/same.c", "same"), *changed = put(top, "from/a/changed.c", "new");
    rf_autofree char *same_there = put(top, "to/a/same.c", "same"), *changed_there = put(top, "to/a/changed.c", "old");
    rf_autofree char *gone = put(top, "to/gone/x.c", "x");
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    utimensat(-1, same_there, times, 0);
    assert_int_equal(rf_tree_sync(from, to, NULL), 0);
    struct stat status;
    assert_int_equal(stat(same_there, &status), 0);
    assert_int_equal(status.st_mtim.tv_sec, 1);
    assert_text(changed_there, "new");
    assert_false(rf_exists(gone));
    (void)same;
    (void)changed;
    rf_remove_tree(top, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_filled_in),
        cmocka_unit_test(links_to_the_cache_are_cut),
        cmocka_unit_test(sources_are_brought_without_touching_what_is_equal),
    };
    return cmocka_run_group_tests_name("image/text", tests, NULL, NULL);
}
