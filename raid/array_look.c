/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/memory.h"
#include "raid/array.h"
#include "raid/inventory.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

void rf_array_state_clear(struct rf_array_state *state)
{
    for (size_t i = 0; i < state->count; i++) {
        free(state->members[i].holder);
        free(state->members[i].strange);
    }
    free(state->name);
    free(state->action);
}

/* "md127" for /dev/md/system, "sda3" for a link by PARTUUID; NULL where there is no such device. */
static char *kernel_name(const char *device)
{
    rf_autofree char *real = realpath(device, NULL);
    return real ? rf_strdup(strrchr(real, '/') + 1) : NULL;
}

static char *md_holder(const char *sysroot, const char *name)
{
    rf_autonames char **holders = name ? rf_sys_names(sysroot, "/sys/class/block/%s/holders", name) : NULL;
    for (char **holder = holders; holder && *holder; holder++)
        if (strncmp(*holder, "md", 2) == 0)
            return rf_strdup(*holder);
    return NULL;
}

/* A rotating disk may take the command as well, and writes its whole surface for it: hours that nobody waits for. A virtio disk cannot
 * say what it is, so the kernel takes it for a rotating one; what zeroes there is the host, in its image's map. */
static bool zeroes_fast(const char *sysroot, const char *name)
{
    if (!name || rf_sys_number(sysroot, 0, "/sys/class/block/%s/../queue/write_zeroes_max_bytes", name) == 0)
        return false;
    return strncmp(name, "vd", 2) == 0 ||
           rf_sys_number(sysroot, 1, "/sys/class/block/%s/../queue/rotational", name) == 0;
}

static void take_signature(struct rf_array_member *member, const struct rf_signature *signature, const char *uuid)
{
    bool ours =
        strcmp(signature->type, "linux_raid_member") == 0 && signature->uuid && strcasecmp(signature->uuid, uuid) == 0;
    if (ours)
        member->content = RF_ARRAY_OURS;
    else if (!member->strange)
        member->strange = rf_strdup(signature->type);
}

static int look_at(const char *sysroot, struct rf_array_member *member, const char *uuid, rf_error **err)
{
    struct rf_signature *list = NULL;
    size_t count = 0;
    if (rf_signatures_of(member->device, &list, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        take_signature(member, &list[i], uuid);
    if (member->content != RF_ARRAY_OURS && member->strange)
        member->content = RF_ARRAY_STRANGE;
    rf_signatures_free(list, count);
    rf_autofree char *name = kernel_name(member->device);
    member->holder = md_holder(sysroot, name);
    member->zeroes_fast = zeroes_fast(sysroot, name);
    return 0;
}

static bool is_running(const char *sysroot, const char *name)
{
    rf_autofree char *state = name ? rf_sys_text(sysroot, "/sys/block/%s/md/array_state", name) : NULL;
    return state && strcmp(state, "clear") != 0 && strcmp(state, "inactive") != 0;
}

int rf_array_look(const char *sysroot, const struct rf_layout_array *array, struct rf_array_state *state,
                  rf_error **err)
{
    bool held = false;
    state->name = kernel_name(array->device);
    for (size_t i = 0; i < array->members_count && i < RF_MEMBERS_MAX; i++) {
        struct rf_array_member *member = &state->members[state->count++];
        member->device = array->members[i];
        member->committed = array->committed[i];
        if (look_at(sysroot, member, array->uuid, err) < 0)
            return -1;
        state->ours += member->content == RF_ARRAY_OURS;
        held |= member->holder && state->name && strcmp(member->holder, state->name) == 0;
    }
    state->running = held && is_running(sysroot, state->name);
    if (!state->running)
        return 0;
    /* "4", and "4 (3)" while a reshape from 3 goes on (the kernel's Documentation/admin-guide/md.rst) */
    rf_autofree char *raid_disks = rf_sys_text(sysroot, "/sys/block/%s/md/raid_disks", state->name);
    state->raid_disks = raid_disks ? (unsigned)strtoul(raid_disks, NULL, 10) : 0;
    state->action = rf_sys_text(sysroot, "/sys/block/%s/md/sync_action", state->name);
    return 0;
}

bool rf_array_holds(const struct rf_array_state *state, const struct rf_array_member *member)
{
    return state->running && member->content == RF_ARRAY_OURS && member->holder &&
           strcmp(member->holder, state->name) == 0;
}
