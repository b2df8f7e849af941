/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/units.h"
#include "postinstall/domain.h"
#include "postinstall/seed_read.h"
#include "tests/unit/postinstall/agent.h"
#include "tests/unit/postinstall/fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

/* libvirt's test driver comes with one domain, "test", and it runs. */
static struct rf_node_guest *open_guest(struct fixture *fixture)
{
    fixture_open_with(fixture, "  - {name: test, recipe: plain}\n", NULL, rf_runner_dry());
    struct rf_node_guest *guest = &fixture->model->guests[0];
    rf_autofree char *seed = rf_guest_seed_path(guest);
    fixture_write(fixture, seed + strlen(fixture->root), "x", 0600);
    return guest;
}

static void seed_written(const struct rf_node_guest *guest, time_t when)
{
    rf_autofree char *seed = rf_guest_seed_path(guest);
    const struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};
    assert_int_equal(utimensat(AT_FDCWD, seed, times, 0), 0);
}

static void without_an_agent_it_is_given_its_time(void **state)
{
    (void)state;
    struct fixture fixture;
    const struct rf_node_guest *guest = open_guest(&fixture);
    struct fake_agent silent = FAKE("");
    double before = rf_now();
    assert_int_equal(rf_seed_read_wait(&fixture.env, guest, &silent.agent, 3, NULL), 0);
    assert_true(rf_now() - before > 1.5);
    seed_written(guest, time(NULL) + 86400); /* the clock was set back: the whole time, and no more */
    before = rf_now();
    assert_int_equal(rf_seed_read_wait(&fixture.env, guest, &silent.agent, 2, NULL), 0);
    assert_true(rf_now() - before >= 2 && rf_now() - before < 10);
    seed_written(guest, time(NULL) - 400);
    before = rf_now();
    assert_int_equal(rf_seed_read_wait(&fixture.env, guest, &silent.agent, 300, NULL), 0);
    assert_true(rf_now() - before < 10);
    rf_autofree char *events = fixture_read(&fixture, "/events.jsonl");
    assert_non_null(strstr(events, "keeps its seed for 2 more seconds"));
    free(silent.asked);
    fixture_close(&fixture);
}

static void an_agent_says_that_cloud_init_has_ended(void **state)
{
    (void)state;
    struct fixture fixture;
    const struct rf_node_guest *guest = open_guest(&fixture);
    struct fake_agent fake = FAKE(PID, ENDED("0", ""));
    assert_int_equal(rf_seed_read_wait(&fixture.env, guest, &fake.agent, 1000, NULL), 0);
    assert_non_null(strstr(fake.asked, "/run/cloud-init/result.json"));
    free(fake.asked);
    struct fake_agent not_yet = FAKE(PID, ENDED("1", ""), PID, ENDED("0", ""));
    assert_int_equal(rf_seed_read_wait(&fixture.env, guest, &not_yet.agent, 1000, NULL), 0);
    assert_null(*not_yet.answers); /* it was asked again */
    free(not_yet.asked);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_an_agent_it_is_given_its_time),
        cmocka_unit_test(an_agent_says_that_cloud_init_has_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
