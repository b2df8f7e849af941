/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clearing a disk: what is stopped, in which order, what is refused, and where the power may go. */
#include "raid/clear.h"
#include "raid/consent.h"
#include "tests/unit/raid/states.h"
#include "tests/unit/raid/tree.h"

#include <sys/mount.h>
#include <sys/wait.h>

/* A plan that must be there. */
static void plan_it(struct fixture *self)
{
    rf_autofree char *text = replan(self);
    if (!self->layout)
        fail_msg("%s", text);
}

static int clear(struct fixture *self, rf_error **err)
{
    struct rf_step_env env = {.runner = self->dry};
    return rf_step_clear.apply(&env, self->layout->disks[0].consent, err);
}

static void make(const struct fixture *self, const struct disk_state *row)
{
    rf_autofd int fd = open(self->device, O_RDWR | O_CLOEXEC);
    row->make(self, fd);
    fsync(fd);
}

/* Every state becomes a blank disk, which the next step partitions. */
static void from_dirty_to_partitioned(const char *sector)
{
    for (size_t i = 0; i < RF_COUNT(disk_states); i++) {
        void **state = NULL;
        FIXTURE(self, sector);
        self.consent = true;
        make(&self, &disk_states[i]);
        rf_autofree char *before = replan(&self);
        if (!self.layout)
            fail_msg("%s: %s", disk_states[i].name, before);
        struct rf_step_env env = {.runner = self.dry};
        assert_int_equal(rf_step_clear.probe(&env, self.layout->disks[0].consent, NULL), RF_PROBE_TODO);
        rf_error *err = NULL;
        if (clear(&self, &err) < 0) {
            rf_autofree char *why = rf_error_text(err);
            fail_msg("%s: %s", disk_states[i].name, why);
        }
        assert_int_equal(rf_step_clear.probe(&env, self.layout->disks[0].consent, NULL), RF_PROBE_DONE);
        assert_int_equal(apply(&self, NULL), 0);
        assert_int_equal(probe(&self), RF_PROBE_DONE);
        rf_autofree char *after = replan(&self); /* now it is ours: never cleared again, named or not */
        assert_null(self.layout->disks[0].consent);
        assert_null(strstr(after, "Clear disk"));
    }
}

static void every_state_512(void **state)
{
    (void)state;
    from_dirty_to_partitioned("512");
}

static void every_state_4096(void **state)
{
    (void)state;
    from_dirty_to_partitioned("4096");
}

/* The kill points of the step table, by the driver; then the run again, from a new look at the disk. */
static void killed_at(struct fixture *self, const char *point)
{
    plan_it(self);
    rf_autoplan rf_plan *plan = rf_plan_new();
    rf_raid_steps(self->layout, self->machine, plan);
    /* clear/1 and partition/1: what follows wants a kernel with md */
    const rf_plan first = {.steps = plan->steps, .count = self->layout->disks[0].consent ? 2 : 1};
    pid_t child = fork();
    if (child == 0) {
        struct rf_step_env env = {.runner = self->dry};
        const struct rf_apply_options options = {.phase = RF_PHASE_INSTALL, .kill_at = point};
        _exit(rf_plan_apply(&first, &env, &options, NULL, NULL) < 0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (point)
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    else
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void a_kill_converges(void **state)
{
    static const char *const points[] = {"clear/1:before",      "clear/1:probed",     "clear/1:applied",
                                         "clear/1:after",       "partition/1:before", "partition/1:probed",
                                         "partition/1:applied", "partition/1:after"};
    static const char *const kinds[] = {"md-1.2-two-arrays", "zfs", "gpt-backup-only"};
    for (size_t i = 0; i < RF_COUNT(points) * RF_COUNT(kinds); i++) {
        FIXTURE(self, "512");
        self.consent = true;
        for (size_t j = 0; j < RF_COUNT(disk_states); j++)
            if (strcmp(disk_states[j].name, kinds[i % RF_COUNT(kinds)]) == 0)
                make(&self, &disk_states[j]);
        killed_at(&self, points[i / RF_COUNT(kinds)]);
        killed_at(&self, NULL);
        plan_it(&self);
        assert_int_equal(probe(&self), RF_PROBE_DONE);
        assert_null(self.layout->disks[0].consent);
    }
}

static char *bytes_of(const struct fixture *self)
{
    enum { SIZE = 4 << 20 };
    char *bytes = rf_alloc(SIZE);
    rf_autofd int fd = open(self->device, O_RDONLY | O_CLOEXEC);
    assert_int_equal(pread(fd, bytes, SIZE / 2, 0), SIZE / 2);
    assert_int_equal(pread(fd, bytes + SIZE / 2, SIZE / 2, (off_t)end_of(fd) - SIZE / 2), SIZE / 2);
    return bytes;
}

static bool holds_table(const struct fixture *self)
{
    char magic[8] = "";
    rf_autofd int fd = open(self->device, O_RDONLY | O_CLOEXEC);
    return pread(fd, magic, sizeof(magic), self->sector) == sizeof(magic) &&
           memcmp(magic, "EFI PART", sizeof(magic)) == 0;
}

static void refused(struct fixture *self, enum rf_code code, const char *why)
{
    rf_autofree char *before = bytes_of(self);
    rf_error *err = NULL;
    assert_int_equal(clear(self, &err), -1);
    assert_int_equal(rf_error_code(err), code);
    assert_error_has(err, why);
    rf_autofree char *after = bytes_of(self);
    assert_memory_equal(before, after, 4 << 20);
}

/* What was printed is what may go. */
static void other_contents_are_not_wiped(void **state)
{
    FIXTURE(self, "512");
    self.consent = true;
    make(&self, &(struct disk_state){.make = make_ext4});
    plan_it(&self);
    make(&self, &(struct disk_state){.make = make_drbd});
    refused(&self, RF_BAD_MACHINE,
            "holds something else than when the plan was made, and was not written; start again to see it");
}

static void another_disk_is_not_wiped(void **state)
{
    FIXTURE(self, "512");
    self.consent = true;
    make(&self, &(struct disk_state){.make = make_ext4});
    plan_it(&self);
    free(self.layout->disks[0].serial);
    self.layout->disks[0].serial = rf_strdup("ANOTHER");
    refused(&self, RF_FAILED, "it is not there any more");
}

/* Mounted between the plan and the step: neither stopped nor written. */
static void a_mounted_disk_is_not_wiped(void **state)
{
    FIXTURE(self, "512");
    self.consent = true;
    make(&self, &(struct disk_state){.make = make_ext4});
    plan_it(&self);
    rf_autofree char *where = rf_format("%s/mnt", self.directory);
    assert_int_equal(mkdir(where, 0700), 0);
    if (mount(self.device, where, "ext4", MS_RDONLY, NULL) < 0) {
        print_message("skipped: nothing can be mounted here\n");
        skip();
    }
    rf_error *err = NULL;
    assert_int_equal(clear(&self, &err), -1);
    rf_autofree char *problems = replan(&self);
    assert_int_equal(umount(where), 0);
    assert_error_has(err, "is in use (mounted at ");
    assert_non_null(strstr(problems, "no: in use: mounted at "));
}

static void a_busy_disk_is_not_wiped(void **state)
{
    FIXTURE(self, "512");
    self.consent = true;
    make(&self, &(struct disk_state){.make = make_ext4});
    plan_it(&self);
    rf_autofd int other = open(self.device, O_RDONLY | O_EXCL | O_CLOEXEC);
    refused(&self, RF_FAILED, "Device or resource busy");
}

/* Another disk with the very same contents, which nobody named. */
static void other_disks_stay_as_they_are(void **state)
{
    FIXTURE(self, "512");
    RF_CLEANUP(finish) struct fixture other;
    assert_null(start(&other, "512"));
    self.consent = true;
    make(&self, &(struct disk_state){.make = make_md12});
    make(&other, &(struct disk_state){.make = make_md12});
    rf_autofree char *before = bytes_of(&other);
    plan_it(&self);
    assert_int_equal(clear(&self, NULL), 0);
    assert_int_equal(apply(&self, NULL), 0);
    rf_autofree char *after = bytes_of(&other);
    assert_memory_equal(before, after, 4 << 20);
}

/* btrfs is forgotten by the name of the partition, before anything is written. */
static void the_kernel_forgets_btrfs(void **state)
{
    FIXTURE(self, "512");
    self.consent = true;
    make(&self, &(struct disk_state){.make = make_btrfs});
    plan_it(&self);
    assert_int_equal(clear(&self, NULL), 0);
    rf_autofree char *expected = rf_format("btrfs device scan --forget %sp2\n", self.device);
    assert_string_equal(rf_runner_dry_text(self.dry), expected);
}

/* Keeps what was said, and whether the disk was still as it was then. */
struct listener {
    rf_sink base;
    const struct fixture *self;
    char *said;
    bool early;
};

static void listen(rf_sink *sink, const struct rf_event *event, const char *line)
{
    (void)line;
    struct listener *listener = (struct listener *)sink;
    if (!event->message)
        return;
    rf_append(&listener->said, "%s\n", event->message);
    listener->early = holds_table(listener->self);
}

static void stop_listening(rf_sink *sink)
{
    (void)sink;
}

/* A person sees what goes before it goes. */
static void the_list_comes_first(void **state)
{
    static const struct rf_sink_ops ops = {.name = "listener", .emit = listen, .release = stop_listening};
    FIXTURE(self, "512");
    self.consent = true;
    make(&self, &(struct disk_state){.make = make_gpt});
    plan_it(&self);
    struct listener listener = {{&ops}, &self, NULL, false};
    rf_autoevents rf_events *events = rf_events_new("test");
    rf_events_add(events, &listener.base);
    struct rf_step_env env = {.runner = self.dry, .events = events};
    assert_int_equal(rf_step_clear.apply(&env, self.layout->disks[0].consent, NULL), 0);
    assert_non_null(strstr(listener.said, "as the profile consents, this is destroyed: all that lies on it"));
    assert_non_null(strstr(listener.said, "GPT partition table"));
    assert_true(listener.early);
    assert_false(holds_table(&self));
    free(listener.said);
}

/* Two consented disks and one that is none, in a tree of files. */
struct scene {
    struct tree *tree;
    rf_machine *machine;
    rf_layout *layout;
};

static void scene_end(struct scene *self)
{
    rf_layout_free(self->layout);
    rf_machine_free(self->machine);
}

static void scene_start(struct scene *self, struct tree *tree)
{
    static char first[] = "S1", second[] = "S2";
    static char *names[] = {first, second};
    *self = (struct scene){.tree = tree, .machine = rf_alloc(sizeof(rf_machine))};
    rf_profile profile = {.node = {.id = (char *)"n1"}, .storage = {.count = 2, .level = RF_LEVEL_RAID1}};
    profile.storage.match.size.min = TB / 2;
    profile.storage.foreign.wipe = names;
    profile.storage.foreign.wipe_count = 2;
    add_signature(add_disk(self->machine, "vda", "S1", TB), "ext4");
    add_signature(add_disk(self->machine, "vdb", "S2", TB), "ext4");
    add_disk(self->machine, "vdc", "S3", TB / 4);
    rf_autoproblems rf_problems problems = {0};
    assert_int_equal(rf_raid_plan(&profile, self->machine, &self->layout, &problems, NULL), 0);
    assert_non_null(self->layout);
    put_whole_disk(tree, "vda", "S1", TB);
    put_whole_disk(tree, "vdb", "S2", TB);
    put_whole_disk(tree, "vdc", "S3", TB / 4);
}

static int shut_down(struct scene *self, rf_error **err)
{
    struct rf_step_env env = {.runner = self->tree->runner};
    return rf_clear_shut_down(&env, self->tree->root, self->layout->disks[0].consent, "vda", err);
}

#define SCENE(self, tree)                                                                                              \
    TREE(tree);                                                                                                        \
    RF_CLEANUP(scene_end) struct scene self;                                                                           \
    scene_start(&self, &tree)

static void holders_go_top_down(void **state)
{
    SCENE(self, tree);
    put_volume(&tree, "md127", "md", NULL, "vda2 vdb2");
    put_volume(&tree, "dm-0", "dm", "CRYPT-LUKS2-x", "md127");
    put_volume(&tree, "dm-1", "dm", "LVM-root", "dm-0");
    put_volume(&tree, "dm-2", "dm", "LVM-swap", "dm-0");
    put_volume(&tree, "md126", "md", NULL, "vdc1"); /* nobody's business */
    assert_int_equal(shut_down(&self, NULL), 0);
    assert_string_equal(tree.commands, "dmsetup remove --retry dm-1\n"
                                       "dmsetup remove --retry dm-2\n"
                                       "dmsetup remove --retry dm-0\n"
                                       "mdadm --stop /dev/md127\n");
    assert_int_equal(shut_down(&self, NULL), 0); /* nothing left to stop */
}

/* A failure, or a kill, in the middle: the next run goes on from there. */
static void a_failed_stop_is_repeated(void **state)
{
    for (int nth = 1; nth <= 3; nth++) {
        SCENE(self, tree);
        put_volume(&tree, "md127", "md", NULL, "vda2 vdb2");
        put_volume(&tree, "dm-0", "dm", "CRYPT-LUKS2-x", "md127");
        put_volume(&tree, "dm-1", "dm", "LVM-root", "dm-0");
        tree.fail_at = nth;
        rf_error *err = NULL;
        assert_int_equal(shut_down(&self, &err), -1);
        assert_error_has(err, "Device or resource busy");
        assert_int_equal(shut_down(&self, NULL), 0);
        assert_int_equal(tree.count, 4);
    }
}

/* Seen before the first stop: what runs over a disk that nobody named stays up, and so does all the rest. */
static void a_disk_without_consent_is_not_stopped(void **state)
{
    SCENE(self, tree);
    put_volume(&tree, "md127", "md", NULL, "vda2 vdb2");
    put_volume(&tree, "md126", "md", NULL, "vda1 vdc1");
    rf_error *err = NULL;
    assert_int_equal(shut_down(&self, &err), -1);
    assert_int_equal(rf_error_code(err), RF_BAD_MACHINE);
    assert_error_has(err, "also runs on disk vdc (serial S3), which the consent does not name");
    assert_string_equal(tree.commands, "");
    put_in(&tree, "/sys/block/md126/md/array_state", "read-auto\n"); /* stopping it writes nothing */
    assert_int_equal(shut_down(&self, NULL), 0);
    assert_string_equal(tree.commands, "mdadm --stop /dev/md126\nmdadm --stop /dev/md127\n");
}

/* Another disk of the same serial number, plugged in meanwhile, is none that was consented to. */
static void a_namesake_is_not_covered(void **state)
{
    SCENE(self, tree);
    put_whole_disk(&tree, "vdd", "S2", 2 * TB);
    put_volume(&tree, "md127", "md", NULL, "vda2 vdd2");
    rf_error *err = NULL;
    assert_int_equal(shut_down(&self, &err), -1);
    assert_error_has(err, "also runs on disk vdd");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_512),
        cmocka_unit_test(every_state_4096),
        cmocka_unit_test(a_kill_converges),
        cmocka_unit_test(other_contents_are_not_wiped),
        cmocka_unit_test(another_disk_is_not_wiped),
        cmocka_unit_test(a_mounted_disk_is_not_wiped),
        cmocka_unit_test(a_busy_disk_is_not_wiped),
        cmocka_unit_test(other_disks_stay_as_they_are),
        cmocka_unit_test(the_kernel_forgets_btrfs),
        cmocka_unit_test(the_list_comes_first),
        cmocka_unit_test(holders_go_top_down),
        cmocka_unit_test(a_failed_stop_is_repeated),
        cmocka_unit_test(a_disk_without_consent_is_not_stopped),
        cmocka_unit_test(a_namesake_is_not_covered),
    };
    return cmocka_run_group_tests_name("raid/step_clear", tests, NULL, NULL);
}
