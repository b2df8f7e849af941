/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A guest agent that answers from a list, in order, and keeps what it was asked; and what a probe makes of it. */
#pragma once

#include "base/json.h"
#include "postinstall/probe.h"
#include "tests/unit/unit.h"

struct fake_agent {
    rf_agent agent;
    const char *const *answers; /* NULL-terminated; "" does not answer */
    char *asked;                /* a line each */
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

/* Answers of guest-ping, guest-exec and guest-exec-status (QEMU Guest Agent Protocol). */
#define PONG "{\"return\": {}}"
#define PID "{\"return\": {\"pid\": 7}}"
#define RUNS "{\"return\": {\"exited\": false}}"
#define ENDED(status, more) "{\"return\": {\"exited\": true, \"exitcode\": " status more "}}"

/* {"v1": {"errors": []}} and {"v1": {"errors": ["it broke"]}} on standard output */
#define FINE ENDED("0", ", \"out-data\": \"eyJ2MSI6IHsiZXJyb3JzIjogW119fQ==\"")
#define BROKE ENDED("0", ", \"out-data\": \"eyJ2MSI6IHsiZXJyb3JzIjogWyJpdCBicm9rZSJdfX0=\"")

static inline enum rf_health ask_probe(const struct rf_probe_ops *ops, struct rf_recipe_probe *probe,
                                       struct fake_agent *fake, const json_t *secrets, char **ret_words)
{
    struct rf_probe_context context = {.agent = &fake->agent, .address = "127.0.0.1", .secrets = secrets};
    probe->seconds = 5;
    return ops->ask(probe, &context, ret_words);
}

/* What the probe says and thinks of these answers. */
static inline void assert_probe(const struct rf_probe_ops *ops, struct rf_recipe_probe *probe, struct fake_agent fake,
                                enum rf_health health, const char *words)
{
    rf_autofree char *said = NULL;
    assert_int_equal(ask_probe(ops, probe, &fake, NULL, &said), health);
    assert_string_equal(said, words);
    rf_agent_free(&fake.agent);
}
