/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pieces: complete or not there, and nothing but pieces is ever removed. */
#include "base/file.h"
#include "image/cache.h"
#include "tests/unit/unit.h"

#include <sys/stat.h>

struct fixture {
    char *directory, *cache;
};

static void start(struct fixture *self)
{
    self->directory = unit_directory();
    self->cache = rf_format("%s/cache", self->directory);
}

static void finish(struct fixture *self)
{
    rf_remove_tree(self->directory, NULL);
    free(self->directory);
    free(self->cache);
}

#define FIXTURE(self)                                                                                                  \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct fixture self;                                                                            \
    start(&self)
#define PIECE(piece) RF_CLEANUP(rf_piece_clear) struct rf_piece piece = {0}

static void a_piece_appears_at_once(void **state)
{
    FIXTURE(self);
    rf_autofd int lock = -1;
    assert_int_equal(rf_cache_open(self.cache, &lock, NULL), 0);
    PIECE(piece);
    rf_key_add(&piece.key, "a", "1");
    rf_piece_seal(&piece, self.cache, "node-root");
    assert_false(rf_piece_done(&piece));
    assert_int_equal(rf_piece_begin(&piece, NULL), 0);
    rf_autofree char *inside = rf_piece_new_path(&piece, "file");
    assert_int_equal(rf_write_file(inside, "x", 1, 0644, NULL), 0);
    assert_false(rf_piece_done(&piece));
    assert_int_equal(rf_piece_commit(&piece, NULL), 0);
    assert_true(rf_piece_done(&piece));
    assert_false(rf_exists(piece.new));
    rf_autofree char *inputs = rf_piece_path(&piece, "inputs"), *text = NULL;
    assert_int_equal(rf_read_file(inputs, 100, &text, NULL, NULL), 0);
    assert_string_equal(text, "a 1\n");
}

static void rubbish_of_a_killed_run_goes(void **state)
{
    FIXTURE(self);
    PIECE(piece);
    rf_piece_seal(&piece, self.cache, "node-root");
    {
        rf_autofd int lock = -1;
        assert_int_equal(rf_cache_open(self.cache, &lock, NULL), 0);
        assert_int_equal(rf_piece_begin(&piece, NULL), 0);
    }
    assert_true(rf_exists(piece.new));
    rf_autofd int again = -1;
    assert_int_equal(rf_cache_open(self.cache, &again, NULL), 0);
    assert_false(rf_exists(piece.new));
}

static void two_builds_do_not_share_it(void **state)
{
    FIXTURE(self);
    rf_autofd int lock = -1, second = -1;
    assert_int_equal(rf_cache_open(self.cache, &lock, NULL), 0);
    rf_error *error = NULL;
    assert_int_equal(rf_cache_open(self.cache, &second, &error), -1);
    assert_error_has(error, "another build works in");
    assert_int_equal(second, -1);
}

static void strangers_are_not_touched(void **state)
{
    FIXTURE(self);
    rf_autofree char *mine = rf_format("%s/thesis.txt", self.cache);
    assert_int_equal(rf_make_dirs(self.cache, 0755, NULL), 0);
    assert_int_equal(rf_write_file(mine, "x", 1, 0644, NULL), 0);
    rf_autofd int lock = -1;
    rf_error *error = NULL;
    assert_int_equal(rf_cache_open(self.cache, &lock, &error), -1);
    assert_int_equal(rf_error_code(error), RF_USAGE);
    assert_error_has(error, "holds thesis.txt too");
    assert_true(rf_exists(mine));
}

static void old_pieces_go(void **state)
{
    FIXTURE(self);
    rf_autofd int lock = -1;
    assert_int_equal(rf_cache_open(self.cache, &lock, NULL), 0);
    PIECE(old);
    PIECE(new);
    rf_key_add(&old.key, "version", "1");
    rf_key_add(&new.key, "version", "2");
    rf_piece_seal(&old, self.cache, "program");
    rf_piece_seal(&new, self.cache, "program");
    assert_string_not_equal(old.path, new.path);
    struct rf_piece *const both[] = {&old, &new};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(rf_piece_begin(both[i], NULL), 0);
        assert_int_equal(rf_piece_commit(both[i], NULL), 0);
    }
    const struct rf_piece *const kept[] = {&new};
    assert_int_equal(rf_cache_prune(self.cache, kept, 1, NULL), 0);
    assert_false(rf_piece_done(&old));
    assert_true(rf_piece_done(&new));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_piece_appears_at_once),
        cmocka_unit_test(rubbish_of_a_killed_run_goes),
        cmocka_unit_test(two_builds_do_not_share_it),
        cmocka_unit_test(strangers_are_not_touched),
        cmocka_unit_test(old_pieces_go),
    };
    return cmocka_run_group_tests_name("image/cache", tests, NULL, NULL);
}
