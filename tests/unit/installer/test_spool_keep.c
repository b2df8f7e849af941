/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A real file system on a loop device stands for the node's volume. As root only. */
#include "base/command.h"
#include "base/file.h"
#include "base/paths.h"
#include "installer/spool_keep.h"
#include "tests/unit/mounts.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#define PROFILE "richtfest: 1\n"

struct fixture {
    char *directory, *spool, *where, *device;
    rf_runner *runner;
    struct rf_state_volume volume;
};

static char *path_in(const struct fixture *self, const char *name)
{
    return rf_format("%s/%s", self->where, name);
}

static void put(const struct fixture *self, const char *name, const char *text)
{
    rf_autofree char *path = path_in(self, name);
    assert_int_equal(mount(self->device, self->where, "xfs", 0, NULL), 0);
    assert_int_equal(rf_write_file(path, text, strlen(text), 0600, NULL), 0);
    assert_int_equal(umount(self->where), 0);
}

/* What the volume holds under that name; the caller frees it. NULL: nothing. */
static char *get(const struct fixture *self, const char *name)
{
    rf_autofree char *path = path_in(self, name);
    char *text = NULL;
    struct stat status;
    assert_int_equal(mount(self->device, self->where, "xfs", MS_RDONLY, NULL), 0);
    rf_read_file(path, 1 << 20, &text, NULL, NULL);
    if (text && stat(path, &status) == 0)
        assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(umount(self->where), 0);
    return text;
}

/* Why this can't run here, or NULL. */
static const char *start(struct fixture *self)
{
    *self = (struct fixture){.directory = unit_directory(), .runner = rf_runner_real()};
    self->spool = rf_format("%s/report.spool", self->directory);
    self->where = rf_format("%s/state", self->directory);
    rf_make_dirs(self->where, 0700, NULL);
    rf_autofree char *image = rf_format("%s/image", self->directory);
    rf_autofd int fd = open(image, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (geteuid() != 0 || ftruncate(fd, 512 << 20) < 0)
        return "not root";
    if (rf_run_argv(self->runner, RF_ARGV("mkfs.xfs", "-q", image), NULL) < 0)
        return "no mkfs.xfs";
    if (rf_run_output(self->runner, RF_ARGV("losetup", "--find", "--show", image), &self->device, NULL) < 0)
        return "no loop device to be had";
    self->device[strcspn(self->device, "\n")] = '\0';
    if (mount(self->device, self->where, "xfs", 0, NULL) < 0 || umount(self->where) < 0)
        return "XFS can't be mounted here";
    self->volume = (struct rf_state_volume){self->device, "xfs", NULL};
    put(self, "profile.yaml", PROFILE);
    return NULL;
}

static void finish(struct fixture *self)
{
    umount(self->where);
    if (self->device)
        rf_run_argv(self->runner, RF_ARGV("losetup", "--detach", self->device), NULL);
    rf_runner_free(self->runner);
    rf_remove_tree(self->directory, NULL);
    free(self->directory);
    free(self->spool);
    free(self->where);
    free(self->device);
}

#define FIXTURE(self)                                                                                                  \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct fixture self;                                                                            \
    const char *lacking = start(&self);                                                                                \
    if (lacking) {                                                                                                     \
        print_message("skipped: %s\n", lacking);                                                                       \
        skip();                                                                                                        \
    }

static void spooled(const struct fixture *self, const char *text)
{
    assert_int_equal(rf_write_file(self->spool, text, strlen(text), 0600, NULL), 0);
}

static void nothing_is_left_mounted(const struct fixture *self)
{
    assert_int_equal(umount(self->where), -1);
}

static void events_go_along(void **state)
{
    FIXTURE(self);
    size_t count = 0;
    spooled(&self, "{\"n\":1}\n{\"n\":2}\n");
    assert_int_equal(rf_spool_keep(self.spool, &self.volume, self.where, PROFILE, &count, NULL), 0);
    nothing_is_left_mounted(&self);
    assert_int_equal(count, 2);
    assert_false(rf_exists(self.spool));
    rf_autofree char *kept = get(&self, "report.spool");
    assert_string_equal(kept, "{\"n\":1}\n{\"n\":2}\n");
}

/* A node that was installed before may have some of its own: they are older. */
static void behind_what_the_node_has(void **state)
{
    FIXTURE(self);
    size_t count = 0;
    put(&self, "report.spool", "{\"n\":0}\n");
    spooled(&self, "{\"n\":1}\n");
    assert_int_equal(rf_spool_keep(self.spool, &self.volume, self.where, PROFILE, &count, NULL), 0);
    assert_int_equal(count, 1);
    rf_autofree char *kept = get(&self, "report.spool");
    assert_string_equal(kept, "{\"n\":0}\n{\"n\":1}\n");
}

static void nothing_to_keep_mounts_nothing(void **state)
{
    (void)state;
    const struct rf_state_volume none = {"/nonexistent/device", "xfs", NULL};
    size_t count = 1;
    assert_int_equal(rf_spool_keep("/nonexistent/spool", &none, "/nonexistent/where", PROFILE, &count, NULL), 0);
    assert_int_equal(count, 0);
}

static void another_nodes_state_is_left_alone(void **state)
{
    FIXTURE(self);
    size_t count = 0;
    rf_error *err = NULL;
    put(&self, "profile.yaml", "another\n");
    spooled(&self, "{\"n\":1}\n");
    assert_int_equal(rf_spool_keep(self.spool, &self.volume, self.where, PROFILE, &count, &err), -1);
    assert_error_has(err, "/profile.yaml is another node's");
    nothing_is_left_mounted(&self);
    assert_true(rf_exists(self.spool));
    rf_autofree char *kept = get(&self, "report.spool");
    assert_null(kept);
}

static void a_volume_that_is_gone_is_said(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory();
    rf_autofree char *spool = rf_format("%s/spool", directory), *where = rf_format("%s/where", directory);
    assert_int_equal(rf_write_file(spool, "{}\n", 3, 0600, NULL), 0);
    const struct rf_state_volume none = {"/nonexistent/device", "xfs", NULL};
    size_t count = 0;
    rf_error *err = NULL;
    assert_int_equal(rf_spool_keep(spool, &none, where, PROFILE, &count, &err), -1);
    assert_int_equal(count, 1);
    assert_error_has(err, "the node's state on /nonexistent/device can't be mounted: ");
    rf_remove_tree(directory, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_go_along),
        cmocka_unit_test(behind_what_the_node_has),
        cmocka_unit_test(nothing_to_keep_mounts_nothing),
        cmocka_unit_test(another_nodes_state_is_left_alone),
        cmocka_unit_test(a_volume_that_is_gone_is_said),
    };
    return cmocka_run_group_tests(tests, mounts_of_our_own, NULL);
}
