/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where artefacts come from, and what never gets into the cache. No network: what comes by hand, and hosts that are not there. */
#include "base/digest.h"
#include "base/file.h"
#include "image/artefact_store.h"
#include "tests/unit/unit.h"

#define CONTENT "the artefact\n"
#define KEY "28806A878AE423A28372792ED75899B9A724937A"

/* sqv: what it prints, or NULL: it fails. */
struct fake {
    rf_runner runner;
    const char *printed;
};

static int fake_run(rf_runner *runner, const struct rf_command *command, struct rf_result *result, rf_error **err)
{
    (void)err;
    const struct fake *self = (const struct fake *)runner;
    const bool fails = strcmp(command->argv[1], "--version") != 0 && !self->printed;
    const char *out = self->printed && !fails ? self->printed : "";
    *result = (struct rf_result){fails, rf_strdup(out), strlen(out), rf_strdup(fails ? "bad signature" : "")};
    return 0;
}

static const struct rf_runner_ops fake_ops = {"fake", fake_run, NULL};
static const struct rf_step step = {.id = (char *)"artefact", .title = (char *)"artefact"};

struct fixture {
    char *top, *cache, *folder, *keys;
    struct fake fake;
    struct rf_step_env env;
    struct rf_artefact artefact;
    struct rf_artefact_store store;
    char sha256[RF_SHA256_HEX];
    char *none[1];
    int lock;
};

static void put(const struct fixture *self, const char *below, const char *text)
{
    rf_autofree char *path = rf_format("%s/%s", self->top, below);
    assert_int_equal(rf_write_file(path, text, strlen(text), 0644, NULL), 0);
}

static void start(struct fixture *self)
{
    *self = (struct fixture){.top = unit_directory(), .lock = -1};
    self->cache = rf_format("%s/cache", self->top);
    self->folder = rf_format("%s/hand", self->top);
    self->keys = rf_format("%s/keys", self->top);
    self->fake = (struct fake){.runner = {&fake_ops}};
    self->env = (struct rf_step_env){.runner = &self->fake.runner, .step = &step};
    rf_make_dirs(self->folder, 0755, NULL);
    rf_make_dirs(self->keys, 0755, NULL);
    rf_sha256(CONTENT, strlen(CONTENT), self->sha256);
    self->artefact = (struct rf_artefact){.name = (char *)"app",
                                          .version = (char *)"1.0",
                                          .file = (char *)"app-1.0.tar.gz",
                                          .url = (char *)"http://127.0.0.1:1/app.tar.gz", /* nobody listens there */
                                          .mirrors = self->none,
                                          .sha256 = self->sha256,
                                          .format = (char *)"tar.gz",
                                          .size = 1000};
    self->store = (struct rf_artefact_store){.cache = self->cache, .folder = self->folder, .keys = self->keys};
    assert_int_equal(rf_cache_open(self->cache, &self->lock, NULL), 0);
}

static void finish(struct fixture *self)
{
    rf_guard_fd(&self->lock);
    rf_artefact_store_clear(&self->store);
    rf_remove_tree(self->top, NULL);
    free(self->top);
    free(self->cache);
    free(self->folder);
    free(self->keys);
}

#define FIXTURE(self)                                                                                                  \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct fixture self;                                                                            \
    start(&self)

static int fetch(struct fixture *self, rf_error **err)
{
    return rf_artefact_fetch(&self->store, &self->artefact, &self->env, err);
}

static void by_hand_is_enough(void **state)
{
    FIXTURE(self);
    rf_autofree char *path = rf_artefact_path(&self.store, &self.artefact), *text = NULL, *note = NULL;
    assert_int_equal(rf_artefact_look(&self.store, &self.artefact), RF_ARTEFACT_ABSENT);
    put(&self, "hand/app-1.0.tar.gz", CONTENT);
    assert_int_equal(rf_artefact_look(&self.store, &self.artefact), RF_ARTEFACT_BY_HAND);
    assert_int_equal(fetch(&self, NULL), 0);
    assert_int_equal(rf_artefact_look(&self.store, &self.artefact), RF_ARTEFACT_READY);
    assert_int_equal(rf_read_file(path, 100, &text, NULL, NULL), 0);
    assert_string_equal(text, CONTENT);
    assert_int_equal(fetch(&self, NULL), 0); /* again: nothing to do */
    assert_int_equal(rf_artefact_verify(&self.store, &self.artefact, &self.fake.runner, &note, NULL), 0);
    assert_string_equal(note, "the checksum is right; its publisher signs nothing");
}

static void wrong_bytes_are_never_used(void **state)
{
    FIXTURE(self);
    rf_error *error = NULL;
    put(&self, "hand/app-1.0.tar.gz", "something else\n");
    assert_int_equal(fetch(&self, &error), -1);
    rf_autofree char *said = rf_error_text(error), *new = rf_format("%s/.new-artefact-app", self.cache);
    rf_error_free(error);
    assert_non_null(strstr(said, "the checksum of "));
    assert_non_null(strstr(said, "/hand/app-1.0.tar.gz is wrong (SHA-256 "));
    assert_non_null(strstr(said, "; http://127.0.0.1:1/app.tar.gz can't be fetched")); /* what else was tried */
    assert_int_not_equal(rf_artefact_look(&self.store, &self.artefact), RF_ARTEFACT_READY);
    assert_false(rf_exists(new));
}

static void a_dead_host_is_asked_once(void **state)
{
    FIXTURE(self);
    rf_error *error = NULL;
    assert_int_equal(fetch(&self, &error), -1);
    assert_error_has(error, "(2 attempts)");
    assert_int_equal(self.store.dead_count, 1);
    self.artefact.url = (char *)"http://127.0.0.1:1/other.tar.gz";
    assert_int_equal(fetch(&self, &error), -1);
    assert_error(error, "http://127.0.0.1:1 does not answer");
}

static void without_a_checksum_nothing_is_fetched(void **state)
{
    FIXTURE(self);
    rf_error *error = NULL;
    put(&self, "hand/app-1.0.tar.gz", CONTENT);
    self.artefact.sha256 = NULL;
    assert_int_equal(rf_artefact_look(&self.store, &self.artefact), RF_ARTEFACT_UNPINNED);
    assert_int_equal(fetch(&self, &error), -1);
    assert_error_has(error, "`richtfest artefact fetch --pin app`");
    char found[RF_SHA256_HEX];
    bool is_signed = true; /* a person's word */
    assert_int_equal(rf_artefact_fetch_unpinned(&self.store, &self.artefact, &self.env, found, &is_signed, NULL), 0);
    assert_string_equal(found, self.sha256);
    assert_false(is_signed);
    self.artefact.sha256 = self.sha256; /* as the manifest says from then on */
    assert_int_equal(rf_artefact_look(&self.store, &self.artefact), RF_ARTEFACT_READY);
}

static void signatures(void **state)
{
    static const struct {
        const char *printed; /* by sqv */
        bool key, signature;
        const char *note, *error;
    } cases[] = {
        {"28806a878ae423a28372792ed75899b9a724937a\n", true, true, "the checksum and the signature are right", NULL},
        {"0000000000000000000000000000000000000000\n", true, true, NULL, "is signed, but not by the key " KEY},
        {NULL, true, true, NULL, "the signature of app-1.0.tar.gz is not good: not used"},
        {"x", false, true, "the signature was not checked (the key is not in ", NULL},
        {"x", true, false, "the signature was not checked (the signature can't be had)", NULL},
    };
    for (size_t i = 0; i < RF_COUNT(cases); i++) {
        FIXTURE(self);
        rf_autoerror rf_error *error = NULL;
        rf_autofree char *note = NULL, *said = NULL;
        self.artefact.signature_key = (char *)KEY;
        self.artefact.signature_url = (char *)"http://127.0.0.1:1/app.tar.gz.asc";
        self.fake.printed = cases[i].printed;
        put(&self, "hand/app-1.0.tar.gz", CONTENT);
        if (cases[i].signature)
            put(&self, "hand/app-1.0.tar.gz.asc", "signature");
        if (cases[i].key)
            put(&self, "keys/" KEY ".asc", "key");
        assert_int_equal(fetch(&self, &error), cases[i].error ? -1 : 0);
        if (!cases[i].error)
            assert_int_equal(rf_artefact_verify(&self.store, &self.artefact, &self.fake.runner, &note, &error), 0);
        said = rf_error_text(error);
        if (!strstr(cases[i].error ? said : note, cases[i].error ? cases[i].error : cases[i].note))
            fail_msg("case %zu: %s %s", i, said ? said : "", note ? note : "");
    }
}

static void a_damaged_cache_is_found(void **state)
{
    FIXTURE(self);
    rf_error *error = NULL;
    rf_autofree char *path = rf_artefact_path(&self.store, &self.artefact), *note = NULL;
    put(&self, "hand/app-1.0.tar.gz", CONTENT);
    assert_int_equal(fetch(&self, NULL), 0);
    assert_int_equal(rf_write_file(path, "x", 1, 0644, NULL), 0);
    assert_int_equal(rf_artefact_verify(&self.store, &self.artefact, &self.fake.runner, &note, &error), -1);
    assert_error_has(error, "app-1.0.tar.gz is wrong");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand_is_enough),
        cmocka_unit_test(wrong_bytes_are_never_used),
        cmocka_unit_test(a_dead_host_is_asked_once),
        cmocka_unit_test(without_a_checksum_nothing_is_fetched),
        cmocka_unit_test(signatures),
        cmocka_unit_test(a_damaged_cache_is_found),
    };
    return cmocka_run_group_tests_name("image/artefact_store", tests, NULL, NULL);
}
