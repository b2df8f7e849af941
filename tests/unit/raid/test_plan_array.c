/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What becomes of arrays that are there: completed, replaced, given a spare, grown, or refused. Each case is a machine that was installed
 * by one profile and is planned by another. */
#include "raid/plan_array.h"
#include "tests/unit/raid/finished.h"

struct fixture {
    rf_machine *machine;
    rf_profile profile;
    rf_layout *layout;
    rf_plan *plan;
    rf_problems problems;
};

static void finish(struct fixture *self)
{
    rf_plan_free(self->plan);
    rf_layout_free(self->layout);
    rf_machine_free(self->machine);
    rf_problems_clear(&self->problems);
}

static void plan_again(struct fixture *self)
{
    rf_plan_free(self->plan);
    rf_layout_free(self->layout);
    rf_problems_clear(&self->problems);
    self->plan = rf_plan_new();
    self->layout = NULL;
    assert_int_equal(rf_raid_plan(&self->profile, self->machine, &self->layout, &self->problems, NULL), 0);
    if (self->layout)
        rf_raid_steps(self->layout, self->machine, self->plan);
}

/* Disks A, B, … of 1 TB, installed with so many members and spares. */
static struct fixture installed(enum rf_level level, unsigned count, unsigned spares)
{
    struct fixture self = {.machine = rf_alloc(sizeof(rf_machine)), .profile = {.node = {.id = "n1"}}};
    self.profile.storage.level = level;
    self.profile.storage.count = count;
    self.profile.storage.spares = spares;
    for (unsigned i = 0; i < count + spares; i++) {
        const char name[] = {(char)('A' + i), '\0'};
        add_disk(self.machine, name, name, TB);
    }
    plan_again(&self);
    assert_non_null(self.layout);
    finish_machine(self.machine, self.layout);
    plan_again(&self);
    assert_int_equal(rf_plan_todo(self.plan, RF_PHASE_INSTALL), 0);
    return self;
}

#define INSTALLED(self, ...)                                                                                           \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct fixture self = installed(__VA_ARGS__)

/* A disk taken out, and a blank one put in its place where it has a name. */
static void swap(struct fixture *self, const char *out, const char *in)
{
    for (size_t i = 0; i < self->machine->disks_count; i++)
        if (strcmp(self->machine->disks[i].serial, out) == 0) {
            rf_disk_clear(&self->machine->disks[i]);
            self->machine->disks[i] = self->machine->disks[--self->machine->disks_count];
            break;
        }
    if (in)
        add_disk(self->machine, in, in, TB);
}

static void assert_title(const struct fixture *self, const char *id, const char *title)
{
    const struct rf_step *step = find_step(self->plan, id);
    if (!step) {
        rf_autofree char *text = self->layout ? rf_plan_text(self->plan) : rf_problems_text(&self->problems);
        fail_msg("there is no step %s:\n%s", id, text);
    }
    assert_string_equal(step->title, title);
    assert_false(step->done);
}

static void assert_refused(const struct fixture *self, const char *text)
{
    assert_null(self->layout);
    assert_int_equal(self->problems.count, 1);
    assert_problem(&self->problems, text);
}

static void a_replaced_disk(void **state)
{
    INSTALLED(self, RF_LEVEL_RAID5, 4, 0);
    swap(&self, "B", "X");
    plan_again(&self);
    assert_title(&self, "replace/system", "Replace member 2 of array system: 32.0 GiB from the others");
    assert_title(&self, "replace/data", "Replace member 2 of array data: 899 GiB from the others");
    assert_title(&self, "partition/2", "Partition disk 2: serial X, 1.00 TB");
    assert_non_null(find_step(self.plan, "filesystem/esp-2"));
    assert_null(find_step(self.plan, "grow/group"));
}

static void two_replaced_disks(void **state)
{
    INSTALLED(self, RF_LEVEL_RAID6, 4, 0);
    swap(&self, "D", "X");
    swap(&self, "A", "Y");
    plan_again(&self);
    assert_title(&self, "replace/data", "Replace members 1, 4 of array data: 899 GiB from the others");
}

static void a_spare_is_added(void **state)
{
    INSTALLED(self, RF_LEVEL_RAID1, 2, 0);
    self.profile.storage.spares = 1;
    add_disk(self.machine, "X", "X", TB);
    plan_again(&self);
    assert_title(&self, "spare/system", "Add spare to array system: disk 3");
    assert_title(&self, "spare/data", "Add spare to array data: disk 3");
    assert_non_null(find_step(self.plan, "filesystem/esp-3")); /* it boots when it becomes a member */
}

/* The spare has taken the place of the lost member; what comes in is the next spare. */
static void after_a_spare_stood_in(void **state)
{
    INSTALLED(self, RF_LEVEL_RAID1, 2, 1);
    swap(&self, "A", "X");
    plan_again(&self);
    assert_title(&self, "spare/data", "Add spare to array data: disk 1");
}

static void a_member_and_a_spare_at_once(void **state)
{
    INSTALLED(self, RF_LEVEL_RAID1, 2, 1);
    swap(&self, "A", "X");
    swap(&self, "C", "Y");
    plan_again(&self);
    assert_title(&self, "replace/data",
                 "Replace member 1 of array data: 899 GiB from the others; add spare to array data: disk 3");
}

static void a_single_disk_becomes_a_mirror(void **state)
{
    INSTALLED(self, RF_LEVEL_SINGLE, 1, 0);
    self.profile.storage.level = RF_LEVEL_RAID1;
    self.profile.storage.count = 2;
    add_disk(self.machine, "X", "X", 2 * TB);
    plan_again(&self);
    assert_title(&self, "grow/system", "Grow array system from 1 to 2 members of 32.0 GiB");
    assert_title(&self, "grow/data", "Grow array data from 1 to 2 members of 899 GiB");
    assert_title(&self, "partition/2",
                 "Partition disk 2: serial X, 2.00 TB (1.00 TB of it stay unused: another disk is smaller)");
    assert_null(find_step(self.plan, "grow/volume")); /* a mirror has no more room */
}

static void a_mirror_gets_a_third_member(void **state)
{
    INSTALLED(self, RF_LEVEL_RAID1, 2, 0);
    self.profile.storage.count = 3;
    add_disk(self.machine, "X", "X", TB);
    plan_again(&self);
    assert_title(&self, "grow/data", "Grow array data from 2 to 3 members of 899 GiB");
}

static void parity_grows_and_has_more_room(void **state)
{
    INSTALLED(self, RF_LEVEL_RAID5, 3, 0);
    self.profile.storage.count = 4;
    add_disk(self.machine, "X", "X", TB);
    plan_again(&self);
    assert_title(&self, "grow/data", "Grow array data from 3 to 4 members of 899 GiB");
    assert_title(&self, "grow/system", "Grow array system from 3 to 4 members of 32.0 GiB");
    static const char *const order[] = {"partition/4", "grow/data",   "volume/images",  "filesystem/images",
                                        "grow/group",  "grow/volume", "grow/filesystem"};
    for (size_t i = 1; i < RF_COUNT(order); i++)
        assert_true(find_step(self.plan, order[i - 1]) < find_step(self.plan, order[i]));
    assert_int_equal(find_step(self.plan, "grow/group")->phase, RF_PHASE_INSTALL);
}

/* No disk comes: one that stood by becomes a member. */
static void a_spare_becomes_a_member(void **state)
{
    INSTALLED(self, RF_LEVEL_RAID6, 4, 1);
    self.profile.storage.count = 5;
    self.profile.storage.spares = 0;
    plan_again(&self);
    assert_title(&self, "grow/data", "Grow array data from 4 to 5 members of 899 GiB");
    assert_true(find_step(self.plan, "partition/5")->done);
}

static void growing_with_a_spare(void **state)
{
    INSTALLED(self, RF_LEVEL_RAID5, 3, 0);
    self.profile.storage.count = 4;
    self.profile.storage.spares = 1;
    add_disk(self.machine, "X", "X", TB);
    add_disk(self.machine, "Y", "Y", TB);
    plan_again(&self);
    assert_title(&self, "grow/data", "Grow array data from 3 to 4 members of 899 GiB; add spare to array data: disk 5");
}

/* The superblocks say four, and the room is used when the reshape is over: on the node, without the installer. */
static void room_after_a_reshape(void **state)
{
    INSTALLED(self, RF_LEVEL_RAID5, 3, 0);
    self.machine->environment = RF_ENV_NODE;
    self.machine->volumes[1].size = self.machine->volumes[1].size / 2 * 3;
    plan_again(&self);
    assert_int_equal(rf_plan_todo(self.plan, RF_PHASE_INSTALL), 0);
    assert_int_equal(rf_plan_todo(self.plan, RF_PHASE_NODE), 3);
    assert_true(find_step(self.plan, "grow/volume")->independent);
    /* killed behind lvextend: only the file system is short */
    self.machine->volumes[2].size = images_of(self.machine->volumes[1].size);
    plan_again(&self);
    assert_int_equal(rf_plan_todo(self.plan, RF_PHASE_NODE), 3);
    self.machine->volumes[2].signatures[0].size = self.machine->volumes[2].size;
    plan_again(&self);
    assert_int_equal(rf_plan_todo(self.plan, RF_PHASE_NODE), 0);
}

/* Killed between giving the array its new disk and growing it: the disk is a spare, and nothing but the number says so. */
static void growth_that_was_cut_short(void **state)
{
    INSTALLED(self, RF_LEVEL_RAID1, 3, 0);
    for (size_t i = 0; i < 3; i++)
        self.machine->disks[i].partitions[RF_PART_DATA].signatures[0].members = 2;
    plan_again(&self);
    assert_title(&self, "grow/data", "Grow array data from 2 to 3 members of 899 GiB");
    assert_true(find_step(self.plan, "array/system")->done);
    self.machine->disks[1].partitions[RF_PART_DATA].signatures[0].members = 3; /* the others were out meanwhile */
    plan_again(&self);
    assert_true(find_step(self.plan, "array/data")->done);
}

static void a_missing_member(void **state)
{
    (void)state;
    RF_CLEANUP(finish)
    struct fixture self = {.machine = rf_alloc(sizeof(rf_machine)), .profile = {.node = {.id = "n1"}}};
    self.profile.storage.level = RF_LEVEL_RAID1;
    self.profile.storage.count = 2;
    self.profile.storage.missing = 1;
    add_disk(self.machine, "A", "A", TB);
    plan_again(&self);
    assert_title(&self, "array/data", "Create array data: RAID1 over 2 members of 899 GiB, 1 missing on purpose");
    finish_machine(self.machine, self.layout);
    plan_again(&self);
    assert_int_equal(rf_plan_todo(self.plan, RF_PHASE_INSTALL), 0);
    add_disk(self.machine, "X", "X", TB);
    plan_again(&self);
    assert_refused(&self,
                   "the profile asks for 1 disk (of 2 members 1 is missing on purpose), and 2 of 2 match; narrow "
                   "storage.disks.match, or leave storage.missing out if the missing disk is there now");
    self.profile.storage.missing = 0;
    plan_again(&self);
    assert_title(&self, "replace/data", "Replace member 2 of array data: 899 GiB from the others");
}

static void an_array_does_not_shrink(void **state)
{
    INSTALLED(self, RF_LEVEL_RAID1, 3, 0);
    self.profile.storage.count = 2;
    self.profile.storage.spares = 1;
    plan_again(&self);
    assert_refused(&self, "storage.disks.count: array data has 3 members, and the profile asks for 2: members are not "
                          "taken away; write `count: 3`");
}

static void an_array_stays_at_its_level(void **state)
{
    INSTALLED(self, RF_LEVEL_RAID5, 4, 0);
    static const enum rf_level others[] = {RF_LEVEL_RAID1, RF_LEVEL_RAID6, RF_LEVEL_RAID10};
    for (size_t i = 0; i < RF_COUNT(others); i++) {
        self.profile.storage.level = others[i];
        plan_again(&self);
        assert_refused(&self, "storage.level: array data of this node is raid5, and the profile asks for ");
    }
    for (size_t i = 0; i < 4; i++)
        self.machine->disks[i].partitions[RF_PART_BIOS].attributes = 0;
    plan_again(&self);
    assert_refused(&self, "or begin anew: no installation of this node was finished");
}

static void copies_stay_where_they_are(void **state)
{
    INSTALLED(self, RF_LEVEL_RAID10, 4, 0);
    self.profile.storage.layout = RF_COPIES_FAR;
    plan_again(&self);
    assert_refused(&self,
                   "storage.layout: array data of this node has layout n2, and the profile asks for f2: it stays "
                   "as it is; write `layout: near`");
}

static void far_copies_do_not_grow(void **state)
{
    (void)state;
    for (int far = 0; far <= 1; far++) {
        RF_CLEANUP(finish) struct fixture self = installed(RF_LEVEL_RAID10, 4, 0);
        self.profile.storage.layout = far ? RF_COPIES_FAR : RF_COPIES_NEAR;
        for (size_t i = 0; i < 4; i++) {
            struct rf_signature *member = &self.machine->disks[i].partitions[RF_PART_DATA].signatures[0];
            free(member->layout);
            member->layout = rf_strdup(far ? "f2" : "n2");
        }
        self.profile.storage.count = 5;
        add_disk(self.machine, "X", "X", TB);
        plan_again(&self);
        if (far)
            assert_refused(&self, "array data can't grow: its layout is `far`; write `count: 4`");
        else
            assert_title(&self, "grow/data", "Grow array data from 4 to 5 members of 899 GiB");
    }
}

static void only_a_whole_array_grows(void **state)
{
    INSTALLED(self, RF_LEVEL_RAID5, 3, 0);
    self.profile.storage.count = 4;
    swap(&self, "A", "X");
    add_disk(self.machine, "Y", "Y", TB);
    plan_again(&self);
    assert_refused(&self, "array data has 2 of its 3 members, and grows to 4 only when it is whole");
}

static void nothing_grows_into_a_missing_member(void **state)
{
    INSTALLED(self, RF_LEVEL_RAID1, 2, 0);
    self.profile.storage.count = 3;
    self.profile.storage.missing = 1;
    plan_again(&self);
    assert_refused(&self, "storage.missing: array data has 2 members, and grows to 3 only when all disks are there");
}

/* Machines that were recorded before superblocks were read: as before. */
static void an_old_description(void **state)
{
    INSTALLED(self, RF_LEVEL_RAID1, 2, 0);
    for (size_t i = 0; i < 2; i++)
        for (enum rf_part part = RF_PART_SYSTEM; part <= RF_PART_DATA; part++) {
            struct rf_signature *member = &self.machine->disks[i].partitions[part].signatures[0];
            free(member->level);
            member->level = NULL;
            member->members = 0;
        }
    plan_again(&self);
    assert_int_equal(rf_plan_todo(self.plan, RF_PHASE_INSTALL), 0);
    swap(&self, "A", "X");
    plan_again(&self);
    assert_non_null(find_step(self.plan, "replace/data"));
}

/* Both arrays run on these disks ("A B"); of A, partitions A3 and A4. */
static void run_on(struct fixture *self, const char *disks)
{
    for (size_t i = 0; i < self->machine->volumes_count; i++) {
        struct rf_volume *volume = &self->machine->volumes[i];
        if (strcmp(volume->kind, "md") != 0)
            continue;
        bool system = strcmp(volume->uuid, self->layout->system.uuid) == 0;
        free(volume->on);
        volume->on = NULL;
        for (const char *at = disks; *at; at++)
            if (*at != ' ')
                rf_append(&volume->on, "%s%c%d", volume->on ? " " : "", *at, system ? 3 : 4);
    }
}

/* Pulled and put back while the node ran: its superblock is there, and nobody uses it. */
static void a_member_comes_back(void **state)
{
    INSTALLED(self, RF_LEVEL_RAID1, 2, 0);
    run_on(&self, "A B");
    plan_again(&self);
    assert_int_equal(rf_plan_todo(self.plan, RF_PHASE_INSTALL), 0);
    run_on(&self, "B");
    plan_again(&self);
    assert_title(&self, "readd/system",
                 "Re-add member 1 to array system: what it has missed is copied from the others");
    assert_title(&self, "readd/data", "Re-add member 1 to array data: what it has missed is copied from the others");
    assert_string_equal(rf_raid_word(self.layout, 0, self.machine), "readd");
    assert_null(rf_raid_word(self.layout, 1, self.machine));
    assert_true(rf_raid_takes_disks(&self.layout->data, self.machine));
}

/* A partition's kernel name is looked for as a whole word, and with the p behind a name that ends in a digit. */
static void names_are_taken_whole(void **state)
{
    static const struct {
        const char *disk, *on;
        bool out;
    } rows[] = {{"A", "A3 A4 B3 B4", false},
                {"A", "AA3 AA4 B3 B4", true},
                {"A", "A33 A44 B3 B4", true},
                {"nvme0n1", "B3 B4 nvme0n1p3 nvme0n1p4", false},
                {"nvme0n1", "B3 B4 nvme0n13 nvme0n14", true}};
    INSTALLED(self, RF_LEVEL_RAID1, 2, 0);
    for (size_t row = 0; row < RF_COUNT(rows); row++) {
        free(self.machine->disks[0].name);
        self.machine->disks[0].name = rf_strdup(rows[row].disk);
        for (size_t i = 0; i < self.machine->volumes_count; i++) {
            free(self.machine->volumes[i].on);
            self.machine->volumes[i].on = rf_strdup(rows[row].on);
        }
        plan_again(&self);
        assert_int_equal(rf_raid_word(self.layout, 0, self.machine) != NULL, rows[row].out);
        assert_null(rf_raid_word(self.layout, 1, self.machine));
    }
}

/* One comes back, another is exchanged. */
static void a_member_comes_back_beside_a_new_one(void **state)
{
    INSTALLED(self, RF_LEVEL_RAID6, 4, 0);
    run_on(&self, "B C");
    swap(&self, "D", "X");
    plan_again(&self);
    assert_title(&self, "replace/data",
                 "Replace member 4 of array data: 899 GiB from the others; re-add member 1 to array data: what it has "
                 "missed is copied from the others");
    assert_string_equal(rf_raid_word(self.layout, 0, self.machine), "readd");
    assert_string_equal(rf_raid_word(self.layout, 3, self.machine), "replace");
}

/* Which of two blank disks is what. */
static void the_words_of_each_disk(void **state)
{
    INSTALLED(self, RF_LEVEL_RAID1, 2, 0);
    self.profile.storage.spares = 1;
    swap(&self, "A", "X");
    add_disk(self.machine, "Y", "Y", TB);
    plan_again(&self);
    assert_string_equal(rf_raid_word(self.layout, 0, self.machine), "replace");
    assert_null(rf_raid_word(self.layout, 1, self.machine));
    assert_string_equal(rf_raid_word(self.layout, 2, self.machine), "spare");
}

/* Its superblock is gone, and it boots: what takes disks in would refuse, so it does not begin. */
static void a_lost_member_is_not_replaced_by_itself(void **state)
{
    INSTALLED(self, RF_LEVEL_RAID1, 2, 0);
    self.machine->disks[0].partitions[RF_PART_DATA].signatures[0].type[0] = 'x';
    plan_again(&self);
    assert_false(rf_raid_takes_disks(&self.layout->data, self.machine));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replaced_disk),
        cmocka_unit_test(two_replaced_disks),
        cmocka_unit_test(a_spare_is_added),
        cmocka_unit_test(after_a_spare_stood_in),
        cmocka_unit_test(a_member_and_a_spare_at_once),
        cmocka_unit_test(a_single_disk_becomes_a_mirror),
        cmocka_unit_test(a_mirror_gets_a_third_member),
        cmocka_unit_test(parity_grows_and_has_more_room),
        cmocka_unit_test(a_spare_becomes_a_member),
        cmocka_unit_test(growing_with_a_spare),
        cmocka_unit_test(room_after_a_reshape),
        cmocka_unit_test(growth_that_was_cut_short),
        cmocka_unit_test(a_missing_member),
        cmocka_unit_test(an_array_does_not_shrink),
        cmocka_unit_test(an_array_stays_at_its_level),
        cmocka_unit_test(copies_stay_where_they_are),
        cmocka_unit_test(far_copies_do_not_grow),
        cmocka_unit_test(only_a_whole_array_grows),
        cmocka_unit_test(nothing_grows_into_a_missing_member),
        cmocka_unit_test(an_old_description),
        cmocka_unit_test(a_member_comes_back),
        cmocka_unit_test(names_are_taken_whole),
        cmocka_unit_test(a_member_comes_back_beside_a_new_one),
        cmocka_unit_test(the_words_of_each_disk),
        cmocka_unit_test(a_lost_member_is_not_replaced_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
