/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/paths.h"
#include "postinstall/ca.h"
#include "postinstall/guest_tls.h"
#include "postinstall/secret.h"
#include "tests/unit/postinstall/fixture.h"

#define SECRETS RF_STATE_GUESTS "/dc1/secrets.json"

static unsigned mode_of(const struct rf_node_guest *guest, const char *file)
{
    rf_autofree char *path = rf_guest_state_path(guest, file);
    return unit_mode(path);
}

static void open_company(struct fixture *fixture)
{
    fixture_open_with(fixture, fixture_company, NULL, rf_runner_dry());
    assert_int_equal(rf_step_ca.apply(&fixture->env, fixture->model, NULL), 0);
}

static void they_are_generated_once(void **state)
{
    (void)state;
    struct fixture fixture;
    open_company(&fixture);
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    assert_int_equal(rf_step_secret.probe(&fixture.env, guest, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_secret.apply(&fixture.env, guest, NULL), 0);
    assert_int_equal(rf_step_secret.probe(&fixture.env, guest, NULL), RF_PROBE_DONE);
    assert_int_equal(mode_of(guest, "secrets.json"), 0600);
    assert_int_equal(mode_of(guest, "kept.json"), 0600);
    assert_int_equal(mode_of(guest, ""), 0700);
    rf_autojson json_t *first = rf_secret_load(guest);
    assert_int_equal(strlen(rf_json_string(first, "administrator")), 20);
    assert_int_equal(strlen(rf_json_string(first, "user.anna")), 14);
    assert_int_equal(strlen(rf_json_string(first, "user.bernd")), 14);
    assert_int_equal(strlen(rf_json_string(first, "probe")), 32);
    assert_null(rf_json_string(first, RF_SECRET_SERVICE)); /* it is no member */
    rf_autofree char *certificate = rf_guest_certificate(guest);
    assert_true(rf_certificate_matches(certificate, rf_json_string(first, RF_SECRET_TLS_KEY)));
    assert_true(rf_guest_certificate_good(guest, certificate));
    assert_int_equal(rf_step_secret.apply(&fixture.env, guest, NULL), 0); /* the guest may already have it */
    rf_autojson json_t *again = rf_secret_load(guest);
    assert_true(json_equal(first, again));
    rf_autofree char *events = fixture_read(&fixture, "/events.jsonl");
    assert_null(strstr(events ? events : "", rf_json_string(first, "administrator")));
    assert_string_equal(rf_runner_dry_text(fixture.runner), ""); /* no command is needed, so none can show a secret */
    fixture_close(&fixture);
}

/* Killed between the passwords' end and the guest's mark: it keeps the key that it has. */
static void no_second_key_for_a_guest_that_has_one(void **state)
{
    (void)state;
    struct fixture fixture;
    open_company(&fixture);
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    assert_int_equal(rf_step_secret.apply(&fixture.env, guest, NULL), 0);
    rf_autofree char *before = rf_guest_certificate(guest);
    assert_int_equal(rf_secret_handed_over(guest, NULL), 0);
    assert_int_equal(rf_secret_handed_over(guest, NULL), 0);
    rf_autojson json_t *left = rf_secret_pending(guest);
    assert_int_equal(json_object_size(left), 1);
    assert_true(rf_secret_seeding(guest));
    assert_int_equal(rf_step_secret.probe(&fixture.env, guest, NULL), RF_PROBE_DONE);
    rf_autofree char *after = rf_guest_certificate(guest);
    assert_string_equal(before, after);
    assert_int_equal(rf_secret_remove(guest, NULL), 0);
    assert_false(rf_secret_seeding(guest));
    assert_int_equal(rf_secret_handed_over(guest, NULL), 0);
    fixture_close(&fixture);
}

/* A recipe that got a second secret: the first one stays, because the guest may already have it. */
static void what_is_missing_is_added(void **state)
{
    (void)state;
    struct fixture fixture;
    open_company(&fixture);
    struct rf_recipe_secret secrets[] = {{.name = (char *)"administrator", .length = 20},
                                         {.name = (char *)"backup", .length = 30}};
    rf_recipe recipe = {.secrets = secrets, .secrets_count = 2};
    struct rf_node_guest guest = fixture.model->guests[0];
    guest.recipe = &recipe;
    fixture_write(&fixture, SECRETS, "{\"administrator\": \"kept\"}", 0600);
    assert_int_equal(rf_step_secret.probe(&fixture.env, &guest, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_secret.apply(&fixture.env, &guest, NULL), 0);
    assert_int_equal(rf_step_secret.probe(&fixture.env, &guest, NULL), RF_PROBE_DONE);
    rf_autojson json_t *found = rf_secret_load(&guest);
    assert_string_equal(rf_json_string(found, "administrator"), "kept");
    assert_int_equal(strlen(rf_json_string(found, "backup")), 30);
    recipe.secrets_count = 0;
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/settled.json", "{}\n", 0600);
    assert_int_equal(rf_secret_remove(&guest, NULL), 0);
    assert_int_equal(rf_step_secret.probe(&fixture.env, &guest, NULL), RF_PROBE_DONE); /* none are wanted */
    fixture_close(&fixture);
}

static bool noted(const struct fixture *fixture, const char *guest, const char *mark)
{
    rf_autofree char *path = rf_format(RF_STATE_GUESTS "/%s/generated.json", guest);
    rf_autofree char *text = fixture_read(fixture, path), *word = rf_format("\"%s", mark);
    return text && strstr(text, word);
}

/* One that was brought in or back knows its people's passwords, but its directory may not know it. */
static void a_member_gets_a_new_one_time_password(void **state)
{
    (void)state;
    struct fixture fixture;
    open_company(&fixture);
    const struct rf_node_guest *dc1 = &fixture.model->guests[0], *crm = &fixture.model->guests[1];
    rf_autofree char *directory = rf_guest_state_path(dc1, ""), *member = rf_guest_state_path(crm, "");
    assert_int_equal(rf_make_dirs(directory, 0700, NULL), 0);
    assert_int_equal(rf_make_dirs(member, 0700, NULL), 0);
    assert_int_equal(rf_secret_mark_known(dc1, NULL), 0);
    assert_int_equal(rf_secret_mark_known(crm, NULL), 0);
    assert_true(noted(&fixture, "dc1", "user.anna"));
    assert_false(noted(&fixture, "crm", RF_SECRET_JOIN));
    fixture_write(&fixture, RF_STATE_GUESTS "/crm/settled.json", "{}\n", 0600);
    assert_int_equal(rf_step_secret.apply(&fixture.env, crm, NULL), 0);
    assert_true(noted(&fixture, "crm", RF_SECRET_JOIN) && noted(&fixture, "crm", RF_SECRET_SERVICE));
    assert_int_equal(rf_secret_remove(crm, NULL), 0);
    assert_int_equal(rf_step_secret.probe(&fixture.env, crm, NULL), RF_PROBE_DONE);
    assert_int_equal(rf_secret_forget_member(crm, NULL), 0);
    assert_int_equal(rf_secret_forget_member(dc1, NULL), 0);
    assert_true(noted(&fixture, "dc1", "user.anna"));
    assert_int_equal(rf_step_secret.apply(&fixture.env, crm, NULL), 0);
    rf_autojson json_t *pending = rf_secret_pending(crm);
    assert_int_equal(json_object_size(pending), 2); /* no second key */
    assert_int_equal(strlen(rf_json_string(pending, RF_SECRET_JOIN)), 32);
    fixture_close(&fixture);
}

static void they_are_gone_for_good(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    open_company(&fixture);
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    assert_int_equal(rf_step_secret.apply(&fixture.env, guest, NULL), 0);
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/settled.json", "{}\n", 0600);
    assert_int_equal(rf_secret_remove(guest, NULL), 0);
    rf_autofree char *left = fixture_read(&fixture, SECRETS);
    assert_null(left);
    assert_null(rf_secret_pending(guest));
    assert_int_equal(rf_secret_remove(guest, NULL), 0); /* absent is fine */
    rf_autofree char *path = rf_guest_state_path(guest, "secrets.json");
    assert_int_equal(rf_make_dirs(path, 0700, NULL), 0); /* what can't be removed is said */
    assert_int_equal(rf_secret_remove(guest, &error), -1);
    assert_error_has(error, "secrets.json");
    fixture_close(&fixture);
}

static size_t length_of(const json_t *secrets, const char *key)
{
    return strlen(rf_json_string(secrets, key));
}

/* The directory refused the first passwords of its own people: they were shorter than its rule, and it never became healthy. */
static void a_rule_about_passwords_holds_for_generated_ones(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture,
                      "  - {name: dc1, recipe: active-directory, settings: {realm: A.B, password_length: 16, users: "
                      "[{name: anna}]}}\n",
                      NULL, rf_runner_dry());
    assert_int_equal(rf_step_ca.apply(&fixture.env, fixture.model, NULL), 0);
    assert_int_equal(rf_step_secret.apply(&fixture.env, &fixture.model->guests[0], NULL), 0);
    rf_autojson json_t *secrets = rf_secret_load(&fixture.model->guests[0]);
    assert_int_equal(length_of(secrets, "user.anna"), 16);
    assert_int_equal(length_of(secrets, "administrator"), 20); /* longer anyway */
    fixture_close(&fixture);
}

static void a_file_that_is_no_json_holds_none(void **state)
{
    (void)state;
    struct fixture fixture;
    open_company(&fixture);
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    fixture_write(&fixture, SECRETS, "{", 0600);
    assert_null(rf_secret_load(guest));
    assert_int_equal(rf_step_secret.probe(&fixture.env, guest, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_secret.apply(&fixture.env, guest, NULL), 0);
    assert_int_equal(rf_step_secret.probe(&fixture.env, guest, NULL), RF_PROBE_DONE);
    fixture_close(&fixture);
}

static void some_stay_when_the_others_are_forgotten(void **state)
{
    (void)state;
    struct fixture fixture;
    open_company(&fixture);
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    assert_int_equal(rf_step_secret.apply(&fixture.env, guest, NULL), 0);
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/settled.json", "{}\n", 0600);
    assert_int_equal(rf_secret_remove(guest, NULL), 0);
    rf_autojson json_t *left = rf_secret_load(guest), *pending = rf_secret_pending(guest);
    assert_null(pending);
    assert_int_equal(json_object_size(left), 1);
    assert_non_null(rf_json_string(left, "probe"));
    assert_int_equal(rf_step_secret.probe(&fixture.env, guest, NULL), RF_PROBE_DONE); /* not generated again */
    fixture_close(&fixture);
}

static void a_new_account_gets_its_own(void **state)
{
    (void)state;
    struct fixture fixture;
    open_company(&fixture);
    struct rf_node_guest *guest = &fixture.model->guests[0];
    assert_int_equal(rf_step_secret.apply(&fixture.env, guest, NULL), 0);
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/settled.json", "{}\n", 0600);
    assert_int_equal(rf_secret_remove(guest, NULL), 0);
    json_array_append_new(json_object_get(guest->settings, "users"), json_pack("{s:s}", "name", "clara"));
    assert_int_equal(rf_step_secret.probe(&fixture.env, guest, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_secret.apply(&fixture.env, guest, NULL), 0);
    rf_autojson json_t *pending = rf_secret_pending(guest);
    assert_int_equal(json_object_size(pending), 1); /* no TLS key: the guest has one */
    assert_non_null(rf_json_string(pending, "user.clara"));
    fixture_close(&fixture);
}

static struct rf_node_guest *settled(struct fixture *fixture, size_t index, const char *mark)
{
    struct rf_node_guest *guest = &fixture->model->guests[index];
    assert_int_equal(rf_step_secret.apply(&fixture->env, guest, NULL), 0);
    fixture_write(fixture, mark, "{}\n", 0600);
    assert_int_equal(rf_secret_remove(guest, NULL), 0);
    return guest;
}

/* It was noted as generated for ever: the directory made the account that came back with a password that nobody knew. */
static void an_account_that_comes_back_gets_another_one(void **state)
{
    (void)state;
    struct fixture fixture;
    open_company(&fixture);
    struct rf_node_guest *guest = settled(&fixture, 0, RF_STATE_GUESTS "/dc1/settled.json");
    json_t *users = json_object_get(guest->settings, "users");
    rf_autojson json_t *anna = json_incref(json_array_get(users, 0));
    assert_int_equal(json_array_remove(users, 0), 0);
    assert_int_equal(rf_step_secret.probe(&fixture.env, guest, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_secret.apply(&fixture.env, guest, NULL), 0);
    assert_int_equal(rf_step_secret.probe(&fixture.env, guest, NULL), RF_PROBE_DONE);
    assert_null(rf_secret_pending(guest));
    assert_true(noted(&fixture, "dc1", "administrator") && noted(&fixture, "dc1", "user.bernd"));
    json_array_append(users, anna);
    assert_int_equal(rf_step_secret.probe(&fixture.env, guest, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_secret.apply(&fixture.env, guest, NULL), 0);
    rf_autojson json_t *pending = rf_secret_pending(guest);
    assert_int_equal(json_object_size(pending), 1);
    assert_int_equal(strlen(rf_json_string(pending, "user.anna")), 14);
    fixture_close(&fixture);
}

/* Without it the guest forgot the password that it had: back in the directory it had none. */
static void a_member_that_comes_back_gets_new_ones(void **state)
{
    (void)state;
    struct fixture fixture;
    open_company(&fixture);
    struct rf_node_guest *guest = settled(&fixture, 1, RF_STATE_GUESTS "/crm/settled.json");
    struct rf_node_guest alone = *guest;
    alone.directory = NULL;
    assert_int_equal(rf_step_secret.probe(&fixture.env, &alone, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_secret.apply(&fixture.env, &alone, NULL), 0);
    assert_int_equal(rf_step_secret.probe(&fixture.env, &alone, NULL), RF_PROBE_DONE);
    assert_true(noted(&fixture, "crm", "admin"));
    assert_int_equal(rf_step_secret.apply(&fixture.env, guest, NULL), 0);
    rf_autojson json_t *pending = rf_secret_pending(guest);
    assert_int_equal(json_object_size(pending), 2);
    assert_int_equal(strlen(rf_json_string(pending, RF_SECRET_SERVICE)), 32);
    fixture_close(&fixture);
}

static void a_member_of_a_new_directory_gets_new_ones(void **state)
{
    (void)state;
    struct fixture fixture;
    open_company(&fixture);
    const struct rf_node_guest *guest = &fixture.model->guests[1];
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/born", "first\n", 0600);
    assert_int_equal(rf_step_secret.apply(&fixture.env, guest, NULL), 0);
    rf_autojson json_t *pending = rf_secret_pending(guest);
    assert_int_equal(strlen(rf_json_string(pending, RF_SECRET_SERVICE)), 32);
    assert_int_equal(strlen(rf_json_string(pending, RF_SECRET_JOIN)), 32);
    fixture_write(&fixture, RF_STATE_GUESTS "/crm/settled.json", "{}\n", 0600);
    assert_int_equal(rf_secret_remove(guest, NULL), 0);
    assert_int_equal(rf_step_secret.probe(&fixture.env, guest, NULL), RF_PROBE_DONE);
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/born", "second\n", 0600);
    assert_int_equal(rf_step_secret.probe(&fixture.env, guest, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_secret.apply(&fixture.env, guest, NULL), 0);
    rf_autojson json_t *anew = rf_secret_pending(guest);
    assert_string_not_equal(rf_json_string(pending, RF_SECRET_SERVICE), rf_json_string(anew, RF_SECRET_SERVICE));
    assert_null(rf_json_string(anew, "admin"));
    fixture_close(&fixture);
}

static void leftovers_of_a_kill_are_used(void **state)
{
    (void)state;
    struct fixture fixture;
    open_company(&fixture);
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    assert_int_equal(rf_step_secret.apply(&fixture.env, guest, NULL), 0);
    rf_autojson json_t *first = rf_secret_load(guest);
    rf_autofree char *generated = rf_guest_state_path(guest, "generated.json");
    assert_int_equal(unlink(generated), 0); /* killed before the last file */
    assert_int_equal(rf_step_secret.probe(&fixture.env, guest, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_secret.apply(&fixture.env, guest, NULL), 0);
    rf_autojson json_t *again = rf_secret_load(guest);
    assert_true(json_equal(first, again));
    rf_autofree char *certificate = rf_guest_state_path(guest, "certificate.pem");
    assert_int_equal(unlink(certificate), 0);
    assert_int_equal(rf_step_secret.probe(&fixture.env, guest, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_secret.apply(&fixture.env, guest, NULL), 0);
    assert_int_equal(rf_step_secret.probe(&fixture.env, guest, NULL), RF_PROBE_DONE);
    fixture_close(&fixture);
}

static void machines_secrets_are_not_for_people(void **state)
{
    (void)state;
    struct fixture fixture;
    open_company(&fixture);
    assert_true(rf_secret_for_people(&fixture.model->guests[0]));
    assert_true(rf_secret_for_people(&fixture.model->guests[1]));
    assert_false(rf_secret_for_people(&fixture.model->guests[2])); /* a member's accounts are all that it has */
    size_t count;
    struct rf_secret *secrets = rf_secret_list(&fixture.model->guests[0], &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(secrets[i].key, "probe") == 0)
            assert_null(secrets[i].title);
        if (strcmp(secrets[i].key, "user.anna") == 0)
            assert_string_equal(secrets[i].title, "first password of anna");
    }
    rf_secrets_free(secrets, count);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_generated_once),
        cmocka_unit_test(no_second_key_for_a_guest_that_has_one),
        cmocka_unit_test(what_is_missing_is_added),
        cmocka_unit_test(a_member_gets_a_new_one_time_password),
        cmocka_unit_test(they_are_gone_for_good),
        cmocka_unit_test(a_rule_about_passwords_holds_for_generated_ones),
        cmocka_unit_test(a_file_that_is_no_json_holds_none),
        cmocka_unit_test(some_stay_when_the_others_are_forgotten),
        cmocka_unit_test(a_new_account_gets_its_own),
        cmocka_unit_test(an_account_that_comes_back_gets_another_one),
        cmocka_unit_test(a_member_that_comes_back_gets_new_ones),
        cmocka_unit_test(a_member_of_a_new_directory_gets_new_ones),
        cmocka_unit_test(leftovers_of_a_kill_are_used),
        cmocka_unit_test(machines_secrets_are_not_for_people),
    };
    return cmocka_run_group_tests_name("postinstall/secret", tests, NULL, NULL);
}
