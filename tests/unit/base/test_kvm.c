/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/kvm.h"
#include "tests/unit/unit.h"

static void put(const char *path, const char *text)
{
    rf_autofree char *full = rf_format("%s%s", unit_scratch(), path), *above = rf_strdup(full);
    *strrchr(above, '/') = '\0';
    assert_int_equal(rf_make_dirs(above, 0755, NULL), 0);
    assert_int_equal(rf_write_file(full, text, strlen(text), 0644, NULL), 0);
}

static void assert_problem(const char *part)
{
    rf_autofree char *problem = rf_kvm_problem(unit_scratch());
    assert_non_null(problem);
    if (!strstr(problem, part))
        fail_msg("\"%s\" does not say \"%s\"", problem, part);
}

/* In the order in which a person would mend it. */
static void what_is_missing_is_said(void **state)
{
    (void)state;
    assert_problem("neither svm nor vmx"); /* no /proc at all */
    put("/proc/cpuinfo", "model name : vmxlike\nflags : fpu svmx xvmx nx\nvmx flags : vnmi\n");
    assert_problem("neither svm nor vmx");
    put("/proc/cpuinfo", "flags : fpu svm nx\n");
    assert_problem("the kernel module kvm_amd is not loaded: load it by `modprobe kvm_amd`");
    put("/sys/module/kvm_amd/version", "");
    assert_problem("/dev/kvm is missing");
    put("/dev/kvm", "");
    assert_null(rf_kvm_problem(unit_scratch()));
}

static void the_module_is_the_processors(void **state)
{
    static const struct {
        const char *cpuinfo, *module;
    } rows[] = {{"flags : fpu vmx nx\n", "kvm_intel"},
                {"flags : fpu svm nx\n", "kvm_amd"},
                {"flags : fpu vmx\n", "kvm_intel"},
                {"processor : 0\nflags : fpu svm\n", "kvm_amd"},
                {"flags : fpu\n", NULL},
                {"", NULL}};
    (void)state;
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        put("/proc/cpuinfo", rows[i].cpuinfo);
        const char *module = rf_kvm_module(unit_scratch());
        assert_string_equal(module ? module : "none", rows[i].module ? rows[i].module : "none");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_is_said),
        cmocka_unit_test(the_module_is_the_processors),
    };
    return cmocka_run_group_tests(tests, unit_scratch_open, unit_scratch_close);
}
