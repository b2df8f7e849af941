/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the background reading found is believed only as long as the medium is there. */
#include "base/file.h"
#include "image/medium.h"
#include "installer/medium_check.h"
#include "tests/unit/unit.h"

#include <unistd.h>

#define ZEROS "00000000000000000000000000000000"

struct fixture {
    char *directory, *payload;
    rf_runner *runner;
    rf_events *events;
    struct rf_step step;
    struct rf_step_env env;
};

static void start(struct fixture *self)
{
    *self = (struct fixture){.directory = unit_directory(), .step = {.id = "medium", .title = "Check"}};
    self->payload = rf_format("%s/root", self->directory);
    self->runner = rf_runner_dry();
    self->events = rf_events_new("unit");
    self->env = (struct rf_step_env){.runner = self->runner, .events = self->events, .step = &self->step};
    rf_autofree char *folder = rf_format("%s/richtfest", self->directory),
                     *path = rf_format("%s" RF_MEDIUM_MANIFEST_FILE, self->directory);
    char hash[33];
    assert_int_equal(rf_make_dirs(folder, 0755, NULL), 0);
    assert_int_equal(rf_write_file(self->payload, "root", 4, 0644, NULL), 0);
    assert_int_equal(rf_xxh3_file(self->payload, hash, NULL, NULL, NULL), 0);
    rf_autofree char *text =
        rf_format("{\"richtfest\":1,\"version\":\"1\",\"kernel\":\"k\",\"payloads\":[{\"path\":\"/root\","
                  "\"size\":4,\"sha256\":\"" ZEROS ZEROS "\",\"xxh3\":\"%s\"}]}",
                  hash);
    assert_int_equal(rf_write_file(path, text, strlen(text), 0644, NULL), 0);
}

static void finish(struct fixture *self)
{
    rf_events_free(self->events);
    rf_runner_free(self->runner);
    rf_remove_tree(self->directory, NULL);
    free(self->directory);
    free(self->payload);
}

#define FIXTURE(self)                                                                                                  \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct fixture self;                                                                            \
    start(&self)

static void a_good_medium_is_good_twice(void **state)
{
    FIXTURE(self);
    rf_automediumcheck struct rf_medium_check *check = rf_medium_check_start(self.directory);
    assert_int_equal(rf_medium_check_wait(check, NULL, &self.env, NULL), 0);
    assert_int_equal(rf_medium_check_wait(check, NULL, &self.env, NULL), 0);
}

static void a_damaged_one_is_not(void **state)
{
    FIXTURE(self);
    rf_error *error = NULL;
    assert_int_equal(rf_write_file(self.payload, "ROOT", 4, 0644, NULL), 0);
    rf_automediumcheck struct rf_medium_check *check = rf_medium_check_start(self.directory);
    assert_int_equal(rf_medium_check_wait(check, NULL, &self.env, &error), -1);
    assert_error_has(error, "the checksum of /root on the medium is wrong");
}

static void a_medium_that_was_pulled_after_it_was_read(void **state)
{
    FIXTURE(self);
    rf_error *error = NULL;
    rf_automediumcheck struct rf_medium_check *check = rf_medium_check_start(self.directory);
    usleep(300000); /* four bytes are read by now; where they are not, it is refused for another reason */
    unlink(self.payload);
    assert_int_equal(rf_medium_check_wait(check, NULL, &self.env, &error), -1);
    assert_int_equal(rf_error_code(error), RF_FAILED);
    assert_error_has(error, "nothing was written");
}

static void an_image_that_a_guest_needs_and_that_is_not_there(void **state)
{
    FIXTURE(self);
    static char *const images[] = {(char *)"crm.qcow2", NULL};
    rf_error *error = NULL;
    rf_automediumcheck struct rf_medium_check *check = rf_medium_check_start(self.directory);
    assert_int_equal(rf_medium_check_wait(check, images, &self.env, &error), -1);
    assert_error_has(error, "needs the image crm.qcow2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_medium_is_good_twice),
        cmocka_unit_test(a_damaged_one_is_not),
        cmocka_unit_test(a_medium_that_was_pulled_after_it_was_read),
        cmocka_unit_test(an_image_that_a_guest_needs_and_that_is_not_there),
    };
    return cmocka_run_group_tests_name("installer/medium_check", tests, NULL, NULL);
}
