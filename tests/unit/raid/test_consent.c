/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whom a consent counts for, what is wrong with one, and what it does not cover. */
#include "base/ident.h"
#include "raid/bootable.h"
#include "raid/consent.h"
#include "raid/plan.h"
#include "tests/unit/raid/raid.h"

struct scene {
    rf_machine *machine;
    rf_profile profile;
    rf_layout *layout;
    rf_problems problems;
    char *names[4];
};

static void scene_start(struct scene *self, const char *first, const char *second)
{
    *self = (struct scene){.machine = rf_alloc(sizeof(rf_machine)), .names = {(char *)first, (char *)second}};
    self->profile.node.id = (char *)"n1";
    self->profile.storage.count = 2;
    self->profile.storage.level = RF_LEVEL_RAID1;
    self->profile.storage.match.size.min = TB / 2;
    self->profile.storage.foreign.wipe = self->names;
    self->profile.storage.foreign.wipe_count = (first != NULL) + (second != NULL);
    add_signature(add_disk(self->machine, "vda", "S1", TB), "ext4");
    add_signature(add_disk(self->machine, "vdb", "S2", TB), "ntfs");
    add_signature(add_disk(self->machine, "vdc", "S3", TB / 4), "xfs");
}

static void scene_end(struct scene *self)
{
    rf_layout_free(self->layout);
    rf_machine_free(self->machine);
    rf_problems_clear(&self->problems);
}

#define SCENE(self, ...)                                                                                               \
    (void)state;                                                                                                       \
    RF_CLEANUP(scene_end) struct scene self;                                                                           \
    scene_start(&self, __VA_ARGS__)

static void plan(struct scene *self)
{
    assert_int_equal(rf_raid_plan(&self->profile, self->machine, &self->layout, &self->problems, NULL), 0);
    assert_int_equal(self->layout == NULL, self->problems.count > 0);
}

static size_t steps_of(const struct scene *self, const char *prefix)
{
    rf_autoplan rf_plan *steps = rf_plan_new();
    rf_raid_steps(self->layout, self->machine, steps);
    size_t count = 0;
    for (size_t i = 0; i < steps->count; i++)
        count += strncmp(steps->steps[i].id, prefix, strlen(prefix)) == 0;
    return count;
}

static struct rf_volume *add_array(struct scene *self, const char *on, const char *array_state)
{
    struct rf_volume *volume = rf_array_add(&self->machine->volumes, &self->machine->volumes_count, sizeof(*volume));
    *volume = (struct rf_volume){.name = rf_strdup("md127"),
                                 .kind = rf_strdup("md"),
                                 .on = rf_strdup(on),
                                 .state = rf_strdup(array_state),
                                 .size = TB / 2};
    return volume;
}

static void both_named(void **state)
{
    SCENE(self, "S1", "S2");
    plan(&self);
    assert_int_equal(self.problems.count, 0);
    assert_int_equal(steps_of(&self, "clear/"), 2);
    assert_true(rf_consent_covers(self.layout->disks[0].consent, &self.machine->disks[1]));
    assert_false(rf_consent_covers(self.layout->disks[0].consent, &self.machine->disks[2]));
}

/* Without a word of consent there is no object of it, and no step. */
static void none_named(void **state)
{
    SCENE(self, NULL, NULL);
    plan(&self);
    assert_int_equal(self.problems.count, 1);
    assert_problem(&self.problems, "      foreign: {wipe: [S1, S2]}\n");
}

static void one_named_is_not_both(void **state)
{
    SCENE(self, "S1", NULL);
    plan(&self);
    assert_int_equal(self.problems.count, 1);
    assert_problem(&self.problems, "disk vdb (serial S2");
    assert_problem(&self.problems,
                   "      foreign: {wipe: [S1, S2]}\n"); /* the whole line, to be pasted over the old one */
    rf_autofree char *text = rf_problems_text(&self.problems);
    assert_null(strstr(text, "disk vda"));
}

/* A disk that the profile does not match is named: that may be a mistake in either. */
static void named_but_not_chosen(void **state)
{
    SCENE(self, "S1", "S2");
    self.names[2] = (char *)"S3";
    self.profile.storage.foreign.wipe_count = 3;
    plan(&self);
    assert_int_equal(self.problems.count, 1);
    assert_problem(&self.problems,
                   "the consent names disk vdc (S3), which is not chosen (size 250 GB is below 500 GB) and so is not "
                   "written: match it too, or take it out");
}

static void named_but_not_there(void **state)
{
    static const char *const wrong[] = {"S", "s1", "S1 ", "S*", "path-vda", "S12"}; /* exactly, or not at all */
    for (size_t i = 0; i < RF_COUNT(wrong); i++) {
        SCENE(self, "S2", wrong[i]);
        plan(&self);
        assert_int_equal(self.problems.count, 2); /* disk vda is refused besides */
        rf_autofree char *said =
            rf_format("the consent names \"%s\", and no disk here has that serial number or WWN; here: vda (serial "
                      "S1), vdb (serial S2), vdc (serial S3)",
                      wrong[i]);
        assert_problem(&self.problems, said);
    }
}

static void two_of_the_same_name(void **state)
{
    SCENE(self, "S1", "S2");
    free(self.machine->disks[2].serial);
    self.machine->disks[2].serial = rf_strdup("S1");
    plan(&self);
    assert_problem(&self.problems, "the consent names \"S1\", and both vda and vdc are called that");
}

static void by_wwn_and_by_path(void **state)
{
    SCENE(self, "0x5000c500a1b2c3d4", "path-vdb");
    self.machine->disks[0].wwn = rf_strdup("0x5000c500a1b2c3d4");
    plan(&self);
    assert_problem(&self.problems,
                   "no disk here has that serial number"); /* the second disk has one, so its place does not count */
    rf_problems_clear(&self.problems);
    free(self.machine->disks[1].serial);
    self.machine->disks[1].serial = NULL;
    plan(&self);
    assert_int_equal(self.problems.count, 0);
    assert_int_equal(steps_of(&self, "clear/"), 2);
}

/* What is printed can be pasted, whatever the hardware calls itself. */
static void the_line_is_yaml(void **state)
{
    SCENE(self, NULL, NULL);
    free(self.machine->disks[0].serial);
    self.machine->disks[0].serial = rf_strdup("WD-\"X\\ 1");
    free(self.machine->disks[1].serial);
    self.machine->disks[1].serial = rf_strdup("00123");
    plan(&self);
    assert_problem(&self.problems, "      foreign: {wipe: [\"00123\", \"WD-\\\"X\\\\ 1\"]}\n");
}

/* A consent that was used stands in the profile of a finished node, and is no problem; nor does it clear what is the node's. */
static void a_used_consent_is_spent(void **state)
{
    SCENE(self, "S1", "GONE-9");
    char uuid[RF_UUID_TEXT];
    rf_uuid("n1", "disk/1", uuid);
    self.machine->disks[0].table_uuid = rf_strdup(uuid);
    struct rf_partition *part =
        rf_array_add(&self.machine->disks[0].partitions, &self.machine->disks[0].partitions_count, sizeof(*part));
    *part = (struct rf_partition){.number = 1, .attributes = RF_ATTRIBUTE_BOOTABLE, .type_uuid = rf_strdup("x")};
    plan(&self);
    rf_autofree char *text = rf_problems_text(&self.problems);
    assert_null(strstr(text, "the consent"));
    assert_non_null(strstr(text, "disk vdb (serial S2")); /* what came later is foreign as ever */
}

/* An array over a disk that is named and one that is not: stopping it writes superblocks to both. */
static void the_other_half_is_not_written(void **state)
{
    static const struct {
        const char *on, *array_state;
        bool refused;
    } rows[] = {
        {"vda1 vdc1", "clean", true},      {"vda1 vdc1", "active", true}, {"vda1 vdc1", "inactive", false},
        {"vda1 vdc1", "read-auto", false}, {"vda1 vdb1", "clean", false}, {"vda1", "clean", false},
        {"vdc1", "clean", false},
    };
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        SCENE(self, "S1", "S2");
        add_array(&self, rows[i].on, rows[i].array_state);
        plan(&self);
        assert_int_equal(self.problems.count, rows[i].refused);
        if (rows[i].refused)
            assert_problem(&self.problems,
                           "it also runs on disk vdc (serial S3), which the consent does not name, and stopping it "
                           "would write there");
    }
}

/* Nobody takes a DRBD device down behind its peer's back. */
static void what_nobody_can_stop(void **state)
{
    SCENE(self, "S1", "S2");
    struct rf_volume *volume = add_array(&self, "vda1", NULL);
    free(volume->kind);
    volume->kind = rf_strdup("drbd");
    plan(&self);
    assert_problem(&self.problems, "drbdadm down");
}

/* Blank disks, and those of this node, are not cleared, whoever names them. */
static void nothing_to_clear(void **state)
{
    SCENE(self, "S1", "S2");
    for (size_t i = 0; i < 2; i++) {
        rf_signatures_free(self.machine->disks[i].signatures, self.machine->disks[i].signatures_count);
        self.machine->disks[i].signatures = NULL;
        self.machine->disks[i].signatures_count = 0;
    }
    char uuid[RF_UUID_TEXT];
    rf_uuid("n1", "disk/2", uuid);
    self.machine->disks[1].table_uuid = rf_strdup(uuid);
    plan(&self);
    assert_int_equal(self.problems.count, 0);
    assert_int_equal(steps_of(&self, "clear/"), 0);
    assert_int_equal(steps_of(&self, "partition/"), 2);
}

/* In use is in use: consent is about what lies on disks, not about what is done with them. */
static void a_mounted_disk_stays_out(void **state)
{
    SCENE(self, "S1", "S2");
    self.machine->disks[0].in_use = rf_strdup("mounted at /srv");
    plan(&self);
    assert_problem(&self.problems, "no: in use: mounted at /srv");
    assert_problem(&self.problems, "the consent names disk vda (S1), which is not chosen (in use: mounted at /srv)");
}

/* What is cleared is blank before its table is written. */
static void steps_stand_before_partitioning(void **state)
{
    SCENE(self, "S1", "S2");
    plan(&self);
    rf_autoplan rf_plan *steps = rf_plan_new();
    rf_raid_steps(self.layout, self.machine, steps);
    static const char *const ids[] = {"clear/1", "clear/2", "partition/1", "partition/2"};
    for (size_t i = 0; i < RF_COUNT(ids); i++)
        assert_string_equal(steps->steps[i].id, ids[i]);
    assert_int_equal(steps->steps[0].lane, 0); /* one after the other: an array over both is stopped once */
    assert_non_null(strstr(steps->steps[0].destroys, "ext4 file system"));
    assert_null(steps->steps[2].destroys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_named),
        cmocka_unit_test(none_named),
        cmocka_unit_test(one_named_is_not_both),
        cmocka_unit_test(named_but_not_chosen),
        cmocka_unit_test(named_but_not_there),
        cmocka_unit_test(two_of_the_same_name),
        cmocka_unit_test(by_wwn_and_by_path),
        cmocka_unit_test(the_line_is_yaml),
        cmocka_unit_test(a_used_consent_is_spent),
        cmocka_unit_test(the_other_half_is_not_written),
        cmocka_unit_test(what_nobody_can_stop),
        cmocka_unit_test(nothing_to_clear),
        cmocka_unit_test(a_mounted_disk_stays_out),
        cmocka_unit_test(steps_stand_before_partitioning),
    };
    return cmocka_run_group_tests_name("raid/consent", tests, NULL, NULL);
}
