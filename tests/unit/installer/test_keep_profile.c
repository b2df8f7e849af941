/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"
#include "installer/engine.h"
#include "installer/keep_profile.h"
#include "tests/unit/unit.h"

#define EXAMPLE "profiles/examples/directory.yaml"

static rf_profile *load(void)
{
    rf_autoproblems rf_problems problems = {0};
    rf_profile *profile = NULL;
    assert_int_equal(rf_profile_load(EXAMPLE, &profile, &problems, NULL), 0);
    assert_non_null(profile);
    return profile;
}

static void write_kept(const char *path, const char *text)
{
    assert_int_equal(rf_write_file(path, text, strlen(text), 0600, NULL), 0);
}

static void assert_holds(const char *path, const char *wanted)
{
    rf_autofree char *text = NULL;
    assert_int_equal(rf_read_file(path, RF_PROFILE_MAX, &text, NULL, NULL), 0);
    assert_string_equal(text, wanted);
}

static void another_nodes_profile_is_refused(void **state)
{
    (void)state;
    rf_autofree char *path = rf_format("%s/profile.yaml", unit_scratch());
    rf_autoprofile rf_profile *profile = load();
    rf_autofree char *own = rf_format("node: {id: %s}\n", profile->node.id);
    rf_error *error = NULL;
    assert_int_equal(rf_profile_check_node(profile, path, &error), 0); /* no node */
    write_kept(path, "richtfest: 1\nnode:\n  id: another-n7\n");
    assert_int_equal(rf_profile_check_node(profile, path, &error), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_MACHINE);
    assert_error_has(error, "and this is another-n7: nothing is changed; take the profile that has `id: another-n7`");
    write_kept(path, own);
    assert_int_equal(rf_profile_check_node(profile, path, &error), 0);
    write_kept(path, "node: [\n"); /* broken: a right one must be able to take its place */
    assert_int_equal(rf_profile_check_node(profile, path, &error), 0);
    unlink(path);
}

static void the_former_one_is_kept_beside_it(void **state)
{
    (void)state;
    rf_autofree char *path = rf_format("%s/profile.yaml", unit_scratch()), *before = rf_format("%s.before", path);
    rf_autofree char *stream = rf_format("%s/events.jsonl", unit_scratch()), *said = NULL;
    rf_autoprofile rf_profile *profile = load();
    rf_events *events = rf_events_new("n1");
    rf_events_add(events, rf_sink_file(stream, NULL));
    write_kept(path, "former\n");
    assert_int_equal(rf_profile_keep(events, profile, path, NULL), 0);
    assert_int_equal(rf_profile_keep(events, profile, path, NULL), 0); /* the same again is no change */
    rf_events_free(events);
    assert_holds(path, profile->text);
    assert_holds(before, "former\n");
    assert_int_equal(unit_mode(path), 0600);
    assert_int_equal(unit_mode(before), 0600);
    assert_int_equal(rf_read_file(stream, 1U << 20, &said, NULL, NULL), 0);
    const char *first = strstr(said, EXAMPLE " is this node's profile from now on");
    assert_non_null(first);
    assert_null(strstr(first + strlen(EXAMPLE), EXAMPLE));
    unlink(path);
}

/* What the engine is asked to keep is there before any step: a step that fails, or a power cut, undoes nothing. */
static void it_is_kept_before_the_first_step(void **state)
{
    (void)state;
    rf_autofree char *path = rf_format("%s/profile.yaml", unit_scratch());
    rf_autoprofile rf_profile *profile = load();
    rf_automachine rf_machine *machine = NULL;
    struct rf_session session = {.runner = rf_runner_fault(rf_runner_dry(), 1, 1), .events = rf_events_new("n1")};
    struct rf_site_options where = {.medium = "/nonexistent", .target = "/nonexistent", .keep = path};
    write_kept(path, "former\n");
    assert_int_equal(rf_machine_load("tests/machines/too-small.json", &machine, NULL), 0);
    assert_int_equal(rf_engine_apply(&session, profile, machine, &where, NULL, NULL), -1);
    assert_holds(path, "former\n"); /* what can't be planned is not kept */
    rf_machine_free(machine);
    assert_int_equal(rf_machine_load("tests/machines/musterkunde-blank.json", &machine, NULL), 0);
    assert_int_equal(rf_engine_apply(&session, profile, machine, &where, NULL, NULL), -1); /* no medium there */
    assert_holds(path, profile->text);
    rf_session_close(&session);
}

int main(void)
{
    setenv("RICHTFEST_RECIPES", "postinstall/recipes", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_nodes_profile_is_refused),
        cmocka_unit_test(the_former_one_is_kept_beside_it),
        cmocka_unit_test(it_is_kept_before_the_first_step),
    };
    return cmocka_run_group_tests(tests, unit_scratch_open, unit_scratch_close);
}
