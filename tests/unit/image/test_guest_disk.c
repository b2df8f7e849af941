/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Overlays by the real tools: thin, equal to what they were made of, and standing on a base by its name. */
#include "base/file.h"
#include "base/json.h"
#include "base/units.h"
#include "image/guest_disk.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { OFFSET = 18 << 20, SIZE = 30 << 20, RANDOM = 8 << 20 };

static const struct rf_step step = {.id = (char *)"step", .title = (char *)"step"};

struct fixture {
    char *top, *base_raw, *raw, *base, *output, *work;
    rf_runner *runner;
    struct rf_step_env env;
};

static void write_at(const char *path, off_t at, size_t size, unsigned seed)
{
    rf_autofree unsigned char *bytes = rf_alloc(size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)((seed = seed * 1103515245 + 12345) >> 16);
    rf_autofd int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, bytes, size, at), size);
}

/* A base disk with a file system and some megabytes that do not compress. */
static bool start(struct fixture *self)
{
    *self = (struct fixture){.top = unit_directory(), .runner = rf_runner_real()};
    self->base_raw = rf_format("%s/base.raw", self->top);
    self->raw = rf_format("%s/disk.raw", self->top);
    self->base = rf_format("%s/pieces/base-1.qcow2", self->top);
    self->work = rf_format("%s/work", self->top);
    self->output = rf_format("%s/work/ad.qcow2", self->top);
    self->env = (struct rf_step_env){.runner = self->runner, .step = &step};
    rf_autofree char *pieces = rf_format("%s/pieces", self->top), *extended = rf_format("offset=%d", OFFSET);
    rf_autofd int fd = open(self->base_raw, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(fd, OFFSET + SIZE), 0);
    assert_int_equal(rf_make_dirs(pieces, 0755, NULL), 0);
    assert_int_equal(rf_make_dirs(self->work, 0755, NULL), 0);
    if (rf_run_argv(self->runner, RF_ARGV("qemu-img", "--version"), NULL) < 0 ||
        rf_run_argv(self->runner, RF_ARGV("mke2fs", "-q", "-F", "-t", "ext4", "-E", extended, self->base_raw, "4096k"),
                    NULL) < 0)
        return false;
    write_at(self->base_raw, OFFSET + (10 << 20), RANDOM, 1);
    assert_int_equal(rf_guest_disk_pack(&self->env, self->base_raw, self->base, NULL), 0);
    return rf_run_argv(self->runner, RF_ARGV("cp", self->base_raw, self->raw), NULL) == 0;
}

static void finish(struct fixture *self)
{
    rf_remove_tree(self->top, NULL);
    rf_runner_free(self->runner);
    char *const all[] = {self->top, self->base_raw, self->raw, self->base, self->output, self->work};
    for (size_t i = 0; i < RF_COUNT(all); i++)
        free(all[i]);
}

#define FIXTURE(self)                                                                                                  \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct fixture self;                                                                            \
    if (!start(&self))                                                                                                 \
    skip()

static int make(struct fixture *self, rf_error **err)
{
    return rf_guest_disk_overlay(&self->env,
                                 &(struct rf_guest_overlay){.raw = self->raw,
                                                            .base_raw = self->base_raw,
                                                            .base = self->base,
                                                            .work = self->work,
                                                            .output = self->output,
                                                            .date = 1795054374},
                                 err);
}

static void only_what_differs_is_kept(void **state)
{
    FIXTURE(self);
    struct stat status;
    rf_autofree char *text = NULL;
    write_at(self.raw, OFFSET + (12 << 20), 200000, 2); /* other bytes */
    const off_t zeros = OFFSET + (14 << 20);
    rf_autofd int fd = open(self.raw, O_RDWR | O_CLOEXEC);
    assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, zeros, 1 << 20),
                     0); /* and none any more */
    rf_error *error = NULL;
    if (make(&self, &error) < 0)
        fail_msg("%s", rf_error_text(error));
    assert_int_equal(stat(self.output, &status), 0);
    assert_in_range(status.st_size, 200000, 1 << 20); /* not the 8 MiB of the base */
    assert_int_equal(rf_run_output(self.runner, RF_ARGV("qemu-img", "info", "--output=json", self.output), &text, NULL),
                     0);
    rf_autojson json_t *info = json_loads(text, 0, NULL);
    assert_string_equal(rf_json_string(info, "backing-filename"), "base-1.qcow2");
}

static void no_path_of_the_builder_is_in_it(void **state)
{
    FIXTURE(self);
    rf_autofree char *bytes = NULL;
    size_t size;
    assert_int_equal(make(&self, NULL), 0);
    assert_int_equal(rf_read_file(self.output, 16 << 20, &bytes, &size, NULL), 0);
    assert_null(memmem(bytes, size, self.top, strlen(self.top)));
}

static void a_base_of_other_content_is_found(void **state)
{
    FIXTURE(self);
    rf_error *error = NULL;
    write_at(self.base_raw, OFFSET + (10 << 20), 100, 3); /* the packed one is no longer what the raw one is, */
    write_at(self.raw, OFFSET + (10 << 20), 100, 3);      /* and the recipe changed nothing there */
    assert_int_equal(make(&self, &error), -1);
    assert_error_has(error, "ad.qcow2 does not hold what it was made of");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_differs_is_kept),
        cmocka_unit_test(no_path_of_the_builder_is_in_it),
        cmocka_unit_test(a_base_of_other_content_is_found),
    };
    return cmocka_run_group_tests_name("image/guest_disk", tests, NULL, NULL);
}
