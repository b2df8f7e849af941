/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libcurl, as much of it as a question to a web server needs. */
#include "postinstall/http.h"

#include "base/file.h"
#include "base/memory.h"
#include "postinstall/certificate.h"

#include <curl/curl.h>
#include <string.h>

enum { CA_MAX = 1 << 20 };

struct body {
    char *text;
    size_t size;
};

static void free_curl(CURL **curl)
{
    curl_easy_cleanup(*curl);
}

static void free_list(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

#define autocurl RF_CLEANUP(free_curl)
#define autolist RF_CLEANUP(free_list)

void rf_http_answer_clear(struct rf_http_answer *answer)
{
    free(answer->body);
    *answer = (struct rf_http_answer){0};
}

static size_t collect(char *data, size_t unit, size_t count, void *user)
{
    struct body *body = user;
    size_t size = unit * count, room = RF_HTTP_BODY_MAX - body->size, part = size < room ? size : room;
    memcpy(body->text + body->size, data, part);
    body->size += part;
    body->text[body->size] = '\0';
    return size;
}

static CURL *prepare(const char *url, unsigned seconds)
{
    CURL *curl = curl_easy_init();
    if (!curl)
        abort();
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)seconds);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "richtfest/" RF_VERSION);
    return curl;
}

/* libcurl says how long it has tried. Who asks again and again tells what has changed: that is no change. */
static void forget_time(char *why)
{
    char *after = strstr(why, " after "), *rest = after;
    if (!after)
        return;
    strtoul(after + strlen(" after "), &rest, 10);
    if (strncmp(rest, " ms", 3) == 0)
        memmove(after, rest + 3, strlen(rest + 3) + 1);
}

static const char *certificate_in(const struct curl_slist *fields)
{
    static const char key[] = "Cert:"; /* CURLINFO_CERTINFO(3): beside what it says, the certificate itself */
    for (; fields; fields = fields->next)
        if (strncmp(fields->data, key, strlen(key)) == 0)
            return fields->data + strlen(key);
    return NULL;
}

/* Did the CA in that file sign any certificate of the chain that was shown? */
static bool chain_by(CURL *curl, const char *ca_file)
{
    struct curl_certinfo *chain = NULL;
    rf_autofree char *authority = NULL;
    if (!ca_file || curl_easy_getinfo(curl, CURLINFO_CERTINFO, &chain) != CURLE_OK || !chain ||
        rf_read_file(ca_file, CA_MAX, &authority, NULL, NULL) < 0)
        return false;
    for (int i = 0; i < chain->num_of_certs; i++)
        if (rf_certificate_signed_by(certificate_in(chain->certinfo[i]), authority))
            return true;
    return false;
}

int rf_http_get(const struct rf_http *request, struct rf_http_answer *ret_answer, rf_error **err)
{
    autocurl CURL *curl = prepare(request->url, request->seconds);
    rf_autofree char *route = request->address ? rf_format("::%s", request->address) : NULL;
    if (route && !strchr(request->address, ':'))
        rf_append(&route, ":"); /* an empty port: the URL's own (CURLOPT_CONNECT_TO(3)) */
    autolist struct curl_slist *routes = route ? curl_slist_append(NULL, route) : NULL;
    autolist struct curl_slist *headers = request->header ? curl_slist_append(NULL, request->header) : NULL;
    rf_autofree char *text = rf_alloc(RF_HTTP_BODY_MAX + 1);
    struct body body = {text, 0};
    char why[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(curl, CURLOPT_CONNECT_TO, routes);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    if (request->ca_file) { /* takes the place of the system's bundle; the system's directory stays beside it */
        curl_easy_setopt(curl, CURLOPT_CAINFO, request->ca_file);
        curl_easy_setopt(curl, CURLOPT_CAPATH, "/etc/ssl/certs");
        curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
    }
    CURLcode code = curl_easy_perform(curl);
    forget_time(why);
    if (code != CURLE_OK)
        return rf_fail(err, RF_FAILED, "%s: %s", request->url, *why ? why : curl_easy_strerror(code));
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    *ret_answer = (struct rf_http_answer){(unsigned)status, RF_STEAL(text), chain_by(curl, request->ca_file)};
    return 0;
}

int rf_tcp_connect(const char *address, unsigned port, unsigned seconds, rf_error **err)
{
    rf_autofree char *url = rf_format("http://%s:%u/", address, port);
    autocurl CURL *curl = prepare(url, seconds);
    char why[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    CURLcode code = curl_easy_perform(curl);
    forget_time(why);
    if (code != CURLE_OK)
        return rf_fail(err, RF_FAILED, "%s port %u: %s", address, port, *why ? why : curl_easy_strerror(code));
    return 0;
}
