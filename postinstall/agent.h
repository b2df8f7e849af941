/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The guest's agent (qemu-guest-agent), which answers without any network. How a command reaches it is a variant: libvirt, or
 * a fake in tests. Standard input travels inside the command, never in an argv.
 */
#pragma once

#include "base/error.h"
#include "postinstall/libvirt.h"

#include <jansson.h>

#define RF_AGENT_OUTPUT_MAX (1U << 20) /* bytes of one answer's stream; qemu-ga itself captures up to 16 MiB */

typedef struct rf_agent rf_agent;

struct rf_agent_ops {
    /* One JSON command, one JSON answer (the caller frees it). Blocks for up to `seconds`. */
    int (*command)(rf_agent *agent, const char *json, unsigned seconds, char **ret_answer, rf_error **err);
    void (*release)(rf_agent *agent);
};

struct rf_agent {
    const struct rf_agent_ops *ops;
};

/* The agent of a libvirt domain. `libvirt` is borrowed. */
rf_agent *rf_agent_libvirt(rf_libvirt *libvirt, const char *domain);
void rf_agent_free(rf_agent *agent);
RF_GUARD(rf_agent, rf_agent_free);
#define rf_autoagent RF_CLEANUP(rf_guard_rf_agent)

/* Does it answer? May be repeated. */
int rf_agent_ping(rf_agent *agent, unsigned seconds, rf_error **err);

struct rf_agent_result {
    int status;
    char *out, *err; /* NUL-terminated, never NULL after success */
};

/* Frees what it holds and zeroes it. */
void rf_agent_result_clear(struct rf_agent_result *result);
#define rf_autoagentresult RF_CLEANUP(rf_agent_result_clear)

/* Runs a program inside the guest (an array of strings, absolute path first) and waits for its end. -1 where it could not be
 * started, did not end within `seconds`, or the agent went away; a program that says no is a status, not a failure. */
int rf_agent_exec(rf_agent *agent, const json_t *argv, const char *input, unsigned seconds,
                  struct rf_agent_result *ret_result, rf_error **err);
