/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Types of settings that hold several values: names (of groups), paths of units, users. */
#include "base/memory.h"
#include "postinstall/setting.h"
#include "profiles/suggest.h"

#include <ctype.h>
#include <string.h>

enum {
    ENTRIES_MAX = 1000,
    NAME_BYTES = 64,    /* MS-ADA1/ADA3: upper range of `ou` and `cn` */
    DEPTH_MAX = 8,      /* units inside each other; more is a mistake */
    ACCOUNT_BYTES = 20, /* MS-ADTS 3.1.1.6.2: sAMAccountName of a user */
    WORDS_MAX = 256,
};

#define NAME_EXAMPLE "Vertrieb"
#define USER_EXAMPLE "{name: anna, given: Anna, surname: Muster}"

/* What neither a distinguished name (RFC 4514, 2.4) nor a sAMAccountName (MS-SAMR 3.1.1.6) takes as it is. */
static const char *wrong_name(const char *text, size_t length)
{
    if (length == 0 || length > NAME_BYTES)
        return "is not a name of 1 to 64 bytes";
    if (text[0] == ' ' || text[length - 1] == ' ' || text[length - 1] == '.')
        return "begins or ends in a way that a name can't";
    for (size_t i = 0; i < length; i++) {
        if (iscntrl((unsigned char)text[i]))
            return "holds a control character";
        if (strchr("\"/\\[]:;|=,+*?<>@#", text[i]))
            return "holds one of the signs \" / \\ [ ] : ; | = , + * ? < > @ #, which a name can't have";
    }
    return NULL;
}

static const char *wrong_one(const json_t *value)
{
    const char *text = json_string_value(value);
    return text ? wrong_name(text, strlen(text)) : "is not a text";
}

static const char *wrong_path(const json_t *value)
{
    const char *text = json_string_value(value);
    if (!text)
        return "is not a text";
    for (unsigned depth = 1;; depth++) {
        size_t length = strcspn(text, "/");
        const char *wrong = wrong_name(text, length);
        if (wrong || !text[length])
            return wrong;
        if (depth == DEPTH_MAX)
            return "has more than 8 parts";
        text += length + 1;
    }
}

static bool is_list(const struct rf_setting_check *check, const json_t *value, const char *example)
{
    if (json_is_array(value) && json_array_size(value) <= ENTRIES_MAX)
        return true;
    rf_setting_say(check, "", json_is_array(value) ? NULL : value,
                   json_is_array(value) ? "has more than 1000 entries" : "is not a list", example);
    return false;
}

static bool same_text(const json_t *left, const json_t *right)
{
    const char *a = json_string_value(left), *b = json_string_value(right);
    return a && b && strcasecmp(a, b) == 0; /* directories do not tell capitals apart */
}

static void check_entries(const struct rf_setting_check *check, const json_t *list, const char *prefix,
                          const char *(*wrong)(const json_t *), const char *example)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        const char *what = wrong(entry);
        for (size_t j = 0; !what && j < i; j++)
            what = same_text(entry, json_array_get(list, j)) ? "is given twice" : NULL;
        rf_autofree char *where = rf_format("%s[%zu]", prefix, i);
        if (what)
            rf_setting_say(check, where, entry, what, strcmp(what, "is given twice") ? example : NULL);
    }
}

static void check_names(const struct rf_setting_check *check, const json_t *value)
{
    if (is_list(check, value, "[" NAME_EXAMPLE "]"))
        check_entries(check, value, "", wrong_one, NAME_EXAMPLE);
}

static void check_paths(const struct rf_setting_check *check, const json_t *value)
{
    if (is_list(check, value, "[Firma/" NAME_EXAMPLE "]"))
        check_entries(check, value, "", wrong_path, "Firma/" NAME_EXAMPLE);
}

/* Letters, digits, dots, hyphens and underscores: what Unix systems that join the directory take too. */
static const char *wrong_account(const json_t *value)
{
    static const char *const taken[] = {"administrator",      "admin", "guest", "krbtgt", "richtfest-probe",
                                        "richtfest-stranger", "root"};
    const char *text = json_string_value(value);
    size_t length = text ? strlen(text) : 0;
    if (length == 0 || length > ACCOUNT_BYTES || !isalnum((unsigned char)text[0]) || text[length - 1] == '.')
        return "is not an account name of 1 to 20 letters, digits, dots, hyphens and underscores, the first a letter "
               "or digit";
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("._-", text[i]))
            return "is not an account name: it holds something else than letters, digits, dots, hyphens and "
                   "underscores";
    for (size_t i = 0; i < RF_COUNT(taken); i++)
        if (strcasecmp(text, taken[i]) == 0)
            return "is taken by the system; choose another name";
    return strncasecmp(text, "svc-", 4) == 0 ? "begins with svc-, as the accounts of guests do; choose another name"
                                             : NULL;
}

static const char *wrong_mail(const json_t *value)
{
    return rf_setting_type("email")->wrong(value);
}

static const char *wrong_words(const json_t *value)
{
    return rf_setting_type("text")->wrong(value);
}

static const struct {
    const char *key, *example;
    const char *(*wrong)(const json_t *value);
} members[] = {{"name", "anna", wrong_account},
               {"given", "Anna", wrong_words},
               {"surname", "Muster", wrong_words},
               {"mail", "anna@firma.example", wrong_mail},
               {"groups", "[" NAME_EXAMPLE "]", NULL}};

static void check_members(const struct rf_setting_check *check, const char *where, const json_t *user)
{
    const char *words[RF_COUNT(members)], *key;
    json_t *value;
    for (size_t i = 0; i < RF_COUNT(members); i++)
        words[i] = members[i].key;
    json_object_foreach((json_t *)user, key, value)
    {
        size_t i = 0;
        while (i < RF_COUNT(members) && strcmp(members[i].key, key) != 0)
            i++;
        rf_autofree char *at = rf_format("%s.%s", where, key);
        const char *near = i < RF_COUNT(members) ? NULL : rf_suggest(key, words, RF_COUNT(words));
        rf_autofree char *unknown = near ? rf_format("unknown key; did you mean '%s'?", near)
                                         : rf_strdup("unknown key; a user has name, given, surname, mail, groups");
        const char *wrong = i < RF_COUNT(members) && members[i].wrong ? members[i].wrong(value) : NULL;
        if (i == RF_COUNT(members))
            check->problem(check->data, at, unknown);
        else if (wrong)
            rf_setting_say(check, at, value, wrong, members[i].example);
    }
    if (!json_object_get(user, "name"))
        check->problem(check->data, where, "a user needs a name; write for example '" USER_EXAMPLE "'");
}

/* NULL where the recipe lets users be in any group. */
static json_t *known_groups(const struct rf_setting_check *check)
{
    if (!check->setting->groups || !check->settings)
        return NULL;
    json_t *known = json_array();
    json_array_extend(known, json_object_get(check->settings, check->setting->groups));
    json_array_extend(known, check->setting->more_groups);
    return known;
}

static void check_groups(const struct rf_setting_check *check, const char *where, const json_t *groups,
                         const json_t *known)
{
    const char *words[WORDS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(known) && count < WORDS_MAX; i++)
        if (json_is_string(json_array_get(known, i)))
            words[count++] = json_string_value(json_array_get(known, i));
    for (size_t i = 0; known && i < json_array_size(groups); i++) {
        const json_t *group = json_array_get(groups, i);
        bool found = !json_is_string(group); /* said already */
        for (size_t j = 0; !found && j < json_array_size(known); j++)
            found = same_text(group, json_array_get(known, j));
        if (found)
            continue;
        rf_autofree char *at = rf_format("%s[%zu]", where, i);
        const char *near = rf_suggest(json_string_value(group), words, count);
        rf_autofree char *wrong =
            near ? rf_format("is no group of settings.%s; did you mean '%s'?", check->setting->groups, near)
                 : rf_format("is no group of settings.%s; add it there", check->setting->groups);
        rf_setting_say(check, at, group, wrong, NULL);
    }
}

static void check_account(const struct rf_setting_check *check, const json_t *users, size_t index, const json_t *known)
{
    const json_t *user = json_array_get(users, index), *name = json_object_get(user, "name");
    const json_t *groups = json_object_get(user, "groups");
    rf_autofree char *where = rf_format("[%zu]", index), *at_name = rf_format("[%zu].name", index);
    rf_autofree char *at_groups = rf_format("[%zu].groups", index);
    if (!json_is_object(user)) {
        rf_setting_say(check, where, user, "is not a user", USER_EXAMPLE);
        return;
    }
    check_members(check, where, user);
    for (size_t i = 0; i < index; i++)
        if (same_text(name, json_object_get(json_array_get(users, i), "name"))) {
            rf_setting_say(check, at_name, name, "is given twice; each user needs a name of his own", NULL);
            break;
        }
    for (size_t i = 0; i < json_array_size(known);
         i++) /* both are accounts of the directory, whose names are its own */
        if (same_text(name, json_array_get(known, i))) {
            rf_setting_say(check, at_name, name, "is also the name of a group; a directory has each name once", NULL);
            break;
        }
    if (groups && !json_is_array(groups))
        rf_setting_say(check, at_groups, groups, "is not a list", "[" NAME_EXAMPLE "]");
    check_entries(check, groups, at_groups, wrong_one, NAME_EXAMPLE);
    check_groups(check, at_groups, groups, known);
}

static void check_accounts(const struct rf_setting_check *check, const json_t *value)
{
    if (!is_list(check, value, "[" USER_EXAMPLE "]"))
        return;
    json_t *known = known_groups(check);
    for (size_t i = 0; i < json_array_size(value); i++)
        check_account(check, value, i, known);
    json_decref(known);
}

const struct rf_setting_type rf_setting_names = {"names", "[" NAME_EXAMPLE "]", NULL, check_names};
const struct rf_setting_type rf_setting_paths = {"paths", "[Firma/" NAME_EXAMPLE "]", NULL, check_paths};
const struct rf_setting_type rf_setting_accounts = {"accounts", "[" USER_EXAMPLE "]", NULL, check_accounts};
