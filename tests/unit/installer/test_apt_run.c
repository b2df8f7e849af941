/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/apt_run.h"
#include "tests/unit/unit.h"

#define BOOT "5d8c9f4e-0000-4000-8000-000000000001"

static void put(const char *below, const char *text)
{
    rf_autofree char *path = rf_format("%s/%s", unit_scratch(), below), *above = rf_strdup(path);
    *strrchr(above, '/') = '\0';
    assert_int_equal(rf_make_dirs(above, 0755, NULL), 0);
    assert_int_equal(rf_write_file(path, text, strlen(text), 0644, NULL), 0);
}

static void process(unsigned pid, const char *name, unsigned parent, unsigned started)
{
    rf_autofree char *below = rf_format("%u/stat", pid);
    rf_autofree char *text = rf_format("%u (%s) S %u 1 1 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 %u 1000 50 0\n", pid,
                                       name, parent, started);
    put(below, text);
}

static void assert_run(unsigned pid, const char *wanted)
{
    rf_autofree char *run = rf_apt_run(unit_scratch(), pid);
    assert_string_equal(run, wanted);
}

/* apt calls each hook from a fork of its own. */
static void every_hook_of_a_run_names_the_same_one(void **state)
{
    (void)state;
    put("sys/kernel/random/boot_id", BOOT "\n");
    process(700, "bash", 1, 100);
    process(800, "apt-get", 700, 200);
    process(801, "apt-get", 800, 201);
    process(802, "apt-get", 800, 202);
    assert_run(801, "800:200:" BOOT);
    assert_run(802, "800:200:" BOOT);
    assert_run(800, "800:200:" BOOT);
    process(900, "odd) S 1 (name", 700, 300);
    assert_run(900, "900:300:" BOOT);
}

static void a_process_that_is_gone_is_no_run(void **state)
{
    (void)state;
    put("sys/kernel/random/boot_id", BOOT "\n");
    assert_run(4242, "");
    assert_run(0, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_hook_of_a_run_names_the_same_one),
        cmocka_unit_test(a_process_that_is_gone_is_no_run),
    };
    return cmocka_run_group_tests_name("installer/apt_run", tests, unit_scratch_open, unit_scratch_close);
}
