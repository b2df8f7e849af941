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
    rf_report_queue_save(queue);
    rf_report_queue_free(queue);
    struct stat status;
    assert_int_equal(stat(spool, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);

    queue = rf_report_queue_new(spool);
    assert_string_equal(rf_report_queue_head(queue), "{\"step\":\"a\",\"state\":\"done\"}");
    rf_report_queue_drop(queue);
    rf_report_queue_save(queue);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_failed_always_leaves),
        cmocka_unit_test(test_a_word_after_the_end_opens_no_run),
        cmocka_unit_test(test_failed_brings_the_log),
        cmocka_unit_test(test_spool_survives),
        cmocka_unit_test(test_long_backlog_keeps_what_matters),
    };
    return cmocka_run_group_tests_name("base/report_queue", tests, NULL, NULL);
}
