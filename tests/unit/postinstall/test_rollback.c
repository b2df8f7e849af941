/* SPDX-License-Identifier: GPL-3.0-or-later */
/* On libvirt's mock; it has no agent, so the call that asks one is ours. */
#include "base/paths.h"
#include "postinstall/ca.h"
#include "postinstall/configure.h"
#include "postinstall/enrol.h"
#include "postinstall/rollback.h"
#include "postinstall/secret.h"
#include "postinstall/snapshot.h"
#include "tests/unit/postinstall/agent.h"
#include "tests/unit/postinstall/fixture.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <libvirt/virterror.h>
#include <sys/stat.h>
#include <time.h>

struct clock_fake {
    int failures; /* how often the agent does not answer; negative: it has no such thing */
    long long seconds;
};

static struct clock_fake *guests_clock(void)
{
    static struct clock_fake fake;
    return &fake;
}

int virDomainSetTime(virDomainPtr domain, long long seconds, unsigned nseconds, unsigned flags)
{
    (void)domain;
    (void)nseconds;
    (void)flags;
    if (guests_clock()->failures)
        return -1;
    guests_clock()->seconds = seconds;
    return 0;
}

int virGetLastErrorCode(void)
{
    int (*real)(void);
    *(void **)&real = dlsym(RTLD_NEXT, "virGetLastErrorCode");
    if (guests_clock()->failures == 0)
        return real();
    if (guests_clock()->failures < 0)
        return VIR_ERR_OPERATION_UNSUPPORTED;
    guests_clock()->failures--;
    return VIR_ERR_AGENT_UNRESPONSIVE;
}

static virDomainPtr define(const struct fixture *fixture, const char *name)
{
    rf_autofree char *xml =
        rf_format("<domain type='test'><name>%s</name><memory>1024</memory><os><type>hvm</type></os>"
                  "<metadata><r:guest xmlns:r='urn:richtfest:guest:1' recipe='plain' digest='x'/></metadata></domain>",
                  name);
    virDomainPtr domain = virDomainDefineXML(rf_libvirt_connect(fixture->model->libvirt, NULL), xml);
    assert_non_null(domain);
    *guests_clock() = (struct clock_fake){0};
    return domain;
}

static void finish(struct fixture *fixture, virDomainPtr domain)
{
    rf_autojson json_t *list = rf_snapshot_list(domain, NULL);
    *guests_clock() = (struct clock_fake){0};
    for (size_t i = 0; i < json_array_size(list); i++)
        rf_snapshot_delete(domain, rf_json_string(json_array_get(list, i), "name"), NULL);
    if (virDomainIsActive(domain) == 1)
        virDomainDestroy(domain);
    virDomainUndefine(domain);
    fixture_close(fixture);
}

static char *bring_back(const struct fixture *fixture, const char *name, unsigned patience)
{
    rf_autofree char *back = NULL;
    char *words = NULL;
    assert_int_equal(rf_guest_rollback(fixture->model, name, NULL, patience, &back, &words, NULL), 0);
    assert_string_equal(back, "s");
    return words;
}

static void a_running_guest_gets_the_time(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_autodomain virDomainPtr domain = define(&fixture, "dc1");
    assert_int_equal(virDomainCreate(domain), 0);
    assert_int_equal(rf_snapshot_take(domain, "s", NULL, NULL, NULL), 0);
    guests_clock()->failures = 1; /* its channel is a new one: it answers the second time */
    rf_autofree char *words = bring_back(&fixture, "dc1", 30);
    assert_string_equal(words, "");
    assert_true(guests_clock()->seconds > time(NULL) - 60 && guests_clock()->seconds <= time(NULL));
    finish(&fixture, domain);
}

static void a_clock_that_can_not_be_set_is_said(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_autodomain virDomainPtr domain = define(&fixture, "dc1");
    assert_int_equal(virDomainCreate(domain), 0);
    assert_int_equal(rf_snapshot_take(domain, "s", NULL, NULL, NULL), 0);
    guests_clock()->failures = -1;
    rf_autofree char *words = bring_back(&fixture, "dc1", 30);
    assert_non_null(strstr(words, "its clock still says the time of the snapshot"));
    assert_non_null(strstr(words, "'virsh shutdown dc1', then 'virsh start dc1'"));
    guests_clock()->failures = 1000;
    rf_autofree char *silent = bring_back(&fixture, "dc1", 0);
    assert_non_null(strstr(silent, "its clock still says"));
    finish(&fixture, domain);
}

static void one_that_is_shut_down_needs_no_time(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_autodomain virDomainPtr domain = define(&fixture, "dc1");
    assert_int_equal(rf_snapshot_take(domain, "s", NULL, NULL, NULL), 0);
    guests_clock()->failures = -1;
    rf_autofree char *words = bring_back(&fixture, "dc1", 30);
    assert_string_equal(words, "");
    finish(&fixture, domain);
}

/* dc1 and its member crm, both in use and with nothing left to do. */
static void settle(struct fixture *fixture)
{
    const struct rf_node_guest *dc1 = &fixture->model->guests[0], *crm = &fixture->model->guests[1];
    struct fake_agent fake = FAKE(PID, ENDED("0", ""));
    assert_int_equal(rf_step_ca.apply(&fixture->env, fixture->model, NULL), 0);
    fixture_write(fixture, RF_STATE_GUESTS "/dc1/born", "then\n", 0600);
    for (const struct rf_node_guest *guest = dc1; guest <= crm; guest++) {
        rf_autofree char *mark = rf_format(RF_STATE_GUESTS "/%s/settled.json", guest->asked->name);
        assert_int_equal(rf_step_secret.apply(&fixture->env, guest, NULL), 0);
        assert_int_equal(rf_configure_seeded(guest, NULL), 0);
        assert_int_equal(rf_configure_settled(guest, NULL), 0);
        fixture_write(fixture, mark, "{}\n", 0600);
    }
    assert_int_equal(rf_enrol_ask(&fixture->env, crm, &fake.agent, 20, NULL), 0);
    assert_int_equal(rf_secret_remove(dc1, NULL), 0);
    assert_int_equal(rf_secret_remove(crm, NULL), 0);
    rf_agent_free(&fake.agent);
}

static void assert_owed(struct fixture *fixture, size_t index, const struct rf_step_ops *step, bool owed)
{
    assert_int_equal(step->probe(&fixture->env, &fixture->model->guests[index], NULL),
                     owed ? RF_PROBE_TODO : RF_PROBE_DONE);
}

static void a_directorys_members_are_enrolled_anew(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, fixture_company, NULL, rf_runner_dry());
    settle(&fixture);
    assert_owed(&fixture, 0, &rf_step_guest_configure, false);
    assert_owed(&fixture, 1, &rf_step_secret, false);
    assert_owed(&fixture, 1, &rf_step_enrol, false);
    rf_autodomain virDomainPtr domain = define(&fixture, "dc1");
    assert_int_equal(rf_snapshot_take(domain, "s", NULL, NULL, NULL), 0);
    rf_autofree char *words = bring_back(&fixture, "dc1", 0);
    assert_non_null(strstr(words, "'richtfest apply --node' tells it what has changed since, and enrols its members"));
    assert_non_null(strstr(words, "an account that was added later has none"));
    assert_null(strstr(words, "older than the end of its first boot"));
    assert_owed(&fixture, 0, &rf_step_guest_configure, true);
    assert_owed(&fixture, 0, &rf_step_secret, false); /* people have theirs */
    assert_owed(&fixture, 1, &rf_step_secret, true);
    assert_owed(&fixture, 1, &rf_step_enrol, true);
    assert_owed(&fixture, 1, &rf_step_guest_configure, false); /* until it has new passwords */
    assert_true(rf_configure_owed(&fixture.model->guests[0]));
    finish(&fixture, domain);
}

static void a_member_can_join_again(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, fixture_company, NULL, rf_runner_dry());
    settle(&fixture);
    fixture_write(&fixture, RF_STATE_GUESTS "/crm/grown", "1\n", 0600);
    rf_autodomain virDomainPtr domain = define(&fixture, "crm");
    assert_int_equal(rf_snapshot_take(domain, "s", NULL, NULL, NULL), 0);
    rf_autofree char *words = bring_back(&fixture, "crm", 0);
    rf_autofree char *grown = fixture_read(&fixture, RF_STATE_GUESTS "/crm/grown");
    assert_null(grown);
    assert_owed(&fixture, 1, &rf_step_secret, true);
    assert_owed(&fixture, 1, &rf_step_enrol, true);
    assert_owed(&fixture, 1, &rf_step_guest_configure, true);
    assert_owed(&fixture, 0, &rf_step_guest_configure, false);
    finish(&fixture, domain);
}

/* Nothing is forgotten of a guest that comes up just now: it has not read its seed to the end. */
static void what_is_not_settled_keeps_what_it_has(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    rf_autofree char *back = NULL, *words = NULL;
    fixture_open_with(&fixture, fixture_company, NULL, rf_runner_dry());
    rf_autodomain virDomainPtr domain = define(&fixture, "crm");
    fixture_write(&fixture, RF_STATE_GUESTS "/crm/certificate.pem", "x\n", 0600);
    assert_int_equal(rf_snapshot_take(domain, "s", NULL, NULL, NULL), 0);
    rf_autofree char *nothing = bring_back(&fixture, "crm", 0);
    rf_autofree char *kept = fixture_read(&fixture, RF_STATE_GUESTS "/crm/certificate.pem");
    assert_non_null(kept);
    assert_string_equal(nothing, "");
    fixture_write(&fixture, RF_STATE_GUESTS "/crm/settled.json", "{}\n", 0600);
    assert_int_equal(rf_guest_rollback(fixture.model, "crm", "other", 0, &back, &words, &error), -1);
    assert_error(error, "crm has no snapshot 'other'; there are s");
    rf_autofree char *still = fixture_read(&fixture, RF_STATE_GUESTS "/crm/certificate.pem");
    assert_non_null(still);
    rf_autofree char *mark = rf_format("%s" RF_STATE_GUESTS "/crm/settled.json", fixture.root);
    const struct timespec later[2] = {{.tv_sec = time(NULL) + 1000}, {.tv_sec = time(NULL) + 1000}};
    assert_int_equal(utimensat(AT_FDCWD, mark, later, 0), 0);
    rf_autofree char *old = bring_back(&fixture, "crm", 0);
    assert_non_null(strstr(old, "this snapshot is older than the end of its first boot"));
    finish(&fixture, domain);
}

static void one_that_left_the_profile_comes_back_too(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_autodomain virDomainPtr domain = define(&fixture, "old");
    fixture_write(&fixture, RF_STATE_GUESTS "/old/settled.json", "{}\n", 0600);
    fixture_write(&fixture, RF_STATE_GUESTS "/old/" RF_CONFIGURED_FILE, "{}\n", 0600);
    assert_int_equal(rf_snapshot_take(domain, "s", NULL, NULL, NULL), 0);
    rf_autofree char *words = bring_back(&fixture, "old", 0);
    rf_autofree char *known = fixture_read(&fixture, RF_STATE_GUESTS "/old/" RF_CONFIGURED_FILE);
    assert_null(known);
    finish(&fixture, domain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_running_guest_gets_the_time),
        cmocka_unit_test(a_clock_that_can_not_be_set_is_said),
        cmocka_unit_test(one_that_is_shut_down_needs_no_time),
        cmocka_unit_test(a_directorys_members_are_enrolled_anew),
        cmocka_unit_test(a_member_can_join_again),
        cmocka_unit_test(what_is_not_settled_keeps_what_it_has),
        cmocka_unit_test(one_that_left_the_profile_comes_back_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
