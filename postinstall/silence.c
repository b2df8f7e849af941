/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/silence.h"

#include "base/memory.h"
#include "base/units.h"
#include "postinstall/domain.h"

#include <sys/stat.h>

static off_t console_size(const struct rf_node_guest *guest)
{
    rf_autofree char *path = rf_guest_console_path(guest);
    struct stat facts;
    return stat(path, &facts) == 0 ? facts.st_size : 0;
}

/* Has it said anything since it was last listened to? */
static bool heard(struct rf_silence *silence, const struct rf_node_guest *guest, double now)
{
    off_t size = console_size(guest);
    if (silence->since > 0 && size == silence->heard)
        return false;
    silence->heard = size;
    silence->since = now;
    return true;
}

static void tell(struct rf_step_env *env, const struct rf_node_guest *guest, double seconds)
{
    rf_autofree char *message = rf_format(
        "%s has stood still in its first boot for %.0f s (nothing on its console, no agent): it is reset, once",
        guest->asked->name, seconds);
    rf_emit(env->events, &(struct rf_event){.step = env->step ? env->step->id : NULL,
                                            .title = env->step ? env->step->title : NULL,
                                            .state = RF_PROGRESS,
                                            .message = message,
                                            .seconds = rf_now() - env->started});
}

int rf_silence_break(struct rf_silence *silence, struct rf_step_env *env, const struct rf_node_guest *guest, double now,
                     rf_error **err)
{
    if (silence->woken || rf_guest_settled(guest) || rf_guest_fetch_url(guest))
        return 0;
    if (heard(silence, guest, now) || now - silence->since < RF_SILENCE_SECONDS)
        return 0;
    tell(env, guest, now - silence->since);
    silence->woken = true;
    return rf_domain_reset(guest, err) < 0 ? -1 : 1;
}
