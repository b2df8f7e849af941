/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/grow.h"

#include "base/file.h"
#include "base/memory.h"
#include "postinstall/probe.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum { SECONDS = 120, NOTHING_TO_GROW = 1 };

/* As image/guest_disk.c lays a guest's disk out: the root is the third partition and the last, with ext4. */
#define DISK "/dev/vda"
#define PARTITION "3"

static char *path_of(const struct rf_node_guest *guest)
{
    return rf_guest_state_path(guest, "grown");
}

int rf_grow_remember(const struct rf_node_guest *guest, uint64_t bytes, rf_error **err)
{
    rf_autofree char *path = path_of(guest), *text = rf_format("%" PRIu64 "\n", bytes);
    return rf_write_file(path, text, strlen(text), 0600, err);
}

int rf_grow_forget(const struct rf_node_guest *guest, rf_error **err)
{
    rf_autofree char *path = path_of(guest);
    if (unlink(path) < 0 && errno != ENOENT)
        return rf_fail_errno(err, RF_FAILED, errno, "removing %s", path);
    return 0;
}

static enum rf_probe grow_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    const struct rf_node_guest *guest = arg;
    rf_autofree char *path = path_of(guest), *known = rf_read_line(path);
    return known && strtoull(known, NULL, 10) >= guest->disk ? RF_PROBE_DONE : RF_PROBE_TODO;
}

/* 1 as wanted, 0 not. */
static int in_guest(rf_agent *agent, json_t *argv, int also_fine, char **ret_words)
{
    rf_autojson json_t *words = argv;
    rf_autoagentresult struct rf_agent_result result = {0};
    rf_error *why = NULL;
    if (rf_agent_exec(agent, words, NULL, SECONDS, &result, &why) < 0) {
        rf_probe_error(why, ret_words);
        return 0;
    }
    if (result.status == 0 || result.status == also_fine)
        return 1;
    rf_autofree char *line = rf_probe_last_line(*result.err ? result.err : result.out);
    *ret_words = rf_format("%s: %s", json_string_value(json_array_get(words, 0)), line);
    return 0;
}

/* growpart(1) ends with 1 where the partition has all of the disk already, as after a kill between both. */
int rf_grow_ask(rf_agent *agent, char **ret_words)
{
    return in_guest(agent, json_pack("[s,s,s]", "/usr/bin/growpart", DISK, PARTITION), NOTHING_TO_GROW, ret_words) &&
           in_guest(agent, json_pack("[s,s]", "/usr/sbin/resize2fs", DISK PARTITION), 0, ret_words);
}

static int grow_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_node_guest *guest = arg;
    rf_autoagent rf_agent *agent = rf_agent_libvirt(guest->node->libvirt, guest->asked->name);
    rf_autofree char *words = NULL;
    if (!rf_grow_ask(agent, &words)) {
        rf_autofree char *message =
            rf_format("%s has a larger disk, but did not take the space itself: %s", guest->asked->name, words);
        rf_emit(env->events, &(struct rf_event){.step = env->step ? env->step->id : NULL,
                                                .title = env->step ? env->step->title : NULL,
                                                .state = RF_PROGRESS,
                                                .seconds = -1,
                                                .message = message});
    }
    return rf_grow_remember(guest, guest->disk, err);
}

const struct rf_step_ops rf_step_grow = {"grow", grow_probe, grow_apply, NULL};
