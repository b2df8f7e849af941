/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A place that does not exist is found before anything is written, not when the node is configured. */
#include "base/file.h"
#include "profiles/timezone.h"
#include "tests/unit/unit.h"

struct database {
    char *directory;
};

static void put(const struct database *self, const char *name)
{
    rf_autofree char *path = rf_format("%s/%s", self->directory, name), *above = rf_strdup(path);
    *strrchr(above, '/') = '\0';
    assert_int_equal(rf_make_dirs(above, 0755, NULL), 0);
    assert_int_equal(rf_write_file(path, "TZif", 4, 0644, NULL), 0);
}

static void start(struct database *self)
{
    self->directory = unit_directory();
    put(self, "UTC");
    put(self, "Europe/Berlin");
    put(self, "Europe/Bern");
    put(self, "America/Argentina/Buenos_Aires");
}

static void finish(struct database *self)
{
    rf_remove_tree(self->directory, NULL);
    free(self->directory);
}

#define DATABASE(self)                                                                                                 \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct database self;                                                                           \
    start(&self)

static void said(const struct database *self, const char *name, const char *wanted)
{
    rf_autofree char *mistake = rf_timezone_mistake(self->directory, name);
    if (!wanted)
        assert_null(mistake);
    else
        assert_string_equal(mistake, wanted);
}

static void places_that_exist(void **state)
{
    DATABASE(self);
    said(&self, "UTC", NULL);
    said(&self, "Europe/Berlin", NULL);
    said(&self, "America/Argentina/Buenos_Aires", NULL);
}

static void places_that_do_not(void **state)
{
    DATABASE(self);
    said(&self, "Europe/Berlni", "\"Europe/Berlni\" is not a time zone; did you mean \"Europe/Berlin\"?");
    said(&self, "America/Argentina/Buenos_Aries",
         "\"America/Argentina/Buenos_Aries\" is not a time zone; did you mean \"America/Argentina/Buenos_Aires\"?");
    said(&self, "America/Argentina",
         "\"America/Argentina\" is not in the tz database; write for example \"Europe/Berlin\" or \"UTC\"");
    said(&self, "Asia/Nowhere",
         "\"Asia/Nowhere\" is not in the tz database; write for example \"Europe/Berlin\" or \"UTC\"");
    said(&self, "Europa/Berlin", "\"Europa/Berlin\" is not a time zone; did you mean \"Europe/Berlin\"?");
    said(&self, "US/Eastern", "\"US/Eastern\" is not a time zone; write for example \"Europe/Berlin\" or \"UTC\"");
}

static void a_machine_without_the_database(void **state)
{
    (void)state;
    assert_null(rf_timezone_mistake("/nonexistent", "Europe/Berlni"));
    rf_autofree char *mistake = rf_timezone_mistake("/nonexistent", "Europa/Berlin");
    assert_non_null(mistake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_that_exist),
        cmocka_unit_test(places_that_do_not),
        cmocka_unit_test(a_machine_without_the_database),
    };
    return cmocka_run_group_tests_name("profiles/timezone", tests, NULL, NULL);
}
