/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"
#include "image/recipe.h"
#include "tests/unit/unit.h"

struct fixture {
    char *top;
    struct rf_image_recipe *recipes;
    size_t count;
    rf_problems problems;
};

static void finish(struct fixture *self)
{
    rf_image_recipes_free(self->recipes, self->count);
    rf_problems_clear(&self->problems);
    rf_remove_tree(self->top, NULL);
    free(self->top);
}

static void add(const struct fixture *self, const char *name, const char *text)
{
    rf_autofree char *folder = rf_format("%s/%s", self->top, name), *path = rf_format("%s/recipe.yaml", folder);
    assert_int_equal(rf_make_dirs(folder, 0755, NULL), 0);
    assert_int_equal(rf_write_file(path, text, strlen(text), 0644, NULL), 0);
}

static void read_all(struct fixture *self)
{
    assert_int_equal(rf_image_recipes(self->top, &self->recipes, &self->count, &self->problems, NULL), 0);
}

#define FIXTURE(self)                                                                                                  \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct fixture self = {.top = unit_directory()}

static void says(const struct fixture *self, const char *part)
{
    rf_autofree char *text = rf_problems_text(&self->problems);
    if (!text || !strstr(text, part))
        fail_msg("\"%s\" does not say \"%s\"", text ? text : "(nothing)", part);
}

static void everything_is_read(void **state)
{
    FIXTURE(self);
    add(&self, "crm",
        "image:\n"
        "  file: crm.qcow2\n"
        "  packages: [postgresql, python3-x]\n"
        "  build: [/usr/lib/richtfest/crm-build, --fast, 'a b']\n"
        "  remove: [/usr/lib/*/libLLVM*, /etc/x?]\n"
        "artefacts: [dolibarr]\nmore_artefacts: [theme]\n");
    read_all(&self);
    assert_int_equal(self.problems.count, 0);
    assert_int_equal(self.count, 1);
    const struct rf_image_recipe *crm = &self.recipes[0];
    assert_true(crm->wanted);
    assert_string_equal(crm->build[2], "a b");
    assert_null(crm->build[3]);
    assert_string_equal(crm->artefacts[0], "dolibarr");
    assert_string_equal(crm->artefacts[1], "theme");
    assert_null(crm->artefacts[2]);
    assert_string_equal(crm->remove[0], "/usr/lib/*/libLLVM*");
    assert_null(crm->enable[0]);
}

static void a_recipe_without_an_image_is_left_out(void **state)
{
    FIXTURE(self);
    add(&self, "image", "recipe: 1\ntitle: any cloud image\n");
    read_all(&self);
    assert_int_equal(self.count, 0);
    assert_int_equal(self.problems.count, 0);
}

static void mistakes_are_said(void **state)
{
    FIXTURE(self);
    add(&self, "a", "image:\n  file: base-1.qcow2\n");
    add(&self, "b", "image:\n  file: b.qcow2\n  build: [make]\n  packages: [a*]\nartefacts: [../x]\n");
    add(&self, "c", "image:\n  file: same.qcow2\n");
    add(&self, "d", "image:\n  file: same.qcow2\n");
    read_all(&self);
    says(&self,
         "/a/recipe.yaml:2:9: error: image.file: names that begin with 'base-' belong to the base of all images");
    says(&self, "/b/recipe.yaml:3:10: error: image.build: the command is named by its whole path");
    says(&self, "/b/recipe.yaml:4:14: error: packages: this can't be a name or a path");
    says(&self, "/b/recipe.yaml:5:13: error: artefacts: this can't be a name or a path");
    says(&self, "d: recipe c has an image of that name, too: same.qcow2");
}

static void some_are_chosen(void **state)
{
    FIXTURE(self);
    rf_error *error = NULL;
    add(&self, "crm", "image:\n  file: crm.qcow2\n");
    add(&self, "directory", "image:\n  file: directory.qcow2\n");
    add(&self, "files", "image:\n  file: files.qcow2\n");
    read_all(&self);
    assert_int_equal(rf_image_recipes_choose(self.recipes, self.count, "files,crm", NULL), 0);
    assert_true(self.recipes[0].wanted);
    assert_false(self.recipes[1].wanted);
    assert_true(self.recipes[2].wanted);
    assert_int_equal(rf_image_recipes_choose(self.recipes, self.count, "crm,direktory", &error), -1);
    assert_int_equal(rf_error_code(error), RF_USAGE);
    assert_error(error, "there is no recipe 'direktory' with an image; did you mean 'directory'?");
    assert_int_equal(rf_image_recipes_choose(self.recipes, self.count, "zzzzzz", &error), -1);
    assert_error(error, "there is no recipe 'zzzzzz' with an image; there are crm, directory, files");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_read),
        cmocka_unit_test(a_recipe_without_an_image_is_left_out),
        cmocka_unit_test(mistakes_are_said),
        cmocka_unit_test(some_are_chosen),
    };
    return cmocka_run_group_tests_name("image/recipe", tests, NULL, NULL);
}
