/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Health probes: each type one file and one row in probe.c. A probe asks once and says what it saw; whoever waits
 * (health.h) asks again.
 */
#pragma once

#include "postinstall/agent.h"
#include "postinstall/recipe.h"

enum rf_health {
    RF_HEALTH_WAITING, /* not yet; asking again may help */
    RF_HEALTH_OK,
    RF_HEALTH_BROKEN, /* it will not get better by waiting */
};

/* What a probe may ask. */
struct rf_probe_context {
    rf_agent *agent;
    const char *address;             /* the guest's, reachable from the node */
    bool running;                    /* for the probe `running` only */
    const json_t *settings;          /* the guest's, with defaults */
    const json_t *secrets;           /* as long as they are kept; or NULL */
    const json_t *directory_secrets; /* the kept ones of the guest's directory; or NULL */
    const char *proxy;               /* where the node's reverse proxy listens, "127.0.0.1" */
    const char *ca_file;             /* the node's own CA, trusted beside the system's; or NULL */
};

struct rf_probe_ops {
    const char *name;

    /* The keys that a row of this type may have beyond name, type and seconds; NULL-terminated, or NULL for none. */
    const char *const *keys;

    /* The parameter that the recipe's row lacks, or NULL. */
    const char *(*missing)(const struct rf_recipe_probe *probe);

    /* Asks once, for up to probe->seconds. `ret_words` gets one line for people, always set; the caller frees it. It never
     * holds a secret. */
    enum rf_health (*ask)(const struct rf_recipe_probe *probe, const struct rf_probe_context *context,
                          char **ret_words);
};

extern const struct rf_probe_ops rf_probe_agent, rf_probe_cloud_init, rf_probe_exec, rf_probe_dns_srv, rf_probe_http,
    rf_probe_ldaps, rf_probe_running, rf_probe_tcp;

/* NULL for an unknown name. */
const struct rf_probe_ops *rf_probe_ops(const char *name);

/* "agent, cloud_init, …"; the caller frees it. */
char *rf_probe_names(void);

/* "ok", "waiting", "broken". */
const char *rf_health_name(enum rf_health health);

/* For the probes: takes an error over as the words, in valid UTF-8, and says waiting. */
enum rf_health rf_probe_error(rf_error *error, char **ret_words);

/* The last line of a text that holds anything, without control characters, in valid UTF-8 ("?" for what is none) and at most 200 bytes, its end. The
 * caller frees it. */
char *rf_probe_last_line(const char *text);

/* For rows without parameters. */
const char *rf_probe_nothing_missing(const struct rf_recipe_probe *probe);
