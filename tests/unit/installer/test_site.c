/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which steps stand in whose phase and in which order, on recorded machines. */
#include "installer/site.h"
#include "raid/bootable.h"
#include "tests/unit/unit.h"

static const struct rf_site_options options = {.medium = "/medium", .target = "/target"};

struct fixture {
    rf_machine *machine;
    rf_profile *profile;
    struct rf_site *site;
};

static void finish(struct fixture *self)
{
    rf_site_free(self->site);
    rf_machine_free(self->machine);
    rf_profile_free(self->profile);
}

static void start_on(struct fixture *self, const char *machine)
{
    *self = (struct fixture){0};
    rf_autoproblems rf_problems problems = {0};
    rf_autofree char *path = rf_format("tests/machines/%s.json", machine);
    assert_int_equal(rf_machine_load(path, &self->machine, NULL), 0);
    assert_int_equal(rf_profile_load("profiles/musterkunde.yaml", &self->profile, &problems, NULL), 0);
    assert_non_null(self->profile);
}

#define FIXTURE(self)                                                                                                  \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct fixture self;                                                                            \
    start_on(&self, "installed-node")

static void plan(struct fixture *self)
{
    rf_autoproblems rf_problems problems = {0};
    rf_error *err = NULL;
    if (rf_site_new(self->profile, self->machine, &options, &self->site, &problems, &err) < 0) {
        rf_autofree char *why = rf_error_text(err);
        fail_msg("%s", why);
    }
    assert_non_null(self->site);
}

/* NULL where there is none; more than one with that id is wrong. */
static const struct rf_step *step_of(const struct fixture *self, const char *id)
{
    const rf_plan *plan = rf_site_plan(self->site);
    const struct rf_step *found = NULL;
    for (size_t i = 0; i < plan->count; i++) {
        if (strcmp(plan->steps[i].id, id) != 0)
            continue;
        assert_null(found);
        found = &plan->steps[i];
    }
    return found;
}

static void a_finished_node_has_no_loader_to_write(void **state)
{
    FIXTURE(self);
    plan(&self);
    assert_int_equal(rf_site_phase(self.site), RF_PHASE_NODE);
    for (int member = 1; member <= 2; member++) {
        rf_autofree char *id = rf_format("boot/%d", member);
        const struct rf_step *step = step_of(&self, id);
        assert_true(step->done && step->phase == RF_PHASE_INSTALL);
    }
}

/* A power cut between boot/1 and boot/2: the node came up from disk 1 and writes the loaders of disk 2, behind everything else. */
static void a_node_finishes_the_other_disk(void **state)
{
    FIXTURE(self);
    self.machine->disks[1].partitions[0].attributes = 0;
    plan(&self);
    const rf_plan *all = rf_site_plan(self.site);
    const struct rf_step *step = step_of(&self, "boot/2");
    assert_ptr_equal(step, &all->steps[all->count - 1]);
    assert_true(step->phase == RF_PHASE_NODE && !step->done && step->lane && step->independent);
    assert_true(step_of(&self, "boot/1")->done);
}

/* In the live system the loaders are the installer's. */
static void the_installer_does_it_itself(void **state)
{
    FIXTURE(self);
    self.machine->disks[1].partitions[0].attributes = 0;
    self.machine->environment = RF_ENV_LIVE;
    plan(&self);
    const struct rf_step *step = step_of(&self, "boot/2");
    assert_true(step->phase == RF_PHASE_INSTALL && !step->done && step->lane == 2);
}

/* A disk that died is told, and the guests get their steps all the same. */
static void a_node_with_a_dead_disk(void **state)
{
    FIXTURE(self);
    self.machine->disks[0].partitions[0].attributes = 0;
    free(self.machine->disks[1].in_use);
    self.machine->disks[1].in_use = rf_strdup("unreadable: Input/output error");
    plan(&self);
    assert_non_null(rf_site_disks(self.site));
    assert_null(step_of(&self, "boot/1"));
    assert_int_equal(step_of(&self, "health/dc1")->phase, RF_PHASE_NODE);
}

/* "PHASE LANE ID: TITLE" of each step of a machine's whole plan, in its order; "|" a barrier, "-" what is done already. */
static char *order_of(const char *machine)
{
    RF_CLEANUP(finish) struct fixture self;
    start_on(&self, machine);
    plan(&self);
    const rf_plan *all = rf_site_plan(self.site);
    char *text = NULL;
    for (size_t i = 0; i < all->count; i++) {
        const struct rf_step *step = &all->steps[i];
        rf_append(&text, "%s %u%s %s%s: %s\n", step->phase == RF_PHASE_NODE ? "node   " : "install", step->lane,
                  step->barrier ? "|" : " ", step->done ? "-" : " ", step->id, step->title);
    }
    return text;
}

/* What comes before what is the whole safety of an installation: read the difference before it is committed. */
static void the_order_is_as_it_was_reviewed(void **state)
{
    (void)state;
    static const char *const machines[] = {"musterkunde-blank", "interrupted", "installed-node"};
    for (size_t i = 0; i < RF_COUNT(machines); i++) {
        rf_autofree char *text = order_of(machines[i]);
        rf_autofree char *path = rf_format("tests/golden/installer/order-%s.txt", machines[i]);
        unit_golden(path, text);
    }
}

static void a_machine_that_does_not_fit_has_no_plan(void **state)
{
    (void)state;
    static const char *const machines[] = {"too-small", "dirty", "three-match"};
    for (size_t i = 0; i < RF_COUNT(machines); i++) {
        RF_CLEANUP(finish) struct fixture self;
        start_on(&self, machines[i]);
        rf_autoproblems rf_problems problems = {0};
        assert_int_equal(rf_site_new(self.profile, self.machine, &options, &self.site, &problems, NULL), 0);
        assert_null(self.site);
        assert_true(problems.count > 0);
    }
}

int main(void)
{
    setenv("RICHTFEST_RECIPES", "postinstall/recipes", 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finished_node_has_no_loader_to_write),
        cmocka_unit_test(a_node_finishes_the_other_disk),
        cmocka_unit_test(the_installer_does_it_itself),
        cmocka_unit_test(a_node_with_a_dead_disk),
        cmocka_unit_test(the_order_is_as_it_was_reviewed),
        cmocka_unit_test(a_machine_that_does_not_fit_has_no_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
