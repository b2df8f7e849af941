/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mdadm's words, and what leaves for report.url. */
#include "installer/md_event.h"
#include "tests/unit/unit.h"

static void assert_event(const struct rf_md_news *news, enum rf_state state, const char *said)
{
    rf_autofree char *step = NULL, *title = NULL, *message = NULL;
    struct rf_event event;
    assert_true(rf_md_event(news, &event, &step, &title, &message));
    assert_string_equal(event.step, "md/data");
    assert_string_equal(event.title, "Array data");
    assert_string_equal(event.message, said);
    assert_int_equal(event.state, state);
    assert_int_equal(event.code, state == RF_STATE_FAILED ? RF_FAILED : RF_OK);
}

static void each_event(void **state)
{
    (void)state;
    static const struct {
        const char *event, *component;
        unsigned missing;
        enum rf_state state;
        const char *said;
    } rows[] = {
        {"Fail", "sdc4 (serial S3)", 0, RF_STATE_FAILED,
         "array data has lost its member sdc4 (serial S3); the others go on (`richtfest status`)"},
        {"Fail", NULL, 0, RF_STATE_FAILED,
         "array data has lost its member (unknown); the others go on (`richtfest status`)"},
        {"DegradedArray", NULL, 0, RF_STATE_FAILED, "array data runs without all of its members (`richtfest status`)"},
        {"DegradedArray", NULL, 1, RF_PROGRESS, "array data runs without 1 member, as its profile says"},
        {"DeviceDisappeared", NULL, 1, RF_STATE_FAILED, "array data does not run any more (`richtfest status`)"},
        {"RebuildStarted", NULL, 0, RF_STARTED, "array data is being rebuilt or compared (`richtfest status`)"},
        {"Rebuild40", NULL, 0, RF_PROGRESS, "array data: 40 % rebuilt or compared"},
        {"RebuildFinished", NULL, 0, RF_DONE, "array data is rebuilt or compared (`richtfest status`)"},
        {"SpareActive", "sdd4 (serial S4)", 0, RF_DONE,
         "array data has sdd4 (serial S4) as a whole member now (`richtfest status`)"},
        {"TestMessage", NULL, 0, RF_PROGRESS, "array data: mdadm says TestMessage"},
        {"Eclipse", "sda4", 0, RF_PROGRESS, "array data: mdadm says Eclipse of sda4"},
    };
    for (size_t i = 0; i < RF_COUNT(rows); i++)
        assert_event(&(struct rf_md_news){rows[i].event, "data", rows[i].component, rows[i].missing}, rows[i].state,
                     rows[i].said);
}

static void a_rebuild_has_its_percentage(void **state)
{
    (void)state;
    rf_autofree char *step = NULL, *title = NULL, *message = NULL;
    struct rf_event event;
    assert_true(
        rf_md_event(&(struct rf_md_news){.event = "Rebuild60", .array = "system"}, &event, &step, &title, &message));
    assert_true(event.done == 60 && event.total == 100);
    assert_string_equal(event.unit, "percent");
}

/* At each start the monitor tells of every array that there is. */
static void a_new_array_is_no_news(void **state)
{
    (void)state;
    char *none = NULL;
    struct rf_event event;
    assert_false(rf_md_event(&(struct rf_md_news){.event = "NewArray", .array = "data"}, &event, &none, &none, &none));
    assert_null(none);
}

static void put(const char *path, const char *text)
{
    rf_autofree char *full = rf_format("%s%s", unit_scratch(), path), *above = rf_strdup(full);
    *strrchr(above, '/') = '\0';
    assert_int_equal(rf_make_dirs(above, 0755, NULL), 0);
    assert_int_equal(rf_write_file(full, text, strlen(text), 0644, NULL), 0);
}

/* A person looks for a disk, not for a partition. */
static void a_component_says_its_disk(void **state)
{
    (void)state;
    put("/sys/devices/pci/block/sdc/serial", "S3Z1\n");
    put("/sys/devices/pci/block/sdc/device/serial", "S3Z1\n");
    put("/sys/devices/pci/block/sdc/size", "1000\n");
    put("/sys/devices/pci/block/sdc/sdc4/partition", "4\n");
    put("/sys/class/block/keep", "");
    put("/sys/block/keep", "");
    rf_autofree char *part = rf_format("%s/sys/class/block/sdc4", unit_scratch());
    rf_autofree char *disk = rf_format("%s/sys/block/sdc", unit_scratch());
    assert_int_equal(symlink("../../devices/pci/block/sdc/sdc4", part), 0);
    assert_int_equal(symlink("../devices/pci/block/sdc", disk), 0);
    rf_autofree char *known = rf_md_component(unit_scratch(), "/dev/sdc4");
    assert_string_equal(known, "sdc4 (serial S3Z1)");
    rf_autofree char *gone = rf_md_component(unit_scratch(), "/dev/sdz4");
    assert_string_equal(gone, "sdz4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_event),
        cmocka_unit_test(a_rebuild_has_its_percentage),
        cmocka_unit_test(a_new_array_is_no_news),
        cmocka_unit_test(a_component_says_its_disk),
    };
    return cmocka_run_group_tests_name("installer/md_event", tests, unit_scratch_open, unit_scratch_close);
}
