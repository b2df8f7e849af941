/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/ca.h"
#include "postinstall/configure.h"
#include "postinstall/domain_xml.h"
#include "postinstall/facts.h"
#include "postinstall/plan.h"
#include "postinstall/plan_guest.h"
#include "tests/unit/postinstall/fixture.h"

#define SUM "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void a_new_node_needs_everything(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_autoplan rf_plan *plan = rf_plan_new();
    rf_node_plan_add(fixture.model, NULL, plan);
    rf_autofree char *text = rf_plan_text(plan);
    assert_golden("plan-new-node.txt", text);
    for (size_t i = 0; i < plan->count; i++) {
        assert_int_equal(plan->steps[i].phase, RF_PHASE_NODE);
        assert_null(plan->steps[i].destroys); /* this room destroys nothing */
    }
    assert_string_equal(plan->steps[0].id, "sshd"); /* people get in before anything can fail */
    assert_string_equal(plan->steps[1].id, "admin/jiku");
    fixture_close(&fixture);
}

static void a_company_waits_for_its_directory(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_autojson json_t *facts = json_loads(
        "{\"guests\": {\"ts1\": {\"settled\": true}, \"old\": {\"digest\": \"x\", \"state\": \"running\"}}}", 0, NULL);
    fixture_open_with(&fixture, fixture_company, facts, rf_runner_dry());
    rf_autoplan rf_plan *plan = rf_plan_new();
    rf_node_plan_add(fixture.model, facts, plan);
    rf_autofree char *text = NULL;
    for (size_t i = 0; i < plan->count; i++) {
        const struct rf_step *step = &plan->steps[i];
        rf_append(&text, "%u %s%s%s%s%s\n", step->lane, step->id, step->independent ? "" : " (alone)",
                  step->after ? " after " : "", step->after ? step->after : "",
                  step->after_any ? " however it ends" : "");
    }
    assert_golden("plan-company-order.txt", text);
    fixture_close(&fixture);
}

static void who_left_the_profile_is_locked(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_autojson json_t *facts = json_pack("{s:{s:{s:s,s:b},s:{s:s,s:b},s:{s:s,s:b}}}", "admins", "jiku", "keys", "x",
                                          "ours", 1, "karl", "keys", "x", "ours", 1, "backup", "keys", "x", "ours", 0);
    fixture_open(&fixture, facts, rf_runner_dry());
    rf_autoplan rf_plan *plan = rf_plan_new();
    rf_node_plan_add(fixture.model, facts, plan);
    assert_string_equal(plan->steps[3].id, "admins-old"); /* before anything else can fail */
    assert_string_equal(plan->steps[3].title,
                        "Lock the account of karl and take the keys away: the profile no longer has it");
    fixture_close(&fixture);
}

/* A guest's definition waits for its bridge, and nothing else does; one that the profile lost goes, the uplink's stays. */
static void bridges_come_before_their_guests(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_autojson json_t *facts = json_pack("{s:{s:s,s:s}}", "bridges", "uplink", "x", "old", "y");
    fixture_open_with(&fixture, fixture_bridges, facts, rf_runner_dry());
    rf_autoplan rf_plan *plan = rf_plan_new();
    rf_node_plan_add(fixture.model, facts, plan);
    rf_autofree char *text = NULL;
    for (size_t i = 0; i < plan->count; i++) {
        const struct rf_step *step = &plan->steps[i];
        if (strstr(step->id, "bridge") || (step->after && strstr(step->after, "bridge")))
            rf_append(&text, "%u %s%s%s%s: %s\n", step->lane, step->id, step->independent ? "" : " (alone)",
                      step->after ? " after " : "", step->after ? step->after : "", step->title);
    }
    assert_golden("plan-bridges.txt", text);
    fixture_close(&fixture);
}

static void a_wrong_address_stops_no_other_guest(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, fixture_bridges, NULL, rf_runner_dry());
    rf_autoplan rf_plan *plan = rf_plan_new();
    rf_node_plan_add(fixture.model, NULL, plan);
    size_t i = 0;
    while (i < plan->count && strcmp(plan->steps[i].id, "lan-addresses") != 0)
        i++;
    assert_true(i < plan->count);
    assert_true(plan->steps[i].independent);
    assert_int_equal(plan->steps[i].lane, RF_LANE_LAN_ADDRESSES);
    assert_true(plan->steps[i].done); /* it only looks: no plan has anything to do for it */
    fixture_close(&fixture);
}

static bool goes_on_without_bridge(const struct fixture *fixture, const json_t *facts, const char *guest)
{
    rf_autoplan rf_plan *plan = rf_plan_new();
    rf_autofree char *id = rf_format("domain/%s", guest);
    rf_node_plan_add(fixture->model, facts, plan);
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->steps[i].id, id) == 0)
            return plan->steps[i].after_any;
    fail_msg("no step %s", id);
    return false;
}

/* A wrong bridge does not keep guests down that are in use; a guest is not given a bridge that never was. */
static void a_wrong_bridge_stops_only_who_never_had_it(void **state)
{
    (void)state;
    struct fixture fixture;
    char digest[RF_SHA256_HEX];
    fixture_open_with(&fixture, fixture_bridges, NULL, rf_runner_dry());
    rf_domain_digest(rf_node_guest_named(fixture.model, "v30"), digest);
    rf_autojson json_t *facts =
        json_pack("{s:{s:s}, s:{s:{s:b}, s:{s:b}, s:{s:b}, s:{s:b, s:s}}}", "bridges", "uplink", "x", "guests", "pbx",
                  "settled", 1, "web", "settled", 0, "v20", "settled", 1, "v30", "settled", 1, "digest", digest);
    assert_true(goes_on_without_bridge(&fixture, facts, "pbx"));
    assert_false(goes_on_without_bridge(&fixture, facts, "web"));
    assert_false(goes_on_without_bridge(&fixture, facts, "v20"));
    assert_true(goes_on_without_bridge(&fixture, facts, "v30"));
    fixture_close(&fixture);
}

static bool qemu_img(rf_runner *runner)
{
    struct rf_command command = {.argv = RF_ARGV("qemu-img", "--version")};
    rf_autoresult struct rf_result result = {0};
    return rf_run_status(runner, &command, &result, NULL) == 0 && result.status == 0;
}

/* The directory's image is not on this node: its members say what they wait for, and the guest beside them goes on as far as it
 * can on libvirt's mock. */
static void one_guests_failure_leaves_the_others(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    rf_autojson json_t *facts = json_pack("{s:b}", "kvm", 0);
    fixture_open_with(&fixture, fixture_company, facts, rf_runner_real());
    if (!qemu_img(fixture.runner)) {
        print_message("skipped: qemu-img is not installed\n");
        fixture_close(&fixture);
        skip();
    }
    static const char *const images[] = {"crm", "desk"};
    for (size_t i = 0; i < RF_COUNT(images); i++) {
        rf_autofree char *path = rf_format("/var/lib/libvirt/images/base/%s.qcow2", images[i]);
        rf_autofree char *full = rf_format("%s%s", fixture.root, path);
        fixture_write(&fixture, path, "", 0600);
        assert_int_equal(
            rf_run_argv(fixture.runner, RF_ARGV("qemu-img", "create", "-q", "-f", "qcow2", full, "1G"), NULL), 0);
    }
    for (size_t i = 0; i < fixture.model->guests_count; i++)
        fixture.model->guests[i].recipe->health_seconds = 0;
    assert_int_equal(rf_step_ca.apply(&fixture.env, fixture.model, NULL), 0);
    rf_autoplan rf_plan *plan = rf_plan_new();
    for (size_t i = 0; i < fixture.model->guests_count; i++)
        rf_guest_plan_add(&fixture.model->guests[i], NULL, plan);
    const struct rf_apply_options options = {.phase = RF_PHASE_NODE};
    assert_int_equal(rf_plan_apply(plan, &fixture.env, &options, NULL, &error), -1);
    assert_int_equal(rf_error_code(error), RF_FAILED);
    rf_autofree char *said = rf_error_text(error), *events = fixture_read(&fixture, "/events.jsonl");
    rf_error_free(error);
    assert_int_equal(strncmp(said, "4 things have failed:\n", 22), 0);
    assert_non_null(strstr(said, "the base image of recipe 'active-directory' is not on this node"));
    assert_non_null(
        strstr(said, "Make room for crm in the directory dc1: not begun, because this has failed: Wait until dc1 is "
                     "healthy"));
    assert_non_null(strstr(said, "Make room for ts1 in the directory dc1: not begun"));
    assert_non_null(strstr(events, "\"step\":\"secret/ts1\"")); /* what does not need the directory was done */
    assert_non_null(strstr(events, "\"step\":\"seed/shop\""));
    assert_null(strstr(events, "\"step\":\"seed/crm\""));
    virDomainPtr shop = virDomainLookupByName(rf_libvirt_connect(fixture.model->libvirt, NULL), "shop");
    if (shop) {
        virDomainDestroy(shop);
        virDomainUndefine(shop);
        virDomainFree(shop);
    }
    fixture_close(&fixture);
}

static void what_the_facts_say_is_done(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_autojson json_t *facts = json_loads("{\"pool\": {\"active\": true, \"autostart\": true}, \"guests\": {\"dc1\": "
                                           "{\"state\": \"running\", \"disk\": 40000028672, \"settled\": true, "
                                           "\"digest\": \"another\", \"healthy\": true}}}",
                                           0, NULL);
    char digest[RF_SHA256_HEX];
    rf_configure_digest(&fixture.model->guests[0], digest);
    json_object_set_new(json_object_get(json_object_get(facts, "guests"), "dc1"), "configured", json_string(digest));
    rf_autoplan rf_plan *all = rf_plan_new(), *plan = rf_plan_new();
    rf_node_plan_add(fixture.model, NULL, all);
    rf_node_plan_add(fixture.model, facts, plan);
    /* pool, disk (whole MiB), secret, seed, start, health, handover, unseed, settle of dc1; its definition is another one */
    assert_int_equal(rf_plan_todo(all, RF_PHASE_NODE) - rf_plan_todo(plan, RF_PHASE_NODE), 9);
    fixture_close(&fixture);
}

static void facts_of_an_empty_root(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    struct rf_node_options options = {.root = fixture.root, .uri = "test:///default"};
    rf_autojson json_t *facts = rf_node_facts(&options);
    assert_true(json_is_false(json_object_get(facts, "kvm"))); /* no processor below this root */
    assert_non_null(rf_json_string(facts, "kvm_reason"));
    assert_int_equal(json_object_size(json_object_get(facts, "files")), 0);
    assert_non_null(json_object_get(json_object_get(facts, "guests"), "test")); /* the mock's own domain */
    fixture_close(&fixture);
}

static void libvirt_that_is_not_there_is_a_fact(void **state)
{
    (void)state;
    struct rf_node_options options = {.root = "/nonexistent", .uri = "qemu+unix:///system?socket=/nonexistent"};
    rf_autojson json_t *facts = rf_node_facts(&options);
    assert_non_null(strstr(rf_json_string(facts, "libvirt"), "no connection to libvirt"));
    assert_null(json_object_get(facts, "guests"));
}

static void a_wrong_profile_gives_no_plan(void **state)
{
    (void)state;
    rf_autoprofile rf_profile *profile = fixture_profile("  - {name: a, recipe: active-directory}\n");
    rf_autoplan rf_plan *plan = rf_plan_new();
    rf_autoproblems rf_problems problems = {0};
    rf_node_model *model = NULL;
    rf_error *error = NULL;
    assert_int_equal(rf_node_plan(profile, NULL, RECIPES, plan, &model, &problems, &error), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_PROFILE);
    assert_null(model);
    assert_int_equal(plan->count, 0);
    assert_true(problems.count > 0);
    rf_error_free(error);
}

/* Nothing of ours is in an image of others: what asks our programs is left out. */
static void an_image_is_fetched_before_its_disk(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_autojson json_t *facts = json_loads("{\"guests\": {\"b\": {\"disk\": 1073741824, \"settled\": true}}}", 0, NULL);
    fixture_open_with(&fixture,
                      "  - {name: a, recipe: image, settings: {url: 'https://u:pw@x.example/a.img?t=1', sha256: " SUM
                      ", format: raw}}\n"
                      "  - {name: b, recipe: image, settings: {url: 'https://x.example/b.img', sha256: " SUM
                      ", format: raw}}\n",
                      facts, rf_runner_dry());
    rf_autoplan rf_plan *plan = rf_plan_new();
    rf_node_plan_add(fixture.model, facts, plan);
    rf_autofree char *text = NULL;
    for (size_t i = 0; i < plan->count; i++)
        if (plan->steps[i].lane == 1 || plan->steps[i].lane == 2)
            rf_append(&text, "%s: %s%s\n", plan->steps[i].id, plan->steps[i].title,
                      plan->steps[i].done ? " (done)" : "");
    assert_golden("plan-images.txt", text);
    fixture_close(&fixture);
}

static void guests_keep_their_address_when_more_are_added(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    assert_string_equal(fixture.model->guests[0].address, "10.20.0.10");
    assert_string_equal(fixture.model->guests[1].address, "10.20.0.11");
    assert_string_not_equal(fixture.model->guests[0].mac, fixture.model->guests[1].mac);
    assert_string_equal(fixture.model->guests[0].fqdn, "dc1.ad.musterkunde.example");
    assert_string_equal(rf_json_string(fixture.model->guests[0].settings, "domain"), "AD");
    assert_string_equal(rf_json_string(fixture.model->guests[1].settings, "domain"), "LABOR");
    assert_int_equal(fixture.model->guests[0].memory % (1U << 20), 0);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_node_needs_everything),
        cmocka_unit_test(who_left_the_profile_is_locked),
        cmocka_unit_test(bridges_come_before_their_guests),
        cmocka_unit_test(a_wrong_address_stops_no_other_guest),
        cmocka_unit_test(a_wrong_bridge_stops_only_who_never_had_it),
        cmocka_unit_test(a_company_waits_for_its_directory),
        cmocka_unit_test(one_guests_failure_leaves_the_others),
        cmocka_unit_test(what_the_facts_say_is_done),
        cmocka_unit_test(facts_of_an_empty_root),
        cmocka_unit_test(libvirt_that_is_not_there_is_a_fact),
        cmocka_unit_test(a_wrong_profile_gives_no_plan),
        cmocka_unit_test(an_image_is_fetched_before_its_disk),
        cmocka_unit_test(guests_keep_their_address_when_more_are_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
