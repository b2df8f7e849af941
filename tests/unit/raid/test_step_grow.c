/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the growing steps do, by what LVM and XFS answer. */
#include "base/units.h"
#include "raid/steps.h"
#include "tests/unit/unit.h"

/* Answers each command by name, and keeps what ran. */
struct tools {
    rf_runner runner;
    const char *pvs, *lvs, *xfs_info, *blockdev; /* NULL: it fails */
    const char *failing;
    char *ran;
};

static int run(rf_runner *runner, const struct rf_command *command, struct rf_result *result, rf_error **err)
{
    (void)err;
    struct tools *self = (struct tools *)runner;
    const struct {
        const char *name, *answer;
    } rows[] = {{"pvs", self->pvs}, {"lvs", self->lvs}, {"xfs_info", self->xfs_info}, {"blockdev", self->blockdev}};
    const char *answer = "";
    for (size_t i = 0; i < RF_COUNT(rows); i++)
        if (strcmp(command->argv[0], rows[i].name) == 0)
            answer = rows[i].answer;
    if (self->failing && strcmp(command->argv[0], self->failing) == 0)
        answer = NULL;
    rf_append(&self->ran, "%s ", command->argv[0]);
    *result = (struct rf_result){
        .status = answer ? 0 : 5, .out = rf_strdup(answer ? answer : ""), .err = rf_strdup(answer ? "" : "no luck\n")};
    return 0;
}

static void release(rf_runner *runner)
{
    (void)runner;
}

static const struct rf_runner_ops ops = {"tools", run, release};

static const struct rf_layout_volume volume = {.group = (char *)"rf_1",
                                               .name = "images",
                                               .physical = (char *)"/dev/md/data",
                                               .device = (char *)"/dev/rf_1/images"};
static const struct rf_layout_filesystem images = {.id = (char *)"images",
                                                   .type = "xfs",
                                                   .device = (char *)"/dev/rf_1/images"};

static enum rf_probe probe(const struct rf_step_ops *step, const void *arg, struct tools tools, rf_error **err)
{
    tools.runner.ops = &ops;
    struct rf_step_env env = {.runner = &tools.runner};
    enum rf_probe found = step->probe(&env, arg, err);
    free(tools.ran);
    return found;
}

static void a_group_grows_onto_its_device(void **state)
{
    (void)state;
    const struct rf_step_ops *step = &rf_step_grow_group;
    assert_int_equal(probe(step, &volume, (struct tools){.pvs = "  6000000000 4000000000\n"}, NULL), RF_PROBE_TODO);
    /* what the first extent's alignment and the last one's rounding take is not to be had */
    assert_int_equal(probe(step, &volume, (struct tools){.pvs = "  4000000000 3993000000 \n"}, NULL), RF_PROBE_DONE);
    rf_error *err = NULL;
    assert_int_equal(probe(step, &volume, (struct tools){.pvs = NULL}, &err), RF_PROBE_ERROR);
    assert_error(err, "pvs does not tell two sizes: no luck");
}

static void a_volume_takes_its_share(void **state)
{
    (void)state;
    const struct rf_step_ops *step = &rf_step_grow_volume;
    assert_int_equal(probe(step, &volume, (struct tools){.lvs = "1000000000 600000000"}, NULL), RF_PROBE_TODO);
    assert_int_equal(probe(step, &volume, (struct tools){.lvs = "1000000000 797000000"}, NULL), RF_PROBE_DONE);
    assert_int_equal(probe(step, &volume, (struct tools){.lvs = "1000000000 990000000"}, NULL), RF_PROBE_DONE);
    assert_int_equal(probe(step, &volume, (struct tools){.lvs = "1000000000"}, NULL), RF_PROBE_ERROR);
}

#define XFS_INFO(blocks)                                                                                               \
    "meta-data=/dev/rf_1/images isize=512 agcount=4, agsize=65536 blks\n"                                              \
    "         =                       sectsz=4096  attr=2, projid32bit=1\n"                                            \
    "data     =                       bsize=4096   blocks=" blocks ", imaxpct=25\n"                                    \
    "naming   =version 2              bsize=4096   ascii-ci=0, ftype=1\n"                                              \
    "log      =internal log           bsize=4096   blocks=16384, version=2\n"

static void a_file_system_fills_its_volume(void **state)
{
    (void)state;
    const struct rf_step_ops *step = &rf_step_grow_filesystem;
    struct tools small = {.xfs_info = XFS_INFO("262144"), .blockdev = "2147483648\n"};
    struct tools full = {.xfs_info = XFS_INFO("262144"), .blockdev = "1073741824\n"};
    struct tools rounded = {.xfs_info = XFS_INFO("262100"), .blockdev = "1073741824\n"};
    assert_int_equal(probe(step, &images, small, NULL), RF_PROBE_TODO);
    assert_int_equal(probe(step, &images, full, NULL), RF_PROBE_DONE);
    assert_int_equal(probe(step, &images, rounded, NULL), RF_PROBE_DONE);
    rf_error *err = NULL;
    struct tools strange = {.xfs_info = "?\n", .blockdev = "1\n"};
    assert_int_equal(probe(step, &images, strange, &err), RF_PROBE_ERROR);
    assert_error_has(err, "xfs_info does not tell the size of /dev/rf_1/images");
}

static void commands(void **state)
{
    (void)state;
    rf_autorunner rf_runner *dry = rf_runner_dry();
    struct rf_step_env env = {.runner = dry};
    assert_int_equal(rf_step_grow_group.apply(&env, &volume, NULL), 0);
    assert_int_equal(rf_step_grow_volume.apply(&env, &volume, NULL), 0);
    assert_int_equal(rf_step_grow_filesystem.apply(&env, &images, NULL), 0);
#define CONFIG "--config 'devices { use_devicesfile=0 filter=[ \"a|^/dev/md/data$|\", \"r|.*|\" ] }'"
    assert_string_equal(rf_runner_dry_text(dry),
                        "pvresize " CONFIG " --yes /dev/md/data\n"
                        "lvextend " CONFIG " --yes --extents 80%VG rf_1/images\n"
                        "mount --types xfs --options X-mount.mkdir=0700 /dev/rf_1/images /run/richtfest/grow\n"
                        "xfs_growfs -d /run/richtfest/grow\n"
                        "umount /run/richtfest/grow\n");
}

/* A mount that stays would keep the array from being stopped. */
static void it_is_unmounted_in_any_case(void **state)
{
    (void)state;
    struct tools tools = {.runner = {&ops}, .failing = "xfs_growfs"};
    struct rf_step_env env = {.runner = &tools.runner};
    rf_error *err = NULL;
    assert_int_equal(rf_step_grow_filesystem.apply(&env, &images, &err), -1);
    assert_error_has(err, "xfs_growfs");
    rf_autofree char *ran = tools.ran;
    assert_string_equal(ran, "mount xfs_growfs umount ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_grows_onto_its_device),  cmocka_unit_test(a_volume_takes_its_share),
        cmocka_unit_test(a_file_system_fills_its_volume), cmocka_unit_test(commands),
        cmocka_unit_test(it_is_unmounted_in_any_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
