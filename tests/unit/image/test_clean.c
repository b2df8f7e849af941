/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/clean.h"
#include "tests/unit/image/root.h"

#define PATTERNS(...) ((char *[]){__VA_ARGS__, NULL})

static void what_must_not_be_the_same_goes(void **state)
{
    ROOTS(self);
    roots_put(self.root, "etc/ssh/ssh_host_rsa_key", "x", 0600);
    roots_put(self.root, "etc/ssh/sshd_config", "x", 0644);
    roots_put(self.root, "tmp/deep/er", "x", 0644);
    roots_put(self.root, "tmp/.hidden", "x", 0644);
    roots_put(self.root, "root/.bash_history", "x", 0600);
    roots_put(self.root, "var/log/apt/history.log", "x", 0644);
    roots_put(self.root, "etc/machine-id", "0123456789abcdef0123456789abcdef\n", 0444);
    assert_int_equal(rf_root_clean(self.root,
                                   PATTERNS((char *)"etc/ssh/ssh_host_*", (char *)"/tmp/*",
                                            (char *)"root/.[a-z]*history", (char *)"no/such/*"),
                                   1795054374, NULL),
                     0);
    static const char *const gone[] = {"etc/ssh/ssh_host_rsa_key", "tmp/deep", "tmp/.hidden", "root/.bash_history",
                                       "var/log/apt/history.log"};
    for (size_t i = 0; i < RF_COUNT(gone); i++)
        if (roots_has(self.root, gone[i]))
            fail_msg("%s is still there", gone[i]);
    assert_true(roots_has(self.root, "etc/ssh/sshd_config"));
    assert_true(roots_has(self.root, "tmp"));
    assert_true(roots_has(self.root, "var/log/apt")); /* directories of logs stay: their owners want them */
    rf_autofree char *id = roots_read(self.root, "etc/machine-id"), *path = roots_path(self.root, "etc/machine-id");
    assert_string_equal(id, "");
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0444);
    assert_int_equal(status.st_mtime, 1795054374);
}

/* var/lock -> /run/lock stands in every Debian: the building machine's own files must not be touched through it. */
static void nothing_outside_of_the_root_is_touched(void **state)
{
    ROOTS(self);
    roots_link(self.root, "var/lock", self.host);
    roots_link(self.root, "var/log", self.host);
    roots_link(self.root, "tmp/to-host", self.host);
    rf_error *error = NULL;
    assert_int_equal(rf_root_clean(self.root, PATTERNS((char *)"var/lock/*"), 1, &error), -1);
    assert_error_has(error, "var/lock/keep can't be removed: a link on the way leads out of the root");
    assert_int_equal(rf_root_clean(self.root, PATTERNS((char *)"tmp/*"), 1, NULL), 0); /* the link itself goes */
    assert_false(roots_has(self.root, "tmp/to-host"));
    assert_true(roots_has(self.host, "keep"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_must_not_be_the_same_goes),
        cmocka_unit_test(nothing_outside_of_the_root_is_touched),
    };
    return cmocka_run_group_tests_name("image/clean", tests, NULL, NULL);
}
