/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The real mkfs tools on sparse files: made, complete, interrupted, somebody else's. */
#include "raid/steps.h"
#include "tests/unit/raid/raid.h"

#include <fcntl.h>

struct fixture {
    char *directory;
    rf_runner *runner;
    struct rf_layout_filesystem filesystem;
};

static void start(struct fixture *self, const char *type, const char *uuid, const char *label, uint64_t size)
{
    *self = (struct fixture){.directory = unit_directory(), .runner = rf_runner_real()};
    self->filesystem = (struct rf_layout_filesystem){.id = "test", .type = type, .label = rf_strdup(label)};
    self->filesystem.device = rf_format("%s/image", self->directory);
    snprintf(self->filesystem.uuid, sizeof(self->filesystem.uuid), "%s", uuid);
    rf_autofd int fd = open(self->filesystem.device, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
}

static void finish(struct fixture *self)
{
    rf_remove_tree(self->directory, NULL);
    rf_runner_free(self->runner);
    free(self->filesystem.device);
    free(self->filesystem.label);
    free(self->directory);
}

#define FIXTURE(self, ...)                                                                                             \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct fixture self;                                                                            \
    start(&self, __VA_ARGS__)

static enum rf_probe probe(struct fixture *self)
{
    struct rf_step_env env = {.runner = self->runner};
    return rf_step_filesystem.probe(&env, &self->filesystem, NULL);
}

static void apply(struct fixture *self)
{
    struct rf_step_env env = {.runner = self->runner};
    rf_error *err = NULL;
    if (rf_step_filesystem.apply(&env, &self->filesystem, &err) < 0) {
        rf_autofree char *why = rf_error_text(err);
        rf_error_free(err);
        fail_msg("%s", why);
    }
}

static bool has(const char *tool)
{
    rf_autofree char *path = rf_format("/usr/sbin/%s", tool);
    if (!rf_exists(path))
        print_message("skipped: %s is not installed\n", tool);
    return rf_exists(path);
}

static void made_once(struct fixture *self)
{
    assert_int_equal(probe(self), RF_PROBE_TODO);
    apply(self);
    assert_int_equal(probe(self), RF_PROBE_DONE);
    apply(self); /* nothing to do */
    assert_int_equal(probe(self), RF_PROBE_DONE);
}

static void vfat(void **state)
{
    FIXTURE(self, "vfat", "1A2B-3C4D", "RF-ESP-1", 512 * RF_MIB);
    if (!has("mkfs.vfat") || !has("fatlabel"))
        skip();
    made_once(&self);
}

static void xfs(void **state)
{
    FIXTURE(self, "xfs", "36ddfc01-6f55-5682-9794-3d76d9b59b02", "rf-images", 4 * TB);
    if (!has("mkfs.xfs") || !has("xfs_admin"))
        skip();
    made_once(&self);
}

/* A kill between mkfs and the label: made anew, then complete. */
static void interrupted(void **state)
{
    FIXTURE(self, "vfat", "1A2B-3C4D", "RF-ESP-1", 512 * RF_MIB);
    if (!has("mkfs.vfat") || !has("fatlabel"))
        skip();
    self.runner = rf_runner_fault(self.runner, 2, 1);
    struct rf_step_env env = {.runner = self.runner};
    assert_int_equal(rf_step_filesystem.apply(&env, &self.filesystem, NULL), -1);
    assert_int_equal(probe(&self), RF_PROBE_TODO);
    apply(&self);
    assert_int_equal(probe(&self), RF_PROBE_DONE);
}

static void another_file_system_is_refused(void **state)
{
    FIXTURE(self, "vfat", "1A2B-3C4D", "RF-ESP-1", 512 * RF_MIB);
    if (!has("mkfs.vfat"))
        skip();
    assert_int_equal(
        rf_run_argv(self.runner, RF_ARGV("mkfs.vfat", "-F", "32", "-i", "11112222", self.filesystem.device), NULL), 0);
    struct rf_step_env env = {.runner = self.runner};
    rf_error *err = NULL;
    assert_int_equal(probe(&self), RF_PROBE_TODO);
    assert_int_equal(rf_step_filesystem.apply(&env, &self.filesystem, &err), -1);
    assert_int_equal(rf_error_code(err), RF_BAD_MACHINE);
    assert_error_has(err, "holds vfat 1111-2222, which is not this profile's file system; it was not written");
}

static void refused(struct fixture *self, const char *message)
{
    struct rf_step_env env = {.runner = self->runner};
    rf_error *err = NULL;
    assert_int_equal(probe(self), RF_PROBE_TODO);
    assert_int_equal(rf_step_filesystem.apply(&env, &self->filesystem, &err), -1);
    assert_int_equal(rf_error_code(err), RF_BAD_MACHINE);
    assert_error_has(err, message);
}

/* What a finished installation had is not made anew, whatever of it is gone. No tool may even be started. */
static void a_lost_one_is_refused(void **state)
{
    static const char uuid[] = "36ddfc01-6f55-5682-9794-3d76d9b59b02";
    static const char *const types[] = {"vfat", "btrfs", "xfs"};
    for (size_t i = 0; i < RF_COUNT(types); i++) {
        FIXTURE(self, types[i], uuid, "rf-test", 512 * RF_MIB);
        rf_runner_free(self.runner);
        self.runner = rf_runner_dry();
        self.filesystem.committed = true;
        rf_autofree char *message = rf_format(
            "%s has lost its %s file system (UUID %s). An installation of this node was finished once (a disk of it is "
            "marked as bootable), so it held the node's data, and it was not written.",
            self.filesystem.device, types[i], uuid);
        refused(&self, message);
        assert_string_equal(rf_runner_dry_text(self.runner), "");
    }
}

static void a_complete_one_is_left_alone(void **state)
{
    FIXTURE(self, "vfat", "1A2B-3C4D", "RF-ESP-1", 512 * RF_MIB);
    if (!has("mkfs.vfat") || !has("fatlabel"))
        skip();
    apply(&self);
    self.filesystem.committed = true;
    assert_int_equal(probe(&self), RF_PROBE_DONE);
    apply(&self);
}

/* Somebody took the label away: what looks like an interrupted run is full of data. */
static void one_without_its_label_is_refused(void **state)
{
    FIXTURE(self, "xfs", "36ddfc01-6f55-5682-9794-3d76d9b59b02", "rf-images", 512 * RF_MIB);
    if (!has("mkfs.xfs") || !has("xfs_admin"))
        skip();
    apply(&self);
    assert_int_equal(rf_run_argv(self.runner, RF_ARGV("xfs_admin", "-L", "--", self.filesystem.device), NULL), 0);
    self.filesystem.committed = true;
    refused(&self, "has lost the label rf-images of its xfs file system");
}

/* A device whose superblock can't be read looks blank to libblkid. */
static void an_unreadable_device_is_not_blank(void **state)
{
    FIXTURE(self, "xfs", "36ddfc01-6f55-5682-9794-3d76d9b59b02", "rf-images", 512 * RF_MIB);
    rf_autofree char *device = self.filesystem.device;
    self.filesystem.device = rf_strdup(self.directory); /* opens, and gives EISDIR where it is read */
    struct rf_step_env env = {.runner = self.runner};
    rf_error *err = NULL;
    assert_int_equal(rf_step_filesystem.apply(&env, &self.filesystem, &err), -1);
    assert_error_has(err, "its first MiB can't be read");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vfat),
        cmocka_unit_test(xfs),
        cmocka_unit_test(interrupted),
        cmocka_unit_test(another_file_system_is_refused),
        cmocka_unit_test(a_lost_one_is_refused),
        cmocka_unit_test(a_complete_one_is_left_alone),
        cmocka_unit_test(one_without_its_label_is_refused),
        cmocka_unit_test(an_unreadable_device_is_not_blank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
