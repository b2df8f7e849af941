/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/domain.h"
#include "tests/unit/postinstall/agent.h"
#include "tests/unit/postinstall/fixture.h"

#define DONE PID, ENDED("0", "")

static int ask(struct fake_agent *fake, unsigned seconds, rf_error **err)
{
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    int result = rf_unseed_ask(&fixture.env, &fake->agent, seconds, err);
    fixture_close(&fixture);
    return result;
}

static void cloud_init_is_switched_off_before_its_files_go(void **state)
{
    (void)state;
    struct fake_agent fake = FAKE(DONE, DONE);
    assert_int_equal(ask(&fake, 5, NULL), 0);
    const char *off = strstr(fake.asked, "/etc/cloud/cloud-init.disabled"), *gone = strstr(fake.asked, "/usr/bin/rm");
    assert_non_null(off);
    assert_non_null(gone);
    assert_true(off < gone);
    rf_agent_free(&fake.agent);
}

/* Two seconds without an answer are no failure of the guest: on a busy node that is any agent's. */
static void an_agent_that_is_slow_once_is_asked_again(void **state)
{
    (void)state;
    struct fake_agent fake = FAKE("", DONE, PID, "", DONE);
    assert_int_equal(ask(&fake, 30, NULL), 0);
    rf_agent_free(&fake.agent);
}

static void an_agent_that_is_gone_is_said(void **state)
{
    (void)state;
    struct fake_agent fake = FAKE("");
    rf_error *error = NULL;
    assert_int_equal(ask(&fake, 1, &error), -1);
    assert_error_has(error, "/usr/bin/touch in the guest: ");
    rf_agent_free(&fake.agent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cloud_init_is_switched_off_before_its_files_go),
        cmocka_unit_test(an_agent_that_is_slow_once_is_asked_again),
        cmocka_unit_test(an_agent_that_is_gone_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
