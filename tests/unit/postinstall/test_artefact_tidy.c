/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/paths.h"
#include "postinstall/artefact.h"
#include "tests/unit/postinstall/fixture.h"

#define ONES "1111111111111111111111111111111111111111111111111111111111111111"
#define TWOS "2222222222222222222222222222222222222222222222222222222222222222"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define GUESTS                                                                                                         \
    "  - {name: box, recipe: box}\n"                                                                                   \
    "  - {name: other, recipe: box}\n"

/* Recipe box needs the artefact app and can be without theme. */
static json_t *list(void)
{
    static const char *const names[] = {"app", "theme"}, *const sums[] = {ONES, TWOS};
    json_t *all = json_array();
    for (size_t i = 0; i < RF_COUNT(names); i++)
        json_array_append_new(all, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "name", names[i], "version", "1", "state",
                                             "waiting", "file", names[i], "url", "http://x.example/", "format",
                                             "tar.gz", "sha256", sums[i]));
    return all;
}

static const char *const files[] = {ONES ".art",           TWOS ".art",  "." ONES ".art.part",
                                    "." TWOS ".art.wrong", ZEROS ".art", ZEROS};

static void fill(const struct fixture *fixture)
{
    for (size_t i = 0; i < RF_COUNT(files); i++) {
        rf_autofree char *path = rf_format(RF_FETCHED_DIR "/%s", files[i]);
        fixture_write(fixture, path, "x", 0600);
    }
    fixture_write(fixture, RF_ARTEFACTS_HAND "/app", "x", 0600);
}

/* Those of `files` that are there, as digits of their places. The caller frees it. */
static char *left(const struct fixture *fixture)
{
    char *text = rf_strdup("");
    for (size_t i = 0; i < RF_COUNT(files); i++) {
        rf_autofree char *path = rf_format(RF_FETCHED_DIR "/%s", files[i]), *content = fixture_read(fixture, path);
        if (content)
            rf_append(&text, "%zu", i);
    }
    return text;
}

static void settle(const struct fixture *fixture, const char *name)
{
    rf_autofree char *mark = rf_format(RF_STATE_GUESTS "/%s/settled.json", name);
    rf_autofree char *disk = rf_format(RF_POOL_DIR "/%s.qcow2", name);
    fixture_write(fixture, mark, "{}", 0600);
    fixture_write(fixture, disk, "x", 0600);
}

static void assert_left(const struct fixture *fixture, const char *expected)
{
    rf_artefact_tidy(fixture->model);
    rf_autofree char *found = left(fixture);
    assert_string_equal(found, expected);
}

static void artefacts_stay_until_the_last_guest_has_come_up(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_autojson json_t *facts = json_pack("{s:o}", "artefacts", list());
    fixture_open_with(&fixture, GUESTS, facts, rf_runner_dry());
    fill(&fixture);
    assert_left(&fixture, "01235"); /* not that of an older list; the last one is an image */
    settle(&fixture, "box");
    assert_left(&fixture, "01235");
    settle(&fixture, "other");
    assert_left(&fixture, "5");
    rf_autofree char *hand = fixture_read(&fixture, RF_ARTEFACTS_HAND "/app");
    assert_non_null(hand);
    fixture_close(&fixture);
}

static void a_guest_that_is_made_anew_needs_them(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_autojson json_t *facts = json_pack("{s:o}", "artefacts", list());
    fixture_open_with(&fixture, GUESTS, facts, rf_runner_dry());
    fill(&fixture);
    settle(&fixture, "box");
    settle(&fixture, "other");
    rf_autofree char *disk = rf_guest_disk_path(&fixture.model->guests[1]);
    assert_int_equal(unlink(disk), 0);
    assert_left(&fixture, "01235");
    fixture_close(&fixture);
}

static void without_a_list_nobody_knows_what_is_needed(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, GUESTS, NULL, rf_runner_dry());
    fill(&fixture);
    assert_left(&fixture, "012345");
    fixture_close(&fixture);
}

static void a_drive_goes_with_its_note(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, GUESTS, NULL, rf_runner_dry());
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    rf_autofree char *drive = rf_guest_artefacts_path(guest), *note = rf_format("%s.wanted", drive);
    fixture_write(&fixture, drive + strlen(fixture.root), "x", 0600);
    fixture_write(&fixture, note + strlen(fixture.root), "x", 0600);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(rf_artefact_drop_drive(guest, NULL), 0);
    assert_false(rf_exists(drive));
    assert_false(rf_exists(note));
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(artefacts_stay_until_the_last_guest_has_come_up),
        cmocka_unit_test(a_guest_that_is_made_anew_needs_them),
        cmocka_unit_test(without_a_list_nobody_knows_what_is_needed),
        cmocka_unit_test(a_drive_goes_with_its_note),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
