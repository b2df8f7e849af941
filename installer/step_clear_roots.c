/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Before a root is unpacked beside others: what an interrupted deployment left goes, and there must be room for a whole one. */
#include "base/memory.h"
#include "base/units.h"
#include "image/medium.h"
#include "installer/deploy.h"
#include "installer/root_change.h"

#include <errno.h>
#include <sys/statvfs.h>

#define ROOM_UNKNOWN (UINT64_C(2) << 30) /* where the manifest does not say how large the root is */
#define ROOM_LEFT (UINT64_C(512) << 20)  /* for what runs meanwhile */

static int check_room(const rf_deploy *deploy, const char *top, rf_error **err)
{
    rf_automedium rf_medium *medium = NULL;
    struct statvfs room;
    if (rf_medium_load(deploy->medium, &medium, err) < 0)
        return -1;
    const struct rf_payload *payload = rf_medium_payload(medium, RF_MEDIUM_ROOT_FILE);
    const uint64_t needed = ROOM_LEFT + (payload && payload->unpacked ? payload->unpacked : ROOM_UNKNOWN);
    if (statvfs(top, &room) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s", top);
    const uint64_t has = (uint64_t)room.f_bavail * room.f_frsize;
    if (has >= needed)
        return 0;
    rf_autofree char *has_text = rf_size_text(has), *needed_text = rf_size_text(needed);
    return rf_fail(
        err, RF_BAD_MACHINE,
        "the system volume has %s left, and another root needs %s; 'richtfest root prune' removes roots that "
        "are not needed",
        has_text, needed_text);
}

static int clear_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_deploy *deploy = arg;
    rf_autofree char *top = rf_deploy_top(deploy, "");
    return rf_roots_clear(env, top, err) < 0 ? -1 : check_room(deploy, top, err);
}

/* No probe: what is left of a root may be of another medium. */
const struct rf_step_ops rf_step_clear_roots = {.name = "clear_roots", .apply = clear_apply};
