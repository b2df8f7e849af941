/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A root gets its name when it is complete, and not before. */
#include "base/units.h"
#include "tests/unit/installer/deploy.h"
#include "tests/unit/mounts.h"
#include "tests/unit/progress.h"

#define ROOT "target/system/roots/1"

/* The subvolume that the commands would make; they are only noted here. */
static void partial(const struct deployed *self)
{
    deployed_put(self, ROOT ".partial/etc/os-release", "x");
}

static bool there(const struct deployed *self, const char *below)
{
    rf_autofree char *path = rf_format("%s/%s", self->top, below);
    return rf_exists(path);
}

/* The commands, with the fixture's folder taken out; the caller frees them. */
static char *commands(const struct deployed *self)
{
    char *text = rf_strdup(rf_runner_dry_text(self->runner));
    const size_t length = strlen(self->top);
    for (char *at; (at = strstr(text, self->top));)
        memmove(at, at + length, strlen(at + length) + 1);
    return text;
}

/* What an interrupted run left is thrown away: nobody knows how much of it is there. */
static void a_complete_root_gets_its_name(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    partial(&self);
    assert_int_equal(deployed_apply(&self, &rf_step_root, NULL), 0);
    assert_true(there(&self, ROOT "/etc/os-release"));
    assert_false(there(&self, ROOT ".partial"));
    rf_autofree char *text = commands(&self);
    assert_string_equal(text, "btrfs subvolume delete /" ROOT ".partial\n"
                              "btrfs subvolume create /" ROOT ".partial\n"
                              "unsquashfs -percentage -force -data-queue 128 -frag-queue 128 -dest /" ROOT
                              ".partial /medium/live/root.squashfs\n"
                              "btrfs filesystem sync /" ROOT ".partial\n");
}

/* Each command in turn. The last one puts it onto the disk: a name before that would be a lie after a power cut. */
static void no_failure_leaves_a_root_with_its_name(void **state)
{
    for (unsigned nth = 1; nth <= 4; nth++) {
        DEPLOYED(self, rf_runner_fault(rf_runner_dry(), nth, 1));
        partial(&self);
        rf_error *error = NULL;
        assert_int_equal(deployed_apply(&self, &rf_step_root, &error), -1);
        assert_false(there(&self, ROOT));
        assert_error_has(error, nth == 3 ? "unsquashfs" : "btrfs");
    }
}

static void a_small_machine_unpacks_with_small_queues(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    partial(&self);
    self.machine->memory = RF_GIB;
    assert_int_equal(deployed_apply(&self, &rf_step_root, NULL), 0);
    assert_non_null(strstr(rf_runner_dry_text(self.runner), " -data-queue 16 -frag-queue 16 "));
}

/* unsquashfs as it tells how far it is: in chunks that end anywhere. */
static int tell_run(rf_runner *runner, const struct rf_command *command, struct rf_result *result, rf_error **err)
{
    (void)runner;
    (void)err;
    static const char chunk[] = "7\n41\n42\n4";
    if (command->on_output)
        command->on_output(command->data, chunk, strlen(chunk));
    *result = (struct rf_result){.out = rf_strdup(""), .err = rf_strdup("")};
    return 0;
}

static void tell_release(rf_runner *runner)
{
    free(runner);
}

static void how_far_it_is_is_told(void **state)
{
    static const struct rf_runner_ops ops = {"tells", tell_run, tell_release};
    rf_runner *runner = rf_alloc(sizeof(*runner));
    runner->ops = &ops;
    DEPLOYED(self, runner);
    partial(&self);
    LISTEN(keeper, env);
    env.runner = runner;
    assert_int_equal(rf_step_root.apply(&env, self.deploy, NULL), 0);
    assert_string_equal(keeper.said, "42/100 %\n"); /* the last whole number, not the 4 that goes on */
}

static void one_that_is_there_is_done(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    struct rf_step_env env = {.runner = self.runner};
    if (!deployed_mounted(&self))
        skip();
    partial(&self);
    assert_int_equal(rf_step_root.probe(&env, self.deploy, NULL), RF_PROBE_TODO);
    deployed_put(&self, ROOT "/etc/os-release", "x");
    assert_int_equal(rf_step_root.probe(&env, self.deploy, NULL), RF_PROBE_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_complete_root_gets_its_name),
        cmocka_unit_test(no_failure_leaves_a_root_with_its_name),
        cmocka_unit_test(a_small_machine_unpacks_with_small_queues),
        cmocka_unit_test(how_far_it_is_is_told),
        cmocka_unit_test(one_that_is_there_is_done),
    };
    return cmocka_run_group_tests_name("installer/step_root", tests, mounts_of_our_own, NULL);
}
