/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/manifest.h"
#include "tests/unit/unit.h"

#define HASH "4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2"

static json_t *sample(void)
{
    static const struct rf_payload payloads[] = {
        {.path = (char *)RF_MEDIUM_ROOT_FILE,
         .size = UINT64_C(5) << 32,
         .unpacked = UINT64_C(9) << 32,
         .files = 67,
         .sha256 = (char *)HASH,
         .xxh3 = (char *)"5b61320f84f6a96baf53f2591dadefc0"},
        {.path = (char *)"/guests/a.qcow2", .size = 0, .sha256 = (char *)HASH, .xxh3 = (char *)"0"},
    };
    static const struct rf_manifest_packages packages[] = {{"node", "apt 3.0\nbash 5.2\nodd\n"}, {"guest/ad", ""}};
    return rf_manifest_json(&(struct rf_manifest){.version = "0.1.0",
                                                  .suite = "trixie",
                                                  .kernel = "6.12-amd64",
                                                  .date = 1795054374,
                                                  .archive = "abc",
                                                  .sources = "deb x\n",
                                                  .payloads = payloads,
                                                  .payloads_count = RF_COUNT(payloads),
                                                  .packages = packages,
                                                  .packages_count = RF_COUNT(packages)});
}

static void same_input_same_bytes(void **state)
{
    (void)state;
    rf_autojson json_t *one = sample(), *two = sample();
    rf_autofree char *first = rf_json_text(one), *second = rf_json_text(two);
    assert_string_equal(first, second);
    unit_golden("tests/golden/image/manifest.json", first);
}

static void dates_are_utc(void **state)
{
    (void)state;
    char date[21];
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    rf_manifest_date(1795054374, date);
    assert_string_equal(date, "2026-11-19T02:12:54Z");
    rf_manifest_date(0, date);
    assert_string_equal(date, "1970-01-01T00:00:00Z");
    rf_manifest_date(UINT32_MAX, date);
    assert_string_equal(date, "2106-02-07T06:28:15Z");
}

static void volumes_are_dates(void **state)
{
    (void)state;
    char id[23], digits[17], other[23];
    rf_manifest_volume("ffffffffffffffff", 1795054374, id, digits);
    rf_manifest_volume("fffffffffffffffe", 1795054374, other, digits);
    assert_int_equal(strlen(digits), 16);
    unsigned v[7];
    assert_int_equal(sscanf(id, "%4u-%2u-%2u-%2u-%2u-%2u-%2u", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6]), 7);
    assert_int_equal(v[0], 2026);
    assert_true(v[1] >= 1 && v[1] <= 12 && v[2] >= 1 && v[2] <= 28 && v[3] < 24 && v[4] < 60 && v[5] < 60);
    rf_manifest_volume("0000000000000000", 0, id, digits);
    assert_string_equal(id, "1970-01-01-00-00-00-00");
    assert_string_equal(digits, "1970010100000000");
    assert_string_not_equal(id, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_input_same_bytes),
        cmocka_unit_test(dates_are_utc),
        cmocka_unit_test(volumes_are_dates),
    };
    return cmocka_run_group_tests_name("image/manifest", tests, NULL, NULL);
}
