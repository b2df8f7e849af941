/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/ident.h"
#include "tests/unit/raid/raid.h"

struct fixture {
    rf_machine *machine;
    rf_profile profile;
    struct rf_match match;
    rf_problems problems;
};

static void start(struct fixture *self)
{
    *self = (struct fixture){.machine = rf_alloc(sizeof(rf_machine))};
    self->profile.node.id = "n1";
    self->profile.storage.count = 2;
    self->profile.storage.level = RF_LEVEL_RAID1;
}

static void finish(struct fixture *self)
{
    rf_match_clear(&self->match);
    rf_problems_clear(&self->problems);
    rf_machine_free(self->machine);
}
#define FIXTURE(name)                                                                                                  \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct fixture name;                                                                            \
    start(&name)

static void run(struct fixture *self)
{
    rf_match_clear(&self->match);
    rf_problems_clear(&self->problems);
    rf_match_disks(&self->profile, self->machine, &self->match, &self->problems);
}

static void order_is_identity(void **state)
{
    FIXTURE(self);
    add_disk(self.machine, "vda", "S2", TB);
    add_disk(self.machine, "vdb", "S1", TB);
    run(&self);
    assert_int_equal(self.problems.count, 0);
    assert_int_equal(self.match.chosen_count, 2);
    assert_string_equal(self.match.chosen[0]->serial, "S1");
    assert_string_equal(self.match.chosen[1]->serial, "S2");
}

static void one_too_many_stops(void **state)
{
    FIXTURE(self);
    add_disk(self.machine, "vda", "S1", TB);
    add_disk(self.machine, "vdb", "S2", TB);
    add_disk(self.machine, "vdc", "S3", TB);
    run(&self);
    assert_int_equal(self.match.chosen_count, 0);
    assert_problem(&self.problems, "asks for 2 disks, and 3 of 3 match; narrow");
    assert_problem(&self.problems, "vdc");
}

/* Spares are asked for beside the members, and what is missing is not. */
static void members_spares_and_missing(void **state)
{
    FIXTURE(self);
    add_disk(self.machine, "vda", "S1", TB);
    add_disk(self.machine, "vdb", "S2", TB);
    add_disk(self.machine, "vdc", "S3", TB);
    self.profile.storage.spares = 1;
    run(&self);
    assert_int_equal(self.match.chosen_count, 3);
    self.profile.storage.spares = 2;
    run(&self);
    assert_problem(&self.problems,
                   "the profile asks for 4 disks (2 members and 2 spares), and 3 of 3 match; add disks");
    self.profile.storage.spares = 0;
    self.profile.storage.count = 4;
    self.profile.storage.missing = 1;
    run(&self);
    assert_int_equal(self.match.chosen_count, 3);
}

static void no_disks(void **state)
{
    FIXTURE(self);
    run(&self);
    assert_problem(&self.problems, "0 of 0 match");
    assert_problem(&self.problems, "(this machine has no disks)");
}

static void missing_property_does_not_match(void **state)
{
    FIXTURE(self);
    add_disk(self.machine, "vda", "S1", TB);
    struct rf_disk *bare = add_disk(self.machine, "vdb", "S2", TB);
    bare->rotational = RF_ROTATIONAL_UNKNOWN;
    self.profile.storage.match.rotational = RF_NO;
    run(&self);
    assert_problem(&self.problems, "no: does not say whether it is rotational");
    self.profile.storage.match = (struct rf_disk_match){.model = "*"};
    run(&self);
    assert_problem(&self.problems, "no: has no model");
    self.profile.storage.match = (struct rf_disk_match){.wwn = "0x5*"};
    run(&self);
    assert_problem(&self.problems, "no: has no wwn");
}

static void texts_are_exact_or_prefixes(void **state)
{
    FIXTURE(self);
    add_disk(self.machine, "vda", "ABC1", TB);
    add_disk(self.machine, "vdb", "ABC12", TB);
    self.profile.storage.count = 1;
    self.profile.storage.match.serial = "ABC1";
    run(&self);
    assert_int_equal(self.match.chosen_count, 1);
    self.profile.storage.count = 2;
    self.profile.storage.match.serial = "ABC*";
    run(&self);
    assert_int_equal(self.match.chosen_count, 2);
}

static void size_band_is_inclusive(void **state)
{
    FIXTURE(self);
    add_disk(self.machine, "vda", "S1", TB);
    add_disk(self.machine, "vdb", "S2", 2 * TB);
    self.profile.storage.match.size = (struct rf_size_band){TB, 2 * TB};
    run(&self);
    assert_int_equal(self.match.chosen_count, 2);
    self.profile.storage.match.size = (struct rf_size_band){TB + 1, 2 * TB - 1};
    run(&self);
    assert_problem(&self.problems, "is below");
    assert_problem(&self.problems, "is above");
}

static void used_ones_cant_be_chosen(void **state)
{
    static const struct {
        const char *use, *said;
    } rows[] = {{"install medium", "no: install medium"},
                {"mounted at /data", "no: in use: mounted at /data"},
                {"swap", "no: in use: swap"},
                {"unreadable: I/O error", "no: unreadable: I/O error"}};
    FIXTURE(self);
    add_disk(self.machine, "vda", "S1", TB);
    add_disk(self.machine, "vdb", "S2", TB);
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        free(self.machine->disks[1].in_use);
        self.machine->disks[1].in_use = rf_strdup(rows[i].use);
        run(&self);
        assert_int_equal(self.match.chosen_count, 0);
        assert_problem(&self.problems, rows[i].said);
    }
}

static void ours_may_be_in_use_but_never_unreadable(void **state)
{
    FIXTURE(self);
    char uuid[RF_UUID_TEXT];
    rf_uuid("n1", "disk/2", uuid);
    add_disk(self.machine, "vda", "S1", TB);
    struct rf_disk *ours = add_disk(self.machine, "vdb", "S2", TB);
    ours->table_uuid = rf_strdup(uuid);
    ours->in_use = rf_strdup("mounted at /");
    assert_int_equal(rf_disk_member("n1", ours), 2);
    assert_int_equal(rf_disk_member("n2", ours), 0);
    run(&self);
    assert_int_equal(self.match.chosen_count, 2);
    free(ours->in_use);
    ours->in_use = rf_strdup("unreadable: I/O error");
    run(&self);
    assert_int_equal(self.match.chosen_count, 0);
}

static void removable_only_where_usb_is_asked_for(void **state)
{
    FIXTURE(self);
    self.profile.storage.count = 1;
    struct rf_disk *stick = add_disk(self.machine, "sdb", "U1", TB);
    stick->removable = true;
    free(stick->transport);
    stick->transport = rf_strdup("usb");
    run(&self);
    assert_problem(&self.problems, "no: removable");
    self.profile.storage.match.transport = "usb";
    run(&self);
    assert_int_equal(self.match.chosen_count, 1);
}

static void twins_are_refused(void **state)
{
    FIXTURE(self);
    struct rf_disk *first = add_disk(self.machine, "sda", "S1", TB);
    first->wwn = rf_strdup("0x5000");
    struct rf_disk *second = add_disk(self.machine, "sdb", "S1", TB);
    second->wwn = rf_strdup("0x5000");
    run(&self);
    assert_int_equal(self.match.chosen_count, 0);
    assert_problem(&self.problems, "sda and sdb can't be told apart (serial S1)");
}

static void nothing_to_know_it_by(void **state)
{
    FIXTURE(self);
    self.profile.storage.count = 1;
    struct rf_disk *disk = add_disk(self.machine, "vda", NULL, TB);
    free(disk->by_path);
    disk->by_path = NULL;
    run(&self);
    assert_problem(&self.problems, "neither serial nor WWN nor bus path");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_identity),
        cmocka_unit_test(one_too_many_stops),
        cmocka_unit_test(members_spares_and_missing),
        cmocka_unit_test(no_disks),
        cmocka_unit_test(missing_property_does_not_match),
        cmocka_unit_test(texts_are_exact_or_prefixes),
        cmocka_unit_test(size_band_is_inclusive),
        cmocka_unit_test(used_ones_cant_be_chosen),
        cmocka_unit_test(ours_may_be_in_use_but_never_unreadable),
        cmocka_unit_test(removable_only_where_usb_is_asked_for),
        cmocka_unit_test(twins_are_refused),
        cmocka_unit_test(nothing_to_know_it_by),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
