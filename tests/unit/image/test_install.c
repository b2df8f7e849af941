/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"
#include "image/install.h"
#include "tests/unit/unit.h"

struct fake {
    rf_runner runner;
    char *text;        /* commands, one line each */
    const char *moved; /* how many downloads fail: the archive has moved on */
    unsigned downloads;
};

static bool has(const char *const *argv, const char *word)
{
    for (size_t i = 0; argv[i]; i++)
        if (strcmp(argv[i], word) == 0)
            return true;
    return false;
}

static int fake_run(rf_runner *runner, const struct rf_command *command, struct rf_result *result, rf_error **err)
{
    (void)err;
    struct fake *self = (struct fake *)runner;
    const char *verb = has(command->argv, "--download-only") ? "download"
                       : has(command->argv, "update")        ? "update"
                       : has(command->argv, "--no-download") ? "set up"
                                                             : command->argv[0];
    rf_append(&self->text, "%s;", verb);
    self->downloads += strcmp(verb, "download") == 0;
    const bool fails = strcmp(verb, "download") == 0 && self->downloads <= strlen(self->moved);
    *result = (struct rf_result){fails ? 100 : 0, rf_strdup(""), 0, rf_strdup(fails ? "404" : "")};
    return 0;
}

static const struct rf_runner_ops fake_ops = {"fake", fake_run, NULL};

struct fixture {
    char *top, *root, *work;
    struct fake fake;
    struct rf_step_env env;
    char *packages[3];
};

static void start(struct fixture *self)
{
    *self = (struct fixture){.top = unit_directory(),
                             .fake = {.runner = {&fake_ops}, .moved = ""},
                             .packages = {(char *)"samba", (char *)"chrony", NULL}};
    self->root = rf_format("%s/root", self->top);
    self->work = rf_format("%s/work", self->top);
    self->env.runner = &self->fake.runner;
    rf_autofree char *sbin = rf_format("%s/usr/sbin", self->root);
    rf_make_dirs(sbin, 0755, NULL);
    rf_make_dirs(self->work, 0755, NULL);
}

static void finish(struct fixture *self)
{
    rf_remove_tree(self->top, NULL);
    free(self->top);
    free(self->root);
    free(self->work);
    free(self->fake.text);
}

static int install(struct fixture *self, rf_error **err)
{
    const struct rf_install wanted = {
        .root = self->root, .lists = "/lists", .work = self->work, .packages = self->packages, .date = 1795054374};
    return rf_install_packages(&self->env, &wanted, err);
}

#define FIXTURE(self)                                                                                                  \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct fixture self;                                                                            \
    start(&self)

static void in_two_halves(void **state)
{
    FIXTURE(self);
    rf_autofree char *policy = rf_format("%s/usr/sbin/policy-rc.d", self.root);
    assert_int_equal(install(&self, NULL), 0);
    assert_string_equal(self.fake.text, "mount;download;set up;umount;");
    assert_false(rf_exists(policy));
}

static void an_archive_that_moved_on_is_asked_again(void **state)
{
    FIXTURE(self);
    rf_autofree char *config = rf_format("%s/apt.conf", self.work), *text = NULL;
    self.fake.moved = "1";
    assert_int_equal(install(&self, NULL), 0);
    assert_string_equal(self.fake.text, "mount;download;update;download;set up;umount;");
    assert_int_equal(rf_read_file(config, 10000, &text, NULL, NULL), 0);
    assert_null(strstr(text, "\"/lists\"")); /* those of today, and the base's own untouched */
}

static void an_archive_without_it_is_an_error(void **state)
{
    FIXTURE(self);
    rf_error *error = NULL;
    self.fake.moved = "12";
    assert_int_equal(install(&self, &error), -1);
    assert_error_has(error, "the archive lacks a package of samba, or can't be reached");
    assert_null(strstr(self.fake.text, "set up"));
}

/* What a base says for the updates of its own days would stand in front of env's words: env took it for its own and ended with 125. */
static void options_of_the_base_are_none_of_the_build(void **state)
{
    FIXTURE(self);
    rf_autofree char *parts = rf_format("%s/etc/apt/apt.conf.d", self.root), *part = rf_format("%s/90base", parts);
    rf_autofree char *dpkg = rf_format("%s/dpkg.conf", self.work), *said = NULL;
    rf_autofree char *config = rf_format("APT_CONFIG=%s/apt.conf", self.work);
    static const char base[] = "Dpkg::Options { \"--force-confold\"; };\n";
    assert_int_equal(rf_make_dirs(parts, 0755, NULL), 0);
    assert_int_equal(rf_write_file(part, base, strlen(base), 0644, NULL), 0);
    assert_int_equal(install(&self, NULL), 0);
    rf_autorunner rf_runner *real = rf_runner_real();
    const char *const argv[] = {"env", config, "apt-config", "--config-file", dpkg, "dump", "DPkg::Options", NULL};
    assert_int_equal(rf_run_output(real, argv, &said, NULL), 0);
    assert_null(strstr(said, "--force-confold"));
    assert_non_null(strstr(said, "DPkg::Options:: \"--unset=TMPDIR\";"));
}

static void no_packages_are_no_work(void **state)
{
    FIXTURE(self);
    self.packages[0] = NULL;
    assert_int_equal(install(&self, NULL), 0);
    assert_null(self.fake.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_two_halves),
        cmocka_unit_test(an_archive_that_moved_on_is_asked_again),
        cmocka_unit_test(an_archive_without_it_is_an_error),
        cmocka_unit_test(options_of_the_base_are_none_of_the_build),
        cmocka_unit_test(no_packages_are_no_work),
    };
    return cmocka_run_group_tests_name("image/install", tests, NULL, NULL);
}
