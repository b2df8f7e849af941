/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A sparse loop device that stands for a disk: found by its serial number, which is its file's name. As root only. */
#pragma once

#include "raid/plan.h"
#include "raid/steps.h"
#include "tests/unit/raid/raid.h"

#include <errno.h>
#include <fcntl.h>

struct fixture {
    char *directory, *device, *serial;
    char
        node[32]; /* its id: unlike that of any other test that runs on this host at the same time, or has just ended */
    unsigned sector; /* bytes */
    bool consent;    /* the profile names this disk */
    rf_machine *machine;
    rf_layout *layout;
    int held;       /* the device goes with its last descriptor, so also where a test fails or crashes */
    rf_runner *dry; /* udevadm alone goes through it, and there may be no udev here */
};

static inline char *attach(const char *file, const char *sector)
{
    rf_autorunner rf_runner *real = rf_runner_real();
    char *out = NULL;
    if (rf_run_output(real, RF_ARGV("losetup", "--find", "--show", "--sector-size", sector, file), &out, NULL) < 0)
        return NULL;
    out[strcspn(out, "\n")] = '\0';
    return out;
}

/* Why this can't run here, or NULL. */
static inline const char *start(struct fixture *self, const char *sector)
{
    *self = (struct fixture){
        .directory = unit_directory(), .sector = (unsigned)atoi(sector), .dry = rf_runner_dry(), .held = -1};
    static unsigned number; /* a disk that an earlier test left behind must not be taken for this one */
    if (geteuid() != 0)
        return "not root";
    setenv("RICHTFEST_LOOP", "1", 1);
    self->serial = rf_format("RFTEST%d-%u-%s", getpid(), number, sector);
    snprintf(self->node, sizeof(self->node), "loop-%d-%u", getpid(), number++);
    rf_autofree char *file = rf_format("%s/%s", self->directory, self->serial);
    rf_autofd int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(fd, (off_t)(20 * RF_GIB)), 0);
    self->device = attach(file, sector);
    if (!self->device)
        return "no loop device to be had";
    self->held = open(self->device, O_RDONLY | O_CLOEXEC);
    rf_autorunner rf_runner *real = rf_runner_real();
    rf_run_argv(real, RF_ARGV("losetup", "--detach", self->device),
                NULL); /* losetup(8): in use, so as soon as it is not */
    return NULL;
}

static inline void finish(struct fixture *self)
{
    rf_guard_fd(&self->held);
    rf_remove_tree(self->directory, NULL);
    rf_layout_free(self->layout);
    rf_machine_free(self->machine);
    rf_runner_free(self->dry);
    free(self->directory);
    free(self->device);
    free(self->serial);
}

#define FIXTURE(self, sector)                                                                                          \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct fixture self;                                                                            \
    const char *lacking = start(&self, sector);                                                                        \
    if (lacking) {                                                                                                     \
        print_message("skipped: %s\n", lacking);                                                                       \
        skip();                                                                                                        \
    }

/* A new inventory and what is planned from it; the layout of an earlier call is replaced. */
static inline char *replan(struct fixture *self)
{
    rf_layout_free(self->layout);
    rf_machine_free(self->machine);
    self->layout = NULL;
    self->machine = NULL;
    assert_int_equal(rf_machine_probe("", &self->machine, NULL), 0);
    rf_profile profile = {.node = {.id = self->node}, .storage = {.count = 1, .level = RF_LEVEL_SINGLE}};
    profile.storage.match.serial = self->serial;
    profile.storage.foreign.wipe = &self->serial;
    profile.storage.foreign.wipe_count = self->consent;
    rf_autoproblems rf_problems problems = {0};
    assert_int_equal(rf_raid_plan(&profile, self->machine, &self->layout, &problems, NULL), 0);
    if (!self->layout)
        return rf_problems_text(&problems);
    rf_autoplan rf_plan *plan = rf_plan_new();
    rf_raid_steps(self->layout, self->machine, plan);
    return rf_plan_text(plan);
}

static inline int apply(struct fixture *self, rf_error **err)
{
    struct rf_step_env env = {.runner = self->dry};
    return rf_step_partition.apply(&env, &self->layout->disks[0], err);
}

static inline enum rf_probe probe(struct fixture *self)
{
    struct rf_step_env env = {.runner = self->dry};
    return rf_step_partition.probe(&env, &self->layout->disks[0], NULL);
}
