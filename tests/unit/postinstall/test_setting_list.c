/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"
#include "postinstall/setting.h"
#include "tests/unit/unit.h"

static void collect(void *data, const char *where, const char *text)
{
    rf_append(data, "%s: %s\n", where, text);
}

/* All problems, one a line; "" where there are none. */
static char *problems(struct rf_recipe_setting setting, const char *type, const char *value, const char *settings)
{
    rf_autojson json_t *json = json_loads(value, JSON_DECODE_ANY, NULL), *all = json_loads(settings, 0, NULL);
    char *said = rf_strdup("");
    setting.type = rf_setting_type(type);
    rf_setting_check(&(struct rf_setting_check){&setting, all, collect, &said}, json);
    return said;
}

static void names_are_names(void **state)
{
    (void)state;
    const struct rf_recipe_setting any = {0};
    rf_autofree char *fine = problems(any, "names", "[\"ts-users\", \"Verwaltung & Einkauf\", \"B\xC3\xBCro\"]", "{}");
    rf_autofree char *bad = problems(any, "names", "[\"a/b\", \"\", \" a\", 3, \"x\", \"X\", \"tab\\t\"]", "{}");
    rf_autofree char *none = problems(any, "names", "\"a\"", "{}");
    assert_string_equal(fine, "");
    assert_string_equal(bad,
                        "[0]: \"a/b\" holds one of the signs \" / \\ [ ] : ; | = , + * ? < > @ #, which a name can't "
                        "have; write for example 'Vertrieb'\n"
                        "[1]: \"\" is not a name of 1 to 64 bytes; write for example 'Vertrieb'\n"
                        "[2]: \" a\" begins or ends in a way that a name can't; write for example 'Vertrieb'\n"
                        "[3]: 3 is not a text; write for example 'Vertrieb'\n"
                        "[5]: \"X\" is given twice\n"
                        "[6]: \"tab\\t\" holds a control character; write for example 'Vertrieb'\n");
    assert_string_equal(none, ": \"a\" is not a list; write for example '[Vertrieb]'\n");
}

static void paths_have_parts(void **state)
{
    (void)state;
    const struct rf_recipe_setting any = {0};
    rf_autofree char *fine = problems(any, "paths", "[\"Firma\", \"Firma/Werkstatt\"]", "{}");
    rf_autofree char *empty = problems(any, "paths", "[\"Firma//a\"]", "{}");
    rf_autofree char *deep = problems(any, "paths", "[\"1/2/3/4/5/6/7/8/9\"]", "{}");
    assert_string_equal(fine, "");
    assert_non_null(strstr(empty, "[0]: \"Firma//a\" is not a name of 1 to 64 bytes"));
    assert_non_null(strstr(deep, "has more than 8 parts"));
}

static void accounts_are_checked_part_by_part(void **state)
{
    (void)state;
    const struct rf_recipe_setting any = {0};
    rf_autofree char *fine = problems(
        any, "accounts",
        "[{\"name\": \"anna\", \"given\": \"Anna\", \"surname\": \"Muster\", \"mail\": \"a@b.example\", \"groups\": "
        "[\"x\"]}, {\"name\": \"bernd.b\"}]",
        "{}");
    rf_autofree char *bad =
        problems(any, "accounts",
                 "[5, {}, {\"name\": \"Administrator\"}, {\"name\": \"svc-x\"}, {\"name\": \"a b\"}, "
                 "{\"name\": \"anna\", \"maill\": \"x\", \"mail\": \"x\"}, {\"name\": \"ANNA\"}, "
                 "{\"name\": \"twentyonecharacterslo\"}, {\"name\": \"c\", \"groups\": \"x\"}, "
                 "{\"name\": \"d\", \"password\": \"x\"}]",
                 "{}");
    assert_string_equal(fine, "");
    assert_non_null(strstr(bad, "[0]: 5 is not a user; write for example '{name: anna, "));
    assert_non_null(strstr(bad, "[1]: a user needs a name"));
    assert_non_null(strstr(bad, "[2].name: \"Administrator\" is taken by the system"));
    assert_non_null(strstr(bad, "[3].name: \"svc-x\" begins with svc-"));
    assert_non_null(strstr(bad, "[4].name: \"a b\" is not an account name: it holds"));
    assert_non_null(strstr(bad, "[5].maill: unknown key; did you mean 'mail'?"));
    assert_non_null(strstr(bad, "[5].mail: \"x\" is not an e-mail address"));
    assert_non_null(strstr(bad, "[6].name: \"ANNA\" is given twice"));
    assert_non_null(strstr(bad, "[7].name: \"twentyonecharacterslo\" is not an account name of 1 to 20"));
    assert_non_null(strstr(bad, "[8].groups: \"x\" is not a list"));
    assert_non_null(strstr(bad, "[9].password: unknown key; a user has name, given, surname, mail, groups"));
    assert_null(strstr(bad, "\"x\"\n")); /* what stands below an unknown key is not shown */
}

/* A directory refuses them when it is set up, half-way. */
static void users_and_groups_share_their_names(void **state)
{
    (void)state;
    rf_autojson json_t *more = json_pack("[s]", "Domain Admins");
    const struct rf_recipe_setting setting = {.groups = (char *)"groups", .more_groups = more};
    rf_autofree char *said = problems(setting, "accounts", "[{\"name\": \"vertrieb\"}, {\"name\": \"anna\"}]",
                                      "{\"groups\": [\"Vertrieb\"]}");
    rf_autofree char *own = problems(setting, "accounts", "[{\"name\": \"Admin\"}, {\"name\": \"richtfest-stranger\"}]",
                                     "{\"groups\": []}");
    assert_string_equal(said, "[0].name: \"vertrieb\" is also the name of a group; a directory has each name once\n");
    assert_non_null(strstr(own, "[0].name: \"Admin\" is taken by the system"));
    assert_non_null(strstr(own, "[1].name: \"richtfest-stranger\" is taken by the system"));
}

static void groups_must_be_there(void **state)
{
    (void)state;
    rf_autojson json_t *more = json_pack("[s]", "Domain Admins");
    const struct rf_recipe_setting setting = {.groups = (char *)"groups", .more_groups = more};
    static const char users[] =
        "[{\"name\": \"a\", \"groups\": [\"TS-Users\", \"domain admins\", \"ts-user\", \"zzz\"]}]";
    rf_autofree char *said = problems(setting, "accounts", users, "{\"groups\": [\"ts-users\"]}");
    assert_string_equal(said, "[0].groups[2]: \"ts-user\" is no group of settings.groups; did you mean 'ts-users'?\n"
                              "[0].groups[3]: \"zzz\" is no group of settings.groups; add it there\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_names),
        cmocka_unit_test(paths_have_parts),
        cmocka_unit_test(accounts_are_checked_part_by_part),
        cmocka_unit_test(users_and_groups_share_their_names),
        cmocka_unit_test(groups_must_be_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
