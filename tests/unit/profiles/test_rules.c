/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules on profiles that are right field by field. Their messages are in tests/golden/profiles; here are the borders. */
#include "profiles/level.h"
#include "profiles/rules.h"
#include "tests/unit/unit.h"

#define KEY "ssh-ed25519 " RF_EXAMPLE_KEY

/* The texts of all problems, without positions; the caller frees it. */
static char *problems(const char *admin, const char *subnet, const char *storage, const char *guests)
{
    rf_autofree char *text =
        rf_format("richtfest: 1\nnode: {id: n1, hostname: n1.a.example, admins: [{name: %s, ssh_keys: [" KEY
                  "]}]}\nnetwork: {guests: {subnet: %s}}\nstorage: {%s}\nguests: [%s]\n",
                  admin, subnet, storage, guests);
    rf_autoproblems rf_problems found = {0};
    rf_autoprofile rf_profile *profile = rf_profile_parse("p", text, strlen(text), &found);
    assert_int_equal(profile == NULL, found.count > 0);
    char *said = rf_strdup("");
    for (size_t i = 0; i < found.count; i++)
        rf_append(&said, "%s: %s\n", found.items[i].key, found.items[i].text);
    return said;
}

static void assert_fine(const char *admin, const char *subnet, const char *storage, const char *guests)
{
    rf_autofree char *said = problems(admin, subnet, storage, guests);
    assert_string_equal(said, "");
}

static void assert_said(const char *admin, const char *subnet, const char *storage, const char *guests,
                        const char *part)
{
    rf_autofree char *said = problems(admin, subnet, storage, guests);
    if (!strstr(said, part))
        fail_msg("\"%s\" does not say \"%s\"", said, part);
}

static void subnets(void **state)
{
    (void)state;
    static const char *const fine[] = {"10.0.0.0/8",      "10.20.0.0/29",   "172.16.0.0/12",
                                       "172.31.255.0/24", "192.168.0.0/16", "100.64.0.0/10"};
    static const char *const public[] = {"172.32.0.0/16",  "172.0.0.0/8", "0.0.0.0/0",  "100.128.0.0/16",
                                         "192.169.0.0/24", "127.0.0.0/8", "224.0.0.0/8"};
    for (size_t i = 0; i < RF_COUNT(fine); i++)
        assert_fine("a", fine[i], "level: single", "");
    for (size_t i = 0; i < RF_COUNT(public); i++)
        assert_said("a", public[i], "level: single", "", "is not private");
    assert_said("a", "10.20.0.0/30", "level: single", "", "is too small");
    assert_said("a", "10.20.0.0/32", "level: single", "", "is too small");
    assert_said("a", "10.20.0.1/29", "level: single", "", "write \"10.20.0.0/29\"");
}

/* A /29 has 8 addresses, and the network, the node and broadcast take three. */
static void subnet_has_room_for_the_guests(void **state)
{
    (void)state;
    rf_autofree char *guests = rf_strdup("{name: g1, recipe: r}");
    for (int i = 2; i <= 5; i++)
        rf_append(&guests, ", {name: g%d, recipe: r}", i);
    assert_fine("a", "10.20.0.0/29", "level: single", guests);
    rf_append(&guests, ", {name: g6, recipe: r}");
    assert_said("a", "10.20.0.0/29", "level: single", guests, "is too small for 6 guests");
}

static void levels(void **state)
{
    (void)state;
    assert_fine("a", "10.0.0.0/24", "level: single, disks: {count: 1}", "");
    assert_fine("a", "10.0.0.0/24", "level: raid1, disks: {count: 8}", "");
    assert_said("a", "10.0.0.0/24", "level: single, disks: {count: 2}", "",
                "storage.disks.count: `single` is one disk, not 2");
    assert_said("a", "10.0.0.0/24", "level: raid1, disks: {count: 1}", "", "storage.disks.count: `raid1` needs 2 to 8");
    assert_said("a", "10.0.0.0/24", "level: raid5, disks: {count: 2}", "",
                "storage.disks.count: `raid5` needs 3 to 8 disks, not 2; write 3, or `level: raid1`");
    assert_said("a", "10.0.0.0/24", "level: raid6, disks: {count: 3}", "",
                "storage.disks.count: `raid6` needs 4 to 8 disks, not 3; write 4, or `level: raid5`");
    assert_said("a", "10.0.0.0/24", "level: raid10, disks: {count: 2}", "", "`raid10` needs 3 to 8 disks, not 2");
    assert_said("a", "10.0.0.0/24", "level: raid5, disks: {count: 9}", "", "9 is out of range; write 1 to 8");
    rf_autofree char *said =
        problems("a", "10.0.0.0/24", "level: raid7, disks: {count: 1}", ""); /* no second complaint */
    assert_string_equal(said, "storage.level: \"raid7\" is not known here; did you mean `raid1`?\n");
}

/* Each level takes its default, its least and its most. */
static void levels_take_what_they_say(void **state)
{
    (void)state;
    static const enum rf_level all[] = {RF_LEVEL_SINGLE, RF_LEVEL_RAID1, RF_LEVEL_RAID5, RF_LEVEL_RAID6,
                                        RF_LEVEL_RAID10};
    for (size_t i = 0; i < RF_COUNT(all); i++) {
        const struct rf_level_limits *limits = rf_level_limits(all[i]);
        rf_autofree char *least = rf_format("level: %s, disks: {count: %u}", limits->name, limits->disks_min);
        rf_autofree char *most = rf_format("level: %s, disks: {count: %u}", limits->name, limits->disks_max);
        rf_autofree char *usual = rf_format("level: %s", limits->name);
        assert_fine("a", "10.0.0.0/24", least, "");
        assert_fine("a", "10.0.0.0/24", most, "");
        assert_fine("a", "10.0.0.0/24", usual, "");
        assert_true(rf_level_copes(all[i], limits->disks_min) < limits->disks_min);
        assert_string_equal(rf_level_name(all[i]), limits->name);
    }
}

static void spares_missing_and_layout(void **state)
{
    (void)state;
    static const struct {
        const char *storage, *said; /* NULL: fine */
    } rows[] = {
        {"level: raid1, disks: {spares: 1}", NULL},
        {"level: raid6, disks: {count: 8, spares: 8}", NULL},
        {"level: single, disks: {spares: 1}", "storage.disks.spares: `single` has no copy"},
        {"level: single, disks: {spares: 0}, missing: 0", NULL},
        {"level: raid1, missing: 1", NULL},
        {"level: raid1, disks: {count: 4}, missing: 3", NULL},
        {"level: raid1, missing: 2", "storage.missing: `raid1` of 2 disks may be without 1 of them, not 2"},
        {"level: raid5, missing: 1", NULL},
        {"level: raid5, missing: 2", "storage.missing: `raid5` of 3 disks may be without 1 of them, not 2"},
        {"level: raid6, missing: 2", NULL},
        {"level: raid6, missing: 3", "may be without 2 of them, not 3; write at most 2"},
        {"level: raid10, missing: 1", NULL},
        {"level: raid10, missing: 2", "`raid10` of 4 disks may be without 1 of them, not 2"},
        {"level: single, missing: 1", "storage.missing: `single` has no member that it could be without"},
        {"level: raid1, disks: {count: 3, spares: 1}, missing: 1", "storage.disks.spares: a spare would at once take"},
        {"level: raid10, layout: near", NULL},
        {"level: raid10, layout: far, disks: {count: 5}", NULL},
        {"level: raid1, layout: near", "storage.layout: only `raid10` has one"},
        {"level: raid10, layout: offset", "storage.layout: \"offset\" is not known here"},
    };
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        if (rows[i].said)
            assert_said("a", "10.0.0.0/24", rows[i].storage, "", rows[i].said);
        else
            assert_fine("a", "10.0.0.0/24", rows[i].storage, "");
    }
}

static void admins(void **state)
{
    (void)state;
    assert_said("root", "10.0.0.0/24", "level: single", "", "account of the system");
    assert_said("backup", "10.0.0.0/24", "level: single", "", "account of the system");
    assert_said("systemd-network", "10.0.0.0/24", "level: single", "", "account of the system");
}

static void names_of_computers(void **state)
{
    (void)state;
    const char *storage = "level: single";
    assert_fine("a", "10.0.0.0/24", storage,
                "{name: abcdefghijklmno, recipe: r}, {name: b, recipe: r, directory: abcdefghijklmno}");
    assert_fine("a", "10.0.0.0/24", storage, "{name: abcdefghijklmnop, recipe: r}"); /* in no directory: any length */
    assert_said("a", "10.0.0.0/24", storage,
                "{name: abcdefghijklmnop, recipe: r}, {name: b, recipe: r, directory: abcdefghijklmnop}",
                "guests[0].name: \"abcdefghijklmnop\" is too long");
    assert_said("a", "10.0.0.0/24", storage,
                "{name: dc, recipe: r}, {name: abcdefghijklmnop, recipe: r, directory: dc}",
                "guests[1].name: \"abcdefghijklmnop\" is too long");
}

static void circles(void **state)
{
    (void)state;
    const char *storage = "level: single";
    assert_fine("a", "10.0.0.0/24", storage, /* a chain is no circle */
                "{name: a, recipe: r, directory: b}, {name: b, recipe: r, directory: c}, {name: c, recipe: r}");
    rf_autofree char *three = problems("a", "10.0.0.0/24", storage,
                                       "{name: x, recipe: r, directory: a}, {name: c, recipe: r, directory: a}, "
                                       "{name: a, recipe: r, directory: b}, {name: b, recipe: r, directory: c}");
    assert_string_equal(
        three, "guests[1].directory: goes round in a circle (c → a → b → c); one of them must have no directory\n");
}

static void broken_guests_do_not_hide_others(void **state)
{
    (void)state;
    rf_autofree char *said = problems("a", "10.0.0.0/24", "level: single",
                                      "{recipe: r}, {name: a, recipe: r, memory: 1}, {name: a, recipe: r}, 5, {name: "
                                      "B, recipe: r, directory: nobody}");
    assert_non_null(strstr(said, "guests[0].name: missing"));
    assert_non_null(strstr(said, "guests[1].memory"));
    assert_non_null(strstr(said, "guests[2].name: \"a\" is also guests[1]"));
    assert_non_null(strstr(said, "guests[3]: must be a mapping"));
    assert_non_null(strstr(said, "guests[4].name: \"B\""));
    assert_non_null(strstr(said, "guests[4].directory: no guest is named \"nobody\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subnets),
        cmocka_unit_test(subnet_has_room_for_the_guests),
        cmocka_unit_test(levels),
        cmocka_unit_test(levels_take_what_they_say),
        cmocka_unit_test(spares_missing_and_layout),
        cmocka_unit_test(admins),
        cmocka_unit_test(names_of_computers),
        cmocka_unit_test(circles),
        cmocka_unit_test(broken_guests_do_not_hide_others),
    };
    return cmocka_run_group_tests_name("profiles/rules", tests, NULL, NULL);
}
