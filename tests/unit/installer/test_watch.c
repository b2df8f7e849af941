/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"
#include "installer/watch.h"
#include "tests/unit/unit.h"

#include <unistd.h>

/* Asked twice; the second question takes until the former answer was drawn three times beside it. */
struct picture {
    unsigned asked, meanwhile, answers;
    bool fails;
    unsigned first_without; /* drawn before there was any answer */
};

static json_t *ask(void *data, rf_error **err)
{
    struct picture *picture = data;
    picture->asked++;
    if (picture->fails) {
        rf_fail(err, RF_BAD_PROFILE, "it does not fit");
        return NULL;
    }
    for (int i = 0; i < 500 && __atomic_load_n(&picture->meanwhile, __ATOMIC_RELAXED) < 3 * (picture->asked - 1); i++)
        usleep(10 * 1000);
    return json_pack("{s:i}", "number", (int)picture->asked);
}

static bool draw(void *data, const json_t *answer, double asking)
{
    struct picture *picture = data;
    if (asking < 0) {
        assert_int_equal(rf_json_integer(answer, "number", 0), ++picture->answers);
        return picture->answers < 2;
    }
    picture->first_without += answer == NULL;
    if (answer) {
        assert_int_equal(rf_json_integer(answer, "number", 0), 1);
        __atomic_add_fetch(&picture->meanwhile, 1, __ATOMIC_RELAXED);
    }
    return true;
}

static void the_last_answer_is_shown_while_it_asks(void **state)
{
    (void)state;
    struct picture picture = {0};
    const struct rf_watch watch = {ask, draw, &picture, 5, 1};
    assert_int_equal(rf_watch(&watch, NULL), 0);
    assert_int_equal(picture.asked, 2);
    assert_true(picture.meanwhile >= 3);
}

static void a_question_that_fails_ends_it(void **state)
{
    (void)state;
    struct picture picture = {.fails = true};
    const struct rf_watch watch = {ask, draw, &picture, 5, 1};
    rf_error *error = NULL;
    assert_int_equal(rf_watch(&watch, &error), -1);
    assert_error(error, "it does not fit");
    assert_int_equal(picture.answers, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_answer_is_shown_while_it_asks),
        cmocka_unit_test(a_question_that_fails_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
