/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For every recorded machine in tests/machines: what a person reads (tests/golden/plan/NAME.txt: the plan, or the problems), the
 * layout (NAME.layout) and the exact commands of a first run (NAME.commands). RF_GOLDEN_UPDATE=1 writes them anew.
 */
#include "raid/bootable.h"
#include "raid/mounts.h"
#include "raid/plan.h"
#include "raid/steps.h"
#include "tests/unit/raid/raid.h"

#include <glob.h>

static void refused(const char *id, rf_error *error, char **text)
{
    rf_autofree char *why = rf_error_text(error);
    rf_append(text, "%s is refused: %s\n", id, why);
    assert_int_equal(rf_error_code(error), RF_FAILED);
}

/* Partitioning needs a real disk (test_partition_write.c); everything behind it goes through the runner. No device is there:
 * what was installed before has to be refused. */
static char *commands_of(const rf_layout *layout, const rf_plan *plan)
{
    rf_autorunner rf_runner *runner = rf_runner_dry();
    char *text = NULL;
    for (size_t i = 0; i < plan->count; i++) {
        const struct rf_step *step = &plan->steps[i];
        struct rf_step_env env = {.runner = runner, .step = step};
        rf_autoerror rf_error *error = NULL;
        if (step->ops != &rf_step_partition && step->ops->apply(&env, step->arg, &error) < 0)
            refused(step->id, error, &text);
    }
    struct rf_step_env env = {.runner = runner};
    assert_int_equal(rf_volume_activate(&env, &layout->images, NULL), 0);
    assert_int_equal(rf_target_enter(&env, layout, "/run/richtfest/target", "roots/1", NULL), 0);
    rf_append(&text, "%s", rf_runner_dry_text(runner));
    return text;
}

static void one(const char *name)
{
    rf_automachine rf_machine *machine = recorded_machine(name);
    rf_autoprofile rf_profile *profile = profile_for(name);
    rf_autoproblems rf_problems problems = {0};
    rf_autolayout rf_layout *layout = NULL;
    assert_int_equal(rf_raid_plan(profile, machine, &layout, &problems, NULL), 0);
    assert_int_equal(layout == NULL, problems.count > 0); /* never both, never neither */
    if (!layout) {
        rf_autofree char *text = rf_problems_text(&problems);
        assert_golden(name, "txt", text);
        return;
    }
    rf_autoplan rf_plan *plan = rf_plan_new();
    rf_raid_steps(layout, machine, plan);
    rf_autofree char *text = rf_plan_text(plan);
    rf_autofree char *view = rf_layout_text(layout);
    rf_autofree char *commands = commands_of(layout, plan);
    assert_golden(name, "txt", text);
    assert_golden(name, "layout", view);
    assert_golden(name, "commands", commands);
}

static void golden(void **state)
{
    (void)state;
    glob_t found = {0};
    assert_int_equal(glob(MACHINES "*.json", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *file = found.gl_pathv[i] + strlen(MACHINES);
        rf_autofree char *name = rf_format("%.*s", (int)(strlen(file) - strlen(".json")), file);
        one(name);
    }
    globfree(&found);
}

/* Kernel names change with every boot: swapped, they change nothing but the words for people. */
static void kernel_names_do_not_matter(void **state)
{
    (void)state;
    rf_automachine rf_machine *machine = recorded_machine("musterkunde-blank");
    rf_autoprofile rf_profile *profile = profile_for("musterkunde-blank");
    rf_autoproblems rf_problems problems = {0};
    rf_autolayout rf_layout *before = NULL;
    assert_int_equal(rf_raid_plan(profile, machine, &before, &problems, NULL), 0);
    char *swap = machine->disks[0].name;
    machine->disks[0].name = machine->disks[1].name;
    machine->disks[1].name = swap;
    struct rf_disk disk = machine->disks[0];
    machine->disks[0] = machine->disks[1];
    machine->disks[1] = disk;
    rf_autolayout rf_layout *after = NULL;
    assert_int_equal(rf_raid_plan(profile, machine, &after, &problems, NULL), 0);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(before->disks[i].serial, after->disks[i].serial);
        assert_string_equal(before->disks[i].table_uuid, after->disks[i].table_uuid);
    }
}

/* What a resumed run says of arrays that an interrupted one made. */
static void whole_arrays_are_assembled(void **state)
{
    (void)state;
    rf_automachine rf_machine *machine = recorded_machine("installed-node");
    rf_autoprofile rf_profile *profile = profile_for("installed-node");
    rf_autoproblems rf_problems problems = {0};
    rf_autolayout rf_layout *layout = NULL;
    assert_int_equal(rf_raid_plan(profile, machine, &layout, &problems, NULL), 0);
    rf_autoplan rf_plan *plan = rf_plan_new();
    rf_raid_steps(layout, machine, plan);
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->steps[i].id, "array/system") == 0)
            assert_string_equal(plan->steps[i].title, "Assemble array system: all 2 members of 32.0 GiB");
}

/* A disk that boots is never partitioned again; one that an interrupted run left is. */
static void a_committed_table_is_not_made_anew(void **state)
{
    (void)state;
    for (int marked = 0; marked <= 1; marked++) {
        rf_automachine rf_machine *machine = recorded_machine("installed-node");
        rf_autoprofile rf_profile *profile = profile_for("installed-node");
        rf_autoproblems rf_problems problems = {0};
        rf_autolayout rf_layout *layout = NULL;
        struct rf_disk *disk = &machine->disks[1];
        disk->partitions[0].attributes = marked ? RF_ATTRIBUTE_BOOTABLE : 0;
        disk->partitions[1].start += RF_MIB;
        assert_int_equal(rf_raid_plan(profile, machine, &layout, &problems, NULL), 0);
        assert_int_equal(layout == NULL, marked);
        if (marked)
            assert_problem(&problems, "disk vdb is disk 2 of node musterkunde-n1 and boots it, but its partitions");
    }
}

static void a_profile_without_id(void **state)
{
    (void)state;
    rf_profile profile = {0};
    rf_machine machine = {0};
    rf_autoproblems rf_problems problems = {0};
    rf_layout *layout = NULL;
    rf_error *err = NULL;
    assert_int_equal(rf_raid_plan(&profile, &machine, &layout, &problems, &err), -1);
    assert_error_has(err, "node.id");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden),
        cmocka_unit_test(kernel_names_do_not_matter),
        cmocka_unit_test(whole_arrays_are_assembled),
        cmocka_unit_test(a_committed_table_is_not_made_anew),
        cmocka_unit_test(a_profile_without_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
