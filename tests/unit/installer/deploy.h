/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A deployment of the sample customer onto a directory: what the steps write below the mounted target, without any mount. */
#pragma once

#include "installer/deploy.h"
#include "raid/mounts.h"
#include "raid/plan.h"
#include "tests/unit/unit.h"

#include <sys/mount.h>

struct deployed {
    char *top, *medium, *target;
    rf_machine *machine;
    rf_profile *profile;
    rf_layout *layout;
    rf_deploy *deploy;
    rf_runner *runner;
};

static inline void deployed_open(struct deployed *self, rf_runner *runner)
{
    *self = (struct deployed){.top = unit_directory(), .runner = runner};
    self->medium = rf_format("%s/medium", self->top);
    self->target = rf_format("%s/target", self->top);
    rf_autoproblems rf_problems problems = {0};
    assert_int_equal(rf_machine_load("tests/machines/musterkunde-blank.json", &self->machine, NULL), 0);
    assert_int_equal(rf_profile_load("profiles/musterkunde.yaml", &self->profile, &problems, NULL), 0);
    assert_int_equal(rf_raid_plan(self->profile, self->machine, &self->layout, &problems, NULL), 0);
    const struct rf_site_options options = {.medium = self->medium, .target = self->target};
    self->deploy = rf_deploy_new(self->profile, self->machine, self->layout, &options);
}

/* As the steps leave it: each file system mounted at its place, a folder onto itself. False, and said why, where this is not allowed. */
static inline bool deployed_mounted(const struct deployed *self)
{
    for (size_t i = 0; i < self->layout->filesystems_count; i++) {
        rf_autofree char *where = rf_format("%s/%s", self->target, self->layout->filesystems[i].id);
        assert_int_equal(rf_make_dirs(where, 0755, NULL), 0);
        if (mount(where, where, NULL, MS_BIND, NULL) == 0)
            continue;
        print_message("skipped: nothing can be mounted here\n");
        return false;
    }
    return true;
}

static inline void deployed_close(struct deployed *self)
{
    rf_target_close(self->target, NULL);
    rf_deploy_free(self->deploy);
    rf_layout_free(self->layout);
    rf_profile_free(self->profile);
    rf_machine_free(self->machine);
    rf_runner_free(self->runner);
    rf_remove_tree(self->top, NULL);
    free(self->top);
    free(self->medium);
    free(self->target);
}

#define DEPLOYED(self, runner)                                                                                         \
    (void)state;                                                                                                       \
    RF_CLEANUP(deployed_close) struct deployed self;                                                                   \
    deployed_open(&self, runner)

static inline int deployed_apply(struct deployed *self, const struct rf_step_ops *ops, rf_error **err)
{
    const struct rf_step step = {.id = (char *)"x", .title = (char *)"x"};
    struct rf_step_env env = {.runner = self->runner, .step = &step};
    return ops->apply(&env, self->deploy, err);
}

/* A file of the medium or of the target, by its path below the fixture's top. */
static inline void deployed_put(const struct deployed *self, const char *below, const char *text)
{
    rf_autofree char *path = rf_format("%s/%s", self->top, below), *above = rf_strdup(path);
    *strrchr(above, '/') = '\0';
    assert_int_equal(rf_make_dirs(above, 0755, NULL), 0);
    assert_int_equal(rf_write_file(path, text, strlen(text), 0644, NULL), 0);
}

/* The caller frees it; NULL: there is none. */
static inline char *deployed_read(const struct deployed *self, const char *below)
{
    rf_autofree char *path = rf_format("%s/%s", self->top, below);
    char *text = NULL;
    rf_read_file(path, 1 << 20, &text, NULL, NULL);
    return text;
}

static inline unsigned deployed_mode(const struct deployed *self, const char *below)
{
    rf_autofree char *path = rf_format("%s/%s", self->top, below);
    return unit_mode(path);
}
