/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/options.h"
#include "tests/unit/unit.h"

struct asked {
    const char *output, *profile, *profile_url;
    bool json, refresh;
};

static const struct rf_option known[] = {RF_OPTION_TEXT(struct asked, output, "output", "FILE", "where to"),
                                         RF_OPTION_TEXT(struct asked, profile, "profile", "FILE", "embedded"),
                                         RF_OPTION_TEXT(struct asked, profile_url, "profile-url", "URL", "fetched"),
                                         RF_OPTION_FLAG(struct asked, json, "json", "for programs"),
                                         RF_OPTION_FLAG(struct asked, refresh, "refresh", "anew"),
                                         {0}};

/* The words of a command line, which getopt_long may reorder. */
#define ARGV(...) ((char *[]){(char *)"command", __VA_ARGS__, NULL})

static int parse(char **argv, struct asked *asked, char ***ret_words, rf_error **err)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    return rf_options_parse(known, argc, argv, asked, ret_words, err);
}

static void options_stand_anywhere(void **state)
{
    (void)state;
    struct asked asked = {.output = "default", .refresh = true};
    char **words = NULL;
    assert_int_equal(
        parse(ARGV("one", "--json", "two", "--profile=p.yaml", "-", "--", "--three"), &asked, &words, NULL), 4);
    assert_string_equal(words[0], "one");
    assert_string_equal(words[1], "two");
    assert_string_equal(words[2], "-");
    assert_string_equal(words[3], "--three");
    assert_string_equal(asked.output, "default");
    assert_string_equal(asked.profile, "p.yaml");
    assert_null(asked.profile_url);
    assert_true(asked.json);
    assert_true(asked.refresh);
}

static void the_last_one_counts_and_may_be_shortened(void **state)
{
    (void)state;
    struct asked asked = {0};
    char **words = NULL;
    assert_int_equal(parse(ARGV("--output", "a", "--out", "b", "--profile-u", "u"), &asked, &words, NULL), 0);
    assert_string_equal(asked.output, "b");
    assert_string_equal(asked.profile_url, "u");
    assert_null(asked.profile);
    /* and again in the same process: nothing is left of the last call */
    assert_int_equal(parse(ARGV("x", "--json"), &asked, &words, NULL), 1);
    assert_true(asked.json);
}

static void each_slip_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *words[3], *said;
    } rows[] = {
        {{"x", "--profil-url=http://u:pw@h/", "y"}, "unknown option `--profil-url`; did you mean `--profile-url`?"},
        {{"--jsno", "x"}, "unknown option `--jsno`; did you mean `--json`?"},
        {{"x", "--frobnicate"}, "unknown option `--frobnicate`"},
        {{"--pro", "x"}, "`--pro` may be more than one option; write it out"},
        {{"x", "-o", "y"}, "unknown option `-o`; options are whole words behind two dashes"},
        {{"x", "-oj"}, "unknown option `-o`; options are whole words behind two dashes"},
        {{"x", "--output"}, "`--output` needs its value: --output FILE"},
        {{"x", "--output="}, "`--output` needs its value: --output FILE"},
        {{"--output", "", "x"}, "`--output` needs its value: --output FILE"},
        {{"--json=yes", "x"}, "`--json` takes no value"},
    };
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        struct asked asked = {0};
        char **words = NULL;
        rf_error *error = NULL;
        char *const *w = (char *const *)rows[i].words;
        assert_int_equal(parse(ARGV(w[0], w[1], w[2]), &asked, &words, &error), -1);
        assert_int_equal(rf_error_code(error), RF_USAGE);
        assert_error(error, rows[i].said);
    }
}

static void a_command_without_options(void **state)
{
    (void)state;
    char **words = NULL;
    rf_error *error = NULL;
    assert_int_equal(rf_options_parse(NULL, 2, ARGV("x"), NULL, &words, NULL), 1);
    assert_string_equal(words[0], "x");
    assert_int_equal(rf_options_parse(NULL, 2, ARGV("--json"), NULL, &words, &error), -1);
    assert_error(error, "unknown option `--json`");
    rf_autofree char *text = rf_options_text(NULL);
    assert_string_equal(text, "");
}

static void help_is_aligned(void **state)
{
    (void)state;
    rf_autofree char *text = rf_options_text(known);
    assert_string_equal(text, "  --output FILE       where to\n"
                              "  --profile FILE      embedded\n"
                              "  --profile-url URL   fetched\n"
                              "  --json              for programs\n"
                              "  --refresh           anew\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_anywhere), cmocka_unit_test(the_last_one_counts_and_may_be_shortened),
        cmocka_unit_test(each_slip_is_said),      cmocka_unit_test(a_command_without_options),
        cmocka_unit_test(help_is_aligned),
    };
    return cmocka_run_group_tests_name("installer/options", tests, NULL, NULL);
}
