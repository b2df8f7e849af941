/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <errno.h>

static int inner(rf_error **err)
{
    return rf_fail_errno(err, RF_BAD_MACHINE, ENOSPC, "writing %s", "/x");
}

static void test_chain(void **state)
{
    (void)state;
    rf_error *error = NULL;
    assert_int_equal(inner(&error), -1);
    assert_int_equal(rf_wrap(&error, "step %d", 3), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_MACHINE);
    assert_error(error, "step 3: writing /x: No space left on device");
}

static void test_nobody_asks(void **state)
{
    (void)state;
    assert_int_equal(inner(NULL), -1);
    assert_int_equal(rf_wrap(NULL, "more"), -1);
    assert_null(rf_error_text(NULL));
    assert_int_equal(rf_error_code(NULL), RF_OK);
    rf_error_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_chain), cmocka_unit_test(test_nobody_asks)};
    return cmocka_run_group_tests_name("base/error", tests, NULL, NULL);
}
