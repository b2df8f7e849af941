/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/guest_exec.h"

#include "base/memory.h"
#include "base/units.h"
#include "postinstall/probe.h"

#include <string.h>

enum {
    EMULATED_FACTOR = 4, /* without KVM; measured: a first boot takes eight to ten minutes instead of two */
    NEVER = 2,
    PAUSE_MS = 2000,
};

unsigned rf_guest_patience(const struct rf_node_guest *guest, unsigned seconds)
{
    return seconds * (guest->node->kvm ? 1 : EMULATED_FACTOR);
}

static void tell(struct rf_step_env *env, const char *words)
{
    rf_emit(env->events, &(struct rf_event){.step = env->step ? env->step->id : NULL,
                                            .title = env->step ? env->step->title : NULL,
                                            .state = RF_PROGRESS,
                                            .message = words,
                                            .seconds = rf_now() - env->started});
}

/* 0 done, 1 not yet, -1 never. `ret_words` is always set. */
static int once(rf_agent *agent, const json_t *argv, const char *input, unsigned seconds, char **ret_words)
{
    rf_error *why = NULL;
    rf_autoagentresult struct rf_agent_result result = {0};
    if (rf_agent_exec(agent, argv, input, seconds, &result, &why) < 0) {
        *ret_words = rf_error_text(why);
        rf_error_free(why);
        return 1;
    }
    rf_autofree char *line = rf_probe_last_line(*result.err && result.status ? result.err : result.out);
    *ret_words = rf_format("%s%sstatus %d", line, *line ? ", " : "", result.status);
    return result.status == 0 ? 0 : result.status == NEVER ? -1 : 1;
}

int rf_guest_exec(struct rf_step_env *env, rf_agent *agent, const json_t *argv, const char *input, unsigned seconds,
                  rf_error **err)
{
    const char *program = json_string_value(json_array_get(argv, 0));
    rf_autofree char *last = NULL;
    double deadline = rf_now() + seconds;
    for (;;) {
        rf_autofree char *words = NULL;
        int outcome = once(agent, argv, input, seconds, &words);
        if (!last || strcmp(last, words) != 0)
            tell(env, words);
        if (outcome == 0)
            return 0;
        if (outcome < 0 || rf_now() > deadline)
            return rf_fail(err, RF_FAILED, "%s in the guest: %s (%s)", program, words,
                           outcome < 0 ? "asking again does not help" : "the time is up");
        free(last);
        last = RF_STEAL(words);
        usleep(PAUSE_MS * 1000);
    }
}
