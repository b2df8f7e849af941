/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"
#include "postinstall/setting.h"
#include "tests/unit/unit.h"

#include <limits.h>

#define LABEL_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* `wrong`: how the complaint begins; NULL: fine. */
static const struct {
    const char *type, *value, *wrong;
} rows[] = {
    {"boolean", "true", NULL},
    {"boolean", "\"true\"", "is neither true nor false"},
    {"boolean", "1", "is neither true nor false"},
    {"integer", "-3", NULL},
    {"integer", "3.0", "is not a whole number"},
    {"integer", "\"3\"", "is not a whole number"},
    {"host", "\"cloud.firma.example\"", NULL},
    {"host", "\"a-1.b\"", NULL},
    {"host", "\"cloud\"", "is not a full DNS name"},
    {"host", "\"cloud.firma.example.\"", "is not a full DNS name"},
    {"host", "\"cloud..example\"", "is not a full DNS name"},
    {"host", "\"-a.example\"", "is not a full DNS name"},
    {"host", "\"a-.example\"", "is not a full DNS name"},
    {"host", "\"a_b.example\"", "is not a full DNS name"},
    {"host", "\"" LABEL_63 ".example\"", NULL},
    {"host", "\"" LABEL_63 "a.example\"", "is not a full DNS name"},
    {"host", "\"" LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63 "\"", "is not a full DNS name"}, /* 255 bytes */
    {"host", "5", "is not a full DNS name"},
    {"realm", "\"AD.FIRMA.EXAMPLE\"", NULL},
    {"realm", "\"AD.firma.EXAMPLE\"", "must be in capital letters"},
    {"realm", "\"FIRMA.LOCAL\"", "ends in .LOCAL"},
    {"realm", "\"AD.LOCALS\"", NULL},
    {"realm", "\"AD\"", "is not a Kerberos realm"},
    {"realm", "null", "is not a Kerberos realm"},
    {"netbios", "\"FIRMA\"", NULL},
    {"netbios", "\"ABCDEFGHIJKLMNO\"", NULL},
    {"netbios", "\"ABCDEFGHIJKLMNOP\"", "is not a NetBIOS name"},
    {"netbios", "\"\"", "is not a NetBIOS name"},
    {"netbios", "\"A.B\"", "is not a NetBIOS name"},
    {"text", "\"some words, \u00fc too\"", NULL},
    {"text", "\"\"", "is not a text of 1 to 1024 bytes"},
    {"text", "\"two\\nlines\"", "holds a control character"},
    {"text", "[]", "is not a text of 1 to 1024 bytes"},
};

static char *wrong(struct rf_recipe_setting setting, const char *type, const char *value)
{
    rf_autojson json_t *json = json_loads(value, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    setting.type = rf_setting_type(type);
    assert_non_null(setting.type);
    if (!setting.max)
        setting.max = INT_MAX;
    return rf_setting_wrong(&setting, json);
}

static void values_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        rf_autofree char *said = wrong((struct rf_recipe_setting){.min = INT_MIN}, rows[i].type, rows[i].value);
        if (rows[i].wrong ? !said || !strstr(said, rows[i].wrong) : said != NULL)
            fail_msg("%s %s: \"%s\"", rows[i].type, rows[i].value, said ? said : "fine");
    }
    rf_autofree char *longest = rf_alloc(1026);
    memset(longest, 'x', 1024);
    rf_autojson json_t *fits = json_string(longest);
    longest[1024] = 'x';
    rf_autojson json_t *longer = json_string(longest);
    assert_null(rf_setting_type("text")->wrong(fits));
    assert_non_null(rf_setting_type("text")->wrong(longer));
}

/* Those of one value: lists' examples are YAML, a choice is its recipe's, and nobody needs a checksum that could be right. */
static void each_types_own_example_is_right(void **state)
{
    (void)state;
    static const char *const names[] = {"boolean", "email", "host", "integer", "netbios", "realm", "text", "url"};
    assert_null(rf_setting_type("hos"));
    for (size_t i = 0; i < RF_COUNT(names); i++) {
        const struct rf_setting_type *type = rf_setting_type(names[i]);
        json_t *plain = json_loads(type->example, JSON_DECODE_ANY, NULL);
        rf_autojson json_t *value = plain ? plain : json_string(type->example);
        const struct rf_recipe_setting setting = {.type = type, .max = INT_MAX};
        rf_autofree char *said = rf_setting_wrong(&setting, value);
        assert_null(said);
    }
}

static void every_type_has_borders(void **state)
{
    (void)state;
    static const struct {
        const char *type, *yes[4], *no[12];
    } samples[] = {
        {"boolean", {"true", "false"}, {"\"true\"", "1"}},
        {"email",
         {"\"info@firma.example\"", "\"a.b+c@x.firma.example\""},
         {"\"info\"", "\"@firma.example\"", "\"info@firma\"", "\".a@firma.example\"", "\"a.@firma.example\"",
          "\"a..b@firma.example\"", "\"a b@firma.example\"", "\"a\\n@firma.example\"", "1", "\"a@b@firma.example\""}},
        {"host", {"\"crm.firma.example\""}, {"\"crm\"", "\"a..b\"", "\"-a.b\"", "\"a_b.c\"", "[]", "\"\""}},
        {"integer", {"0", "42"}, {"\"42\"", "-1", "1.5", "true"}},
        {"netbios", {"\"FIRMA\""}, {"\"SIXTEENCHARSLONG\"", "\"A.B\"", "\"\""}},
        {"realm", {"\"AD.FIRMA.EXAMPLE\""}, {"\"ad.firma.example\"", "\"AD\"", "\"AD.FIRMA.LOCAL\""}},
        {"sha256",
         {"\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\""},
         {"\"9f86\"", "\"9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08\"", "1"}},
        {"text", {"\"some words\""}, {"\"\"", "\"a\\u0007\"", "3"}},
        {"url",
         {"\"https://a.example/b?c=__PHONETO__\"", "\"http://10.0.0.1:8080/\""},
         {"\"ftp://a\"", "\"https://a b\"", "\"javascript:x\"", "1"}},
    };
    for (size_t i = 0; i < RF_COUNT(samples); i++) {
        for (const char *const *yes = samples[i].yes; *yes; yes++) {
            rf_autofree char *said = wrong((struct rf_recipe_setting){0}, samples[i].type, *yes);
            if (said)
                fail_msg("%s: %s", samples[i].type, said);
        }
        for (const char *const *no = samples[i].no; *no; no++) {
            rf_autofree char *said = wrong((struct rf_recipe_setting){0}, samples[i].type, *no);
            if (!said)
                fail_msg("%s passes as %s", *no, samples[i].type);
        }
    }
}

static void an_address_to_dial_has_a_place_for_the_number(void **state)
{
    (void)state;
    rf_autojson json_t *desk = json_pack("[s,s]", "{number}", "{user}");
    rf_autojson json_t *crm = json_pack("[s,s,s]", "__PHONETO__", "__LOGIN__", "__PASS__");
    const struct {
        json_t *places;
        const char *value, *said; /* NULL: it is fine */
    } samples[] = {
        {desk, "\"https://p.example/c?to={number}&from={user}\"", NULL},
        {desk, "\"https://p.example/c?to={nummer}\"", "has no {number}, where the number belongs"},
        {desk, "\"https://p.example/c?to={number}&from={extension}\"", "holds {extension}, which nobody fills in"},
        {desk, "\"https://p.example/c?to=__PHONETO__\"", "has no {number}"},
        {desk, "\"p.example/c?to={number}\"", "is not a whole http or https address"},
        {desk, "7", "is not a whole http or https address"},
        {crm, "\"https://p.example/c?to=__PHONETO__&u=__LOGIN__&p=__PASS__&a__b=1\"", NULL},
        {crm, "\"https://p.example/c?to=__PHONETO__&u=__USER__\"", "holds __USER__, which nobody fills in"},
    };
    for (size_t i = 0; i < RF_COUNT(samples); i++) {
        const struct rf_recipe_setting setting = {.places = samples[i].places};
        rf_autofree char *said = wrong(setting, "dial", samples[i].value);
        assert_int_equal(said == NULL, samples[i].said == NULL);
        if (said && !strstr(said, samples[i].said))
            fail_msg("%s does not say %s", said, samples[i].said);
    }
}

static void numbers_have_a_range(void **state)
{
    (void)state;
    const struct rf_recipe_setting setting = {.min = 8, .max = 64};
    rf_autofree char *fine = wrong(setting, "integer", "8"), *low = wrong(setting, "integer", "7");
    rf_autofree char *high = wrong(setting, "integer", "65"), *text = wrong(setting, "integer", "\"a\"");
    assert_null(fine);
    assert_string_equal(low, "7 is out of range; write 8 to 64");
    assert_string_equal(high, "65 is out of range; write 8 to 64");
    assert_string_equal(text, "\"a\" is not a whole number; write for example '8'");
}

static void a_choice_suggests(void **state)
{
    (void)state;
    rf_autojson json_t *choices = json_pack("[s,s]", "xfce", "lxqt");
    const struct rf_recipe_setting setting = {.choices = choices};
    rf_autofree char *fine = wrong(setting, "choice", "\"lxqt\""), *near = wrong(setting, "choice", "\"xfce4\"");
    rf_autofree char *far = wrong(setting, "choice", "\"windows\""), *number = wrong(setting, "choice", "3");
    assert_null(fine);
    assert_string_equal(near, "\"xfce4\" is not known here; did you mean 'xfce'?");
    assert_string_equal(far, "\"windows\" is not known here; write xfce, lxqt");
    assert_string_equal(number, "3 is not known here; write xfce, lxqt");
}

static void types_are_listed(void **state)
{
    (void)state;
    rf_autofree char *names = rf_setting_type_names();
    assert_string_equal(names,
                        "boolean, email, host, integer, netbios, realm, sha256, text, url, choice, dial, names, paths, "
                        "accounts");
    assert_null(rf_setting_type("colour"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_judged),      cmocka_unit_test(each_types_own_example_is_right),
        cmocka_unit_test(every_type_has_borders), cmocka_unit_test(an_address_to_dial_has_a_place_for_the_number),
        cmocka_unit_test(numbers_have_a_range),   cmocka_unit_test(a_choice_suggests),
        cmocka_unit_test(types_are_listed),
    };
    return cmocka_run_group_tests_name("postinstall/setting", tests, NULL, NULL);
}
