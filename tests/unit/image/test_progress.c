/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tools print, in the pieces in which it may come. */
#include "image/progress.h"
#include "tests/unit/progress.h"

static void each_tools_own_words(void **state)
{
    (void)state;
    assert_reads(rf_progress_mksquashfs, "\r[====/          ] 3200/5865  54%", "3200/5865 blocks\n");
    assert_reads(rf_progress_mksquashfs, "[=] 1/9  1%\r[==] 2/9  2%\r[===] 3/9  3%", "3/9 blocks\n"); /* the last one */
    assert_reads(rf_progress_xorriso, "xorriso : UPDATE :  99.87% done\n", "99/100 %\n");
}

static void anything_else_is_left_out(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "]",
                                        "] 5",
                                        "] 9/5 ",
                                        "] -1/5 ",
                                        "[==",
                                        ": done",
                                        ":  101% done",
                                        "Parallel mksquashfs: Using 2 processors\n",
                                        "] 99999999999999999999999999999999999999999999999999999999999999999999999/5"};
    for (size_t i = 0; i < RF_COUNT(texts); i++) {
        assert_reads(rf_progress_mksquashfs, texts[i], "");
        assert_reads(rf_progress_xorriso, texts[i], "");
    }
}

/* A chunk has no NUL at its end, and may end in the middle of a number. */
static void a_chunk_is_not_read_beyond(void **state)
{
    (void)state;
    struct rf_step step = {.id = (char *)"x", .title = (char *)"x"};
    struct rf_step_env env = {.step = &step};
    char *exact = rf_alloc(5); /* a reader that goes on is found by the sanitizer */
    memcpy(exact, "] 1/2", 5);
    rf_progress_mksquashfs(&env, exact, 5);
    rf_progress_xorriso(&env, exact, 0);
    free(exact);
}

static void apt_is_counted_in_chunks_of_any_size(void **state)
{
    (void)state;
    static const char text[] = "Reading package lists...\n"
                               "0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.\n"
                               "Get:1 http://archive/debian trixie/main amd64 a amd64 1 [1 B]\n"
                               "Get:2 http://archive/debian trixie/main amd64 b amd64 1 [1 B]\n"
                               "Unpacking a (1) ...\n"
                               "Unpacking b (1) ...\n"
                               "Setting up a (1) ...\n"
                               "Setting up b (1) ...\n";
    for (size_t chunk = 1; chunk < 50; chunk += 7) {
        LISTEN(keeper, env);
        struct rf_progress_apt progress = {.env = &env};
        for (size_t at = 0; at < sizeof(text) - 1; at += chunk)
            rf_progress_apt(&progress, text + at, at + chunk < sizeof(text) ? chunk : sizeof(text) - 1 - at);
        assert_int_equal(progress.packages, 2);
        assert_int_equal(progress.steps, 6);
        const char *end = "100/100 %\n";
        assert_non_null(keeper.said);
        assert_string_equal(keeper.said + strlen(keeper.said) - strlen(end), end);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_tools_own_words),
        cmocka_unit_test(anything_else_is_left_out),
        cmocka_unit_test(a_chunk_is_not_read_beyond),
        cmocka_unit_test(apt_is_counted_in_chunks_of_any_size),
    };
    return cmocka_run_group_tests_name("image/progress", tests, NULL, NULL);
}
