/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/paths.h"
#include "base/units.h"
#include "postinstall/pool_room.h"
#include "tests/unit/postinstall/fixture.h"

#include <pthread.h>

static void some_is_always_left(void **state)
{
    (void)state;
    assert_int_equal(rf_pool_kept_free(UINT64_C(1000) * RF_GIB), UINT64_C(2) * RF_GIB);
    assert_int_equal(rf_pool_kept_free(UINT64_C(16) * RF_GIB), RF_GIB);
    assert_int_equal(rf_pool_kept_free(RF_GIB), UINT64_C(256) * RF_MIB);
}

/* One lane of a run, its own step. */
struct lane {
    struct fixture *fixture;
    uint64_t wants, got;
    pthread_t thread;
};

static void *reserve(void *data)
{
    struct lane *lane = data;
    rf_autopoolshare struct rf_pool_share share = {0};
    if (rf_pool_reserve(&lane->fixture->env, lane->fixture->model, "/no/such/b", lane->wants, &share, NULL) == 0)
        lane->got = share.bytes;
    return NULL;
}

static void open_pool(struct fixture *fixture)
{
    fixture_open(fixture, NULL, rf_runner_dry());
    fixture_write(fixture, RF_POOL_DIR "/x", "x", 0600);
}

static bool told_to_wait(const struct fixture *fixture)
{
    rf_autofree char *events = fixture_read(fixture, "/events.jsonl");
    return events && strstr(events, "waiting for them");
}

/* Both would fit alone, and each has looked before the other has written: the second waits, and has what is left then. */
static void two_lanes_do_not_get_the_same_room(void **state)
{
    (void)state;
    struct fixture fixture;
    open_pool(&fixture);
    rf_pool_release(&(struct rf_pool_share){0});
    struct rf_pool_share all = {0};
    assert_int_equal(rf_pool_reserve(&fixture.env, fixture.model, "/no/such/a", UINT64_MAX, &all, NULL), 0);
    if (all.bytes < 64 * RF_MIB) {
        rf_pool_release(&all);
        fixture_close(&fixture);
        skip();
    }
    struct lane lane = {.fixture = &fixture, .wants = 16 * RF_MIB};
    assert_int_equal(pthread_create(&lane.thread, NULL, reserve, &lane), 0);
    for (unsigned i = 0; i < 100 && !told_to_wait(&fixture); i++)
        usleep(20000);
    assert_true(told_to_wait(&fixture));
    assert_int_equal(lane.got, 0);
    rf_pool_release(&all);
    pthread_join(lane.thread, NULL);
    assert_int_equal(lane.got, 16 * RF_MIB);
    fixture_close(&fixture);
}

static void small_ones_do_not_wait_for_each_other(void **state)
{
    (void)state;
    struct fixture fixture;
    open_pool(&fixture);
    struct rf_pool_share a = {0}, b = {0};
    assert_int_equal(rf_pool_reserve(&fixture.env, fixture.model, "/no/such/a", 4096, &a, NULL), 0);
    if (a.bytes == 4096) {
        assert_int_equal(rf_pool_reserve(&fixture.env, fixture.model, "/no/such/b", 4096, &b, NULL), 0);
        assert_int_equal(b.bytes, 4096);
    }
    rf_pool_release(&a);
    rf_pool_release(&b);
    assert_false(told_to_wait(&fixture));
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(some_is_always_left),
        cmocka_unit_test(two_lanes_do_not_get_the_same_room),
        cmocka_unit_test(small_ones_do_not_wait_for_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
