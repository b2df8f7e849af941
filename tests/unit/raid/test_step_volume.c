/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the volume step runs, by what LVM answers about the data array. */
#include "raid/steps.h"
#include "tests/unit/unit.h"

/* Answers pvs and lvs, lets everything else succeed, and keeps the names of the commands. */
struct lvm {
    rf_runner runner;
    const char *group, *volume; /* NULL: there is none, and the command fails */
    bool committed;
    char *ran;
};

static int run(rf_runner *runner, const struct rf_command *command, struct rf_result *result, rf_error **err)
{
    (void)err;
    struct lvm *self = (struct lvm *)runner;
    const char *name = command->argv[0], *answer = "";
    if (strcmp(name, "pvs") == 0)
        answer = self->group;
    if (strcmp(name, "lvs") == 0)
        answer = self->volume;
    rf_append(&self->ran, "%s ", name);
    *result = (struct rf_result){.status = answer ? 0 : 5,
                                 .out = rf_format("  %s\n", answer ? answer : ""),
                                 .err = rf_strdup(answer ? "" : "  Cannot use it.\n  And more.\n")};
    return 0;
}

static void release(rf_runner *runner)
{
    (void)runner;
}

static int apply(struct lvm *lvm, rf_error **err)
{
    static const struct rf_runner_ops ops = {"lvm", run, release};
    const struct rf_layout_volume volume = {.group = "rf_1",
                                            .name = "images",
                                            .physical = "/dev/null", /* it has to be there */
                                            .device = "/dev/rf_1/images",
                                            .committed = lvm->committed};
    lvm->runner.ops = &ops;
    struct rf_step_env env = {.runner = &lvm->runner};
    return rf_step_volume.apply(&env, &volume, err);
}

static void what_is_there_is_not_made_again(void **state)
{
    (void)state;
    static const struct {
        const char *group, *volume, *ran;
    } rows[] = {
        {NULL, NULL, "pvs vgcreate lvs lvcreate lvchange udevadm "}, /* blank */
        {"", "", "pvs vgcreate lvs lvcreate lvchange udevadm "},     /* killed inside vgcreate */
        {"rf_1", "", "pvs lvs lvcreate lvchange udevadm "},          /* killed after vgcreate */
        {"rf_1", "images", "pvs lvs lvchange udevadm "},             /* only not active */
        {"rf_1", "imagesold", "pvs lvs lvcreate lvchange udevadm "},
    };
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        struct lvm lvm = {.group = rows[i].group, .volume = rows[i].volume};
        assert_int_equal(apply(&lvm, NULL), 0);
        rf_autofree char *ran = lvm.ran;
        assert_string_equal(ran, rows[i].ran);
    }
}

static void a_strange_group_is_refused(void **state)
{
    (void)state;
    struct lvm lvm = {.group = "ubuntu-vg"};
    rf_error *err = NULL;
    assert_int_equal(apply(&lvm, &err), -1);
    rf_autofree char *ran = lvm.ran;
    assert_string_equal(ran, "pvs ");
    assert_int_equal(rf_error_code(err), RF_BAD_MACHINE);
    assert_error_has(err, "belongs to volume group ubuntu-vg");
}

static void what_a_finished_node_had_is_not_made_anew(void **state)
{
    (void)state;
    static const struct {
        const char *group, *volume, *ran, *message;
    } rows[] = {
        {NULL, NULL, "pvs ", "/dev/null has lost its volume group rf_1 (LVM says: Cannot use it.). An installation"},
        {"", "", "pvs ", "/dev/null has lost its volume group rf_1. An installation"},
        {"rf_1", "", "pvs lvs ", "/dev/null has lost the volume images of its volume group rf_1. An installation"},
        {"rf_1", "images", "pvs lvs lvchange udevadm ", NULL},
    };
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        struct lvm lvm = {.group = rows[i].group, .volume = rows[i].volume, .committed = true};
        rf_error *err = NULL;
        assert_int_equal(apply(&lvm, &err), rows[i].message ? -1 : 0);
        rf_autofree char *ran = lvm.ran;
        assert_string_equal(ran, rows[i].ran);
        assert_int_equal(rf_error_code(err), rows[i].message ? RF_BAD_MACHINE : RF_OK);
        if (rows[i].message)
            assert_error_has(err, rows[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_is_not_made_again),
        cmocka_unit_test(a_strange_group_is_refused),
        cmocka_unit_test(what_a_finished_node_had_is_not_made_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
