/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/postinstall/fixture.h"

#define DC1 "  - {name: dc1, recipe: active-directory, settings: {realm: A.B, groups: [ts-users]}}\n"

static char *check(const char *guests)
{
    rf_autoprofile rf_profile *profile = fixture_profile(guests);
    rf_autoproblems rf_problems problems = {0};
    rf_guests_check(profile, RECIPES, &problems);
    return rf_problems_text(&problems);
}

static void assert_check(const char *guests, const char *expected)
{
    rf_autofree char *said = check(guests);
    if (strcmp(said, expected) != 0)
        fail_msg("it says\n%sinstead of\n%s", said, expected);
}

static void a_whole_company_is_fine(void **state)
{
    (void)state;
    assert_check(DC1
                 "  - {name: crm, recipe: crm, directory: dc1, address: 10.20.0.40, settings: {host: crm.a.example}}\n"
                 "  - {name: crm2, recipe: crm, settings: {host: crm2.a.example}}\n"
                 "  - {name: ts1, recipe: desk, directory: dc1, reach: [crm]}\n"
                 "  - {name: x, recipe: plain}\n",
                 "");
}

static void directories(void **state)
{
    (void)state;
    assert_check("  - {name: ts1, recipe: desk}\n",
                 "test.yaml:16:5: error: guests[0].directory: 'desk' needs one; write for example `directory: dc1`\n");
    assert_check("  - {name: hq, recipe: active-directory, settings: {realm: A.B}}\n  - {name: ts1, recipe: desk}\n",
                 "test.yaml:17:5: error: guests[1].directory: 'desk' needs one; write for example `directory: hq`\n");
    assert_check(DC1 "  - {name: x, recipe: plain, directory: dc1}\n",
                 "test.yaml:17:30: error: guests[1].directory: 'plain' has no use for a directory; leave it out\n");
    assert_check(
        DC1 "  - {name: x, recipe: plain}\n  - {name: crm, recipe: crm, directory: x, settings: {host: a.b}}\n",
        "test.yaml:18:41: error: guests[2].directory: \"x\" (plain) is no directory; write for example `dc1`\n");
    assert_check(
        "  - {name: x, recipe: plain}\n  - {name: crm, recipe: crm, directory: x, settings: {host: a.b}}\n",
        "test.yaml:17:41: error: guests[1].directory: \"x\" (plain) is no directory, and no guest of this profile "
        "is one\n");
}

/* On a terminal server the domain's user was the local admin of that name, with sudo. */
static void no_user_is_named_like_an_admin(void **state)
{
    (void)state;
    rf_autofree char *said = check("  - {name: dc1, recipe: active-directory, settings: {realm: A.B, users: [{name: "
                                   "anna}, {name: Jiku}]}}\n");
    assert_non_null(strstr(said, "guests[0].settings.users[1].name: Jiku is an admin of the node (node.admins), who is "
                                 "root in every guest, and a user of that name would be, too; give one of them another "
                                 "name\n"));
    assert_null(strstr(said, "anna"));
}

/* They ask the directory, which says that there is no such name, or names the guest itself. */
static void peers_find_what_is_published(void **state)
{
    (void)state;
    static const char vpn[] = "access: {vpn: {peers: [{name: laptop}]}}\n";
    static const char crm[] = "  - {name: crm, recipe: crm, directory: dc1, settings: {host: CRM.a.b}}\n";
    static const char outside[] = "  - {name: crm, recipe: crm, directory: dc1, settings: {host: crm.aa.b}}\n";
    rf_autofree char *without = rf_format("%s%s", DC1, crm), *with = rf_format("%s%s%s", DC1, crm, vpn);
    rf_autofree char *beside = rf_format("%s%s%s", DC1, outside, vpn), *said = check(with);
    assert_check(without, "");
    assert_check(beside, "");
    assert_non_null(strstr(said,
                           "guests[1].settings.host: CRM.a.b lies in the domain of dc1 (A.B), which the VPN's peers "
                           "ask for names and which would not lead them to the node"));
}

static void names_that_must_be_ones_own(void **state)
{
    (void)state;
    assert_check(
        "  - {name: a, recipe: crm, settings: {host: crm.a.example}}\n"
        "  - {name: b, recipe: crm, settings: {host: CRM.a.example}}\n",
        "test.yaml:17:45: error: guests[1].settings.host: CRM.a.example is also guests[0]'s; each guest needs a "
        "published name of its own\n");
    assert_check(
        DC1 "  - {name: dc2, recipe: active-directory, settings: {realm: A.B}}\n",
        "test.yaml:17:61: error: guests[1].settings.realm: A.B is also guests[0]'s; each guest needs a zone of its "
        "own\n");
}

/* Samba refused such a domain in the guest only, and accounts were made of cut-off names. */
static void names_that_a_directory_can_have(void **state)
{
    (void)state;
    assert_check("  - {name: ad, recipe: active-directory, settings: {realm: AD.FIRMA.EXAMPLE}}\n",
                 "test.yaml:16:12: error: guests[0].name: \"ad\" is the short name of the domain itself (guests[0]); a "
                 "machine of that domain needs another one\n");
    assert_check(
        "  - {name: dc1, recipe: active-directory, settings: {realm: A.B, domain: CRM}}\n"
        "  - {name: crm, recipe: crm, directory: dc1, settings: {host: a.b}}\n",
        "test.yaml:17:12: error: guests[1].name: \"crm\" is the short name of the domain itself (guests[0]); a "
        "machine of that domain needs another one\n");
    assert_check(
        "  - {name: directory-server, recipe: active-directory, settings: {realm: A.B}}\n",
        "test.yaml:16:12: error: guests[0].name: \"directory-server\" has 16 characters; machines of a directory "
        "have at most 15 (NetBIOS)\n");
    assert_check(DC1 "  - {name: abcdefghijklmno, recipe: crm, directory: dc1, settings: {host: a.b}}\n"
                     "  - {name: customer-relations, recipe: crm, settings: {host: b.b}}\n"
                     "  - {name: a, recipe: crm, settings: {host: c.b}}\n",
                 ""); /* only what is in a directory */
}

/* enrol makes the group and puts the probe into it: all was green, and nobody got in. */
static void groups_that_a_directory_has(void **state)
{
    (void)state;
    assert_check(
        DC1 "  - {name: ts1, recipe: desk, directory: dc1, settings: {group: ts-uesrs}}\n",
        "test.yaml:17:65: error: guests[1].settings.group: dc1 has no group \"ts-uesrs\", so nobody could log in; "
        "did you mean \"ts-users\"?\n");
    assert_check(
        DC1 "  - {name: crm, recipe: crm, directory: dc1, settings: {host: a.b, group: Vertrieb}}\n",
        "test.yaml:17:75: error: guests[1].settings.group: dc1 has no group \"Vertrieb\", so nobody could log in; "
        "write it into guests[0].settings.groups too\n");
    assert_check(
        "  - {name: dc1, recipe: active-directory, settings: {realm: A.B}}\n"
        "  - {name: ts1, recipe: desk, directory: dc1}\n",
        "test.yaml:17:5: error: guests[1].settings.group: dc1 has no group \"ts-users\", so nobody could log in; "
        "write it into guests[0].settings.groups too\n"); /* the recipe's default */
    assert_check(
        DC1 "  - {name: ts1, recipe: desk, directory: dc1, settings: {group: domain admins}}\n"
            "  - {name: crm, recipe: crm, settings: {host: a.b, group: none}}\n", /* without a directory: no matter */
        "");
}

static void addresses(void **state)
{
    (void)state;
    assert_check("  - {name: a, recipe: plain}\n  - {name: b, recipe: plain, address: 10.20.0.10}\n",
                 "test.yaml:16:5: error: guests[0].address: its place in the list gives it 10.20.0.10, which guests[1] "
                 "has; write an address here too\n");
    assert_check("  - {name: a, recipe: plain, address: 10.20.0.128}\n",
                 "test.yaml:16:39: error: guests[0].address: 10.20.0.128 may be given to somebody else: DHCP has "
                 "10.20.0.128 to 10.20.0.254; write a lower one\n");
    assert_check("  - {name: a, recipe: plain, address: 10.20.0.127}\n", "");
}

static void the_machine_must_have_the_cores(void **state)
{
    (void)state;
    assert_check("  - {name: a, recipe: plain, cores: 2}\nrequires: {cores: 2}\n", "");
    assert_check("  - {name: d, recipe: active-directory, settings: {realm: A.B}}\nrequires: {cores: 1}\n", "");
    assert_check(
        "  - {name: a, recipe: plain, cores: 3}\nrequires: {cores: 2}\n",
        "test.yaml:16:37: error: guests[0].cores: 3 are more than the machine must have (requires.cores: 2)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_company_is_fine),         cmocka_unit_test(directories),
        cmocka_unit_test(no_user_is_named_like_an_admin),  cmocka_unit_test(peers_find_what_is_published),
        cmocka_unit_test(names_that_must_be_ones_own),     cmocka_unit_test(addresses),
        cmocka_unit_test(groups_that_a_directory_has),     cmocka_unit_test(names_that_a_directory_can_have),
        cmocka_unit_test(the_machine_must_have_the_cores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
