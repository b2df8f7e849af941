/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the GRUB of an ISO that is left attached looks for on the node's system volume. */
#include "image/region.h"
#include "tests/unit/installer/deploy.h"
#include "tests/unit/mounts.h"

#define ID "0b5fd5b6-7a4c-5d1b-9c52-1d9f5d9ac001"
#define TOP "target/system"
#define MARK TOP RF_NODE_MARK_DIR "/" ID
#define ANY TOP RF_NODE_MARK_DIR "/any"

/* Both leave the volume unmounted: whoever reads "installed" may switch the machine off. */
static void assert_closed(const struct deployed *self)
{
    for (size_t i = 0; i < self->layout->filesystems_count; i++) {
        rf_autofree char *where = rf_format("%s/%s", self->target, self->layout->filesystems[i].id);
        assert_int_equal(umount(where), -1);
    }
}

static enum rf_probe probe(struct deployed *self)
{
    struct rf_step_env env = {.runner = self->runner};
    assert_true(deployed_mounted(self));
    const enum rf_probe found = rf_step_mark.probe(&env, self->deploy, NULL);
    assert_closed(self);
    return found;
}

static int apply(struct deployed *self)
{
    assert_true(deployed_mounted(self));
    const int result = deployed_apply(self, &rf_step_mark, NULL);
    assert_closed(self);
    return result;
}

/* Closed again at once: this only asks whether it can be done. */
#define MARKED(self)                                                                                                   \
    DEPLOYED(self, rf_runner_dry());                                                                                   \
    if (!deployed_mounted(&self))                                                                                      \
        skip();                                                                                                        \
    assert_int_equal(rf_target_close(self.target, NULL), 0)

static void drop(const struct deployed *self, const char *below)
{
    rf_autofree char *path = rf_format("%s/%s", self->top, below);
    assert_int_equal(unlink(path), 0);
}

static void the_iso_finds_the_node(void **state)
{
    MARKED(self);
    self.deploy->source_id = rf_strdup(ID);
    assert_int_equal(probe(&self), RF_PROBE_TODO);
    assert_int_equal(apply(&self), 0);
    assert_int_equal(probe(&self), RF_PROBE_DONE);
    static const char *const files[] = {MARK, ANY};
    for (size_t i = 0; i < RF_COUNT(files); i++)
        assert_int_equal(deployed_mode(&self, files[i]), 0600);
    assert_int_equal(apply(&self), 0); /* the same again */
}

/* Each of them counts. */
static void what_is_missing_is_to_be_done(void **state)
{
    static const char *const files[] = {MARK, ANY};
    MARKED(self);
    self.deploy->source_id = rf_strdup(ID);
    for (size_t i = 0; i < RF_COUNT(files); i++) {
        assert_int_equal(apply(&self), 0);
        drop(&self, files[i]);
        assert_int_equal(probe(&self), RF_PROBE_TODO);
    }
}

/* The ISO of another customer does not find it; one whose profile was typed at its menu does. */
static void another_source_is_another_mark(void **state)
{
    MARKED(self);
    assert_int_equal(apply(&self), 0); /* by a profile from a file */
    assert_int_equal(probe(&self), RF_PROBE_DONE);
    self.deploy->source_id = rf_strdup(ID);
    assert_int_equal(probe(&self), RF_PROBE_TODO);
    rf_autofree char *any = deployed_read(&self, ANY), *mark = deployed_read(&self, MARK);
    assert_string_equal(any, "");
    assert_null(mark);
}

static void without_the_volume_nothing_is_written(void **state)
{
    DEPLOYED(self, rf_runner_fault(rf_runner_dry(), 1, 1));
    rf_error *error = NULL;
    assert_int_equal(deployed_apply(&self, &rf_step_mark, &error), -1);
    assert_non_null(error);
    rf_error_free(error);
    rf_autofree char *any = deployed_read(&self, ANY);
    assert_null(any);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_iso_finds_the_node),
        cmocka_unit_test(what_is_missing_is_to_be_done),
        cmocka_unit_test(another_source_is_another_mark),
        cmocka_unit_test(without_the_volume_nothing_is_written),
    };
    return cmocka_run_group_tests_name("installer/step_mark", tests, mounts_of_our_own, NULL);
}
