/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the array step runs, by what is on the members: images that hold nothing, or a superblock (md's format 1.2). */
#include "raid/steps.h"
#include "tests/unit/raid/md.h"
#include "tests/unit/raid/raid.h"

#include <fcntl.h>

#define UUID "169bfa67-cdb7-5301-8593-2f7ec93a84c8"

struct fixture {
    char *directory, *paths[2];
    rf_runner *runner;
    struct rf_layout_array array;
};

static void finish(struct fixture *self)
{
    rf_remove_tree(self->directory, NULL);
    rf_runner_free(self->runner);
    for (size_t i = 0; i < RF_COUNT(self->paths); i++)
        free(self->paths[i]);
    free(self->array.device);
    free(self->directory);
}

static void start(struct fixture *self)
{
    *self = (struct fixture){.directory = unit_directory(), .runner = rf_runner_dry()};
    self->array = (struct rf_layout_array){
        .name = "system", .level = RF_LEVEL_RAID1, .raid_disks = 2, .members = self->paths, .members_count = 2};
    self->array.device = rf_format("%s/md", self->directory);
    snprintf(self->array.uuid, sizeof(self->array.uuid), UUID);
    for (size_t i = 0; i < 2; i++) {
        self->paths[i] = rf_format("%s/member-%zu", self->directory, i);
        rf_autofd int fd = open(self->paths[i], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(ftruncate(fd, 128 * RF_MIB), 0);
    }
}

#define FIXTURE(self)                                                                                                  \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct fixture self;                                                                            \
    start(&self)

static int apply(struct fixture *self, rf_error **err)
{
    struct rf_step_env env = {.runner = self->runner};
    return rf_step_array.apply(&env, &self->array, err);
}

static bool ran(struct fixture *self, const char *what)
{
    return strstr(rf_runner_dry_text(self->runner), what);
}

static void blank_members_become_an_array(void **state)
{
    FIXTURE(self);
    assert_int_equal(apply(&self, NULL), 0);
    assert_true(ran(&self, "blkdiscard") && ran(&self, "mdadm --create"));
}

static void a_superblock_is_enough_to_assemble(void **state)
{
    FIXTURE(self);
    write_superblock(self.paths[0]);
    write_superblock(self.paths[1]);
    assert_int_equal(apply(&self, NULL), 0);
    assert_true(ran(&self, "mdadm --assemble"));
    assert_false(ran(&self, "blkdiscard") || ran(&self, "--create"));
}

/* A disk that was exchanged is blank and not marked: the array goes on with it. */
static void an_exchanged_disk_is_filled(void **state)
{
    FIXTURE(self);
    write_superblock(self.paths[0]);
    self.array.committed[0] = true;
    assert_int_equal(apply(&self, NULL), 0);
    assert_true(ran(&self, "mdadm --assemble"));
}

/* All superblocks gone: `create` would write over the data of a finished installation. */
static void a_finished_array_is_not_made_anew(void **state)
{
    FIXTURE(self);
    self.array.committed[0] = self.array.committed[1] = true;
    rf_error *err = NULL;
    assert_int_equal(apply(&self, &err), -1);
    assert_int_equal(rf_error_code(err), RF_BAD_MACHINE);
    assert_error_has(err, "member-0 has lost its superblock as a member of array system (UUID " UUID ")");
    assert_string_equal(rf_runner_dry_text(self.runner), "");
}

/* One superblock gone, on a disk that boots: the other member may be an old copy of it. */
static void a_finished_member_is_not_written_over(void **state)
{
    FIXTURE(self);
    write_superblock(self.paths[0]);
    self.array.committed[1] = true;
    rf_error *err = NULL;
    assert_int_equal(apply(&self, &err), -1);
    assert_int_equal(rf_error_code(err), RF_BAD_MACHINE);
    assert_error_has(err, "member-1 has lost its superblock");
    struct rf_step_env env = {.runner = self.runner};
    assert_int_equal(rf_array_assemble(&env, &self.array, NULL), -1);
    assert_string_equal(rf_runner_dry_text(self.runner), "");
}

static void something_else_is_refused(void **state)
{
    FIXTURE(self);
    rf_autofd int fd = open(self.paths[1], O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "LABELONE\1\0\0\0\0\0\0\0\0\0\0\0\x20\0\0\0LVM2 001", 32, 512), 32);
    rf_error *err = NULL;
    assert_int_equal(apply(&self, &err), -1);
    assert_int_equal(rf_error_code(err), RF_BAD_MACHINE);
    assert_error_has(err, "holds LVM2_member, which is not this node's");
    assert_string_equal(rf_runner_dry_text(self.runner), "");
}

/* On a running node an array is never made, assembled or stopped, whatever lies on its members. */
static void a_node_makes_no_array(void **state)
{
    for (size_t ours = 0; ours <= 2; ours++) {
        FIXTURE(self);
        for (size_t i = 0; i < ours; i++)
            write_superblock(self.paths[i]);
        rf_error *err = NULL;
        struct rf_step_env env = {.runner = self.runner};
        assert_int_equal(rf_step_join.apply(&env, &self.array, &err), -1);
        assert_int_equal(rf_error_code(err), RF_FAILED);
        assert_error_has(err, "array system does not run, and on a running node none is made or assembled");
        assert_string_equal(rf_runner_dry_text(self.runner), "");
    }
}

/* The same refusals as the installer's. */
static void a_node_writes_over_no_finished_member(void **state)
{
    FIXTURE(self);
    write_superblock(self.paths[0]);
    self.array.committed[1] = true;
    rf_error *err = NULL;
    struct rf_step_env env = {.runner = self.runner};
    assert_int_equal(rf_step_join.apply(&env, &self.array, &err), -1);
    assert_error_has(err, "member-1 has lost its superblock");
    assert_string_equal(rf_runner_dry_text(self.runner), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blank_members_become_an_array),
        cmocka_unit_test(a_superblock_is_enough_to_assemble),
        cmocka_unit_test(an_exchanged_disk_is_filled),
        cmocka_unit_test(a_finished_array_is_not_made_anew),
        cmocka_unit_test(a_finished_member_is_not_written_over),
        cmocka_unit_test(something_else_is_refused),
        cmocka_unit_test(a_node_makes_no_array),
        cmocka_unit_test(a_node_writes_over_no_finished_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
