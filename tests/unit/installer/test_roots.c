/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which roots there are, which must stay, and to which one goes back. */
#include "image/region.h"
#include "installer/roots.h"
#include "tests/unit/unit.h"

#define UUID "11111111-2222-5333-8444-555555555555"
#define TRIAL "0f8fad5b-d9cb-469f-a165-70867728950e"

static void put(const char *top, const char *below, const char *text)
{
    rf_autofree char *path = rf_format("%s/%s", top, below), *above = rf_strdup(path);
    *strrchr(above, '/') = '\0';
    assert_int_equal(rf_make_dirs(above, 0755, NULL), 0);
    assert_int_equal(rf_write_file(path, text, strlen(text), 0644, NULL), 0);
}

static void release(char **top)
{
    rf_remove_tree(*top, NULL);
    free(*top);
}

#define TOP(top)                                                                                                       \
    (void)state;                                                                                                       \
    RF_CLEANUP(release) char *top = unit_directory()

static void only_numbers_are_roots(void **state)
{
    TOP(top);
    static const char *const names[] = {
        "roots/1/x",  "roots/12/x", "roots/2/x", "roots/3.new/x", "roots/3.new.partial/x",
        "roots/04/x", "roots/x/x",  "roots/0/x", "roots/100000/x"};
    for (size_t i = 0; i < RF_COUNT(names); i++)
        put(top, names[i], "");
    const struct rf_boot_choice choice = {.root = 2, .before = 1};
    assert_int_equal(rf_roots_choose(top, "n1", UUID, &choice, NULL), 0);
    rf_autoroots rf_roots *roots = NULL;
    assert_int_equal(rf_roots_read(top, 2, &roots, NULL), 0);
    assert_int_equal(roots->count, 3);
    assert_true(roots->list[0].number == 1 && roots->list[1].number == 2 && roots->list[2].number == 12);
    assert_int_equal(rf_roots_next(roots), 13);
    assert_null(rf_roots_find(roots, 3));
    assert_null(roots->list[0].how); /* nothing was noted of it */
}

static void what_is_noted_is_read_again(void **state)
{
    TOP(top);
    const struct rf_boot_choice choice = {.root = 1};
    struct rf_root root = {.number = 1,
                           .how = (char *)RF_ROOT_SNAPSHOT,
                           .version = (char *)"0.1.0",
                           .of = 3,
                           .made = 1700000000,
                           .good = 1700000001,
                           .failed = 1700000002,
                           .run = (char *)"1:2:x"};
    put(top, "roots/1/x", "");
    assert_int_equal(rf_root_note(top, &root, NULL), 0);
    assert_int_equal(rf_roots_choose(top, "n1", UUID, &choice, NULL), 0);
    rf_autoroots rf_roots *roots = NULL;
    assert_int_equal(rf_roots_read(top, 1, &roots, NULL), 0);
    const struct rf_root *found = &roots->list[0];
    assert_string_equal(found->how, RF_ROOT_SNAPSHOT);
    assert_string_equal(found->version, "0.1.0");
    assert_string_equal(found->run, "1:2:x");
    assert_null(found->digest);
    assert_true(found->of == 3 && found->made == 1700000000 && found->good == 1700000001 &&
                found->failed == 1700000002);
}

static void an_older_volume_is_told_apart(void **state)
{
    TOP(top);
    rf_error *error = NULL;
    rf_roots *roots = NULL;
    put(top, "roots/1/x", "");
    put(top, RF_NODE_GRUB_CONFIG, "search --no-floppy --fs-uuid --set=root " UUID "\n");
    assert_int_equal(rf_roots_read(top, 1, &roots, &error), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_MACHINE);
    assert_error(error, "the system volume does not say which root is booted: it was installed by an older Richtfest");
    assert_null(roots);
}

/* N: number, of: of which root (a snapshot), or 0: deployed. All good but those that say otherwise. */
#define SNAPSHOT(n, from)                                                                                              \
    {                                                                                                                  \
        .number = (n), .how = (char *)RF_ROOT_SNAPSHOT, .of = (from), .made = 1, .good = 1                             \
    }
#define APT(n, from)                                                                                                   \
    {                                                                                                                  \
        .number = (n), .how = (char *)RF_ROOT_SNAPSHOT, .run = (char *)"r", .of = (from), .made = 1, .good = 1         \
    }
#define DEPLOYED(n, is_good)                                                                                           \
    {                                                                                                                  \
        .number = (n), .how = (char *)RF_ROOT_DEPLOYED, .made = 1, .good = (is_good)                                   \
    }

#define ROOTS(name, ...)                                                                                               \
    struct rf_root name##_list[] = {__VA_ARGS__};                                                                      \
    rf_roots name = {.list = name##_list, .count = RF_COUNT(name##_list)}

static void back_is_the_newest_snapshot_or_the_one_before(void **state)
{
    (void)state;
    ROOTS(roots, DEPLOYED(1, 1), DEPLOYED(2, 1), SNAPSHOT(3, 2), SNAPSHOT(4, 1), APT(5, 2), SNAPSHOT(6, 1));
    roots.choice = (struct rf_boot_choice){.root = 2, .before = 1};
    roots.running = 2;
    assert_int_equal(rf_roots_back(&roots), 5);
    roots.count = 2;
    assert_int_equal(rf_roots_back(&roots), 1);
    roots.choice.before = 0;
    assert_int_equal(rf_roots_back(&roots), 1); /* a good one all the same */
    roots.count = 1;
    roots.running = roots.choice.root = 1;
    assert_int_equal(rf_roots_back(&roots), 0);
}

/* It is not known to be worth keeping, and neither are its snapshots. */
static void from_a_trial_one_goes_back_to_before_it(void **state)
{
    (void)state;
    ROOTS(roots, DEPLOYED(1, 1), DEPLOYED(2, 0), SNAPSHOT(3, 2));
    roots.choice = (struct rf_boot_choice){.root = 2, .before = 1, .trial = TRIAL};
    roots.running = 2;
    assert_int_equal(rf_roots_back(&roots), 1);
}

static void the_last_good_one_is_no_failed_one(void **state)
{
    (void)state;
    ROOTS(roots, DEPLOYED(1, 1), APT(2, 1), DEPLOYED(3, 1), DEPLOYED(4, 0));
    assert_int_equal(rf_roots_good(&roots, 1), 3);
    assert_int_equal(rf_roots_good(&roots, 3), 1);
    roots.list[2].failed = 2;
    assert_int_equal(rf_roots_good(&roots, 1), 2); /* a snapshot, where there is nothing else */
}

static void what_is_needed_stays(void **state)
{
    (void)state;
    ROOTS(roots, DEPLOYED(1, 1), DEPLOYED(2, 1), DEPLOYED(3, 0), APT(4, 2), DEPLOYED(5, 1));
    roots.choice = (struct rf_boot_choice){.root = 3, .before = 2, .trial = TRIAL};
    roots.running = 2;
    assert_string_equal(rf_root_needed(&roots, 2), "it runs");
    assert_string_equal(rf_root_needed(&roots, 3), "it is booted next");
    assert_string_equal(rf_root_needed(&roots, 5), "it is the last good one besides the one that runs");
    assert_null(rf_root_needed(&roots, 1));
    assert_null(rf_root_needed(&roots, 4));
    roots.running = 3; /* its trial goes on */
    assert_string_equal(rf_root_needed(&roots, 2), "it is what the node falls back to");
}

static void only_apts_snapshots_are_surplus(void **state)
{
    (void)state;
    ROOTS(roots, DEPLOYED(1, 1), APT(2, 1), SNAPSHOT(3, 1), APT(4, 1), APT(5, 1), APT(6, 1), APT(7, 1));
    roots.choice = (struct rf_boot_choice){.root = 4, .before = 1};
    roots.running = 4; /* somebody went back to it */
    size_t count;
    rf_autofree unsigned *surplus = rf_roots_surplus(&roots, 2, &count);
    assert_int_equal(count, 2);
    assert_true(surplus[0] == 2 && surplus[1] == 5);
    rf_autofree unsigned *none = rf_roots_surplus(&roots, 5, &count);
    assert_int_equal(count, 0);
    assert_non_null(none);
}

static void the_table_says_what_each_is(void **state)
{
    (void)state;
    ROOTS(roots,
          {.number = 1,
           .how = (char *)RF_ROOT_INSTALLED,
           .version = (char *)"0.1.0",
           .made = 1795305600,
           .good = 1795305600},
          {.number = 2, .how = (char *)RF_ROOT_DEPLOYED, .version = (char *)"0.2.0", .made = 1795392000}, APT(3, 1),
          {.number = 4});
    roots.list[2].made = 1795400000;
    roots.choice = (struct rf_boot_choice){.root = 2, .before = 1, .trial = TRIAL};
    roots.running = 1;
    rf_autofree char *text = rf_roots_text(&roots);
    unit_golden("tests/golden/installer/roots.txt", text);
    rf_autojson json_t *json = rf_roots_json(&roots);
    rf_autofree char *as_json = rf_json_text(json);
    unit_golden("tests/golden/installer/roots.json", as_json);
    rf_autofree char *news = rf_roots_news(json);
    assert_string_equal(news, "Root 1 runs; the next boot is of root 2, on trial.\n");
}

static void news_are_told_without_asking(void **state)
{
    (void)state;
    ROOTS(roots, DEPLOYED(1, 1), DEPLOYED(2, 0));
    roots.choice = (struct rf_boot_choice){.root = 1};
    roots.running = 1;
    rf_autojson json_t *quiet = rf_roots_json(&roots);
    rf_autofree char *nothing = rf_roots_news(quiet), *unknown = rf_roots_news(NULL);
    assert_string_equal(nothing, "");
    assert_string_equal(unknown, "");
    roots.list[1].failed = 1795392000;
    rf_autojson json_t *failed = rf_roots_json(&roots);
    rf_autofree char *given_up = rf_roots_news(failed);
    assert_string_equal(
        given_up, "Root 2 did not become healthy on its trial and was given up (2026-11-23 00:00 UTC); root 1 runs.\n");
    roots.choice = (struct rf_boot_choice){.root = 2, .before = 1, .trial = TRIAL};
    roots.running = 2;
    roots.list[1].failed = 0;
    rf_autojson json_t *trial = rf_roots_json(&roots);
    rf_autofree char *on_trial = rf_roots_news(trial);
    assert_string_equal(on_trial, "Root 2 runs on trial; it is not good yet.\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_numbers_are_roots),
        cmocka_unit_test(what_is_noted_is_read_again),
        cmocka_unit_test(an_older_volume_is_told_apart),
        cmocka_unit_test(back_is_the_newest_snapshot_or_the_one_before),
        cmocka_unit_test(from_a_trial_one_goes_back_to_before_it),
        cmocka_unit_test(the_last_good_one_is_no_failed_one),
        cmocka_unit_test(what_is_needed_stays),
        cmocka_unit_test(only_apts_snapshots_are_surplus),
        cmocka_unit_test(the_table_says_what_each_is),
        cmocka_unit_test(news_are_told_without_asking),
    };
    return cmocka_run_group_tests_name("installer/roots", tests, NULL, NULL);
}
