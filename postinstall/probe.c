/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of probes. */
#include "postinstall/probe.h"

#include "base/memory.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>

enum { LINE_MAX_ = 200, CHARACTER_MAX = 4 };

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

/* How long the character is that begins there; 0 where none does. */
static size_t character(const char *at)
{
    const size_t left = strnlen(at, CHARACTER_MAX);
    for (size_t size = 1; size <= left; size++) {
        json_t *valid = json_stringn(at, size);
        json_decref(valid);
        if (valid)
            return size;
    }
    return 0;
}

/* A guest's words may be anything; JSON, and so all that is told of a probe, is UTF-8 alone. */
static void make_valid(char *text)
{
    for (size_t size; *text; text += size ? size : 1) {
        size = character(text);
        if (!size)
            *text = '?';
    }
}

enum rf_health rf_probe_error(rf_error *error, char **ret_words)
{
    char *text = rf_error_text(error);
    rf_error_free(error);
    *ret_words = text ? text : rf_strdup("no reason given");
    make_valid(*ret_words);
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
        for (start = end - LINE_MAX_; start < end && ((unsigned char)*start & 0xc0) == 0x80;)
            start++; /* not in the middle of a character */
    char *line = rf_format("%.*s", (int)(end - start), start);
    for (char *c = line; *c; c++)
        if (iscntrl((unsigned char)*c))
            *c = ' ';
    make_valid(line);
    return line;
}

const char *rf_probe_nothing_missing(const struct rf_recipe_probe *probe)
{
    (void)probe;
    return NULL;
}
