/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Real mounts in a namespace of one's own: nobody else sees them, and nothing is left of them. Needs root and loop devices. */
#include "base/file.h"
#include "base/units.h"
#include "image/mounted.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { OFFSET = 18 << 20, SIZE = 16 << 20 };

struct fixture {
    char *top, *raw, *at;
    rf_runner *runner;
    struct rf_step_env env;
};

static void start(struct fixture *self)
{
    *self = (struct fixture){.top = unit_directory(), .runner = rf_runner_real()};
    self->raw = rf_format("%s/disk.raw", self->top);
    self->at = rf_format("%s/root", self->top);
    self->env.runner = self->runner;
    rf_autofd int fd = open(self->raw, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(fd, OFFSET + SIZE), 0);
    rf_autofree char *extended = rf_format("offset=%d", OFFSET), *blocks = rf_format("%dk", SIZE >> 10);
    assert_int_equal(
        rf_run_argv(self->runner, RF_ARGV("mke2fs", "-q", "-F", "-t", "ext4", "-E", extended, self->raw, blocks), NULL),
        0);
}

static void finish(struct fixture *self)
{
    rf_remove_tree(self->top, NULL);
    rf_runner_free(self->runner);
    free(self->top);
    free(self->raw);
    free(self->at);
}

#define FIXTURE(self)                                                                                                  \
    (void)state;                                                                                                       \
    if (geteuid() != 0 || rf_loop_check(NULL) < 0)                                                                     \
        skip();                                                                                                        \
    RF_CLEANUP(finish) struct fixture self;                                                                            \
    start(&self)

static int open_it(struct fixture *self, struct rf_mounted *mounted, rf_error **err)
{
    return rf_mounted_open(&self->env, self->raw, OFFSET, SIZE, self->at, false, mounted, err);
}

/* A loop device that stands on the fixture's disk. */
static bool loop_is_left(const struct fixture *self)
{
    glob_t found = {0};
    bool left = false;
    glob("/sys/block/loop*/loop/backing_file", 0, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        rf_autofree char *file = rf_read_line(found.gl_pathv[i]);
        left |= file && strncmp(file, self->raw, strlen(self->raw)) == 0;
    }
    globfree(&found);
    return left;
}

static void put(const char *root, const char *below, const char *text)
{
    rf_autofree char *path = rf_format("%s%s", root, below);
    assert_int_equal(rf_write_file(path, text, strlen(text), 0644, NULL), 0);
}

static void it_is_seen_inside_only(void **state)
{
    FIXTURE(self);
    rf_automounted struct rf_mounted mounted = RF_MOUNTED_NOT;
    rf_autofree char *inside = rf_format("%s/file", self.at), *null = rf_format("%s/dev/null", self.at);
    rf_autofd int outside =
        open("/proc/thread-self/mountinfo", O_RDONLY | O_CLOEXEC); /* of the namespace that we are in now */
    rf_autofree char *directory = getcwd(NULL, 0), *text = rf_alloc(1 << 20);
    const mode_t mask = umask(077);
    assert_int_equal(open_it(&self, &mounted, NULL), 0);
    put(self.at, "/file", "x");
    assert_true(rf_exists(null));
    assert_true(pread(outside, text, (1 << 20) - 1, 0) > 0);
    assert_null(strstr(text, self.top));
    assert_true(loop_is_left(&self));
    assert_int_equal(rf_mounted_close(&mounted, NULL), 0);
    assert_false(rf_exists(inside));
    assert_false(rf_exists(null));
    assert_false(loop_is_left(&self));
    rf_autofree char *after = getcwd(NULL, 0);
    assert_string_equal(after, directory);
    assert_int_equal(umask(mask), 077);
    assert_int_equal(open_it(&self, &mounted, NULL), 0); /* what was written is in the disk */
    assert_true(rf_exists(inside));
}

static void a_kill_leaves_nothing(void **state)
{
    FIXTURE(self);
    int ready[2];
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        struct rf_mounted mounted;
        const char outcome = open_it(&self, &mounted, NULL) == 0 ? '+' : '-';
        if (write(ready[1], &outcome, 1) == 1)
            pause();
        _exit(1);
    }
    char outcome = 0;
    assert_int_equal(read(ready[0], &outcome, 1), 1);
    assert_int_equal(outcome, '+');
    assert_true(loop_is_left(&self));
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    for (double end = rf_now() + 5; loop_is_left(&self) && rf_now() < end;)
        usleep(10000);
    assert_false(loop_is_left(&self));
    close(ready[0]);
    close(ready[1]);
}

static void a_failure_leaves_nothing(void **state)
{
    FIXTURE(self);
    rf_error *error = NULL;
    struct rf_mounted mounted;
    assert_int_equal(truncate(self.raw, OFFSET), 0); /* no file system there */
    assert_int_equal(open_it(&self, &mounted, &error), -1);
    assert_error_has(
        error, "disk.raw can't be mounted (a recipe's image is made on a mounted disk, which takes a loop device");
    assert_false(loop_is_left(&self));
}

static char *network(void)
{
    char target[64] = "";
    return readlink("/proc/thread-self/ns/net", target, sizeof(target) - 1) < 0 ? NULL : rf_strdup(target);
}

static void offline_is_a_network_of_ones_own(void **state)
{
    FIXTURE(self);
    rf_autosandbox struct rf_sandbox sandbox = RF_SANDBOX_OUTSIDE;
    rf_autofree char *before = network(), *devices = NULL;
    assert_int_equal(rf_sandbox_enter(&sandbox, NULL), 0);
    assert_int_equal(rf_sandbox_offline(&sandbox, NULL), 0);
    assert_int_equal(rf_run_output(self.runner, RF_ARGV("cat", "/proc/net/dev"), &devices, NULL), 0);
    assert_non_null(strstr(devices, "lo:"));
    assert_null(strstr(devices, "eth"));
    rf_autofree char *during = network();
    assert_string_not_equal(during, before);
    rf_sandbox_online(&sandbox);
    rf_autofree char *after = network();
    assert_string_equal(after, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_seen_inside_only),
        cmocka_unit_test(a_kill_leaves_nothing),
        cmocka_unit_test(a_failure_leaves_nothing),
        cmocka_unit_test(offline_is_a_network_of_ones_own),
    };
    return cmocka_run_group_tests_name("image/mounted", tests, NULL, NULL);
}
