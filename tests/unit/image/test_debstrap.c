/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is said of an mmdebstrap that failed. The outputs are its own, of 1.3.5 with apt 2.6; paths are shortened. */
#include "image/debstrap.h"
#include "tests/unit/unit.h"

struct fake {
    rf_runner runner;
    int status;
    const char *out, *err;
    char *argv, *env;
};

static int fake_run(rf_runner *runner, const struct rf_command *command, struct rf_result *result, rf_error **err)
{
    (void)err;
    struct fake *self = (struct fake *)runner;
    for (size_t i = 0; command->argv[i]; i++)
        rf_append(&self->argv, "%s\n", command->argv[i]);
    for (size_t i = 0; command->env[i]; i++)
        rf_append(&self->env, "%s\n", command->env[i]);
    assert_string_equal(command->input, "deb http://mirror/debian trixie main\n");
    *result = (struct rf_result){self->status, rf_strdup(self->out ? self->out : ""), 0, rf_strdup(self->err)};
    return 0;
}

static int run(struct fake *self, const char *early, rf_error **err)
{
    static const struct rf_runner_ops ops = {"fake", fake_run, NULL};
    static char *const packages[] = {(char *)"one", (char *)"two", NULL};
    self->runner.ops = &ops;
    struct rf_step_env env = {.runner = &self->runner};
    const struct rf_debstrap wanted = {.root = "/c/root",
                                       .suite = "trixie",
                                       .sources = "deb http://mirror/debian trixie main\n",
                                       .keyring = "/k.gpg",
                                       .dpkg_options = "/d/node.dpkg",
                                       .packages = packages,
                                       .early = early,
                                       .date = 1795054374};
    return rf_debstrap(&env, &wanted, err);
}

static void finish(struct fake *self)
{
    free(self->argv);
    free(self->env);
}

static void assert_said(const char *err, enum rf_code code, const char *text)
{
    RF_CLEANUP(finish) struct fake fake = {.status = 25, .err = err};
    rf_error *error = NULL;
    assert_int_equal(run(&fake, NULL, &error), -1);
    assert_int_equal(rf_error_code(error), code);
    assert_error(error, text);
}

static void a_missing_key_says_what_to_install(void **state)
{
    (void)state;
    assert_said(
        "I: running apt-get update...\n"
        "Get:1 http://mirror/debian trixie InRelease [140 kB]\n"
        "Err:1 http://mirror/debian trixie InRelease\n"
        "  The following signatures couldn't be verified because the public key is not available: NO_PUBKEY 6ED0\n"
        "Reading package lists...\n"
        "W: GPG error: http://mirror/debian trixie InRelease: The following signatures couldn't be verified "
        "because the public key is not available: NO_PUBKEY 6ED0\n"
        "E: The repository 'http://mirror/debian trixie InRelease' is not signed.\n"
        "E: apt-get update --error-on=any failed\n"
        "I: main() received signal PIPE: waiting for setup...\n"
        "E: mmdebstrap failed to run\n",
        RF_BAD_MACHINE,
        "/k.gpg lacks the key that signs suite trixie: apt-get update && apt-get install "
        "debian-archive-keyring (the newest there is for this machine), or name another keyring by --keyring: "
        "mmdebstrap ended with status 25:\n"
        "  W: GPG error: http://mirror/debian trixie InRelease: The following signatures couldn't be verified "
        "because the public key is not available: NO_PUBKEY 6ED0\n"
        "  E: The repository 'http://mirror/debian trixie InRelease' is not signed.\n"
        "  E: apt-get update --error-on=any failed\n"
        "  E: mmdebstrap failed to run");
}

/* apt 3 verifies by sqv, which has words of its own. */
static void a_missing_key_in_the_words_of_apt_3(void **state)
{
    (void)state;
    RF_CLEANUP(finish)
    struct fake fake = {
        .status = 25,
        .err = "W: OpenPGP signature verification failed: http://mirror/debian trixie InRelease: Sub-process "
               "/usr/bin/sqv returned an error code (1), error message is: Missing key "
               "B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8, which is needed to verify signature.\n"
               "E: The repository 'http://mirror/debian trixie InRelease' is not signed.\n"};
    rf_error *error = NULL;
    assert_int_equal(run(&fake, NULL, &error), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_MACHINE);
    assert_error_has(error, "apt-get install debian-archive-keyring");
}

static void packages_that_are_not_there_are_named(void **state)
{
    (void)state;
    assert_said("I: installing remaining packages inside the chroot...\n"
                "Reading package lists...\nBuilding dependency tree...\n"
                "Package two is not available, but is referred to by another package.\n"
                "E: Unable to locate package one\n"
                "E: Package 'two' has no installation candidate\n"
                "E: setup failed: E: apt-get failed\n"
                "I: main() received signal PIPE: waiting for setup...\n"
                "E: mmdebstrap failed to run\n",
                RF_FAILED,
                "mmdebstrap ended with status 25:\n"
                "  E: Unable to locate package one\n"
                "  E: Package 'two' has no installation candidate\n"
                "  E: setup failed: E: apt-get failed\n"
                "  E: mmdebstrap failed to run");
}

static void what_belongs_to_an_error_is_shown(void **state)
{
    (void)state;
    assert_said("Setting up grub (2.12) ...\n"
                "Setting up one (1.0) ...\n"
                "mkdir: cannot create directory '/x': No space left on device\n"
                "dpkg: error processing package one (--configure):\n"
                " installed one package post-installation script subprocess returned error exit status 1\n"
                "Processing triggers for libc-bin (2.41) ...\n"
                "The following packages have unmet dependencies:\n"
                " one : Depends: three but it is not installable\n"
                "       Depends: four but it is not installable\n"
                "Something else\n"
                "E: Sub-process env returned an error code (1)\n"
                "a\nb\nc\n",
                RF_FAILED,
                "mmdebstrap ended with status 25:\n"
                "  Setting up one (1.0) ...\n"
                "  mkdir: cannot create directory '/x': No space left on device\n"
                "  dpkg: error processing package one (--configure):\n"
                "   installed one package post-installation script subprocess returned error exit status 1\n"
                "  The following packages have unmet dependencies:\n"
                "   one : Depends: three but it is not installable\n"
                "         Depends: four but it is not installable\n"
                "  E: Sub-process env returned an error code (1)\n"
                "  a\n  b\n  c");
}

static void the_text_is_bounded(void **state)
{
    (void)state;
    rf_autofree char *many = NULL;
    for (unsigned i = 1; i <= 100; i++)
        rf_append(&many, "E: number %u\nE: number %u\n", i, i); /* each said twice */
    assert_said(many, RF_FAILED,
                "mmdebstrap ended with status 25:\n"
                "  E: number 1\n  E: number 2\n  E: number 3\n  E: number 4\n  E: number 5\n  E: number 6\n"
                "  E: number 7\n  E: number 8\n"
                "  (89 more lines)\n"
                "  E: number 98\n  E: number 99\n  E: number 100");
    /* a long line is cut between two characters, and escapes do not reach the console */
    rf_autofree char *longer = rf_alloc(400), *line = NULL, *said = NULL;
    memset(longer, 'x', 297);
    rf_append(&line, "E: \033%.295söö", longer);
    rf_append(&said, "mmdebstrap ended with status 25:\n  E:  %.295s…", longer);
    assert_said(line, RF_FAILED, said);
}

static void silence_is_said_too(void **state)
{
    (void)state;
    assert_said("\n", RF_FAILED, "mmdebstrap ended with status 25 and said nothing");
    RF_CLEANUP(finish) struct fake fake = {.status = 1, .err = "", .out = "E: on the other stream\n"};
    rf_error *error = NULL;
    assert_int_equal(run(&fake, NULL, &error), -1);
    assert_error(error, "mmdebstrap ended with status 1:\n  E: on the other stream");
    assert_int_equal(run(&fake, NULL, NULL), -1);
}

static void it_is_run_as_wanted(void **state)
{
    (void)state;
    RF_CLEANUP(finish) struct fake plain = {.err = ""}, early = {.err = ""};
    assert_int_equal(run(&plain, NULL, NULL), 0);
    assert_int_equal(run(&early, "/d/early", NULL), 0);
    assert_non_null(strstr(plain.argv, "--dpkgopt=/d/node.dpkg\n--include=one,two\ntrixie\n/c/root\n-\n"));
    assert_string_equal(plain.env, "SOURCE_DATE_EPOCH=1795054374\nINITRD=No\n");
    assert_non_null(strstr(early.argv, "--include=one,two\n--essential-hook=sync-in /d/early /\ntrixie\n"));
    assert_string_equal(early.env, "SOURCE_DATE_EPOCH=1795054374\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_key_says_what_to_install),
        cmocka_unit_test(a_missing_key_in_the_words_of_apt_3),
        cmocka_unit_test(packages_that_are_not_there_are_named),
        cmocka_unit_test(what_belongs_to_an_error_is_shown),
        cmocka_unit_test(the_text_is_bounded),
        cmocka_unit_test(silence_is_said_too),
        cmocka_unit_test(it_is_run_as_wanted),
    };
    return cmocka_run_group_tests_name("image/debstrap", tests, NULL, NULL);
}
