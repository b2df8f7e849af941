/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/postinstall/agent.h"

static void each_probe_is_found_by_its_name(void **state)
{
    (void)state;
    static const char *const names[] = {"agent", "cloud_init", "dns_srv", "exec", "http", "ldaps", "running", "tcp"};
    for (size_t i = 0; i < RF_COUNT(names); i++)
        assert_string_equal(rf_probe_ops(names[i])->name, names[i]);
    assert_null(rf_probe_ops("agen"));
    assert_null(rf_probe_ops(""));
    rf_autofree char *all = rf_probe_names();
    assert_string_equal(all, "agent, cloud_init, dns_srv, exec, http, ldaps, running, tcp");
}

static void a_row_that_lacks_something_is_told(void **state)
{
    (void)state;
    rf_autojson json_t *argv = json_pack("[s]", "/bin/x");
    const struct rf_recipe_probe nothing = {0}, program = {.argv = argv}, half = {.service = (char *)"_ldap._tcp"},
                                 whole = {.service = (char *)"_ldap._tcp", .zone = (char *)"realm"};
    assert_null(rf_probe_agent.missing(&nothing));
    assert_null(rf_probe_cloud_init.missing(&nothing));
    assert_null(rf_probe_ldaps.missing(&nothing));
    assert_string_equal(rf_probe_exec.missing(&nothing), "argv");
    assert_null(rf_probe_exec.missing(&program));
    assert_string_equal(rf_probe_dns_srv.missing(&nothing), "service");
    assert_string_equal(rf_probe_dns_srv.missing(&half), "zone");
    assert_null(rf_probe_dns_srv.missing(&whole));
    const struct rf_recipe_probe port = {.port = 22}, of = {.port_of = (char *)"port"};
    assert_string_equal(rf_probe_tcp.missing(&nothing), "port");
    assert_null(rf_probe_tcp.missing(&port));
    assert_null(rf_probe_tcp.missing(&of));
}

static void a_machine_that_runs_is_all_that_one_may_know(void **state)
{
    (void)state;
    rf_autofree char *runs = NULL, *does_not = NULL;
    const struct rf_probe_context up = {.running = true}, down = {0};
    assert_int_equal(rf_probe_running.ask(NULL, &up, &runs), RF_HEALTH_OK);
    assert_int_equal(rf_probe_running.ask(NULL, &down, &does_not), RF_HEALTH_WAITING);
    assert_string_equal(runs, "its machine runs; nothing in it is asked");
    assert_string_equal(does_not, "its machine does not run");
}

static void last_lines_are_readable(void **state)
{
    (void)state;
    rf_autofree char *last = rf_probe_last_line("one\ntwo\t\033[1m\n\n  "), *empty = rf_probe_last_line("");
    assert_string_equal(last, "two  [1m");
    assert_string_equal(empty, "");
    rf_autofree char *text = rf_alloc(1001);
    memset(text, 'x', 1000);
    rf_autofree char *bounded = rf_probe_last_line(text);
    assert_int_equal(strlen(bounded), 200);
}

/* jansson refuses other words, and a probe whose result was refused was not there: the guest counted as healthy. */
static void words_are_valid_characters(void **state)
{
    (void)state;
    rf_autofree char *latin = rf_probe_last_line("Verbindung f\xfcr crm geschlossen"), *umlauts = NULL, *words = NULL;
    assert_string_equal(latin, "Verbindung f?r crm geschlossen");
    for (size_t i = 0; i < 150; i++)
        rf_append(&umlauts, "%s", "\u00fc");
    rf_append(&umlauts, "%s", "x");
    rf_autofree char *cut = rf_probe_last_line(umlauts);
    assert_int_equal(strlen(cut), 199);
    assert_int_equal(strncmp(cut, "\u00fc", 2), 0);
    rf_error *error = NULL;
    rf_fail(&error, RF_FAILED, "%s", "no \xe4nswer \u20ac");
    rf_probe_error(error, &words);
    assert_string_equal(words, "no ?nswer \u20ac");
}

static void an_error_is_worth_asking_again(void **state)
{
    (void)state;
    rf_error *error = NULL;
    rf_fail(&error, RF_FAILED, "no route");
    rf_autofree char *words = NULL, *none = NULL;
    assert_int_equal(rf_probe_error(error, &words), RF_HEALTH_WAITING);
    assert_string_equal(words, "no route");
    assert_int_equal(rf_probe_error(NULL, &none), RF_HEALTH_WAITING);
    assert_string_equal(none, "no reason given");
    assert_string_equal(rf_health_name(RF_HEALTH_WAITING), "waiting");
    assert_string_equal(rf_health_name(RF_HEALTH_OK), "ok");
    assert_string_equal(rf_health_name(RF_HEALTH_BROKEN), "broken");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_probe_is_found_by_its_name),
        cmocka_unit_test(a_row_that_lacks_something_is_told),
        cmocka_unit_test(a_machine_that_runs_is_all_that_one_may_know),
        cmocka_unit_test(last_lines_are_readable),
        cmocka_unit_test(words_are_valid_characters),
        cmocka_unit_test(an_error_is_worth_asking_again),
    };
    return cmocka_run_group_tests_name("postinstall/probe", tests, NULL, NULL);
}
