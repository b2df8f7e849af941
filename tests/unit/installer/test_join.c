/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A disk that comes into a running node: which steps the node takes over, what waits for a person, what is refused. On recorded machines
 * (tests/golden/installer/join-NAME.txt). */
#include "base/file.h"
#include "installer/deploy.h"
#include "installer/join.h"
#include "installer/site.h"
#include "raid/bootable.h"
#include "raid/inventory.h"
#include "raid/steps.h"
#include "tests/unit/unit.h"

static const struct rf_site_options asked = {.medium = "/medium", .target = "/target"};
static const struct rf_site_options service = {.medium = "/medium", .target = "/target", .unattended = true};

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

/* A recorded machine and the profile that goes with it: MACHINE.yaml beside it, or the sample customer's. */
static struct fixture start(const char *name)
{
    struct fixture self = {0};
    rf_autoproblems rf_problems problems = {0};
    rf_autofree char *json = rf_format("tests/machines/%s.json", name),
                     *yaml = rf_format("tests/machines/%s.yaml", name);
    assert_int_equal(rf_machine_load(json, &self.machine, NULL), 0);
    assert_int_equal(
        rf_profile_load(rf_exists(yaml) ? yaml : "profiles/musterkunde.yaml", &self.profile, &problems, NULL), 0);
    assert_non_null(self.profile);
    return self;
}

#define ON(self, name)                                                                                                 \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct fixture self = start(name)

static const rf_plan *plan(struct fixture *self, const struct rf_site_options *options)
{
    rf_autoproblems rf_problems problems = {0};
    rf_site_free(self->site);
    self->site = NULL;
    assert_int_equal(rf_site_new(self->profile, self->machine, options, &self->site, &problems, NULL), 0);
    assert_non_null(self->site);
    return rf_site_plan(self->site);
}

/* NULL where there is none; more than one with that id is wrong. */
static const struct rf_step *step_of(const struct fixture *self, const char *id)
{
    const rf_plan *all = rf_site_plan(self->site);
    const struct rf_step *found = NULL;
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->steps[i].id, id) != 0)
            continue;
        assert_null(found);
        found = &all->steps[i];
    }
    return found;
}

static bool is_guests(const struct rf_step *step)
{
    return step->lane == 0 || (step->lane != 80000 && step->lane != 80001);
}

/* What a node does with its disks, behind everything else that it does. */
static void append_steps(char **text, const rf_plan *all)
{
    bool disks = false;
    for (size_t i = 0; i < all->count; i++) {
        const struct rf_step *step = &all->steps[i];
        if (step->phase != RF_PHASE_NODE)
            continue;
        assert_false(disks && is_guests(step));
        if (is_guests(step))
            continue;
        disks = true;
        assert_true(step->independent && !step->done && !step->barrier);
        rf_append(text, "  %u %s: %s\n", step->lane, step->id, step->title);
        if (step->destroys)
            rf_append(text, "      destroys: %s\n", step->destroys);
    }
    if (!disks)
        rf_append(text, "  nothing\n");
}

static void append_run(char **text, struct fixture *self, const char *heading, const struct rf_site_options *options)
{
    rf_append(text, "%s:\n", heading);
    append_steps(text, plan(self, options));
    if (rf_site_waiting(self->site))
        rf_append(text, "  waits: %s\n", rf_site_waiting(self->site));
    if (rf_site_disks(self->site))
        rf_append(text, "  refused: %s", rf_site_disks(self->site));
}

static void recorded(void **state)
{
    (void)state;
    static const char *const machines[] = {"installed-node",        "node-replaced",      "node-replaced-larger",
                                           "node-replaced-smaller", "node-replaced-used", "node-replaced-consented",
                                           "node-member-returns",   "node-spare-added",   "node-grows",
                                           "node-both-there"};
    for (size_t i = 0; i < RF_COUNT(machines); i++) {
        RF_CLEANUP(finish) struct fixture self = start(machines[i]);
        rf_autofree char *text = NULL, *path = rf_format("tests/golden/installer/join-%s.txt", machines[i]);
        append_run(&text, &self, "A person", &asked);
        self.profile->storage.replace = RF_REPLACE_ASK;
        append_run(&text, &self, "The service, replace: ask", &service);
        self.profile->storage.replace = RF_REPLACE_AUTO;
        append_run(&text, &self, "The service, replace: auto", &service);
        rf_autojson json_t *look = rf_join_look(self.profile, self.machine);
        rf_autofree char *said = rf_join_text(look);
        rf_append(&text, "Status:\n%s", said);
        unit_golden(path, text);
    }
}

/* Whatever is undone, these never run on a node: they would be over what it lives on. */
static void nothing_else_of_the_installation(void **state)
{
    static const struct rf_step_ops *const never[] = {&rf_step_medium, &rf_step_array,    &rf_step_volume,
                                                      &rf_step_root,   &rf_step_state,    &rf_step_payload,
                                                      &rf_step_flush,  &rf_step_configure};
    ON(self, "musterkunde-blank");
    self.machine->environment = RF_ENV_NODE;
    const rf_plan *all = plan(&self, &asked);
    for (size_t i = 0; i < all->count; i++)
        for (size_t j = 0; j < RF_COUNT(never); j++)
            assert_false(all->steps[i].phase == RF_PHASE_NODE && all->steps[i].ops == never[j]);
    assert_int_equal(step_of(&self, "filesystem/system")->phase, RF_PHASE_INSTALL);
    assert_int_equal(step_of(&self, "filesystem/images")->phase, RF_PHASE_INSTALL);
}

/* Its arrays are given disks by a step that can make none. */
static void arrays_are_joined_and_never_made(void **state)
{
    ON(self, "node-replaced");
    plan(&self, &asked);
    assert_ptr_equal(step_of(&self, "replace/system")->ops, &rf_step_join);
    assert_ptr_equal(step_of(&self, "replace/data")->ops, &rf_step_join);
    assert_true(step_of(&self, "replace/system") < step_of(&self, "replace/data"));
}

static void the_installer_takes_them_itself(void **state)
{
    ON(self, "node-replaced");
    self.machine->environment = RF_ENV_LIVE;
    plan(&self, &asked);
    assert_int_equal(step_of(&self, "replace/data")->phase, RF_PHASE_INSTALL);
    assert_ptr_equal(step_of(&self, "replace/data")->ops, &rf_step_array);
    rf_autojson json_t *look = rf_join_look(self.profile, self.machine);
    assert_int_equal(json_array_size(json_object_get(look, "joining")), 0);
}

/* An installation that was cut off between two disks' loaders: finished by the node at once, whatever storage.replace says. */
static void loaders_alone_wait_for_nobody(void **state)
{
    ON(self, "installed-node");
    self.machine->disks[1].partitions[0].attributes = 0;
    plan(&self, &service);
    assert_int_equal(step_of(&self, "boot/2")->phase, RF_PHASE_NODE);
    assert_null(rf_site_waiting(self.site));
}

/* Cut off while a person brought it in: the table is there, the rest is not. */
static void what_was_begun_is_gone_on_with(void **state)
{
    ON(self, "installed-node");
    struct rf_disk *disk = &self.machine->disks[1];
    disk->partitions[0].attributes = 0;
    for (size_t i = 0; i < disk->partitions_count; i++) {
        rf_signatures_free(disk->partitions[i].signatures, disk->partitions[i].signatures_count);
        disk->partitions[i].signatures = NULL;
        disk->partitions[i].signatures_count = 0;
    }
    plan(&self, &asked);
    static const char *const ids[] = {"replace/system", "replace/data", "filesystem/esp-2", "boot/2"};
    for (size_t i = 0; i < RF_COUNT(ids); i++)
        assert_int_equal(step_of(&self, ids[i])->phase, RF_PHASE_NODE);
    assert_true(step_of(&self, "partition/2")->done);
    plan(&self, &service);
    assert_string_equal(rf_site_waiting(self.site),
                        "disk vdb (serial RF-DISK-2) is begun and can take member 2's place "
                        "(replace): `richtfest apply --node` brings it in");
    assert_int_equal(step_of(&self, "boot/2")->phase, RF_PHASE_INSTALL);
}

/* A disk that boots held the node's data: what it has lost is no reason to write over it. */
static void what_a_disk_has_lost_is_not_made_anew(void **state)
{
    for (size_t part = RF_PART_ESP; part < RF_PARTS; part++) {
        ON(self, "installed-node");
        self.machine->disks[1].partitions[part].signatures[0].type[0] = 'x';
        const rf_plan *all = plan(&self, &asked);
        for (size_t i = 0; i < all->count; i++)
            assert_false(all->steps[i].phase == RF_PHASE_NODE && all->steps[i].lane == 80001);
        assert_null(rf_site_waiting(self.site));
    }
}

/* Another table than the profile's on a disk of ours that nobody marked as bootable: an installer may write it, what runs on it forbids it. */
static void no_table_is_written_under_what_runs(void **state)
{
    ON(self, "installed-node");
    struct rf_disk *disk = &self.machine->disks[1];
    disk->partitions[0].attributes = 0;
    disk->partitions[1].start += 1 << 20;
    free(disk->in_use);
    disk->in_use = rf_strdup("holder md127");
    const rf_plan *all = plan(&self, &asked);
    assert_null(step_of(&self, "partition/2"));
    assert_true(all->count > 0);
    assert_non_null(strstr(rf_site_disks(self.site), "disk vdb is disk 2 of this node and in use (holder md127)"));
    rf_autojson json_t *look = rf_join_look(self.profile, self.machine);
    assert_non_null(strstr(rf_json_string(look, "problems"), "no table is written under what runs"));
}

/* Too little memory for the profile is said, and is no reason to stay without a mirror. */
static void another_lack_keeps_no_disk_out(void **state)
{
    ON(self, "node-replaced");
    self.machine->memory /= 2;
    plan(&self, &asked);
    assert_non_null(strstr(rf_site_disks(self.site), "requires.memory"));
    assert_int_equal(step_of(&self, "replace/data")->phase, RF_PHASE_NODE);
}

/* What passes a larger array's room on fails at times; in front of the guests that kept all of them down. */
static void room_is_passed_on_behind_the_guests(void **state)
{
    ON(self, "installed-node");
    for (size_t i = 0; i < self.machine->volumes_count; i++)
        if (self.machine->volumes[i].map)
            self.machine->volumes[i].size /= 2;
    const rf_plan *all = plan(&self, &asked);
    static const char *const ids[] = {"grow/group", "grow/volume", "grow/filesystem"};
    for (size_t i = 0; i < RF_COUNT(ids); i++) {
        const struct rf_step *step = step_of(&self, ids[i]);
        assert_ptr_equal(step, &all->steps[all->count - RF_COUNT(ids) + i]);
        assert_true(step->independent && step->phase == RF_PHASE_NODE);
    }
}

int main(void)
{
    setenv("RICHTFEST_RECIPES", "postinstall/recipes", 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded),
        cmocka_unit_test(nothing_else_of_the_installation),
        cmocka_unit_test(arrays_are_joined_and_never_made),
        cmocka_unit_test(the_installer_takes_them_itself),
        cmocka_unit_test(loaders_alone_wait_for_nobody),
        cmocka_unit_test(what_was_begun_is_gone_on_with),
        cmocka_unit_test(what_a_disk_has_lost_is_not_made_anew),
        cmocka_unit_test(no_table_is_written_under_what_runs),
        cmocka_unit_test(another_lack_keeps_no_disk_out),
        cmocka_unit_test(room_is_passed_on_behind_the_guests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
