/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/paths.h"
#include "base/units.h"
#include "tests/unit/postinstall/domains.h"
#include "tests/unit/postinstall/libvirt_faults.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>

static const char image_guest[] =
    "  - {name: web, recipe: image, settings: {url: 'https://x.example/i', format: raw, sha256: "
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff}}\n";
static const char running_guest[] =
    "  - {name: web, recipe: image, settings: {url: 'https://x.example/i', format: raw, health: "
    "running, sha256: 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff}}\n";

static char *xml_of(const struct fixture *fixture)
{
    rf_autodomain virDomainPtr domain = domain_of(fixture, fixture->model->guests[0].asked->name);
    return virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
}

static void a_guest_comes_up_and_settles(void **state)
{
    (void)state;
    DEFINED(fixture, fixture_guests);
    rf_error *error = NULL;
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    rf_autofree char *seed = rf_guest_seed_path(guest);
    assert_int_equal(rf_step_domain.probe(&fixture.env, guest, &error), RF_PROBE_DONE);
    assert_true(domain_defined(&fixture, guest)); /* the same again */
    rf_autofree char *artefacts = rf_guest_artefacts_path(guest);
    fixture_write(&fixture, artefacts + strlen(fixture.root), "x", 0600); /* what its image lacks has come */
    assert_int_equal(rf_step_domain.probe(&fixture.env, guest, &error), RF_PROBE_TODO);
    assert_true(domain_defined(&fixture, guest));
    assert_int_equal(rf_step_domain.probe(&fixture.env, guest, &error), RF_PROBE_DONE);
    assert_int_equal(rf_step_start.probe(&fixture.env, guest, &error), RF_PROBE_TODO);
    assert_int_equal(rf_step_start.apply(&fixture.env, guest, &error), 0);
    assert_int_equal(rf_step_start.probe(&fixture.env, guest, &error), RF_PROBE_DONE);
    rf_autofree char *before = xml_of(&fixture);
    assert_non_null(strstr(before, seed));
    assert_non_null(strstr(before, artefacts));

    rf_autodomain virDomainPtr domain = domain_of(&fixture, "dc1");
    assert_int_equal(virDomainDestroy(domain),
                     0); /* the mock can't unplug: settling a stopped guest is the same but that */
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/secrets.json", "{\"administrator\": \"x\"}", 0600);
    rf_autofree char *seeds = rf_format("%.*s", (int)(strrchr(seed, '/') - seed), seed);
    assert_int_equal(rf_make_dirs(seeds, 0755, NULL), 0);
    assert_int_equal(rf_write_file(seed, "x", 1, 0600, NULL), 0);
    rf_autofree char *note = rf_format("%s.wanted", artefacts);
    assert_int_equal(rf_write_file(note, "x", 1, 0600, NULL), 0);
    fixture_write(&fixture, RF_FETCHED_DIR "/0123.art", "x", 0600);
    assert_int_equal(rf_step_settle.probe(&fixture.env, guest, &error), RF_PROBE_TODO);
    assert_int_equal(rf_step_settle.apply(&fixture.env, guest, &error), 0);
    assert_int_equal(rf_step_settle.probe(&fixture.env, guest, &error), RF_PROBE_DONE);
    assert_int_equal(rf_step_settle.apply(&fixture.env, guest, &error), 0);
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/secrets.json", "{\"tls_key\": \"x\"}",
                  0600); /* killed behind the mark */
    assert_int_equal(rf_step_settle.probe(&fixture.env, guest, &error), RF_PROBE_TODO);
    assert_int_equal(rf_step_settle.apply(&fixture.env, guest, &error), 0);
    assert_int_equal(rf_step_settle.probe(&fixture.env, guest, &error), RF_PROBE_DONE);
    assert_int_equal(rf_step_domain.probe(&fixture.env, guest, &error), RF_PROBE_DONE);
    rf_autofree char *after = xml_of(&fixture), *secrets = fixture_read(&fixture, RF_STATE_GUESTS "/dc1/secrets.json");
    int autostart = 0;
    assert_int_equal(virDomainGetAutostart(domain, &autostart), 0);
    assert_int_equal(autostart, 1);
    assert_null(strstr(after, seed));
    assert_null(strstr(after, artefacts));
    assert_false(rf_exists(artefacts));
    assert_false(rf_exists(note));
    rf_autofree char *fetched = fixture_read(&fixture, RF_FETCHED_DIR "/0123.art");
    assert_null(fetched);
    assert_null(secrets);
    assert_false(rf_exists(seed));
}

/* Whether a system that is not ours has read its seed already nobody knows: the drive stays until it is shut down. */
static void a_system_of_others_keeps_its_drive(void **state)
{
    (void)state;
    DEFINED(fixture, image_guest);
    rf_error *error = NULL;
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    rf_autofree char *seed = rf_guest_seed_path(guest);
    assert_int_equal(rf_step_start.apply(&fixture.env, guest, &error), 0);
    fixture_write(&fixture, seed + strlen(fixture.root), "x", 0600);
    const struct timespec long_ago[2] = {0}; /* it has run for long */
    assert_int_equal(utimensat(AT_FDCWD, seed, long_ago, 0), 0);
    const double before = rf_now();
    assert_int_equal(rf_step_settle.apply(&fixture.env, guest, &error), 0);
    assert_true(rf_now() - before < 10);
    rf_autofree char *next = xml_of(&fixture);
    assert_null(strstr(next, seed));
    assert_int_equal(rf_step_domain.probe(&fixture.env, guest, &error), RF_PROBE_DONE);
}

/* Its machine runs, so it is healthy; but its power goes before it has looked for its seed. It must get it at its next start. */
static void a_system_of_others_keeps_its_seed_until_it_has_read_it(void **state)
{
    (void)state;
    DEFINED(fixture, running_guest);
    rf_error *error = NULL;
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    rf_autofree char *seed = rf_guest_seed_path(guest);
    fixture_write(&fixture, seed + strlen(fixture.root), "x", 0600);
    assert_int_equal(rf_step_settle.apply(&fixture.env, guest, &error), -1);
    assert_error_has(error, "web has stopped before it was certain that it has read its seed");
    assert_false(rf_guest_settled(guest));
    assert_true(rf_exists(seed));
    assert_int_equal(rf_step_domain.probe(&fixture.env, guest, NULL), RF_PROBE_DONE); /* with the seed's drive */
}

/* libvirt reads the definition of a Windows: plain devices, Secure Boot, a TPM, a screen by a socket. */
static void a_windows_is_defined(void **state)
{
    (void)state;
    autodomains struct fixture fixture;
    fixture_open_emulated(&fixture, fixture_guests);
    rf_recipe *recipe = fixture.model->guests[0].recipe;
    recipe->uefi = recipe->tpm = recipe->plain = true;
    if (!domain_defined(&fixture, &fixture.model->guests[0])) {
        fixture_close(&fixture);
        skip();
    }
    rf_autofree char *text = xml_of(&fixture);
    assert_non_null(strstr(text, "bus='sata'"));
    assert_non_null(strstr(text, "<model type='e1000e'/>"));
    assert_non_null(strstr(text, "name='secure-boot'/>"));
    assert_non_null(strstr(text, "<tpm model='tpm-crb'>"));
}

static void a_changed_profile_is_defined_again(void **state)
{
    (void)state;
    DEFINED(fixture, fixture_guests);
    rf_error *error = NULL;
    struct rf_node_guest *guest = &fixture.model->guests[0];
    guest->memory += UINT64_C(1) << 30;
    assert_int_equal(rf_step_domain.probe(&fixture.env, guest, &error), RF_PROBE_TODO);
    assert_true(domain_defined(&fixture, guest));
    assert_int_equal(rf_step_domain.probe(&fixture.env, guest, &error), RF_PROBE_DONE);
}

static void too_little_memory_is_said_before_the_start(void **state)
{
    (void)state;
    DEFINED(fixture, fixture_guests);
    rf_error *error = NULL;
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    fixture_write(&fixture, "/proc/meminfo", "MemTotal: 40000000 kB\nMemAvailable:   2000000 kB\n", 0444);
    assert_int_equal(rf_step_start.apply(&fixture.env, guest, &error), -1);
    assert_error(
        error,
        "dc1 is not started: it needs 1.99 GiB of memory and this node has 1.91 GiB left (guests that run may take "
        "8.12 GiB); give the guests less in the profile, or shut one down");
    /* the mock's own domain runs, may have 8 GiB, and has not taken them yet */
    fixture_write(&fixture, "/proc/meminfo", "MemTotal: 11000000 kB\nMemAvailable:   10000000 kB\n", 0444);
    assert_int_equal(rf_step_start.apply(&fixture.env, guest, &error), -1);
    assert_error_has(error, "it needs 1.99 GiB of memory and this node has 1.16 GiB left");
    fixture_write(&fixture, "/proc/meminfo", "MemTotal: 13000000 kB\nMemAvailable:   3000000 kB\n", 0444);
    assert_int_equal(rf_step_start.apply(&fixture.env, guest, &error), 0);
}

struct starter {
    struct fixture *fixture;
    atomic_bool ended;
};

static void *start_one(void *arg)
{
    struct starter *starter = arg;
    rf_step_start.apply(&starter->fixture->env, &starter->fixture->model->guests[0], NULL);
    starter->ended = true;
    return NULL;
}

/* While another lane starts a guest, nobody is told that there is room. */
static void guests_are_started_one_by_one(void **state)
{
    (void)state;
    DEFINED(fixture, fixture_guests);
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    struct starter starter = {.fixture = &fixture};
    pthread_t thread;
    pthread_mutex_t *lock = rf_libvirt_starting(fixture.model->libvirt);
    assert_int_equal(pthread_create(&thread, NULL, start_one, &starter), 0);
    usleep(300000);
    bool waited = !starter.ended && rf_domain_running(guest, NULL) == 0;
    pthread_mutex_unlock(lock);
    pthread_join(thread, NULL);
    assert_true(waited);
    assert_int_equal(rf_domain_running(guest, NULL), 1);
}

/* Taken for absent, a running guest would count as stopped, and be defined anew without a snapshot. */
static void an_error_of_libvirt_is_not_taken_for_absent(void **state)
{
    (void)state;
    static const char words[] = "whether there is a guest 'dc1' could not be asked";
    static const struct rf_step_ops *const steps[] = {&rf_step_domain, &rf_step_start, &rf_step_settle};
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_dry());
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    assert_int_equal(rf_domain_running(guest, &error), 0); /* libvirt says so */
    *faults() = (struct faults){.lookup = true};
    assert_int_equal(rf_domain_running(guest, &error), -1);
    assert_error_has(error, words);
    assert_int_equal(rf_step_domain.probe(&fixture.env, guest, &error), RF_PROBE_ERROR);
    assert_error_has(error, words);
    for (size_t i = 0; i < RF_COUNT(steps); i++) {
        assert_int_equal(steps[i]->apply(&fixture.env, guest, &error), -1);
        assert_error_has(error, words);
    }
    *faults() = (struct faults){0};
    fixture_close(&fixture);
}

static void a_state_that_libvirt_cannot_tell_is_not_taken_for_off(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open_with(&fixture, "  - {name: test, recipe: plain}\n", NULL, rf_runner_dry());
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    assert_int_equal(rf_domain_running(guest, &error), 1); /* the mock's own domain */
    *faults() = (struct faults){.state = true};
    assert_int_equal(rf_domain_running(guest, &error), -1);
    assert_error_has(error, "whether test is running could not be asked");
    *faults() = (struct faults){0};
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guest_comes_up_and_settles),
        cmocka_unit_test(a_system_of_others_keeps_its_drive),
        cmocka_unit_test(a_system_of_others_keeps_its_seed_until_it_has_read_it),
        cmocka_unit_test(a_windows_is_defined),
        cmocka_unit_test(a_changed_profile_is_defined_again),
        cmocka_unit_test(too_little_memory_is_said_before_the_start),
        cmocka_unit_test(guests_are_started_one_by_one),
        cmocka_unit_test(an_error_of_libvirt_is_not_taken_for_absent),
        cmocka_unit_test(a_state_that_libvirt_cannot_tell_is_not_taken_for_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
