/* SPDX-License-Identifier: GPL-3.0-or-later */
/* On libvirt's mock, whose snapshots are as real as its domains. */
#include "base/paths.h"
#include "postinstall/snapshot.h"
#include "tests/unit/postinstall/fixture.h"
#include "tests/unit/postinstall/full_pool.h"
#include "tests/unit/postinstall/libvirt_faults.h"

static virDomainPtr define(const struct fixture *fixture, const char *name)
{
    rf_autofree char *xml =
        rf_format("<domain type='test'><name>%s</name><memory>1024</memory><os><type>hvm</type></os></domain>", name);
    virDomainPtr domain = virDomainDefineXML(rf_libvirt_connect(fixture->model->libvirt, NULL), xml);
    assert_non_null(domain);
    return domain;
}

/* "a b c" of the snapshots' names. */
static char *names(virDomainPtr domain)
{
    rf_autojson json_t *list = rf_snapshot_list(domain, NULL);
    char *text = rf_strdup("");
    for (size_t i = 0; i < json_array_size(list); i++)
        rf_append(&text, "%s%s", i ? " " : "", rf_json_string(json_array_get(list, i), "name"));
    return text;
}

static void remove_all(virDomainPtr domain)
{
    rf_autojson json_t *list = rf_snapshot_list(domain, NULL);
    for (size_t i = 0; i < json_array_size(list); i++)
        rf_snapshot_delete(domain, rf_json_string(json_array_get(list, i), "name"), NULL);
    virDomainUndefine(domain);
}

static void taken_listed_and_brought_back(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_autodomain virDomainPtr domain = define(&fixture, "x");
    rf_autofree char *back = NULL, *first = NULL;
    assert_int_equal(rf_snapshot_rollback(domain, NULL, NULL, &error), -1);
    assert_error(error, "x has no snapshot");
    assert_int_equal(rf_snapshot_take(domain, "a", "the first", NULL, NULL), 0);
    assert_int_equal(rf_snapshot_take(domain, "b", NULL, NULL, NULL), 0);
    rf_autofree char *both = names(domain);
    assert_string_equal(both, "a b");
    assert_int_equal(rf_snapshot_rollback(domain, NULL, &back, NULL), 0);
    assert_string_equal(back, "b");
    assert_int_equal(rf_snapshot_rollback(domain, "a", &first, NULL), 0);
    assert_string_equal(first, "a");
    assert_int_equal(rf_snapshot_rollback(domain, "c", NULL, &error), -1);
    assert_error(error, "x has no snapshot 'c'; there are a, b");
    rf_autojson json_t *list = rf_snapshot_list(domain, NULL);
    assert_string_equal(rf_json_string(json_array_get(list, 0), "description"), "the first");
    assert_true(json_is_true(json_object_get(json_array_get(list, 0), "current")));
    remove_all(domain);
    fixture_close(&fixture);
}

static void names_are_made_from_the_time(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_autodomain virDomainPtr domain = define(&fixture, "x");
    rf_autofree char *name = NULL;
    assert_int_equal(rf_snapshot_take(domain, NULL, NULL, &name, NULL), 0);
    assert_int_equal(strlen(name), strlen("2026-11-21T15-20-05Z"));
    remove_all(domain);
    fixture_close(&fixture);
}

static void the_engine_keeps_its_last_ones_and_everybody_elses(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    rf_autodomain virDomainPtr domain = define(&fixture, "dc1");
    assert_int_equal(rf_snapshot_before(&fixture.env, guest, "define", NULL), 0);
    rf_autofree char *none = names(domain);
    assert_string_equal(none, ""); /* it has not settled: nothing of it is worth keeping */
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/settled.json", "{}\n", 0600);
    assert_int_equal(rf_snapshot_take(domain, "by-hand", NULL, NULL, NULL), 0);
    static const char *const old[] = {"richtfest-2020-a", "richtfest-2021-b", "richtfest-2022-c"};
    for (size_t i = 0; i < RF_COUNT(old); i++)
        assert_int_equal(rf_snapshot_take(domain, old[i], NULL, NULL, NULL), 0);
    assert_int_equal(rf_snapshot_before(&fixture.env, guest, "configure", NULL), 0);
    rf_autofree char *left = names(domain);
    assert_non_null(strstr(left, "by-hand"));
    assert_null(strstr(left, "2020-a"));
    assert_non_null(strstr(left, "2021-b"));
    assert_non_null(strstr(left, "Z-configure"));
    remove_all(domain);
    fixture_close(&fixture);
}

static void nothing_is_changed_where_nobody_knows_whether_there_is_a_guest(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_dry());
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/settled.json", "{}\n", 0600);
    assert_int_equal(rf_snapshot_before(&fixture.env, guest, "define", &error), 0); /* not defined */
    *faults() = (struct faults){.lookup = true};
    assert_int_equal(rf_snapshot_before(&fixture.env, guest, "define", &error), -1);
    assert_error_has(error, "whether there is a guest 'dc1' could not be asked");
    *faults() = (struct faults){0};
    fixture_close(&fixture);
}

/* The memory of one that runs goes into its disk, and a pool that is full stops every guest. */
static void a_full_pool_gets_no_memory(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    struct rf_pool_share none = {0};
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_autodomain virDomainPtr domain = define(&fixture, "dc1");
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/settled.json", "{}\n", 0600);
    fixture_write(&fixture, RF_POOL_DIR "/dc1.qcow2", "x", 0600);
    *full_pool() = true;
    assert_int_equal(rf_snapshot_room(&fixture.env, fixture.model, domain, &none, NULL), 0); /* it is shut down */
    assert_null(none.room);
    assert_int_equal(virDomainCreate(domain), 0);
    assert_int_equal(rf_snapshot_before(&fixture.env, guest, "define", &error), -1);
    assert_error_has(error, "nothing is changed without a snapshot: a snapshot of dc1 with its memory: it takes ");
    rf_autofree char *all = names(domain);
    assert_string_equal(all, "");
    *full_pool() = false;
    assert_int_equal(rf_snapshot_before(&fixture.env, guest, "define", &error), 0);
    assert_int_equal(virDomainDestroy(domain), 0);
    remove_all(domain);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taken_listed_and_brought_back),
        cmocka_unit_test(names_are_made_from_the_time),
        cmocka_unit_test(the_engine_keeps_its_last_ones_and_everybody_elses),
        cmocka_unit_test(a_full_pool_gets_no_memory),
        cmocka_unit_test(nothing_is_changed_where_nobody_knows_whether_there_is_a_guest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
