/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "profiles/text.h"
#include "tests/unit/unit.h"

static char *check(const char *text, size_t size)
{
    rf_autoproblems rf_problems problems = {0};
    bool fine = rf_text_check("f", text, size, &problems);
    assert_int_equal(fine, problems.count == 0);
    return rf_problems_text(&problems);
}

#define assert_check(text, said)                                                                                       \
    do {                                                                                                               \
        rf_autofree char *found_ = check(text, sizeof(text) - 1);                                                      \
        assert_string_equal(found_, said);                                                                             \
    } while (0)

static void valid(void **state)
{
    (void)state;
    assert_check("", "");
    assert_check("a\tb\r\n\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x8F\xA0\n", "");
}

static void invalid_sequences(void **state)
{
    (void)state;
    static const char not_utf8[] = "f:1:2: error: not UTF-8; save the profile as UTF-8 text\n";
    assert_check("a\x80", not_utf8);             /* continuation alone */
    assert_check("a\xC3", not_utf8);             /* cut by the end */
    assert_check("a\xE2\x82", not_utf8);         /* the same, longer */
    assert_check("a\xC0\xAF", not_utf8);         /* overlong */
    assert_check("a\xE0\x80\xAF", not_utf8);     /* overlong */
    assert_check("a\xED\xA0\x80", not_utf8);     /* surrogate */
    assert_check("a\xF4\x90\x80\x80", not_utf8); /* over U+10FFFF */
    assert_check("a\xFF", not_utf8);
}

static void positions_count_characters(void **state)
{
    (void)state;
    assert_check("\xC3\xA4\xC3\xA4\x01", "f:1:3: error: the control character U+0001; remove it\n");
    assert_check("a\r\nb\rc\n\x7F", "f:4:1: error: the control character U+007F; remove it\n");
    assert_check("a\0", "f:1:2: error: a NUL byte: this is not a text file\n");
    assert_check("a\xEF\xBB\xBF", "f:1:2: error: the control character U+FEFF; remove it\n");
}

static void shown_values(void **state)
{
    (void)state;
    rf_autofree char *controls = rf_shown("a\x1b[2Jb\n\x7F\xC2\x9B"
                                          "c\xC2\xA7");
    assert_string_equal(controls, "a?[2Jb????c\xC2\xA7");
    char text[RF_SHOWN_MAX + 10];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    text[RF_SHOWN_MAX - 1] = '\xC3'; /* a character across the border goes as a whole */
    text[RF_SHOWN_MAX] = '\xA4';
    rf_autofree char *cut = rf_shown(text);
    assert_int_equal(strlen(cut), RF_SHOWN_MAX - 1 + strlen("…"));
    assert_string_equal(cut + RF_SHOWN_MAX - 1, "…");
    rf_autofree char *hook = rf_shown("url https://user:pw@hooks.example/T0/B0/XX"); /* a colon was forgotten */
    assert_string_equal(hook, "url https://…");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid),
        cmocka_unit_test(invalid_sequences),
        cmocka_unit_test(positions_count_characters),
        cmocka_unit_test(shown_values),
    };
    return cmocka_run_group_tests_name("profiles/text", tests, NULL, NULL);
}
