/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arrays as the kernel describes them, below a directory that stands for the machine. */
#include "installer/arrays.h"
#include "tests/unit/unit.h"

static void put(const char *path, const char *text)
{
    rf_autofree char *full = rf_format("%s%s", unit_scratch(), path), *above = rf_strdup(full);
    *strrchr(above, '/') = '\0';
    assert_int_equal(rf_make_dirs(above, 0755, NULL), 0);
    assert_int_equal(rf_write_file(full, text, strlen(text), 0644, NULL), 0);
}

/* What the kernel shows of an array of two members; `more` are further NAME, TEXT pairs. NULL-terminated. */
static void array(const char *name, const char *given, const char *degraded, const char *const *more)
{
    const char *const rows[][2] = {{"size", "67043328\n"},        {"md/level", "raid1\n"},
                                   {"md/raid_disks", "2\n"},      {"md/degraded", degraded},
                                   {"md/array_state", "clean\n"}, {"md/sync_action", "idle\n"}};
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        rf_autofree char *path = rf_format("/sys/block/%s/%s", name, rows[i][0]);
        put(path, rows[i][1]);
    }
    for (; *more; more += 2) {
        rf_autofree char *path = rf_format("/sys/block/%s/%s", name, more[0]);
        put(path, more[1]);
    }
    if (!given)
        return;
    rf_autofree char *folder = rf_format("%s/dev/md", unit_scratch()), *link = rf_format("%s/%s", folder, given),
                     *target = rf_format("../%s", name);
    assert_int_equal(rf_make_dirs(folder, 0755, NULL), 0);
    assert_int_equal(symlink(target, link), 0);
}

#define ARRAY(name, given, degraded, ...) array(name, given, degraded, (const char *const[]){__VA_ARGS__ NULL})

static void each_state_has_its_line(void **state)
{
    (void)state;
    ARRAY("md127", "system", "0\n", );
    ARRAY("md126", "data", "1\n", );
    ARRAY("md5", NULL, "1\n", "md/sync_action", "recover\n", "md/sync_completed", "33521664 / 67043328\n",
          "md/sync_speed", "102400\n", "md/dev-sda3/slot", "0\n", "md/dev-sda3/state", "in_sync\n", "md/dev-sdb3/slot",
          "1\n", "md/dev-sdb3/state", "spare\n", );
    ARRAY("md10", NULL, "0\n", "md/sync_action", "resync\n", "md/sync_completed", "none\n", "md/sync_speed", "0\n", );
    ARRAY("md9", NULL, "0\n", "md/array_state", "inactive\n", );
    put("/sys/block/sda/size", "1\n"); /* no array */
    rf_autojson json_t *arrays = rf_arrays_json(unit_scratch(), 0);
    rf_autofree char *text = rf_arrays_text(arrays);
    assert_string_equal(
        text,
        "ARRAY        LEVEL          SIZE  MEMBERS  STATE\n"
        "md5          raid1       34.3 GB  1 of 2   rebuilding onto sdb3  recover 50 %, 105 MB/s, 2 min 43 s left\n"
        "md9          raid1       34.3 GB  2 of 2   inactive\n"
        "md10         raid1       34.3 GB  2 of 2   clean  resync 0 %\n"
        "data         raid1       34.3 GB  1 of 2   degraded\n"
        "system       raid1       34.3 GB  2 of 2   clean\n");
    const json_t *resync = json_object_get(json_array_get(arrays, 0), "resync");
    assert_int_equal(rf_json_integer(resync, "seconds_left", 0), 163);
}

/* One array alone, below a directory of its own. */
static json_t *only(const char *place, unsigned missing, const char *const *more)
{
    rf_autofree char *all = rf_strdup(unit_scratch()), *here = rf_format("%s/%s", all, place);
    free(unit_scratch());
    unit_scratch() = rf_strdup(here);
    array("md1", "data", "0\n", more);
    json_t *arrays = rf_arrays_json(here, missing);
    free(unit_scratch());
    unit_scratch() = RF_STEAL(all);
    return arrays;
}

static void levels_and_what_they_do(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        unsigned missing;
        bool well;
        const char *more[11];
    } rows[] = {
        {"raid5       34.3 GB  3 of 3   clean  resync 25 %, 205 MB/s, 1 min 57 s left",
         0,
         true,
         {"md/level", "raid5\n", "md/raid_disks", "3\n", "md/sync_action", "resync\n", "md/sync_completed",
          "15625000 / 62500000\n", "md/sync_speed", "200000\n"}},
        {"raid6       34.3 GB  5 of 5   growing  reshape 50 %, 10.2 MB/s, 26 min 02 s left",
         0,
         true,
         {"md/level", "raid6\n", "md/raid_disks", "5 (4)\n", "md/sync_action", "reshape\n", "md/sync_completed",
          "31250000 / 62500000\n", "md/sync_speed", "10000\n"}},
        {"raid10      34.3 GB  3 of 4   rebuilding  recover waits for another array",
         0,
         false,
         {"md/level", "raid10\n", "md/raid_disks", "4\n", "md/sync_action", "recover\n", "md/sync_completed",
          "delayed\n", "md/degraded", "1\n"}},
        {"raid1       34.3 GB  1 of 2   degraded on purpose", 1, true, {"md/degraded", "1\n"}},
        {"raid1       34.3 GB  1 of 2   degraded", 0, false, {"md/degraded", "1\n"}},
        {"raid6       34.3 GB  2 of 4   degraded",
         1,
         false,
         {"md/level", "raid6\n", "md/raid_disks", "4\n", "md/degraded", "2\n"}},
        {"raid5       34.3 GB  2 of 2   broken", 0, false, {"md/level", "raid5\n", "md/array_state", "broken\n"}},
        {"raid1       34.3 GB  2 of 2   clean, 1 spare",
         0,
         true,
         {"md/dev-sda3/slot", "0\n", "md/dev-sdc3/slot", "none\n", "md/dev-sdc3/state", "spare\n"}},
        {"raid1       34.3 GB  2 of 2   clean", /* thrown out, not standing by */
         0,
         true,
         {"md/dev-sda3/slot", "0\n", "md/dev-sdc3/slot", "none\n", "md/dev-sdc3/state", "faulty\n"}},
    };
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        rf_autofree char *place = rf_format("row-%zu", i);
        rf_autojson json_t *arrays = only(place, rows[i].missing, rows[i].more);
        rf_autofree char *text = rf_arrays_text(arrays);
        rf_autofree char *expected =
            rf_format("ARRAY        LEVEL          SIZE  MEMBERS  STATE\ndata         %s\n", rows[i].line);
        assert_string_equal(text, expected);
        assert_int_equal(rf_arrays_well(arrays), rows[i].well);
    }
}

static void no_arrays_are_an_empty_list(void **state)
{
    (void)state;
    rf_autojson json_t *arrays = rf_arrays_json("/nonexistent", 0);
    assert_int_equal(json_array_size(arrays), 0);
    rf_autofree char *text = rf_arrays_text(arrays);
    assert_string_equal(text, "ARRAY        LEVEL          SIZE  MEMBERS  STATE\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_state_has_its_line),
        cmocka_unit_test(levels_and_what_they_do),
        cmocka_unit_test(no_arrays_are_an_empty_list),
    };
    return cmocka_run_group_tests_name("installer/arrays", tests, unit_scratch_open, unit_scratch_close);
}
