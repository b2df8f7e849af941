/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"
#include "postinstall/kvm.h"
#include "tests/unit/unit.h"

static void put(const char *path, const char *text)
{
    rf_autofree char *full = rf_format("%s%s", unit_scratch(), path), *above = rf_strdup(full);
    *strrchr(above, '/') = '\0';
    assert_int_equal(rf_make_dirs(above, 0755, NULL), 0);
    assert_int_equal(rf_write_file(full, text, strlen(text), 0644, NULL), 0);
}

static void assert_unusable(const char *part)
{
    rf_autofree char *reason = NULL;
    assert_false(rf_kvm_usable(unit_scratch(), &reason));
    if (!strstr(reason, part) || !strstr(reason, "guests are emulated and slow"))
        fail_msg("\"%s\" does not say \"%s\"", reason, part);
}

static void the_reason_is_said(void **state)
{
    (void)state;
    assert_unusable("neither svm nor vmx"); /* no /proc at all */
    put("/proc/cpuinfo", "model name : vmxlike\nflags : fpu svmx xvmx nx\n");
    assert_unusable("neither svm nor vmx");
    static const char *const able[] = {"flags : fpu vmx nx\n", "flags : fpu svm nx\n", "flags : fpu vmx\n",
                                       "flags : fpu svm\n"};
    for (size_t i = 0; i < RF_COUNT(able); i++) {
        put("/proc/cpuinfo", able[i]);
        assert_unusable("/dev/kvm can't be opened (No such file or directory)");
    }
    put("/dev/kvm", "a file"); /* something else under that name */
    assert_unusable("/dev/kvm does not answer as KVM does");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_reason_is_said)};
    return cmocka_run_group_tests_name("postinstall/kvm", tests, unit_scratch_open, unit_scratch_close);
}
