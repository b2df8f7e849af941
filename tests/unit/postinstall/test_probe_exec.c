/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/postinstall/agent.h"

/* "no\n" on standard error, "yes\n" on standard output */
#define ERR ", \"err-data\": \"bm8K\""
#define OUT ", \"out-data\": \"eWVzCg==\""

static void the_status_says_whether_it_works(void **state)
{
    (void)state;
    rf_autojson json_t *argv = json_pack("[s]", "/bin/x");
    struct rf_recipe_probe probe = {.argv = argv};
    assert_probe(&rf_probe_exec, &probe, FAKE(PID, ENDED("0", "")), RF_HEALTH_OK, "works");
    assert_probe(&rf_probe_exec, &probe, FAKE(PID, ENDED("0", OUT ERR)), RF_HEALTH_OK, "yes");
    assert_probe(&rf_probe_exec, &probe, FAKE(PID, ENDED("1", OUT ERR)), RF_HEALTH_WAITING, "no, status 1");
    assert_probe(&rf_probe_exec, &probe, FAKE(PID, ENDED("1", OUT)), RF_HEALTH_WAITING, "yes, status 1");
    assert_probe(&rf_probe_exec, &probe, FAKE(PID, ENDED("2", ERR)), RF_HEALTH_BROKEN, "no, status 2");
    assert_probe(&rf_probe_exec, &probe, FAKE(PID, ENDED("127", "")), RF_HEALTH_WAITING, "status 127");
    assert_probe(&rf_probe_exec, &probe, FAKE(""), RF_HEALTH_WAITING,
                 "starting /bin/x in the guest: it does not answer");
}

static void a_secret_goes_in_by_standard_input_only(void **state)
{
    (void)state;
    rf_autojson json_t *argv = json_pack("[s]", "/bin/x"), *secrets = json_pack("{s:s}", "administrator", "secret");
    struct rf_recipe_probe probe = {.argv = argv, .secret = (char *)"administrator"};
    struct fake_agent fake = FAKE(PID, ENDED("1", ERR), PID, ENDED("1", ERR));
    rf_autofree char *words = NULL, *later = NULL;
    assert_int_equal(ask_probe(&rf_probe_exec, &probe, &fake, secrets, &words), RF_HEALTH_WAITING);
    assert_string_equal(words, "no, status 1");
    assert_null(strstr(fake.asked, "secret\"")); /* base64 on standard input is all */
    assert_non_null(strstr(fake.asked, "\"input-data\":\"c2VjcmV0Cg==\""));
    /* after the hand-over it is gone: an empty input, not none */
    assert_int_equal(ask_probe(&rf_probe_exec, &probe, &fake, NULL, &later), RF_HEALTH_WAITING);
    assert_non_null(strstr(fake.asked, "\"input-data\":\"\""));
    rf_agent_free(&fake.agent);
}

/* What people outside reach was never logged in to. */
static void the_published_name_is_its_last_word(void **state)
{
    (void)state;
    rf_autojson json_t *argv = json_pack("[ss]", "/bin/x", "login"),
                       *settings = json_pack("{s:s}", "host", "crm.a.example");
    struct rf_recipe_probe probe = {.argv = argv, .host = (char *)"host", .via_proxy = true, .seconds = 5};
    struct fake_agent fake = FAKE(PID, ENDED("0", ""), PID, ENDED("0", ""));
    struct rf_probe_context context = {.agent = &fake.agent, .settings = settings};
    rf_autofree char *words = NULL, *inside = NULL;
    assert_int_equal(rf_probe_exec.ask(&probe, &context, &words), RF_HEALTH_OK);
    assert_non_null(strstr(fake.asked, "[\"login\",\"https://crm.a.example\"]"));
    assert_int_equal(json_array_size(argv), 2); /* the recipe's own stays as it is */
    free(RF_STEAL(fake.asked));
    probe.via_proxy = false;
    assert_int_equal(rf_probe_exec.ask(&probe, &context, &inside), RF_HEALTH_OK);
    assert_null(strstr(fake.asked, "https://"));
    rf_agent_free(&fake.agent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_status_says_whether_it_works),
        cmocka_unit_test(the_published_name_is_its_last_word),
        cmocka_unit_test(a_secret_goes_in_by_standard_input_only),
    };
    return cmocka_run_group_tests_name("postinstall/probe_exec", tests, NULL, NULL);
}
