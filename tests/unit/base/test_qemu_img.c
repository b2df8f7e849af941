/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What qemu-img prints, in the pieces in which it may come. */
#include "base/qemu_img.h"
#include "tests/unit/progress.h"

static void its_own_words(void **state)
{
    (void)state;
    assert_reads(rf_qemu_img_progress, "    (0.00/100%)\r    (12.34/100%)\r", "12/100 %\n");
}

static void anything_else_is_left_out(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "] 5", "(", "(101/100%)", "(-1/100%)", "(nan/100%)", ": done"};
    for (size_t i = 0; i < RF_COUNT(texts); i++)
        assert_reads(rf_qemu_img_progress, texts[i], "");
}

/* A chunk has no NUL at its end. */
static void a_chunk_is_not_read_beyond(void **state)
{
    (void)state;
    struct rf_step step = {.id = (char *)"x", .title = (char *)"x"};
    struct rf_step_env env = {.step = &step};
    char *exact = rf_alloc(4); /* a reader that goes on is found by the sanitizer */
    memcpy(exact, "(1/1", 4);
    rf_qemu_img_progress(&env, exact, 4);
    rf_qemu_img_progress(&env, exact, 0);
    free(exact);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_own_words),
        cmocka_unit_test(anything_else_is_left_out),
        cmocka_unit_test(a_chunk_is_not_read_beyond),
    };
    return cmocka_run_group_tests_name("base/qemu_img", tests, NULL, NULL);
}
