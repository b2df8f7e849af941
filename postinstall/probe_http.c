/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Does the guest's web server answer as it should? Asked at the guest's own port, as the node's proxy does it (plain HTTP, the
 * published name as host), or `via: proxy`, as people do it: by the published name, over HTTPS, with a certificate that must be
 * trusted. Both kinds are: the node's own CA is said, because browsers outside do not know it.
 */
#include "base/json.h"
#include "base/memory.h"
#include "postinstall/http.h"
#include "postinstall/probe.h"

#include <string.h>

enum { HTTP_PORT = 80, HTTPS_PORT = 443, STATUS_FINE = 200, STATUS_BAD = 400 };

static const char *missing(const struct rf_recipe_probe *probe)
{
    return probe->via_proxy && !probe->host ? "host" : NULL;
}

static enum rf_health judge(const struct rf_recipe_probe *probe, const struct rf_http_answer *answer, const char *url,
                            char **ret_words)
{
    bool fine =
        probe->status ? answer->status == probe->status : answer->status >= STATUS_FINE && answer->status < STATUS_BAD;
    if (!fine) {
        *ret_words = rf_format("%s answers with status %u", url, answer->status);
        return RF_HEALTH_WAITING;
    }
    if (probe->contains && !strstr(answer->body, probe->contains)) {
        *ret_words = rf_format("%s answers, but without \"%s\"", url, probe->contains);
        return RF_HEALTH_WAITING;
    }
    *ret_words = rf_format("%s answers with status %u%s", url, answer->status,
                           answer->by_ca_file ? ", with a certificate of the node's own CA" : "");
    return RF_HEALTH_OK;
}

static enum rf_health ask(const struct rf_recipe_probe *probe, const struct rf_probe_context *context, char **ret_words)
{
    const char *host = probe->host ? rf_json_string(context->settings, probe->host) : NULL;
    unsigned port = probe->via_proxy ? HTTPS_PORT : probe->port ? probe->port : HTTP_PORT;
    const char *path = probe->path ? probe->path : "/";
    rf_autofree char *url =
        rf_format("%s://%s%s", probe->via_proxy ? "https" : "http", host ? host : context->address, path);
    rf_autofree char *address = rf_format("%s:%u", probe->via_proxy ? context->proxy : context->address, port);
    rf_autohttp struct rf_http_answer answer = {0};
    rf_error *why = NULL;
    struct rf_http request = {.url = url, .address = address, .seconds = probe->seconds, .ca_file = context->ca_file};
    if (!probe->via_proxy && host)
        request.header = "X-Forwarded-Proto: https"; /* as the proxy says it: else applications redirect */
    if (rf_http_get(&request, &answer, &why) < 0)
        return rf_probe_error(why, ret_words);
    return judge(probe, &answer, url, ret_words);
}

static const char *const keys[] = {"port", "path", "status", "contains", "host", "via", NULL};

const struct rf_probe_ops rf_probe_http = {"http", keys, missing, ask};
