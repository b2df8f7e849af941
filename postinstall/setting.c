/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Types of settings: the table, and those of one value. */
#include "postinstall/setting.h"

#include "base/guard.h"
#include "base/memory.h"
#include "profiles/patterns.h"
#include "profiles/suggest.h"
#include "profiles/text.h"

#include <ctype.h>
#include <string.h>

enum {
    LABEL_MAX = 63,   /* RFC 1035, 2.3.4 */
    NAME_MAX_ = 253,  /* RFC 1035, 2.3.4, without the root's dot and length bytes */
    NETBIOS_MAX = 15, /* MS-NBTE 2.2.1: 16 bytes, the last is the type */
    TEXT_MAX = 1024,
    LOCAL_MAX = 64, /* RFC 5321, 4.5.3.1.1 */
    SHA256_DIGITS = 64,
    CHOICES_MAX = 64,
};

static bool is_label(const char *text, size_t length)
{
    if (length == 0 || length > LABEL_MAX || text[0] == '-' || text[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '-')
            return false;
    return true;
}

bool rf_setting_is_name(const char *text)
{
    size_t labels = 0;
    if (strlen(text) > NAME_MAX_)
        return false;
    for (;; text++) {
        size_t length = strcspn(text, ".");
        if (!is_label(text, length))
            return false;
        labels++;
        text += length;
        if (!*text)
            return labels >= 2;
    }
}

static const char *wrong_text(const json_t *value)
{
    const char *text = json_string_value(value);
    if (!text || !*text || strlen(text) > TEXT_MAX)
        return "is not a text of 1 to 1024 bytes";
    for (; *text; text++)
        if (iscntrl((unsigned char)*text))
            return "holds a control character";
    return NULL;
}

static const char *wrong_host(const json_t *value)
{
    const char *text = json_string_value(value);
    return text && rf_setting_is_name(text) ? NULL : "is not a full DNS name";
}

static const char *wrong_realm(const json_t *value)
{
    const char *text = json_string_value(value);
    if (!text || !rf_setting_is_name(text))
        return "is not a Kerberos realm";
    for (const char *c = text; *c; c++)
        if (islower((unsigned char)*c))
            return "must be in capital letters";
    if (strlen(text) > 6 && strcmp(text + strlen(text) - 6, ".LOCAL") == 0)
        return "ends in .LOCAL, which mDNS has taken (RFC 6762); use a sub-domain of the company's own domain, or "
               ".INTERNAL";
    return NULL;
}

static const char *wrong_netbios(const json_t *value)
{
    const char *text = json_string_value(value);
    if (!text || strlen(text) > NETBIOS_MAX || !is_label(text, strlen(text)))
        return "is not a NetBIOS name of 1 to 15 letters, digits and hyphens";
    return NULL;
}

static const char *wrong_boolean(const json_t *value)
{
    return json_is_boolean(value) ? NULL : "is neither true nor false";
}

/* RFC 5321, 4.1.2, without quoted local parts: nobody gives them to people. */
static const char *wrong_email(const json_t *value)
{
    static const char wrong[] = "is not an e-mail address";
    const char *text = json_string_value(value), *at = text ? strchr(text, '@') : NULL;
    if (!at || at == text || at - text > LOCAL_MAX || !rf_setting_is_name(at + 1))
        return wrong;
    for (const char *c = text; c < at; c++)
        if (!isalnum((unsigned char)*c) && !strchr("!#$%&'*+/=?^_`{|}~.-", *c))
            return wrong;
    return text[0] == '.' || at[-1] == '.' || strstr(text, "..") ? wrong : NULL;
}

static const char *wrong_url(const json_t *value)
{
    const char *text = json_string_value(value);
    rf_autofree char *wrong = text ? rf_pattern_check(&rf_pattern_url, text) : NULL;
    return !text || wrong ? "is not a whole http or https address" : NULL;
}

static const char *wrong_sha256(const json_t *value)
{
    const char *text = json_string_value(value);
    bool fine = text && strlen(text) == SHA256_DIGITS && strspn(text, "0123456789abcdef") == SHA256_DIGITS;
    return fine ? NULL : "is not a SHA-256 of 64 lower-case hexadecimal digits";
}

static void check_integer(const struct rf_setting_check *check, const json_t *value)
{
    const struct rf_recipe_setting *setting = check->setting;
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value)) {
        rf_autofree char *example = rf_format("%" JSON_INTEGER_FORMAT, setting->min);
        rf_setting_say(check, "", value, "is not a whole number", example);
    } else if (number < setting->min || number > setting->max) {
        rf_autofree char *text = rf_format("%" JSON_INTEGER_FORMAT " is out of range; write %" JSON_INTEGER_FORMAT
                                           " to %" JSON_INTEGER_FORMAT,
                                           number, setting->min, setting->max);
        check->problem(check->data, "", text);
    }
}

static void check_choice(const struct rf_setting_check *check, const json_t *value)
{
    const char *words[CHOICES_MAX], *text = json_string_value(value);
    rf_autofree char *all = NULL;
    size_t index, count = 0;
    json_t *word;
    json_array_foreach(check->setting->choices, index, word)
    {
        if (json_equal(word, value))
            return;
        rf_append(&all, "%s%s", all ? ", " : "", json_string_value(word));
        if (count < CHOICES_MAX)
            words[count++] = json_string_value(word);
    }
    const char *near = text ? rf_suggest(text, words, count) : NULL;
    rf_autofree char *wrong =
        near ? rf_format("is not known here; did you mean '%s'?", near) : rf_format("is not known here; write %s", all);
    rf_setting_say(check, "", value, wrong, NULL);
}

static const struct rf_setting_type choice = {"choice", NULL, NULL, check_choice};

/* What looks like a place: "{number}", "__PHONETO__". Its length; 0: none begins here. */
static size_t place_at(const char *text)
{
    static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t braces = strcspn(text, "}"), word = strncmp(text, "__", 2) == 0 ? strspn(text + 2, capitals) : 0;
    if (*text == '{')
        return braces + (text[braces] == '}');
    return word && strncmp(text + 2 + word, "__", 2) == 0 ? word + 4 : 0;
}

static bool known_place(const json_t *places, const char *text, size_t length)
{
    size_t index;
    json_t *place;
    json_array_foreach(places, index, place)
    {
        if (json_string_length(place) == length && strncmp(json_string_value(place), text, length) == 0)
            return true;
    }
    return false;
}

/* A telephone system's address. A place that is written wrongly would be sent as it stands, and the first who finds out is the one who
 * clicks on a number. */
static void check_dial(const struct rf_setting_check *check, const json_t *value)
{
    const char *text = json_string_value(value), *wrong = wrong_url(value);
    const json_t *places = check->setting->places;
    const char *number = json_string_value(json_array_get(places, 0));
    rf_autofree char *example = rf_format("https://pbx.firma.example/call?to=%s", number ? number : "{number}");
    if (wrong) {
        rf_setting_say(check, "", value, wrong, example);
        return;
    }
    if (number && !strstr(text, number)) {
        rf_autofree char *none = rf_format("has no %s, where the number belongs", number);
        rf_setting_say(check, "", value, none, example);
    }
    for (size_t length; *text; text += length ? length : 1) {
        length = place_at(text);
        if (!length || known_place(places, text, length))
            continue;
        rf_autofree char *unknown = rf_format("holds %.*s, which nobody fills in", (int)length, text);
        rf_setting_say(check, "", value, unknown, example);
    }
}

static const struct rf_setting_type dial = {"dial", NULL, NULL, check_dial};
static const struct rf_setting_type types[] = {
    {"boolean", "true", wrong_boolean, NULL},
    {"email", "info@firma.example", wrong_email, NULL},
    {"host", "cloud.firma.example", wrong_host, NULL},
    {"integer", "42", NULL, check_integer},
    {"netbios", "FIRMA", wrong_netbios, NULL},
    {"realm", "AD.FIRMA.EXAMPLE", wrong_realm, NULL},
    {"sha256", "0d7c…, as sha256sum prints it", wrong_sha256, NULL},
    {"text", "some words", wrong_text, NULL},
    {"url", "https://firma.example/x", wrong_url, NULL},
};
static const struct rf_setting_type *const more[] = {&choice, &dial, &rf_setting_names, &rf_setting_paths,
                                                     &rf_setting_accounts};

const struct rf_setting_type *rf_setting_type(const char *name)
{
    for (size_t i = 0; i < RF_COUNT(types); i++)
        if (strcmp(types[i].name, name) == 0)
            return &types[i];
    for (size_t i = 0; i < RF_COUNT(more); i++)
        if (strcmp(more[i]->name, name) == 0)
            return more[i];
    return NULL;
}

char *rf_setting_type_names(void)
{
    char *text = NULL;
    for (size_t i = 0; i < RF_COUNT(types); i++)
        rf_append(&text, "%s%s", text ? ", " : "", types[i].name);
    for (size_t i = 0; i < RF_COUNT(more); i++)
        rf_append(&text, ", %s", more[i]->name);
    return text;
}

void rf_setting_say(const struct rf_setting_check *check, const char *where, const json_t *value, const char *wrong,
                    const char *example)
{
    rf_autofree char *all = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    rf_autofree char *shown = all ? rf_shown(all) : NULL;
    rf_autofree char *text =
        rf_format("%s %s%s%s%s", shown ? shown : "this", wrong, example ? "; write for example '" : "",
                  example ? example : "", example ? "'" : "");
    check->problem(check->data, where, text);
}

void rf_setting_check(const struct rf_setting_check *check, const json_t *value)
{
    const struct rf_setting_type *type = check->setting->type;
    if (type->check) {
        type->check(check, value);
        return;
    }
    const char *wrong = type->wrong(value);
    if (wrong)
        rf_setting_say(check, "", value, wrong, type->example);
}

static void keep_first(void *data, const char *where, const char *text)
{
    char **kept = data;
    if (!*kept)
        *kept = rf_format("%s%s%s", where, *where ? ": " : "", text);
}

char *rf_setting_wrong(const struct rf_recipe_setting *setting, const json_t *value)
{
    char *first = NULL;
    rf_setting_check(&(struct rf_setting_check){.setting = setting, .problem = keep_first, .data = &first}, value);
    return first;
}
