/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a good profile becomes, its bounds, and that no rubbish breaks the parser. Messages are in tests/golden/profiles. */
#include "base/file.h"
#include "base/units.h"
#include "profiles/profile.h"
#include "profiles/schema.h"
#include "tests/unit/unit.h"

#define KEY "ssh-ed25519 " RF_EXAMPLE_KEY " example"
#define MINIMAL "richtfest: 1\nnode: {id: n1, hostname: n1.a.example, admins: [{name: jiku, ssh_keys: [" KEY "]}]}\n"

/* Parses, wants it to be valid; the caller frees it. */
static rf_profile *good(const char *text)
{
    rf_autoproblems rf_problems problems = {0};
    rf_profile *profile = rf_profile_parse("p.yaml", text, strlen(text), &problems);
    rf_autofree char *said = rf_problems_text(&problems);
    assert_string_equal(said, "");
    assert_non_null(profile);
    return profile;
}

/* Parses, wants it to be refused; the messages, which the caller frees. */
static char *bad(const char *text, size_t size)
{
    rf_autoproblems rf_problems problems = {0};
    rf_autoprofile rf_profile *profile = rf_profile_parse("p.yaml", text, size, &problems);
    assert_null(profile);
    assert_true(problems.count > 0);
    return rf_problems_text(&problems);
}

static void shipped_profile(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0};
    rf_autoprofile rf_profile *profile = NULL;
    assert_int_equal(rf_profile_load("profiles/musterkunde.yaml", &profile, &problems, NULL), 0);
    assert_non_null(profile);
    assert_string_equal(profile->file, "profiles/musterkunde.yaml");
    assert_int_equal(profile->format, 1);
    assert_string_equal(profile->node.id, "musterkunde-n1");
    assert_string_equal(profile->node.timezone, "Europe/Berlin");
    assert_int_equal(profile->node.admins_count, 1);
    assert_int_equal(profile->node.admins[0].ssh_keys_count, 1);
    assert_ptr_equal(rf_profile_example_admin(profile), &profile->node.admins[0]);
    assert_int_equal(profile->requires.cores, 6);
    assert_int_equal(profile->requires.memory, UINT64_C(24000000000));
    assert_int_equal(profile->requires.storage, UINT64_C(4000000000000));
    assert_true(profile->requires.kvm);
    assert_int_equal(profile->network.uplink.match_carrier, RF_YES);
    assert_int_equal(profile->storage.match.size.min, UINT64_C(1000000000000));
    assert_int_equal(profile->storage.match.size.max, 0);
    assert_int_equal(profile->storage.count, 2);
    assert_int_equal(profile->storage.level, RF_LEVEL_RAID1);
    assert_int_equal(profile->guests_count, 3);
    assert_string_equal(profile->guests[1].directory, "dc1");
    assert_int_equal(profile->guests[2].reach_count, 1);
    assert_int_equal(profile->access.tls, RF_TLS_ACME);
    assert_int_equal(profile->access.vpn.port, 51820);
    assert_int_equal(profile->access.vpn.peers_count, 1);
    assert_string_equal(profile->guests[0].recipe, "active-directory");
    assert_int_equal(profile->guests[0].disk, UINT64_C(40000000000));
    assert_string_equal(rf_json_string(profile->guests[0].settings, "realm"), "AD.MUSTERKUNDE.EXAMPLE");
}

static void defaults(void **state)
{
    (void)state;
    rf_autoprofile rf_profile *profile = good(MINIMAL "storage: {level: single}\n");
    assert_string_equal(profile->node.timezone, "UTC");
    assert_string_equal(profile->network.uplink.address, "dhcp");
    assert_int_equal(profile->network.uplink.match_carrier, RF_ANY);
    assert_null(profile->network.uplink.match_mac);
    assert_string_equal(profile->network.guests.subnet, "10.20.0.0/24");
    assert_int_equal(profile->access.tls, RF_TLS_ACME);
    assert_int_equal(profile->access.vpn.peers_count, 0);
    assert_null(profile->guests);
    assert_int_equal(profile->storage.foreign.wipe_count, 0);
    assert_int_equal(profile->storage.replace, RF_REPLACE_ASK);
    assert_int_equal(profile->storage.count, 1);
    assert_int_equal(profile->storage.match.rotational, RF_ANY);
    assert_int_equal(profile->requires.memory, 0);
    assert_false(profile->requires.kvm);
    assert_int_equal(profile->guests_count, 0);
    assert_null(profile->report.url);
    rf_autoprofile rf_profile *mirror = good(MINIMAL "storage: {level: raid1}\n");
    assert_int_equal(mirror->storage.count, 2);
    assert_int_equal(rf_profile_disks(mirror), 2);
    rf_autoprofile rf_profile *parity = good(MINIMAL "storage: {level: raid6, disks: {spares: 1}}\n");
    assert_int_equal(parity->storage.count, 4);
    assert_int_equal(rf_profile_disks(parity), 5);
    rf_autoprofile rf_profile *striped = good(MINIMAL "storage: {level: raid10, layout: far, missing: 1}\n");
    assert_int_equal(striped->storage.count, 4);
    assert_int_equal(striped->storage.layout, RF_COPIES_FAR);
    assert_int_equal(rf_profile_disks(striped), 3);
}

static void byte_order_mark_and_line_ends(void **state)
{
    (void)state;
    rf_autoprofile rf_profile *marked = good("\xEF\xBB\xBF" MINIMAL "storage: {level: single}\n");
    assert_string_equal(marked->node.id, "n1");
    rf_autoprofile rf_profile *dos = good(
        "richtfest: 1\r\nnode:\r\n  id: n1\r\n  hostname: n1.a.example\r\n  admins:\r\n  - name: a\r\n    ssh_keys:\r\n"
        "    - " KEY "\r\nstorage:\r\n  level: single\r\n");
    assert_string_equal(dos->node.hostname, "n1.a.example");
}

static struct rf_size_band band(const char *text)
{
    rf_autofree char *profile_text =
        rf_format(MINIMAL "storage: {level: single, disks: {match: {size: '%s'}}}\n", text);
    rf_autoprofile rf_profile *profile = good(profile_text);
    return profile->storage.match.size;
}

static void bands(void **state)
{
    (void)state;
    assert_int_equal(band(">=1TB").min, UINT64_C(1000000000000));
    assert_int_equal(band("<= 1 TB").max, UINT64_C(1000000000000));
    assert_int_equal(band("<= 1 TB").min, 0);
    assert_int_equal(band("1 TB .. 5 TB").min, UINT64_C(1000000000000));
    assert_int_equal(band("1 TB..5 TB").max, UINT64_C(5000000000000));
    struct rf_size_band sold = band("4 TB");
    assert_true(sold.min < UINT64_C(4000000000000) && sold.max > UINT64_C(4000787030016)); /* a real 4 TB disk */
    assert_true(band("500 GB").max < UINT64_C(512000000000));
    assert_true(band("500 GB").min > UINT64_C(480103981056));
}

static void settings_keep_their_types(void **state)
{
    (void)state;
    rf_autoprofile rf_profile *profile = good(
        MINIMAL
        "storage: {level: single}\nguests: [{name: a, recipe: r, settings: {n: 5, real: 1.5, t: true, s: 'true', "
        "no: no, zero: 0123, version: 1.2.3, huge: 99999999999999999999, minus: -, list: [1, {k: v}], inf: 1e999}}]\n");
    rf_autofree char *text = json_dumps(profile->guests[0].settings, JSON_COMPACT);
    assert_string_equal(
        text, "{\"n\":5,\"real\":1.5,\"t\":true,\"s\":\"true\",\"no\":\"no\",\"zero\":\"0123\",\"version\":\"1.2.3\","
              "\"huge\":\"99999999999999999999\",\"minus\":\"-\",\"list\":[1,{\"k\":\"v\"}],\"inf\":\"1e999\"}");
}

static void problems_of_others_get_positions(void **state)
{
    (void)state;
    rf_autoprofile rf_profile *profile = good(MINIMAL "storage:\n  level: single\nguests:\n  - name: a\n    recipe: r\n"
                                                      "    settings:\n      realm: X\n");
    rf_autoproblems rf_problems problems = {0};
    rf_profile_problem(profile, &problems, "guests[0].settings.realm", "is %s", "short");
    rf_profile_problem(profile, &problems, "guests[0].memory", "absent: the guest itself");
    rf_profile_problem(profile, &problems, "guests[7].memory", "absent: the list");
    rf_profile_problem(profile, &problems, "storage.disks.match.size", "absent: the key above");
    rf_profile_problem(profile, &problems, "requires.memory", "absent: the document");
    rf_autofree char *text = rf_problems_text(&problems);
    assert_string_equal(text, "p.yaml:1:1: error: requires.memory: absent: the document\n"
                              "p.yaml:3:1: error: storage.disks.match.size: absent: the key above\n"
                              "p.yaml:5:1: error: guests[7].memory: absent: the list\n"
                              "p.yaml:6:5: error: guests[0].memory: absent: the guest itself\n"
                              "p.yaml:9:14: error: guests[0].settings.realm: is short\n");
}

static void size_is_bounded(void **state)
{
    (void)state;
    size_t size = RF_PROFILE_MAX + 1;
    rf_autofree char *text = rf_alloc(size + 1);
    memset(text, '#', size);
    rf_autofree char *said = bad(text, size);
    assert_string_equal(said, "p.yaml: error: larger than 256 KiB; this is no profile\n");
    rf_autofree char *comment = bad(text, size - 1);
    assert_non_null(strstr(comment, "empty"));
}

static void problems_are_bounded(void **state)
{
    (void)state;
    rf_autofree char *text = rf_strdup(MINIMAL "storage: {level: single}\n");
    for (unsigned i = 0; i < 150; i++)
        rf_append(&text, "unknown%u: 1\n", i);
    rf_autofree char *said = bad(text, strlen(text));
    assert_non_null(strstr(said, "p.yaml: error: 50 more problems are not listed\n"));
    assert_null(strstr(said, "unknown149"));
}

/* A text of `count` times `part`. */
static char *repeated(const char *start, const char *part, size_t count)
{
    size_t length = strlen(part);
    char *text = rf_alloc(strlen(start) + count * length + 1);
    char *at = stpcpy(text, start);
    for (size_t i = 0; i < count; i++)
        at = stpcpy(at, part);
    return text;
}

/* Each as large as a profile may be; quadratic work would show as minutes here. */
static void hostile_documents(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "[", "{", "- ",    "? ",        "a: ", "a: b\n", "[],", "{a: ", "&a ", "*a ",           "\"",   "'",
        "!", "%", "---\n", "- - - -\n", "\n",  " ",      "\t",  "|\n",  "#",   "\xC3\xA4: 1\n", "k: [", "nmae: 1\n"};
    for (size_t i = 0; i < RF_COUNT(parts); i++) {
        rf_autofree char *text = repeated("richtfest: 1\nnode:\n", parts[i], (RF_PROFILE_MAX - 64) / strlen(parts[i]));
        rf_autofree char *said = bad(text, strlen(text));
        assert_true(strlen(said) < 100 * 1024);
    }
    rf_autofree char *wide = repeated("richtfest: 1\nguests:\n", "- {nmae: 1, reciep: 2, unknown: 3}\n", 999);
    rf_autofree char *said = bad(wide, strlen(wide));
    assert_non_null(strstr(said, "has 999 entries; write at most 200"));
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223; /* Numerical Recipes' LCG: the same rubbish on every machine */
    return *seed >> 8;
}

static void damage(char *text, size_t *size, uint32_t *seed)
{
    static const char letters[] = "\n :-[]{}\"'#&*!|>%@`,?\t\0\xFF\xC3"
                                  "ax09";
    for (uint32_t edits = 1 + next_random(seed) % 8; edits && *size > 16; edits--) {
        size_t at = next_random(seed) % *size, length = 1 + next_random(seed) % 12;
        uint32_t kind = next_random(seed) % 3;
        if (kind == 0)
            text[at] = letters[next_random(seed) % (sizeof(letters) - 1)];
        else if (kind == 1 && at + length < *size)
            memmove(text + at, text + at + length, (*size -= length) - at);
        else if (at + length < *size)
            memmove(text + next_random(seed) % (*size - length), text + at, length);
    }
}

/* RF_FUZZ_ROUNDS=1000000 under `make asan` for the long version. */
static void rubbish(void **state)
{
    (void)state;
    rf_autofree char *original = NULL;
    size_t length = 0;
    assert_int_equal(rf_read_file("profiles/musterkunde.yaml", RF_PROFILE_MAX, &original, &length, NULL), 0);
    const char *asked = getenv("RF_FUZZ_ROUNDS");
    unsigned long rounds = asked ? strtoul(asked, NULL, 10) : 2000;
    uint32_t seed = 20261121;
    for (unsigned long i = 0; i < rounds; i++) {
        rf_autofree char *text = rf_alloc(length);
        memcpy(text, original, length);
        size_t size = length;
        damage(text, &size, &seed);
        rf_autoproblems rf_problems problems = {0};
        rf_autoprofile rf_profile *profile = rf_profile_parse("p.yaml", text, size, &problems);
        assert_int_equal(profile == NULL, problems.count > 0);
        rf_autofree char *said = rf_problems_text(&problems);
        assert_int_equal(*said == '\0', profile != NULL);
    }
}

static void unreadable_files(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0};
    rf_profile *profile = (rf_profile *)state; /* must not be touched */
    rf_error *err = NULL;
    assert_int_equal(rf_profile_load("/nonexistent/p.yaml", &profile, &problems, &err), -1);
    assert_ptr_equal(profile, state);
    assert_int_equal(rf_error_code(err), RF_BAD_PROFILE);
    assert_error_has(err, "/nonexistent/p.yaml: No such file");
    assert_int_equal(rf_profile_load("/", &profile, &problems, &err), -1);
    assert_error_has(err, "Is a directory");
    assert_int_equal(problems.count, 0);
    assert_int_equal(rf_profile_load("/dev/zero", &profile, &problems, &err),
                     0); /* endless: read no further than the bound */
    assert_null(profile);
    assert_int_equal(problems.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_profile),
        cmocka_unit_test(defaults),
        cmocka_unit_test(byte_order_mark_and_line_ends),
        cmocka_unit_test(bands),
        cmocka_unit_test(settings_keep_their_types),
        cmocka_unit_test(problems_of_others_get_positions),
        cmocka_unit_test(size_is_bounded),
        cmocka_unit_test(problems_are_bounded),
        cmocka_unit_test(hostile_documents),
        cmocka_unit_test(rubbish),
        cmocka_unit_test(unreadable_files),
    };
    return cmocka_run_group_tests_name("profiles/parse", tests, NULL, NULL);
}
