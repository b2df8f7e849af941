/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the room's tests share: machines of a few lines, profiles, golden files. */
#pragma once

#include "base/file.h"
#include "base/units.h"
#include "raid/inventory.h"
#include "raid/match.h"
#include "tests/unit/unit.h"

#define TB UINT64_C(1000000000000)

#define MACHINES "tests/machines/"
#define GOLDEN "tests/golden/plan/"

/* A recorded machine and the profile that goes with it: MACHINE.yaml beside it, or the sample customer's. */
static inline rf_machine *recorded_machine(const char *name)
{
    rf_autofree char *path = rf_format(MACHINES "%s.json", name);
    rf_machine *machine = NULL;
    rf_autoerror rf_error *err = NULL;
    if (rf_machine_load(path, &machine, &err) < 0) {
        rf_autofree char *why = rf_error_text(err);
        fail_msg("%s", why);
    }
    return machine;
}

static inline rf_profile *profile_for(const char *name)
{
    rf_autofree char *path = rf_format(MACHINES "%s.yaml", name);
    rf_profile *profile = NULL;
    rf_autoproblems rf_problems problems = {0};
    assert_int_equal(rf_profile_load(rf_exists(path) ? path : "profiles/musterkunde.yaml", &profile, &problems, NULL),
                     0);
    if (problems.count) {
        rf_autofree char *text = rf_problems_text(&problems);
        fail_msg("%s", text);
    }
    return profile;
}

/* A blank virtio disk of `size` bytes. */
static inline struct rf_disk *add_disk(rf_machine *machine, const char *name, const char *serial, uint64_t size)
{
    struct rf_disk *disk = rf_array_add(&machine->disks, &machine->disks_count, sizeof(*disk));
    *disk = (struct rf_disk){.name = rf_strdup(name),
                             .path = rf_format("/dev/%s", name),
                             .by_path = rf_format("path-%s", name),
                             .serial = rf_strdup(serial),
                             .transport = rf_strdup("virtio"),
                             .size = size,
                             .logical_sector = 512,
                             .physical_sector = 512,
                             .rotational = RF_ROTATIONAL_NO};
    return disk;
}

static inline void add_signature(struct rf_disk *disk, const char *type)
{
    struct rf_signature *signature = rf_array_add(&disk->signatures, &disk->signatures_count, sizeof(*signature));
    *signature = (struct rf_signature){.type = rf_strdup(type), .usage = rf_strdup("filesystem"), .offset = 1080};
}

static inline void assert_golden(const char *name, const char *suffix, const char *text)
{
    rf_autofree char *path = rf_format(GOLDEN "%s.%s", name, suffix);
    unit_golden(path, text);
}

/* The text of the problems holds this. */
static inline void assert_problem(const rf_problems *problems, const char *part)
{
    rf_autofree char *text = rf_problems_text(problems);
    if (!strstr(text, part))
        fail_msg("\"%s\" does not say \"%s\"", text, part);
}
