/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is done to roots, by the commands and the files that it leaves. A btrfs of its own tries the commands where there is one. */
#include "image/envblk.h"
#include "image/region.h"
#include "installer/root_change.h"
#include "installer/trial.h"
#include "tests/unit/installer/deploy.h"

#define UUID "11111111-2222-5333-8444-555555555555"
#define TRIAL "0f8fad5b-d9cb-469f-a165-70867728950e"
#define FSTAB "UUID=" UUID " / btrfs subvol=roots/1,noatime 0 0\n"
#define GRUB                                                                                                           \
    "linux /roots/1/boot/vmlinuz rootflags=subvol=roots/1,noatime\ninitrd /roots/1/boot/initrd.img\n# roots/12\n"

/* The top level of a system volume, as plain folders. */
struct volume {
    char *top;
    rf_runner *runner;
    rf_roots *roots;
    struct rf_step_env env;
};

static void volume_close(struct volume *self)
{
    rf_roots_free(self->roots);
    rf_runner_free(self->runner);
    rf_remove_tree(self->top, NULL);
    free(self->top);
}

static void put(const struct volume *self, const char *below, const char *text)
{
    rf_autofree char *path = rf_format("%s/%s", self->top, below), *above = rf_strdup(path);
    *strrchr(above, '/') = '\0';
    assert_int_equal(rf_make_dirs(above, 0755, NULL), 0);
    assert_int_equal(rf_write_file(path, text, strlen(text), 0644, NULL), 0);
}

static bool there(const struct volume *self, const char *below)
{
    rf_autofree char *path = rf_format("%s/%s", self->top, below);
    return rf_exists(path);
}

static void look(struct volume *self, unsigned running)
{
    rf_roots_free(self->roots);
    self->roots = NULL;
    assert_int_equal(rf_roots_read(self->top, running, &self->roots, NULL), 0);
}

static void volume_open(struct volume *self, rf_runner *runner, struct rf_boot_choice choice, unsigned running)
{
    *self = (struct volume){.top = unit_directory(), .runner = runner, .env = {.runner = runner}};
    put(self, "roots/1/etc/fstab", FSTAB);
    put(self, "roots/2/etc/fstab", FSTAB);
    const struct rf_root first = {.number = 1, .how = (char *)RF_ROOT_INSTALLED, .good = 1},
                         second = {.number = 2, .how = (char *)RF_ROOT_DEPLOYED};
    assert_int_equal(rf_root_note(self->top, &first, NULL), 0);
    assert_int_equal(rf_root_note(self->top, &second, NULL), 0);
    assert_int_equal(rf_roots_choose(self->top, "n1", UUID, &choice, NULL), 0);
    look(self, running);
}

#define VOLUME(self, runner, running, ...)                                                                             \
    (void)state;                                                                                                       \
    RF_CLEANUP(volume_close) struct volume self;                                                                       \
    volume_open(&self, runner, (struct rf_boot_choice){__VA_ARGS__}, running)

/* What was run, without the fixture's folder; the caller frees it. */
static char *commands(const struct volume *self)
{
    char *text = rf_strdup(rf_runner_dry_text(self->runner));
    const size_t length = strlen(self->top);
    for (char *at; (at = strstr(text, self->top));)
        memmove(at, at + length, strlen(at + length) + 1);
    return text;
}

static void a_copy_names_itself(void **state)
{
    (void)state;
    rf_autofree char *text = rf_root_readdress(GRUB, 1, 12);
    assert_string_equal(text, "linux /roots/12/boot/vmlinuz rootflags=subvol=roots/12,noatime\n"
                              "initrd /roots/12/boot/initrd.img\n# roots/12\n");
    rf_autofree char *none = rf_root_readdress("x", 1, 2);
    assert_string_equal(none, "x");
}

/* What `btrfs subvolume snapshot` would make is there already: the commands are only noted. */
static void copy_is_made(const struct volume *self)
{
    put(self, "roots/3.new/etc/fstab", FSTAB);
    put(self, "roots/3.new/boot/grub/grub.cfg", GRUB);
}

static void a_snapshot_is_a_root_of_its_own(void **state)
{
    unsigned number = 0;
    VOLUME(self, rf_runner_dry(), 1, .root = 1);
    copy_is_made(&self);
    assert_int_equal(rf_root_snapshot(&self.env, self.top, self.roots, "1:2:x", &number, NULL), 0);
    assert_int_equal(number, 3);
    assert_false(there(&self, "roots/3.new"));
    look(&self, 1);
    const struct rf_root *made = rf_roots_find(self.roots, 3);
    assert_string_equal(made->how, RF_ROOT_SNAPSHOT);
    assert_string_equal(made->run, "1:2:x");
    assert_true(made->of == 1 && made->good > 0);
    rf_autofree char *path = rf_format("%s/roots/3/etc/fstab", self.top), *fstab = NULL;
    assert_int_equal(rf_read_file(path, 4096, &fstab, NULL, NULL), 0);
    assert_string_equal(fstab, "UUID=" UUID " / btrfs subvol=roots/3,noatime 0 0\n");
    rf_autofree char *text = commands(&self);
    assert_string_equal(text, "btrfs subvolume delete --recursive /roots/3.new\n"
                              "btrfs subvolume snapshot /roots/1 /roots/3.new\n"
                              "btrfs filesystem sync \nbtrfs filesystem sync \n");
}

static void one_run_of_apt_takes_one(void **state)
{
    unsigned first = 0, second = 0;
    VOLUME(self, rf_runner_dry(), 1, .root = 1);
    copy_is_made(&self);
    assert_int_equal(rf_root_snapshot(&self.env, self.top, self.roots, "1:2:x", &first, NULL), 0);
    look(&self, 1);
    assert_int_equal(rf_root_snapshot(&self.env, self.top, self.roots, "1:2:x", &second, NULL), 0);
    assert_true(first == 3 && second == 3);
    look(&self, 1);
    assert_int_equal(self.roots->count, 3);
}

/* A name is given when the root is on the disk, and not before. */
static void no_failure_leaves_a_snapshot_with_its_name(void **state)
{
    for (unsigned nth = 1; nth <= 3; nth++) {
        unsigned number = 77;
        rf_error *error = NULL;
        VOLUME(self, rf_runner_fault(rf_runner_dry(), nth, 1), 1, .root = 1);
        copy_is_made(&self);
        assert_int_equal(rf_root_snapshot(&self.env, self.top, self.roots, NULL, &number, &error), -1);
        assert_error_has(error, "root 3, a snapshot of root 1");
        assert_false(there(&self, "roots/3"));
        assert_int_equal(number, 77);
    }
}

/* A trial that goes on makes no snapshot of it a good root. */
static void a_snapshot_is_as_good_as_its_root(void **state)
{
    unsigned number;
    VOLUME(self, rf_runner_dry(), 2, .root = 2, .before = 1, .trial = TRIAL);
    put(&self, "roots/3.new/etc/fstab", FSTAB);
    put(&self, "roots/3.new/boot/grub/grub.cfg", GRUB);
    assert_int_equal(rf_root_snapshot(&self.env, self.top, self.roots, NULL, &number, NULL), 0);
    look(&self, 2);
    assert_int_equal(rf_roots_find(self.roots, 3)->good, 0);
}

static void what_is_needed_is_not_removed(void **state)
{
    rf_error *error = NULL;
    VOLUME(self, rf_runner_dry(), 1, .root = 2, .before = 1, .trial = TRIAL);
    assert_int_equal(rf_root_remove(&self.env, self.top, self.roots, 1, &error), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_MACHINE);
    assert_error(error, "root 1 stays: it runs");
    assert_int_equal(rf_root_remove(&self.env, self.top, self.roots, 2, &error), -1);
    assert_error(error, "root 2 stays: it is booted next");
    assert_int_equal(rf_root_remove(&self.env, self.top, self.roots, 9, &error), -1);
    assert_error(error, "there is no root 9; 'richtfest root list' has them");
    assert_string_equal(rf_runner_dry_text(self.runner), "");
}

static void what_is_not_needed_goes_with_its_note(void **state)
{
    VOLUME(self, rf_runner_dry(), 1, .root = 1);
    assert_int_equal(rf_root_remove(&self.env, self.top, self.roots, 2, NULL), 0);
    rf_autofree char *text = commands(&self);
    assert_string_equal(text, "btrfs subvolume delete --recursive /roots/2\n");
    assert_false(there(&self, "richtfest/roots/2.json"));
}

static void only_what_has_no_number_is_cleared(void **state)
{
    VOLUME(self, rf_runner_dry(), 1, .root = 1);
    put(&self, "roots/7.new.partial/x", "");
    assert_int_equal(rf_roots_clear(&self.env, self.top, NULL), 0);
    rf_autofree char *text = commands(&self);
    assert_string_equal(text, "btrfs subvolume delete --recursive /roots/7.new.partial\n");
}

static enum rf_settled settle(struct volume *self, const char *cmdline, unsigned *ret_root)
{
    return rf_root_settle(&self->env, self->top, self->roots, cmdline, "n1", UUID, ret_root, NULL);
}

static void a_good_root_is_booted_from_then_on(void **state)
{
    unsigned number = 0;
    VOLUME(self, rf_runner_dry(), 2, .root = 2, .before = 1, .trial = TRIAL);
    assert_int_equal(settle(&self, "a richtfest.trial=2 b", &number), RF_SETTLED_GOOD);
    assert_int_equal(number, 2);
    look(&self, 2);
    assert_true(self.roots->choice.root == 2 && self.roots->choice.before == 1 && !*self.roots->choice.trial);
    assert_true(rf_roots_find(self.roots, 2)->good > 0);
    assert_int_equal(settle(&self, "a richtfest.trial=2 b", &number), RF_SETTLED_NOTHING); /* the same boot again */
}

static void a_root_that_was_given_up_is_known_as_such(void **state)
{
    unsigned number = 0;
    VOLUME(self, rf_runner_dry(), 1, .root = 2, .before = 1, .trial = TRIAL);
    assert_int_equal(settle(&self, "richtfest.fallback=2", &number), RF_SETTLED_GIVEN_UP);
    assert_int_equal(number, 2);
    look(&self, 1);
    assert_true(self.roots->choice.root == 1 && self.roots->choice.before == 0 && !*self.roots->choice.trial);
    assert_true(rf_roots_find(self.roots, 2)->failed > 0);
}

/* A root that a person chose at GRUB's menu has neither word, and a switch that was not booted yet none of this boot. */
static void other_boots_say_nothing_of_a_trial(void **state)
{
    unsigned number = 77;
    VOLUME(self, rf_runner_dry(), 2, .root = 2, .before = 1, .trial = TRIAL);
    assert_int_equal(settle(&self, "quiet", &number), RF_SETTLED_NOTHING);
    assert_int_equal(settle(&self, "richtfest.trial=1", &number), RF_SETTLED_NOTHING);
    look(&self, 1);
    assert_int_equal(settle(&self, "richtfest.fallback=3", &number), RF_SETTLED_NOTHING);
    look(&self, 1);
    assert_string_equal(self.roots->choice.trial, TRIAL);
    assert_int_equal(number, 77);
}

/* The disks of the recorded machine are not in this one: no ESP can be written. */
static void without_an_esp_nothing_is_switched(void **state)
{
    DEPLOYED(disks, rf_runner_dry());
    VOLUME(self, rf_runner_dry(), 1, .root = 1);
    rf_error *error = NULL;
    bool trial;
    const struct rf_root_switch to = {disks.layout, "n1", self.top, self.top, 2};
    assert_int_equal(rf_root_switch_to(&self.env, self.roots, &to, &trial, &error), -1);
    assert_error_has(error, "the ESP of no disk could be written");
    look(&self, 1);
    assert_int_equal(self.roots->choice.root, 1);
}

static void the_root_that_runs_needs_no_esp(void **state)
{
    DEPLOYED(disks, rf_runner_dry());
    VOLUME(self, rf_runner_dry(), 1, .root = 2, .before = 1, .trial = TRIAL);
    bool trial = true;
    const struct rf_root_switch to = {disks.layout, "n1", self.top, self.top, 1};
    assert_int_equal(rf_root_switch_to(&self.env, self.roots, &to, &trial, NULL), 0);
    look(&self, 1);
    assert_true(!trial && self.roots->choice.root == 1 && !*self.roots->choice.trial);
}

static void nothing_is_tried_against_a_trial(void **state)
{
    DEPLOYED(disks, rf_runner_dry());
    VOLUME(self, rf_runner_dry(), 2, .root = 2, .before = 1, .trial = TRIAL);
    put(&self, "roots/3/x", "");
    look(&self, 2);
    rf_error *error = NULL;
    bool trial = true;
    struct rf_root_switch to = {disks.layout, "n1", self.top, self.top, 3};
    assert_int_equal(rf_root_switch_to(&self.env, self.roots, &to, &trial, &error), -1);
    assert_error_has(error, "root 2, which runs, is on trial itself");
    to.number = 1; /* but it may be given up */
    assert_int_equal(rf_root_switch_to(&self.env, self.roots, &to, &trial, NULL), 0);
    look(&self, 2);
    assert_true(!trial && self.roots->choice.root == 1 && !*self.roots->choice.trial);
}

static void the_block_is_what_grub_reads(void **state)
{
    (void)state;
    char block[RF_ENVBLK_SIZE];
    rf_trial_block(TRIAL, block);
    rf_autofree char *trial = rf_envblk_get(block, sizeof(block), "rf_trial");
    rf_autofree char *tries = rf_envblk_get(block, sizeof(block), "rf_tries");
    assert_string_equal(trial, TRIAL);
    assert_string_equal(tries, "3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_names_itself),
        cmocka_unit_test(a_snapshot_is_a_root_of_its_own),
        cmocka_unit_test(one_run_of_apt_takes_one),
        cmocka_unit_test(no_failure_leaves_a_snapshot_with_its_name),
        cmocka_unit_test(a_snapshot_is_as_good_as_its_root),
        cmocka_unit_test(what_is_needed_is_not_removed),
        cmocka_unit_test(what_is_not_needed_goes_with_its_note),
        cmocka_unit_test(only_what_has_no_number_is_cleared),
        cmocka_unit_test(a_good_root_is_booted_from_then_on),
        cmocka_unit_test(a_root_that_was_given_up_is_known_as_such),
        cmocka_unit_test(other_boots_say_nothing_of_a_trial),
        cmocka_unit_test(without_an_esp_nothing_is_switched),
        cmocka_unit_test(the_root_that_runs_needs_no_esp),
        cmocka_unit_test(nothing_is_tried_against_a_trial),
        cmocka_unit_test(the_block_is_what_grub_reads),
    };
    return cmocka_run_group_tests_name("installer/root_change", tests, NULL, NULL);
}
