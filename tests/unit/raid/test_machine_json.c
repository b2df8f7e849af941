/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/raid/raid.h"

#include <glob.h>

/* Every recorded machine, read and printed again, is the same bytes. */
static void round_trip(void **state)
{
    (void)state;
    glob_t found = {0};
    assert_int_equal(glob(MACHINES "*.json", 0, NULL, &found), 0);
    assert_true(found.gl_pathc >= 6);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        rf_autofree char *before = NULL;
        assert_int_equal(rf_read_file(found.gl_pathv[i], RF_MACHINE_MAX, &before, NULL, NULL), 0);
        rf_automachine rf_machine *machine = NULL;
        assert_int_equal(rf_machine_load(found.gl_pathv[i], &machine, NULL), 0);
        rf_autojson json_t *json = rf_machine_to_json(machine);
        rf_autofree char *after = rf_json_text(json);
        assert_string_equal(before, after);
    }
    globfree(&found);
}

static json_t *good(void)
{
    return rf_json_load(MACHINES "musterkunde-blank.json", RF_MACHINE_MAX, NULL);
}

static void rejected(json_t *json, const char *why)
{
    rf_machine *machine = NULL;
    rf_error *err = NULL;
    assert_int_equal(rf_machine_from_json(json, &machine, &err), -1);
    assert_null(machine);
    assert_int_equal(rf_error_code(err), RF_BAD_MACHINE);
    assert_error_has(err, why);
    json_decref(json);
}

static json_t *disk_of(json_t *json, size_t index)
{
    return json_array_get(json_object_get(json, "disks"), index);
}

static void bad_documents(void **state)
{
    (void)state;
    rejected(json_integer(3), "richtfest_machine: must be 1");
    rejected(json_object(), "richtfest_machine: must be 1");
    json_t *json = good();
    json_object_set_new(json, "richtfest_machine", json_integer(2));
    rejected(json, "richtfest_machine: must be 1");
    json = good();
    json_object_del(disk_of(json, 1), "size");
    rejected(json, "disks[1].size: is missing");
    json = good();
    json_object_set_new(disk_of(json, 1), "size", json_string("4 TB"));
    rejected(json, "disks[1].size: must be a whole number");
    json = good();
    json_object_set_new(disk_of(json, 0), "size", json_integer(-1));
    rejected(json, "disks[0].size: must be a whole number");
    json = good();
    json_object_set_new(disk_of(json, 0), "colour", json_string("red"));
    rejected(json, "disks[0].colour: is no key");
    json = good();
    json_object_set_new(disk_of(json, 0), "rotational", json_string("maybe"));
    rejected(json, "disks[0].rotational: must be one of \"unknown\", \"no\", \"yes\"");
    json = good();
    json_object_set_new(disk_of(json, 0), "serial", json_string("a\033[2J"));
    rejected(json, "disks[0].serial: holds a control character");
    json = good();
    json_array_append_new(json_object_get(disk_of(json, 0), "signatures"), json_string("gpt"));
    rejected(json, "disks[0].signatures[0]: must be an object");
    json = good();
    json_object_set_new(json, "cores", json_integer(INT64_C(1) << 40));
    rejected(json, "cores: must be a whole number");
}

static void bounded(void **state)
{
    (void)state;
    json_t *json = good();
    for (int i = 0; i < 1100; i++)
        json_array_append(json_object_get(json, "disks"), disk_of(json, 0));
    rejected(json, "disks: must be a list of at most 1024 entries");
    rf_autofree char *text = rf_format("%02000d", 1);
    json = good();
    json_object_set_new(json, "dmi_serial", json_string(text));
    rejected(json, "dmi_serial: must be a text of 1 to 1024 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(bad_documents),
        cmocka_unit_test(bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
