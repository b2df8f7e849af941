/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Does LDAPS answer? The root DSE is read over TLS from the node (RFC 4512, 5.1: it needs no login). The certificate is the
 * guest's own, which nobody outside has signed, so it is not verified: the question is whether the service answers.
 */
#include "base/memory.h"
#include "postinstall/probe.h"

#include <curl/curl.h>
#include <string.h>

#define ATTRIBUTE "defaultNamingContext"

enum { LDAPS_PORT = 636, ANSWER_MAX = 16384 };

struct answer {
    char text[ANSWER_MAX];
    size_t size;
};

/* The value behind the attribute's name where its line is whole, else NULL. */
static const char *naming_context(const struct answer *answer)
{
    const char *found = strstr(answer->text, ATTRIBUTE ": ");
    return found && strchr(found, '\n') ? found + strlen(ATTRIBUTE ": ") : NULL;
}

/* Stops the transfer as soon as the answer is there: libcurl (seen in 7.88) waits for the socket while the rest of the answer
 * already lies in its TLS buffer, and would only come back when the time is up. */
static size_t collect(char *data, size_t size, size_t count, void *user)
{
    struct answer *answer = user;
    size_t room = sizeof(answer->text) - 1 - answer->size, part = size * count < room ? size * count : room;
    memcpy(answer->text + answer->size, data, part);
    answer->size += part;
    return naming_context(answer) ? 0 : size * count;
}

static CURLcode read_root_dse(const char *url, unsigned seconds, struct answer *answer)
{
    CURL *curl = curl_easy_init();
    if (!curl)
        return CURLE_FAILED_INIT;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)seconds);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    return code;
}

static enum rf_health ask(const struct rf_recipe_probe *probe, const struct rf_probe_context *context, char **ret_words)
{
    unsigned port = probe->port ? probe->port : LDAPS_PORT;
    rf_autofree char *url = rf_format("ldaps://%s:%u/?" ATTRIBUTE "?base", context->address, port);
    rf_autofree struct answer *answer = rf_alloc(sizeof(*answer));
    CURLcode code = read_root_dse(url, probe->seconds, answer);
    const char *found = naming_context(answer);
    if (!found) {
        *ret_words = rf_format("%s port %u: %s", context->address, port,
                               code == CURLE_OK ? "no naming context in the root DSE" : curl_easy_strerror(code));
        return RF_HEALTH_WAITING;
    }
    *ret_words = rf_format("answers for %.*s", (int)strcspn(found, "\r\n"), found);
    return RF_HEALTH_OK;
}

static const char *const keys[] = {"port", NULL};

const struct rf_probe_ops rf_probe_ldaps = {"ldaps", keys, rf_probe_nothing_missing, ask};
