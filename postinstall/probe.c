/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of probes. */
#include "postinstall/probe.h"

#include "base/memory.h"

#include <ctype.h>
#include <string.h>

enum { LINE_MAX_ = 200 };

static const struct rf_probe_ops *const probes[] = {
    &rf_probe_agent, &rf_probe_cloud_init, &rf_probe_dns_srv, &rf_probe_exec,
    &rf_probe_http,  &rf_probe_ldaps,      &rf_probe_running, &rf_probe_tcp,
};

const struct rf_probe_ops *rf_probe_ops(const char *name)
{
    for (size_t i = 0; i < RF_COUNT(probes); i++)
        if (strcmp(probes[i]->name, name) == 0)
            return probes[i];
    return NULL;
}

char *rf_probe_names(void)
{
    char *text = NULL;
    for (size_t i = 0; i < RF_COUNT(probes); i++)
        rf_append(&text, "%s%s", i ? ", " : "", probes[i]->name);
    return text;
}

const char *rf_health_name(enum rf_health health)
{
    static const char *const names[] = {"waiting", "ok", "broken"};
    return names[health];
}

enum rf_health rf_probe_error(rf_error *error, char **ret_words)
{
    char *text = rf_error_text(error);
    rf_error_free(error);
    *ret_words = text ? text : rf_strdup("no reason given");
    return RF_HEALTH_WAITING;
}

char *rf_probe_last_line(const char *text)
{
    const char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1]))
        end--;
    const char *start = end;
    while (start > text && start[-1] != '\n')
        start--;
    if (end - start > LINE_MAX_)
        start = end - LINE_MAX_;
    char *line = rf_format("%.*s", (int)(end - start), start);
    for (char *c = line; *c; c++)
        if (iscntrl((unsigned char)*c))
            *c = ' ';
    return line;
}

const char *rf_probe_nothing_missing(const struct rf_recipe_probe *probe)
{
    (void)probe;
    return NULL;
}
