/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small customer for this room's tests: a profile with a directory and a member, and the node's model below a root of its own. */
#pragma once

#include "base/event.h"
#include "base/file.h"
#include "base/json.h"
#include "base/step.h"
#include "postinstall/node.h"
#include "tests/unit/unit.h"

#define RECIPES "tests/recipes" /* of their own: the shipped ones may change without them */
#define SHIPPED "postinstall/recipes"
#define GOLDEN "tests/golden/postinstall/"
#define TEST_KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSFti ops@example"

static const char fixture_head[] = "richtfest: 1\n"
                                   "node:\n"
                                   "  id: musterkunde-n1\n"
                                   "  hostname: n1.musterkunde.example\n"
                                   "  timezone: Europe/Berlin\n"
                                   "  admins:\n"
                                   "    - name: jiku\n"
                                   "      ssh_keys: [" TEST_KEY "]\n"
                                   "network:\n";

static const char fixture_network[] = "  uplink: {match: {carrier: true}, address: dhcp}\n"
                                      "  guests: {subnet: 10.20.0.0/24}\n";

static const char fixture_storage[] = "storage:\n"
                                      "  disks: {match: {size: '>= 1 TB'}, count: 2}\n"
                                      "  level: raid1\n"
                                      "guests:\n";

static const char fixture_guests[] =
    "  - {name: dc1, recipe: active-directory, memory: 2 GB, disk: 40 GB, settings: {realm: AD.MUSTERKUNDE.EXAMPLE}}\n"
    "  - {name: dc2, recipe: active-directory, cores: 1, settings: {realm: LAB.MUSTERKUNDE.EXAMPLE, domain: LABOR}}\n";

/* A whole company: a directory with accounts, a published application and a terminal server in it, and another one for itself. */
static const char fixture_company[] =
    "  - {name: dc1, recipe: active-directory, settings: {realm: AD.MUSTERKUNDE.EXAMPLE, groups: [ts-users], users: "
    "[{name: "
    "anna, given: Anna, groups: [ts-users]}, {name: bernd}]}}\n"
    "  - {name: crm, recipe: crm, directory: dc1, settings: {host: CRM.musterkunde.example, group: ts-users}}\n"
    "  - {name: ts1, recipe: desk, directory: dc1, reach: [crm]}\n"
    "  - {name: shop, recipe: crm, address: 10.20.0.40, settings: {host: shop.musterkunde.example}}\n";

/* The same customer with networks of its own: one over the uplink, one over a further card. */
#define FIXTURE_UPLINK_MAC "52:54:00:12:34:56"
#define FIXTURE_CARD_MAC "52:54:00:12:34:57"
static const char fixture_bridges_network[] =
    "  uplink: {match: {mac: '" FIXTURE_UPLINK_MAC "'}}\n"
    "  guests: {subnet: 10.20.0.0/24}\n"
    "  bridges: [{name: lan, uplink: true}, {name: dmz, mac: '" FIXTURE_CARD_MAC "'}]\n";

static const char fixture_bridges[] =
    "  - {name: dc1, recipe: active-directory, settings: {realm: AD.MUSTERKUNDE.EXAMPLE}}\n"
    "  - {name: pbx, recipe: plain, bridge: lan, lan: {address: 203.0.113.5/24, gateway: 203.0.113.9, open: [tcp/443, "
    "udp/5060-5070]}}\n"
    "  - {name: web, recipe: plain, bridge: lan, lan: {open: [all]}}\n"
    "  - {name: app, recipe: plain, bridge: lan}\n"
    "  - {name: v20, recipe: plain, cores: 2, bridge: dmz, vlan: 20, lan: {address: 192.168.20.5/24, open: "
    "[tcp/443]}}\n"
    "  - {name: v30, recipe: plain, bridge: dmz, vlan: 30, lan: {open: [tcp/443]}}\n";

struct fixture {
    char *root;
    rf_profile *profile;
    rf_node_model *model;
    rf_events *events;
    rf_runner *runner;
    struct rf_step step;
    struct rf_step_env env;
};

static inline rf_profile *fixture_profile(const char *guests)
{
    const char *network = guests == fixture_bridges ? fixture_bridges_network : fixture_network;
    rf_autofree char *text = rf_format("%s%s%s%s", fixture_head, network, fixture_storage, guests);
    rf_autoproblems rf_problems problems = {0};
    rf_profile *profile = rf_profile_parse("test.yaml", text, strlen(text), &problems);
    rf_autofree char *said = rf_problems_text(&problems);
    if (!profile)
        fail_msg("the test's profile is wrong: %s", said);
    return profile;
}

/* With libvirt's own mock driver; `facts` may be NULL. The root is a fresh directory. */
static inline void fixture_open_with(struct fixture *fixture, const char *guests, const json_t *facts,
                                     rf_runner *runner)
{
    *fixture = (struct fixture){.root = unit_directory(), .profile = fixture_profile(guests), .runner = runner};
    struct rf_node_options options = {.recipes_dir = RECIPES, .root = fixture->root, .uri = "test:///default"};
    rf_autoproblems rf_problems problems = {0};
    fixture->model = rf_node_model_new(fixture->profile, facts, &options, &problems);
    rf_autofree char *said = rf_problems_text(&problems);
    if (!fixture->model)
        fail_msg("no model: %s", said);
    fixture->events = rf_events_new("test");
    rf_autofree char *stream = rf_format("%s/events.jsonl", fixture->root);
    rf_events_add(fixture->events, rf_sink_file(stream, NULL));
    fixture->step = (struct rf_step){.id = (char *)"test/step", .title = (char *)"A test"};
    fixture->env = (struct rf_step_env){.runner = runner, .events = fixture->events, .step = &fixture->step};
}

static inline void fixture_open(struct fixture *fixture, const json_t *facts, rf_runner *runner)
{
    fixture_open_with(fixture, fixture_guests, facts, runner);
}

static inline void fixture_close(struct fixture *fixture)
{
    rf_events_free(fixture->events);
    rf_runner_free(fixture->runner);
    rf_node_model_free(fixture->model);
    rf_profile_free(fixture->profile);
    rf_remove_tree(fixture->root, NULL);
    free(fixture->root);
}

/* The file below the root; NULL where it is absent. The caller frees it. */
static inline char *fixture_read(const struct fixture *fixture, const char *path)
{
    rf_autofree char *full = rf_format("%s%s", fixture->root, path);
    char *text = NULL;
    rf_read_file(full, 1U << 20, &text, NULL, NULL);
    return text;
}

static inline void fixture_write(const struct fixture *fixture, const char *path, const char *text, unsigned mode)
{
    rf_autofree char *full = rf_format("%s%s", fixture->root, path);
    rf_autofree char *directory = rf_format("%.*s", (int)(strrchr(full, '/') - full), full);
    assert_int_equal(rf_make_dirs(directory, 0755, NULL), 0);
    assert_int_equal(rf_write_file(full, text, strlen(text), mode, NULL), 0);
}

static inline void assert_golden(const char *name, const char *text)
{
    rf_autofree char *path = rf_format(GOLDEN "%s", name);
    unit_golden(path, text);
}

/* `text` with the fixture's root taken out, for golden files. The caller frees it. */
static inline char *without_root(const struct fixture *fixture, const char *text)
{
    char *copy = rf_strdup(text);
    size_t length = strlen(fixture->root);
    for (char *at; (at = strstr(copy, fixture->root));)
        memmove(at, at + length, strlen(at + length) + 1);
    return copy;
}

/* The directory, running in libvirt's mock; the caller destroys it. */
static inline virDomainPtr fixture_running(struct fixture *fixture)
{
    virConnectPtr connection = rf_libvirt_connect(fixture->model->libvirt, NULL);
    virDomainPtr domain = virDomainCreateXML(
        connection, "<domain type='test'><name>dc1</name><memory>65536</memory><os><type>hvm</type></os></domain>", 0);
    assert_non_null(domain);
    return domain;
}
