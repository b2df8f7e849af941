/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/paths.h"
#include "postinstall/silence.h"
#include "tests/unit/postinstall/fixture.h"

#define CONSOLE "/var/log/libvirt/qemu/dc1-console.log"

static bool told(const struct fixture *fixture)
{
    rf_autofree char *events = fixture_read(fixture, "/events.jsonl");
    return events && strstr(events, "dc1 has stood still in its first boot for 180 s");
}

static void one_that_says_nothing_is_reset_once(void **state)
{
    (void)state;
    struct fixture fixture;
    struct rf_silence silence = {0};
    fixture_open(&fixture, NULL, rf_runner_dry());
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    rf_autodomain virDomainPtr domain = fixture_running(&fixture);
    assert_int_equal(rf_silence_break(&silence, &fixture.env, guest, 1000, NULL), 0);
    assert_int_equal(rf_silence_break(&silence, &fixture.env, guest, 1100, NULL), 0);
    fixture_write(&fixture, CONSOLE, "Booting\n", 0600); /* it lives: from here on */
    assert_int_equal(rf_silence_break(&silence, &fixture.env, guest, 1179, NULL), 0);
    assert_int_equal(rf_silence_break(&silence, &fixture.env, guest, 1358, NULL), 0);
    assert_false(told(&fixture));
    assert_int_equal(rf_silence_break(&silence, &fixture.env, guest, 1359, NULL), 1);
    assert_true(told(&fixture));
    assert_int_equal(rf_silence_break(&silence, &fixture.env, guest, 9000, NULL), 0);
    virDomainDestroy(domain);
    fixture_close(&fixture);
}

/* It has worked before and may be working now, without an agent. */
static void one_that_was_settled_is_left_alone(void **state)
{
    (void)state;
    struct fixture fixture;
    struct rf_silence silence = {0};
    fixture_open(&fixture, NULL, rf_runner_dry());
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    rf_autofree char *mark = rf_format("{\"uuid\": \"%s\", \"recipe\": \"active-directory\"}", guest->uuid);
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/settled.json", mark, 0600);
    assert_true(rf_guest_settled(guest));
    rf_autodomain virDomainPtr domain = fixture_running(&fixture);
    assert_int_equal(rf_silence_break(&silence, &fixture.env, guest, 1000, NULL), 0);
    assert_int_equal(rf_silence_break(&silence, &fixture.env, guest, 9000, NULL), 0);
    assert_false(told(&fixture));
    virDomainDestroy(domain);
    fixture_close(&fixture);
}

static void a_refused_reset_is_an_error(void **state)
{
    (void)state;
    struct fixture fixture;
    struct rf_silence silence = {0};
    rf_autoerror rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_dry());
    const struct rf_node_guest *guest = &fixture.model->guests[0]; /* not in libvirt */
    assert_int_equal(rf_silence_break(&silence, &fixture.env, guest, 1000, NULL), 0);
    assert_int_equal(rf_silence_break(&silence, &fixture.env, guest, 1200, &error), -1);
    rf_autofree char *text = rf_error_text(error);
    assert_non_null(strstr(text, "resetting the guest dc1"));
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_says_nothing_is_reset_once),
        cmocka_unit_test(one_that_was_settled_is_left_alone),
        cmocka_unit_test(a_refused_reset_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
