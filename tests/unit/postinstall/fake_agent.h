/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "postinstall/agent.h"
#include "tests/unit/unit.h"

/* A guest agent that answers from a list, in order, and keeps what it was asked. */
struct fake_agent {
    rf_agent agent;
    const char *const *answers; /* NULL-terminated; "" does not answer */
    char *asked;
};

static inline int fake_command(rf_agent *agent, const char *json, unsigned seconds, char **ret_answer, rf_error **err)
{
    (void)seconds;
    struct fake_agent *self = (struct fake_agent *)agent;
    rf_append(&self->asked, "%s\n", json);
    if (!*self->answers || !**self->answers) {
        self->answers += *self->answers != NULL;
        return rf_fail(err, RF_FAILED, "it does not answer");
    }
    *ret_answer = rf_strdup(*self->answers++);
    return 0;
}

static inline void fake_release(rf_agent *agent)
{
    free(((struct fake_agent *)agent)->asked);
}

static const struct rf_agent_ops fake_ops = {fake_command, fake_release};

#define FAKE(...) ((struct fake_agent){{&fake_ops}, (const char *const[]){__VA_ARGS__, NULL}, NULL})
#define PID "{\"return\": {\"pid\": 7}}"
#define RUNS "{\"return\": {\"exited\": false}}"

/* How a program in the guest has ended. */
#define ENDED(status) "{\"return\": {\"exited\": true, \"exitcode\": " #status "}}"
