/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"
#include "base/json.h"
#include "base/report_queue.h"
#include "tests/unit/unit.h"

#include <sys/stat.h>

static void test_order(void **state)
{
    (void)state;
    struct rf_report_queue *queue = rf_report_queue_new(NULL);
    assert_null(rf_report_queue_head(queue));
    rf_report_queue_add(queue, "{\"state\":\"started\"}");
    rf_report_queue_add(queue, "rubbish");
    rf_report_queue_add(queue, "{\"state\":\"done\"}");
    assert_string_equal(rf_report_queue_head(queue), "{\"state\":\"started\"}");
    rf_report_queue_drop(queue);
    assert_string_equal(rf_report_queue_head(queue), "{\"state\":\"done\"}");
    rf_report_queue_drop(queue);
    rf_report_queue_drop(queue);
    rf_report_queue_finish(queue); /* the run has ended by itself */
    assert_null(rf_report_queue_head(queue));
    rf_report_queue_free(queue);
}

static void test_failed_always_leaves(void **state)
{
    (void)state;
    struct rf_report_queue *queue = rf_report_queue_new(NULL);
    rf_report_queue_add(queue, "{\"machine\":\"n1\",\"run\":\"r\",\"state\":\"started\"}");
    rf_report_queue_add(queue, "{\"machine\":\"n1\",\"run\":\"r\",\"step\":\"array\",\"state\":\"done\"}");
    rf_report_queue_finish(queue);
    rf_autojson json_t *failed = json_loads(rf_report_queue_head(queue), 0, NULL); /* before what led to it */
    assert_string_equal(rf_json_string(failed, "state"), "failed");
    assert_string_equal(rf_json_string(failed, "machine"), "n1");
    assert_int_equal(rf_json_integer(failed, "code", 0), RF_FAILED);
    const json_t *log = json_object_get(failed, "log");
    assert_string_equal(json_string_value(json_array_get(log, 1)), "array done");
    rf_report_queue_free(queue);
}

static void test_a_word_after_the_end_opens_no_run(void **state)
{
    (void)state;
    struct rf_report_queue *queue = rf_report_queue_new(NULL);
    rf_report_queue_add(queue, "{\"state\":\"started\"}");
    rf_report_queue_add(queue, "{\"state\":\"failed\"}");
    rf_report_queue_add(queue, "{\"state\":\"waiting\",\"message\":\"for a person\"}");
    rf_report_queue_finish(queue);
    for (int i = 0; i < 3; i++)
        rf_report_queue_drop(queue);
    assert_null(rf_report_queue_head(queue));
    rf_report_queue_add(queue, "{\"state\":\"started\"}");
    rf_report_queue_finish(queue);
    rf_report_queue_drop(queue);
    assert_non_null(rf_report_queue_head(queue));
    rf_report_queue_free(queue);
}

static void test_failed_brings_the_log(void **state)
{
    (void)state;
    struct rf_report_queue *queue = rf_report_queue_new(NULL);
    for (int i = 0; i < 30; i++) {
        rf_autofree char *line = rf_format("{\"step\":\"s%d\",\"state\":\"done\"}", i);
        rf_report_queue_add(queue, line);
        rf_report_queue_drop(queue);
    }
    rf_report_queue_add(queue, "{\"state\":\"failed\",\"message\":\"why\"}");
    rf_autojson json_t *failed = json_loads(rf_report_queue_head(queue), 0, NULL);
    const json_t *log = json_object_get(failed, "log");
    assert_int_equal(json_array_size(log), 20);
    assert_string_equal(json_string_value(json_array_get(log, 0)), "s11 done");
    assert_string_equal(json_string_value(json_array_get(log, 19)), "run failed: why");
    rf_report_queue_free(queue);
}

static void test_spool_survives(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory();
    rf_autofree char *spool = rf_format("%s/spool", directory);
    struct rf_report_queue *queue = rf_report_queue_new(spool);
    rf_report_queue_add(queue, "{\"step\":\"a\",\"state\":\"done\"}");
    assert_int_equal(rf_report_queue_save(queue, NULL), 0);
    rf_report_queue_free(queue);
    struct stat status;
    assert_int_equal(stat(spool, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);

    queue = rf_report_queue_new(spool);
    assert_string_equal(rf_report_queue_head(queue), "{\"step\":\"a\",\"state\":\"done\"}");
    rf_report_queue_drop(queue);
    assert_int_equal(rf_report_queue_save(queue, NULL), 0);
    assert_false(rf_exists(spool));
    rf_report_queue_free(queue);
    rf_remove_tree(directory, NULL);
}

static void test_long_backlog_keeps_what_matters(void **state)
{
    (void)state;
    struct rf_report_queue *queue = rf_report_queue_new(NULL);
    for (int i = 0; i < 1000; i++)
        rf_report_queue_add(queue, "{\"step\":\"copy\",\"state\":\"progress\",\"done\":1}");
    rf_report_queue_add(queue, "{\"step\":\"copy\",\"state\":\"done\"}");
    int left = 0;
    while (rf_report_queue_head(queue)) {
        rf_report_queue_drop(queue);
        left++;
    }
    assert_true(left > 2 && left < 100);
    rf_report_queue_free(queue);
}

static void test_a_spool_moves_behind_another(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory();
    rf_autofree char *from = rf_format("%s/from", directory), *to = rf_format("%s/to", directory);
    rf_autofree char *none = NULL, *since = NULL, *text = NULL;
    assert_int_equal(rf_report_spool_move(from, to, NULL), 0); /* nothing there, nothing to do */
    assert_false(rf_exists(to));
    assert_int_equal(rf_report_spool_count(to, &none), 0);
    assert_null(none);

    rf_write_file(to, "{\"time\":\"t1\"}\n{\"time\":\"t2\"}\n", 28, 0600, NULL);
    rf_write_file(from, "{\"time\":\"t3\"}\n", 14, 0600, NULL);
    assert_int_equal(rf_report_spool_move(from, to, NULL), 0);
    assert_false(rf_exists(from));
    assert_int_equal(rf_read_file(to, 1000, &text, NULL, NULL), 0);
    assert_string_equal(text, "{\"time\":\"t1\"}\n{\"time\":\"t2\"}\n{\"time\":\"t3\"}\n");
    assert_int_equal(rf_report_spool_count(to, &since), 3);
    assert_string_equal(since, "t1");
    rf_remove_tree(directory, NULL);
}

/* What can't be put where it belongs stays where it is. */
static void test_a_spool_that_cannot_move_stays(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory();
    rf_autofree char *from = rf_format("%s/from", directory), *to = rf_format("%s/absent/to", directory);
    rf_write_file(from, "{}\n", 3, 0600, NULL);
    rf_error *err = NULL;
    assert_int_equal(rf_report_spool_move(from, to, &err), -1);
    assert_error_has(err, "absent/to can't be written: No such file or directory");
    assert_true(rf_exists(from));
    rf_remove_tree(directory, NULL);
}

/* More than a reader takes would be a spool that nobody delivers. */
static void test_a_spool_can_be_read_again(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory();
    rf_autofree char *spool = rf_format("%s/spool", directory), *since = NULL;
    rf_autofree char *words = rf_alloc(100001);
    memset(words, 'x', 100000);
    struct rf_report_queue *queue = rf_report_queue_new(spool);
    for (int i = 0; i < 200; i++) {
        rf_autofree char *line = rf_format("{\"time\":\"%d\",\"state\":\"done\",\"message\":\"%s\"}", i, words);
        rf_report_queue_add(queue, line);
    }
    assert_int_equal(rf_report_queue_save(queue, NULL), 0);
    rf_report_queue_free(queue);
    size_t count = rf_report_spool_count(spool, &since);
    assert_true(count > 100 && count < 200);
    assert_int_equal(strtoul(since, NULL, 10), 200 - count); /* the newest are kept */
    rf_remove_tree(directory, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_failed_always_leaves),
        cmocka_unit_test(test_a_word_after_the_end_opens_no_run),
        cmocka_unit_test(test_failed_brings_the_log),
        cmocka_unit_test(test_spool_survives),
        cmocka_unit_test(test_long_backlog_keeps_what_matters),
        cmocka_unit_test(test_a_spool_moves_behind_another),
        cmocka_unit_test(test_a_spool_that_cannot_move_stays),
        cmocka_unit_test(test_a_spool_can_be_read_again),
    };
    return cmocka_run_group_tests_name("base/report_queue", tests, NULL, NULL);
}
