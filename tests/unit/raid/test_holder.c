/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What runs on a disk, in which order it is stopped, and by which commands. */
#include "raid/holder.h"
#include "tests/unit/raid/tree.h"

static struct rf_volume *add_volume(rf_machine *machine, const char *name, const char *kind, const char *uuid,
                                    const char *on)
{
    struct rf_volume *volume = rf_array_add(&machine->volumes, &machine->volumes_count, sizeof(*volume));
    *volume = (struct rf_volume){.name = rf_strdup(name),
                                 .kind = rf_strdup(kind),
                                 .uuid = rf_strdup(uuid),
                                 .map = rf_strdup(strcmp(kind, "dm") == 0 ? name : NULL),
                                 .on = rf_strdup(on),
                                 .size = RF_GIB};
    return volume;
}

static char *order_on(const rf_machine *machine, const char *disk)
{
    size_t count = 0;
    rf_autofree const struct rf_volume **holders = rf_holders_of(machine, disk, &count);
    char *text = rf_strdup("");
    for (size_t i = 0; i < count; i++)
        rf_append(&text, "%s%s", i ? " " : "", holders[i]->name);
    return text;
}

#define ASSERT_ORDER(machine, disk, expected)                                                                          \
    do {                                                                                                               \
        rf_autofree char *order_ = order_on(machine, disk);                                                            \
        assert_string_equal(order_, expected);                                                                         \
    } while (0)

/* Whatever the order in which the kernel lists them. */
static void top_comes_first(void **state)
{
    (void)state;
    rf_automachine rf_machine *machine = rf_alloc(sizeof(*machine));
    add_volume(machine, "md127", "md", NULL, "sda2 sdb2");
    add_volume(machine, "dm-0", "dm", "CRYPT-LUKS2-x", "md127");
    add_volume(machine, "dm-3", "dm", "LVM-tdata", "dm-0");
    add_volume(machine, "dm-1", "dm", "LVM-root", "dm-2");
    add_volume(machine, "dm-2", "dm", "LVM-pool", "dm-3");
    add_volume(machine, "md126", "md", NULL, "sdb1");
    add_volume(machine, "dm-9", "dm", "LVM-other", "sdc");
    ASSERT_ORDER(machine, "sda", "dm-1 dm-2 dm-3 dm-0 md127");
    ASSERT_ORDER(machine, "sdb", "dm-1 dm-2 dm-3 dm-0 md127 md126");
    ASSERT_ORDER(machine, "sdc", "dm-9");
    ASSERT_ORDER(machine, "sd", "");
    ASSERT_ORDER(machine, "sdd", "");
}

/* Names that only begin alike are other disks; an array's partitions are the array. */
static void names_are_whole(void **state)
{
    (void)state;
    rf_automachine rf_machine *machine = rf_alloc(sizeof(*machine));
    add_volume(machine, "md1", "md", NULL, "nvme0n1p2");
    add_volume(machine, "md12", "md", NULL, "nvme0n12");
    add_volume(machine, "md3", "md", NULL, "sdaa1");
    add_volume(machine, "dm-0", "dm", "LVM-x", "md1p3");
    add_volume(machine, "dm-1", "dm", "LVM-y", "dm-01");
    ASSERT_ORDER(machine, "nvme0n1", "dm-0 md1");
    ASSERT_ORDER(machine, "nvme0n12", "md12");
    ASSERT_ORDER(machine, "sda", "");
    ASSERT_ORDER(machine, "sdaa", "md3");
}

/* Arrays of firmware RAID lie beside their container, which can't be stopped before them. */
static void containers_go_last(void **state)
{
    (void)state;
    rf_automachine rf_machine *machine = rf_alloc(sizeof(*machine));
    add_volume(machine, "md0", "md", NULL, "sda sdb")->size = 0;
    add_volume(machine, "md126", "md", NULL, "sda sdb");
    ASSERT_ORDER(machine, "sda", "md126 md0");
}

/* A description that was made up must not hang the planner. */
static void circles_end(void **state)
{
    (void)state;
    rf_automachine rf_machine *machine = rf_alloc(sizeof(*machine));
    add_volume(machine, "dm-0", "dm", "LVM-a", "dm-1 sda1");
    add_volume(machine, "dm-1", "dm", "LVM-b", "dm-0");
    ASSERT_ORDER(machine, "sda", "dm-0 dm-1");
}

static void silent_states(void **state)
{
    (void)state;
    static const struct {
        const char *state;
        bool silent;
    } rows[] = {{"inactive", true},
                {"read-auto", true},
                {"readonly", true},
                {"clear", true},
                {"clean", false},
                {"active", false},
                {NULL, false},
                {"write-pending", false},
                {"broken", false},
                {"readonly, 1 missing", true},
                {"clean, 1 missing", false},
                {"read", false}};
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        const struct rf_volume volume = {.state = (char *)rows[i].state};
        assert_int_equal(rf_holder_is_silent(&volume), rows[i].silent);
    }
}

/* Each kind by its own command; none of them forces anything. */
static void each_kind_has_its_command(void **state)
{
    TREE(tree);
    static const struct {
        const char *name, *kind, *uuid;
    } rows[] = {{"md127", "md", "5f1c"},   {"dm-0", "dm", "LVM-x"},    {"dm-1", "dm", "CRYPT-LUKS2-x"},
                {"dm-2", "dm", "mpath-x"}, {"dm-3", "dm", "DMRAID-x"}, {"dm-4", "dm", "part1-mpath-x"},
                {"dm-5", "dm", NULL},      {"dm-6", "dm", "something"}};
    rf_automachine rf_machine *machine = rf_alloc(sizeof(*machine));
    struct rf_step_env env = {.runner = tree.runner};
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        put_volume(&tree, rows[i].name, rows[i].kind, rows[i].uuid, "sda1");
        const struct rf_volume *volume = add_volume(machine, rows[i].name, rows[i].kind, rows[i].uuid, "sda1");
        assert_int_equal(rf_holder_stop(&env, tree.root, volume, NULL), 0);
        assert_int_equal(rf_holder_stop(&env, tree.root, volume, NULL), 0); /* gone: no second command */
    }
    assert_string_equal(tree.commands, "mdadm --stop /dev/md127\n"
                                       "dmsetup remove --retry dm-0\n"
                                       "dmsetup remove --retry dm-1\n"
                                       "multipath -f dm-2\n"
                                       "dmsetup remove --retry dm-3\n"
                                       "dmsetup remove --retry dm-4\n"
                                       "dmsetup remove --retry dm-5\n"
                                       "dmsetup remove --retry dm-6\n");
}

/* The kernel has the last word, not the command's status. */
static void a_stop_that_does_nothing_is_seen(void **state)
{
    TREE(tree);
    put_volume(&tree, "dm-0", "dm", "LVM-x", "sda1");
    tree.stubborn = true;
    rf_automachine rf_machine *machine = rf_alloc(sizeof(*machine));
    struct rf_step_env env = {.runner = tree.runner};
    rf_error *err = NULL;
    assert_int_equal(rf_holder_stop(&env, tree.root, add_volume(machine, "dm-0", "dm", "LVM-x", "sda1"), &err), -1);
    assert_error_has(err, "LVM volume dm-0 \"dm-0\" (1.07 GB): it was stopped, but is still there after 10 s");
}

static void what_is_not_ours_to_stop_is_refused(void **state)
{
    TREE(tree);
    put_volume(&tree, "drbd0", "drbd", NULL, "sda1");
    rf_automachine rf_machine *machine = rf_alloc(sizeof(*machine));
    struct rf_step_env env = {.runner = tree.runner};
    rf_error *err = NULL;
    assert_int_equal(rf_holder_stop(&env, tree.root, add_volume(machine, "drbd0", "drbd", NULL, "sda1"), &err), -1);
    assert_int_equal(rf_error_code(err), RF_BAD_MACHINE);
    assert_error_has(err, "drbdadm down");
    put_volume(&tree, "new0", "new", NULL, "sda1");
    assert_int_equal(rf_holder_stop(&env, tree.root, add_volume(machine, "new0", "new", NULL, "sda1"), &err), -1);
    assert_error_has(err, "not known here");
    assert_string_equal(tree.commands, "");
}

/* What the kernel does some moments after it was told. */
static void gone_soon(const struct tree *tree, const char *path)
{
    if (fork() != 0)
        return;
    usleep(200000);
    rf_autofree char *full = rf_format("%s%s", tree->root, path);
    rf_remove_tree(full, NULL);
    _exit(0);
}

/* bcache has no tool: its attributes in sysfs are written. */
static void bcache_is_told_by_sysfs(void **state)
{
    TREE(tree);
    rf_automachine rf_machine *machine = rf_alloc(sizeof(*machine));
    struct rf_step_env env = {.runner = tree.runner};
    put_volume(&tree, "bcache0", "bcache", NULL, "sda1");
    put_in(&tree, "/sys/block/bcache0/bcache/stop", "");
    gone_soon(&tree, "/sys/block/bcache0/slaves");
    assert_int_equal(rf_holder_stop(&env, tree.root, add_volume(machine, "bcache0", "bcache", NULL, "sda1"), NULL), 0);
    rf_autofree char *path = rf_format("%s/sys/block/bcache0/bcache/stop", tree.root);
    rf_autofree char *written = rf_read_line(path);
    assert_string_equal(written, "1");
}

/* A cache is stopped through its set, and one that is not registered is let alone. */
static void bcache_lets_go(void **state)
{
    TREE(tree);
    put_in(&tree, "/sys/class/block/sda1/bcache/set/stop", "");
    gone_soon(&tree, "/sys/class/block/sda1/bcache");
    assert_int_equal(rf_holder_unregister(tree.root, "sda1", NULL), 0);
    assert_int_equal(rf_holder_unregister(tree.root, "sda2", NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(top_comes_first),
        cmocka_unit_test(names_are_whole),
        cmocka_unit_test(containers_go_last),
        cmocka_unit_test(circles_end),
        cmocka_unit_test(silent_states),
        cmocka_unit_test(each_kind_has_its_command),
        cmocka_unit_test(a_stop_that_does_nothing_is_seen),
        cmocka_unit_test(what_is_not_ours_to_stop_is_refused),
        cmocka_unit_test(bcache_is_told_by_sysfs),
        cmocka_unit_test(bcache_lets_go),
    };
    return cmocka_run_group_tests_name("raid/holder", tests, NULL, NULL);
}
