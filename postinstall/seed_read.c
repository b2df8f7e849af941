/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/seed_read.h"

#include "base/memory.h"
#include "base/units.h"
#include "postinstall/domain.h"
#include "postinstall/guest_exec.h"

#include <sys/stat.h>
#include <time.h>

enum {
    READ_SECONDS = 300, /* slow images mount a CD minutes after their kernel; sshd may be there before that */
    PAUSE_SECONDS = 5,
    AGENT_SECONDS = 10,
};

/* cloud-init's documentation, "Status codes and result files": written at the end of its last stage, on tmpfs, so it is of this boot. */
#define RESULT "/run/cloud-init/result.json"

static bool says_so(rf_agent *agent)
{
    rf_autoagentresult struct rf_agent_result result = {0};
    rf_autojson json_t *argv = json_pack("[s,s,s]", "/usr/bin/test", "-e", RESULT);
    return rf_agent_exec(agent, argv, NULL, AGENT_SECONDS, &result, NULL) == 0 && result.status == 0;
}

/* It is written right before the start, and not again as long as the guest runs. A clock that was set back makes it younger, never older than
 * the whole time. */
static unsigned seed_age(const struct rf_node_guest *guest)
{
    struct stat status;
    rf_autofree char *seed = rf_guest_seed_path(guest);
    const time_t now = time(NULL);
    return stat(seed, &status) == 0 && now > status.st_mtime ? (unsigned)(now - status.st_mtime) : 0;
}

static void tell(struct rf_step_env *env, const struct rf_node_guest *guest, unsigned seconds)
{
    rf_autofree char *message =
        rf_format("%s keeps its seed for %u more seconds: whether a system of others has read it yet is not known",
                  guest->asked->name, seconds);
    rf_emit(env->events, &(struct rf_event){.step = env->step ? env->step->id : NULL,
                                            .title = env->step ? env->step->title : NULL,
                                            .state = RF_PROGRESS,
                                            .seconds = -1,
                                            .message = message});
}

int rf_seed_read_wait(struct rf_step_env *env, const struct rf_node_guest *guest, rf_agent *agent, unsigned seconds,
                      rf_error **err)
{
    const unsigned age = seed_age(guest), left = age < seconds ? seconds - age : 0;
    const double deadline = rf_now() + left;
    for (bool told = false;; told = true) {
        const int running = rf_domain_running(guest, err);
        if (running < 0)
            return -1;
        if (running == 0)
            return rf_fail(
                err, RF_FAILED,
                "%s has stopped before it was certain that it has read its seed; 'richtfest apply --node' starts "
                "it again, with the seed",
                guest->asked->name);
        if (rf_now() >= deadline || says_so(agent))
            return 0;
        if (!told)
            tell(env, guest, left);
        sleep(left < PAUSE_SECONDS ? 1 : PAUSE_SECONDS);
    }
}

int rf_seed_read(struct rf_step_env *env, const struct rf_node_guest *guest, rf_error **err)
{
    if (!rf_guest_fetch_url(guest) || rf_guest_settled(guest))
        return 0;
    rf_autoagent rf_agent *agent = rf_agent_libvirt(guest->node->libvirt, guest->asked->name);
    return rf_seed_read_wait(env, guest, agent, rf_guest_patience(guest, READ_SECONDS), err);
}
