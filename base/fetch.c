/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/fetch.h"

#include "base/distrust.h"
#include "base/memory.h"
#include "base/units.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <time.h>

enum { STALLED_SECONDS = 30, STALLED_BYTES = 100 }; /* slower than this for so long is no transfer any more */

struct body {
    char *text;
    int fd; /* where it goes instead; -1: into the text */
    size_t size, max;
    size_t before; /* bytes of it that came before this attempt */
    bool too_large;
    int write_error; /* errno, or 0 */
};

/* What goes on while it comes. */
struct following {
    const struct rf_fetch *fetch;
    const struct body *body;
};

static void rf_guard_curl(CURL **curl)
{
    curl_easy_cleanup(*curl);
}

static void rf_guard_body(struct body *body)
{
    free(body->text);
}

/* The file's own trouble (a full disk) is not the server's, and no further attempt helps. */
static size_t store(struct body *body, const char *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t wrote = write(body->fd, data + done, size - done);
        if (wrote < 0 && errno != EINTR) {
            body->write_error = errno;
            return 0;
        }
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    body->size += size;
    return size;
}

static size_t take(char *data, size_t unit, size_t count, void *user)
{
    struct body *body = user;
    size_t size = unit * count;
    if (size > body->max || body->size > body->max - size) {
        body->too_large = true;
        return 0; /* curl ends the transfer: rejected, not cut */
    }
    if (body->fd >= 0)
        return store(body, data, size);
    char *longer = realloc(body->text, body->size + size + 1);
    if (!longer)
        abort();
    memcpy(longer + body->size, data, size);
    body->text = longer;
    body->size += size;
    body->text[body->size] = '\0';
    return size;
}

static void rf_guard_url(CURLU **url)
{
    curl_url_cleanup(*url);
}

/* NULL where it is none; freed by curl_url_cleanup. */
static CURLU *url_parts(const char *url)
{
    CURLU *parts = curl_url();
    if (parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK)
        return parts;
    curl_url_cleanup(parts);
    return NULL;
}

/* The caller frees it; NULL where the URL has no such part. */
static char *url_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    if (curl_url_get(url, part, &text, 0) != CURLUE_OK)
        return NULL;
    char *copy = rf_strdup(text);
    curl_free(text);
    return copy;
}

#define NO_URL "(not a URL)"

char *rf_url_public(const char *url)
{
    RF_CLEANUP(rf_guard_url) CURLU *parts = url_parts(url);
    static const CURLUPart secret[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS, CURLUPART_QUERY,
                                       CURLUPART_FRAGMENT};
    for (size_t i = 0; parts && i < RF_COUNT(secret); i++)
        curl_url_set(parts, secret[i], NULL, 0);
    char *shown = parts ? url_part(parts, CURLUPART_URL) : NULL;
    return shown ? shown : rf_strdup(NO_URL);
}

/* NULL where there is none. */
static char *host_and_port(CURLU *parts)
{
    rf_autofree char *host = url_part(parts, CURLUPART_HOST);
    rf_autofree char *port = url_part(parts, CURLUPART_PORT);
    return host ? rf_format("%s%s%s", host, port ? ":" : "", port ? port : "") : NULL;
}

char *rf_url_host(const char *url)
{
    RF_CLEANUP(rf_guard_url) CURLU *parts = url_parts(url);
    char *host = parts ? host_and_port(parts) : NULL;
    return host ? host : rf_strdup("the server");
}

char *rf_url_receiver(const char *url)
{
    RF_CLEANUP(rf_guard_url) CURLU *parts = url_parts(url);
    if (!parts)
        return rf_strdup(NO_URL);
    rf_autofree char *scheme = url_part(parts, CURLUPART_SCHEME);
    rf_autofree char *host = host_and_port(parts);
    return scheme && host ? rf_format("%s://%s/…", scheme, host) : rf_strdup(NO_URL);
}

static int tell(void *data, curl_off_t total, curl_off_t done, curl_off_t up_total, curl_off_t up_done)
{
    (void)up_total;
    (void)up_done;
    const struct following *following = data;
    const uint64_t before = following->body->before;
    following->fetch->progress(following->fetch->data, before + (uint64_t)done, total ? before + (uint64_t)total : 0);
    return 0;
}

static void follow(CURL *curl, const struct following *following)
{
    const struct body *body = following->body;
    const struct rf_fetch *fetch = following->fetch;
    if (fetch->progress) {
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, tell);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, following);
    }
    if (body->fd >= 0) {
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
                         (long)(fetch->floor_seconds ? fetch->floor_seconds : STALLED_SECONDS));
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)(fetch->floor ? fetch->floor : STALLED_BYTES));
        curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)(body->max - body->before)); /* 0: no limit */
        curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)body->before);
    }
}

/* What an attempt may take, in seconds: never 0, which means for ever to curl. */
static long time_for(const struct rf_fetch *fetch)
{
    const long seconds = fetch->seconds ? (long)fetch->seconds : 30;
    const double left = fetch->deadline - rf_now();
    if (fetch->deadline <= 0 || left > (double)seconds)
        return seconds;
    return left > 1 ? (long)left : 1;
}

static bool too_late(const struct rf_fetch *fetch)
{
    return fetch->deadline > 0 && rf_now() >= fetch->deadline;
}

static CURL *prepare(const struct rf_fetch *fetch, struct body *body)
{
    CURL *curl = curl_easy_init();
    if (!curl)
        abort();
    curl_easy_setopt(curl, CURLOPT_URL, fetch->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    bool secure = strncasecmp(fetch->url, "https:", 6) == 0;
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, time_for(fetch));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "richtfest/" RF_VERSION);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    return curl;
}

static bool retried_status(long status)
{
    return status >= 500 || status == 408 || status == 429;
}

static bool retried(CURLcode code, long status)
{
    static const CURLcode passing[] = {
        CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY,
        CURLE_COULDNT_CONNECT,      CURLE_OPERATION_TIMEDOUT,
        CURLE_GOT_NOTHING,          CURLE_SEND_ERROR,
        CURLE_RECV_ERROR,           CURLE_PARTIAL_FILE,
        CURLE_SSL_CONNECT_ERROR,    CURLE_HTTP2,
        CURLE_HTTP2_STREAM,
    };
    if (code == CURLE_HTTP_RETURNED_ERROR)
        return retried_status(status);
    for (size_t i = 0; i < RF_COUNT(passing); i++)
        if (passing[i] == code)
            return true;
    return false;
}

static long verdict_of(CURL *curl)
{
    long verdict = 0;
    curl_easy_getinfo(curl, CURLINFO_SSL_VERIFYRESULT, &verdict);
    return verdict;
}

/* libcurl's own words are better than its code's, but some quote what they don't understand (a proxy's address with its password). */
static bool tells_url(const char *detail)
{
    return !*detail || strstr(detail, "://") || strchr(detail, '@');
}

/* After redirects it may be another server than the one that was asked. */
static char *untrusted(CURL *curl, const char *detail)
{
    char *url = NULL;
    curl_easy_getinfo(curl, CURLINFO_EFFECTIVE_URL, &url);
    rf_autofree char *host = rf_url_host(url ? url : "");
    return rf_distrust_text(host, verdict_of(curl), detail, time(NULL));
}

/* What a transfer that failed says of itself. The caller frees it. */
static char *reason(CURL *curl, CURLcode code, const char *detail)
{
    const char *words = tells_url(detail) ? curl_easy_strerror(code) : detail;
    return code == CURLE_PEER_FAILED_VERIFICATION ? untrusted(curl, words) : rf_strdup(words);
}

/* The caller frees it. */
static char *why_not(CURL *curl, CURLcode code, long status, const struct body *body, const char *detail)
{
    if (body->too_large)
        return rf_format("the answer is larger than the %zu bytes allowed", body->max);
    if (body->write_error)
        return rf_format("it can't be stored: %s", strerror(body->write_error));
    if (code == CURLE_HTTP_RETURNED_ERROR)
        return rf_format("the server answered with status %ld", status);
    return reason(curl, code, detail);
}

/* What came of an attempt. */
enum outcome { FETCHED, AGAIN, FINAL, WRONG_TIME, WHOLE };

static enum outcome outcome_of(CURL *curl, CURLcode code, long status, const struct body *body)
{
    if (code == CURLE_PEER_FAILED_VERIFICATION && rf_distrust_is_date(verdict_of(curl)))
        return WRONG_TIME;
    return !body->too_large && !body->write_error && retried(code, status) ? AGAIN : FINAL;
}

/* To where the attempt begins to write. A file that is as large as it may be holds no beginning of anything. */
static int rewind_file(struct body *body, bool resume)
{
    const off_t end = lseek(body->fd, 0, SEEK_END);
    if (end < 0)
        return -1;
    if (resume && (size_t)end < body->max) {
        body->size = body->before = (size_t)end;
        return 0;
    }
    body->size = body->before = 0;
    return ftruncate(body->fd, 0) < 0 || lseek(body->fd, 0, SEEK_SET) < 0 ? -1 : 0;
}

/* The server does not know ranges, or the file there is no longer than what came before (RFC 9110, 15.5.17). */
static bool refuses_the_rest(CURLcode code, long status)
{
    return code == CURLE_RANGE_ERROR || code == CURLE_BAD_DOWNLOAD_RESUME ||
           (code == CURLE_HTTP_RETURNED_ERROR && status == 416);
}

/* One request; *ret_why (owned by the caller) says why it was not FETCHED. */
static enum outcome request(const struct rf_fetch *fetch, struct body *body, bool resume, char **ret_why)
{
    body->size = 0;
    if (body->fd >= 0 && rewind_file(body, resume) < 0) {
        *ret_why = rf_strdup(strerror(errno));
        return FINAL;
    }
    RF_CLEANUP(rf_guard_curl) CURL *curl = prepare(fetch, body);
    const struct following following = {fetch, body};
    follow(curl, &following);
    char detail[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        return FETCHED;
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (body->before && refuses_the_rest(code, status))
        return WHOLE;
    body->too_large |= code == CURLE_FILESIZE_EXCEEDED;
    *ret_why = why_not(curl, code, status, body, detail);
    return outcome_of(curl, code, status, body);
}

static enum outcome attempt(const struct rf_fetch *fetch, struct body *body, char **ret_why)
{
    const enum outcome outcome = request(fetch, body, fetch->resume, ret_why);
    return outcome == WHOLE ? request(fetch, body, false, ret_why) : outcome;
}

static bool wait_for_next(const struct rf_fetch *fetch, unsigned number, const char *why)
{
    unsigned longest = fetch->pause_max ? fetch->pause_max : 16;
    unsigned pause = number > 16 ? longest : 1U << (number - 1);
    pause = pause < longest ? pause : longest;
    if (fetch->waiting && !fetch->waiting(fetch->data, number, why, pause))
        return false;
    sleep(pause);
    return true;
}

static int fetch_body(const struct rf_fetch *fetch, struct body *body, rf_error **err)
{
    rf_autofree char *shown = rf_url_public(fetch->url);
    bool mended = false;
    for (unsigned number = 1;; number++) {
        rf_autofree char *why = NULL;
        enum outcome outcome = attempt(fetch, body, &why);
        if (outcome == FETCHED)
            return 0;
        if (outcome == WRONG_TIME && !mended && fetch->mend_clock && fetch->mend_clock(fetch->data, why)) {
            mended = true;
            continue;
        }
        if (outcome != AGAIN)
            return rf_fail(err, RF_BAD_PROFILE, "%s can't be fetched: %s", shown, why);
        if (fetch->attempts && number >= fetch->attempts)
            return rf_fail(err, RF_FAILED, "%s can't be fetched: %s (%u attempts)", shown, why, number);
        if (too_late(fetch))
            return rf_fail(err, RF_FAILED, "%s can't be fetched: the time for it is up (%s)", shown, why);
        if (!wait_for_next(fetch, number, why))
            return rf_fail(err, RF_FAILED, "%s can't be fetched: %s (given up)", shown, why);
    }
}

int rf_fetch(const struct rf_fetch *fetch, char **ret_body, size_t *ret_size, rf_error **err)
{
    RF_CLEANUP(rf_guard_body) struct body body = {.fd = -1, .max = fetch->max};
    if (fetch_body(fetch, &body, err) < 0)
        return -1;
    if (!body.text)
        body.text = rf_strdup("");
    *ret_body = RF_STEAL(body.text);
    if (ret_size)
        *ret_size = body.size;
    return 0;
}

static enum rf_fetch_fault fault_of(const struct body *body)
{
    if (body->too_large)
        return RF_FETCH_TOO_LARGE;
    return body->write_error == ENOSPC || body->write_error == EDQUOT ? RF_FETCH_NO_ROOM : RF_FETCH_NO_ANSWER;
}

int rf_fetch_file(const struct rf_fetch *fetch, int fd, enum rf_fetch_fault *ret_fault, rf_error **err)
{
    struct body body = {.fd = fd, .max = fetch->max};
    if (fetch_body(fetch, &body, err) == 0)
        return 0;
    if (ret_fault)
        *ret_fault = fault_of(&body);
    return -1;
}

static size_t ignore(char *data, size_t unit, size_t count, void *user)
{
    (void)data;
    (void)user;
    return unit * count;
}

static void rf_guard_slist(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

int rf_post_json(const char *url, const char *json, unsigned seconds, rf_error **err)
{
    rf_autofree char *shown = rf_url_receiver(url);
    struct rf_fetch fetch = {.url = url, .seconds = seconds};
    RF_CLEANUP(rf_guard_curl) CURL *curl = prepare(&fetch, NULL);
    RF_CLEANUP(rf_guard_slist) struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L); /* a POST that is redirected would become a GET */
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json);
    char detail[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    CURLcode code = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK && status >= 200 && status < 300)
        return 0;
    bool refused = status == 400 || status == 413 || status == 415 || status == 422;
    if (code == CURLE_OK || code == CURLE_HTTP_RETURNED_ERROR)
        return rf_fail(err, refused ? RF_BAD_PROFILE : RF_FAILED, "%s answered with status %ld", shown, status);
    rf_autofree char *why = reason(curl, code, detail);
    return rf_fail(err, RF_FAILED, "%s: %s", shown, why);
}
