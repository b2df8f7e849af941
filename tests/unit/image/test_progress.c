/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tools print, in the pieces in which it may come. */
#include "image/progress.h"
#include "tests/unit/unit.h"

struct keeper {
    rf_sink sink;
    char *said; /* "DONE/TOTAL UNIT\n" each */
};

static void keep(rf_sink *sink, const struct rf_event *event, const char *line)
{
    (void)line;
    rf_append(&((struct keeper *)sink)->said, "%ju/%ju %s\n", (uintmax_t)event->done, (uintmax_t)event->total,
              event->unit);
}

static void release(rf_sink *sink)
{
    free(((struct keeper *)sink)->said);
}

static void assert_reads(void (*reader)(void *, const char *, size_t), const char *text, const char *said)
{
    static const struct rf_sink_ops ops = {"keeper", keep, release};
    struct keeper keeper = {.sink = {&ops}, .said = rf_strdup("")};
    rf_autoevents rf_events *events = rf_events_new("x");
    rf_events_add(events, &keeper.sink);
    struct rf_step step = {.id = (char *)"x", .title = (char *)"x"};
    struct rf_step_env env = {.events = events, .step = &step, .progressed = -1};
    reader(&env, text, strlen(text));
    assert_string_equal(keeper.said, said);
}

static void each_tools_own_words(void **state)
{
    (void)state;
    assert_reads(rf_progress_mksquashfs, "\r[====/          ] 3200/5865  54%", "3200/5865 blocks\n");
    assert_reads(rf_progress_mksquashfs, "[=] 1/9  1%\r[==] 2/9  2%\r[===] 3/9  3%", "3/9 blocks\n"); /* the last one */
    assert_reads(rf_progress_qemu_img, "    (0.00/100%)\r    (12.34/100%)\r", "12/100 %\n");
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
                                        "(",
                                        "(101/100%)",
                                        "(-1/100%)",
                                        "(nan/100%)",
                                        ": done",
                                        ":  101% done",
                                        "Parallel mksquashfs: Using 2 processors\n",
                                        "] 99999999999999999999999999999999999999999999999999999999999999999999999/5"};
    for (size_t i = 0; i < RF_COUNT(texts); i++) {
        assert_reads(rf_progress_mksquashfs, texts[i], "");
        assert_reads(rf_progress_qemu_img, texts[i], "");
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
    rf_progress_qemu_img(&env, exact, 0);
    free(exact);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_tools_own_words),
        cmocka_unit_test(anything_else_is_left_out),
        cmocka_unit_test(a_chunk_is_not_read_beyond),
    };
    return cmocka_run_group_tests_name("image/progress", tests, NULL, NULL);
}
