/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/paths.h"
#include "postinstall/domain.h"
#include "postinstall/facts.h"
#include "postinstall/guest_address.h"
#include "tests/unit/postinstall/fixture.h"

#define A "  - {name: a, recipe: plain}\n"
#define B "  - {name: b, recipe: plain}\n"
#define C "  - {name: c, recipe: plain}\n"

/* "a=10.20.0.10 b=10.20.0.11", or what is wrong; the caller frees it. */
static char *given(const char *guests, const char *known)
{
    rf_autoprofile rf_profile *profile = fixture_profile(guests);
    rf_autojson json_t *facts = json_pack("{s:o}", "addresses", json_loads(known, 0, NULL));
    const struct rf_node_options options = {.recipes_dir = RECIPES};
    rf_autoproblems rf_problems problems = {0};
    rf_autonodemodel rf_node_model *model = rf_node_model_new(profile, facts, &options, &problems);
    char *text = NULL;
    for (size_t i = 0; model && i < model->guests_count; i++)
        rf_append(&text, "%s%s=%s", i ? " " : "", model->guests[i].asked->name, model->guests[i].address);
    return model ? text : rf_problems_text(&problems);
}

static void assert_given(const char *guests, const char *known, const char *wanted)
{
    rf_autofree char *text = given(guests, known);
    assert_string_equal(text, wanted);
}

static void assert_refused(const char *guests, const char *known, const char *wanted)
{
    rf_autofree char *text = given(guests, known);
    if (!strstr(text, wanted))
        fail_msg("'%s' does not say '%s'", text, wanted);
}

static void a_new_nodes_guests_go_by_their_places(void **state)
{
    (void)state;
    assert_given(A B C, "{}", "a=10.20.0.10 b=10.20.0.11 c=10.20.0.12");
    assert_given("  - {name: a, recipe: plain, address: 10.20.0.40}\n" B, "{}", "a=10.20.0.40 b=10.20.0.11");
}

static void who_was_made_keeps_its_address(void **state)
{
    (void)state;
    static const char known[] = "{\"a\": \"10.20.0.10\", \"b\": \"10.20.0.11\"}";
    assert_given(C A B, known, "c=10.20.0.12 a=10.20.0.10 b=10.20.0.11"); /* the first that is free */
    assert_given(B, known, "b=10.20.0.11");                               /* a has left, and is kept */
    assert_given(B C, known, "b=10.20.0.11 c=10.20.0.12");
    assert_given(B A, known, "b=10.20.0.11 a=10.20.0.10");
    assert_given(C, "{\"a\": \"10.20.0.10\"}", "c=10.20.0.11"); /* nobody gets that of a guest that is kept */
}

static void what_a_guest_would_have_to_change_is_refused(void **state)
{
    (void)state;
    static const char moved[] = "  - {name: a, recipe: plain, address: 10.20.0.40}\n" B;
    assert_given(moved, "{\"a\": \"10.20.0.40\"}", "a=10.20.0.40 b=10.20.0.11");
    assert_refused(moved, "{\"a\": \"10.20.0.10\"}",
                   "guests[0].address: a was set up with 10.20.0.10 on this node and keeps it; write that, or leave it "
                   "out");
    assert_refused(moved, "{\"b\": \"10.20.0.40\"}", "10.20.0.40 is that of b on this node; write another one");
    assert_refused(moved, "{\"x\": \"10.20.0.40\"}",
                   "10.20.0.40 is that of x, which this node keeps; write another one, or remove that");
    assert_refused(A, "{\"a\": \"10.30.0.10\"}",
                   "network.guests.subnet: a was set up with 10.30.0.10 on this node, which is not in this subnet");
}

static void a_subnet_that_is_used_up_is_said(void **state)
{
    (void)state;
    rf_autojson json_t *known = json_object();
    for (unsigned i = 10; i < 128; i++) {
        rf_autofree char *name = rf_format("old%u", i), *address = rf_format("10.20.0.%u", i);
        json_object_set_new(known, name, json_string(address));
    }
    rf_autofree char *all = json_dumps(known, 0);
    assert_refused(A, all, "network.guests.subnet: no address is left for a; 'richtfest guest delete' frees");
}

/* From its definition on; a recorded node brings them to whoever plans elsewhere. */
static void it_is_kept_when_the_guest_is_defined(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    const struct rf_node_guest *guest = &fixture.model->guests[1];
    const struct rf_node_options options = {.root = fixture.root, .uri = "test:///default"};
    assert_false(rf_guest_address_kept(guest));
    rf_step_domain.apply(&fixture.env, guest, NULL); /* the mock takes no definition of ours */
    assert_true(rf_guest_address_kept(guest));
    fixture_write(&fixture, RF_STATE_GUESTS "/broken/" RF_ADDRESS_FILE, "no address\n", 0600);
    rf_autojson json_t *facts = rf_node_facts(&options);
    rf_autofree char *known = json_dumps(json_object_get(facts, "addresses"), 0);
    assert_string_equal(known, "{\"dc2\": \"10.20.0.11\"}");
    fixture_write(&fixture, RF_STATE_GUESTS "/dc2/" RF_ADDRESS_FILE, "10.20.0.99\n", 0600);
    assert_false(rf_guest_address_kept(guest));
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_nodes_guests_go_by_their_places),
        cmocka_unit_test(who_was_made_keeps_its_address),
        cmocka_unit_test(what_a_guest_would_have_to_change_is_refused),
        cmocka_unit_test(a_subnet_that_is_used_up_is_said),
        cmocka_unit_test(it_is_kept_when_the_guest_is_defined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
