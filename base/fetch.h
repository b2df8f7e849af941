/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Transfers by libcurl: http and https, bounded, retried. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rf_fetch {
    const char *url;
    size_t max;         /* a larger body is rejected, never cut */
    unsigned seconds;   /* one attempt */
    unsigned attempts;  /* 0: for ever */
    unsigned pause_max; /* seconds: the back-off doubles from 1 up to this */
    double deadline;    /* as rf_now() has it: no attempt goes on, and none begins, after that; 0: none */
    /* rf_fetch_file: an attempt that brings less than `floor` bytes a second for `floor_seconds` is given up; 0: 100 and 30 */
    unsigned floor, floor_seconds;
    bool
        resume; /* rf_fetch_file: the file begins with what came before, and every attempt asks for the rest of it alone */
    /* Told before each pause: which attempt failed, why, and in how many seconds the next comes. Returning false stops. */
    bool (*waiting)(void *data, unsigned attempt, const char *why, unsigned pause);
    /* Told a few times a second while it comes (total 0: the server does not say); or NULL. */
    void (*progress)(void *data, uint64_t done, uint64_t total);
    /* Asked at most once, where this machine's time is what speaks against the server's certificate: true where the clock was
     * set, so that another attempt makes sense. NULL: no. */
    bool (*mend_clock)(void *data, const char *why);
    void *data;
};

/* What hindered a transfer, for a caller that tells people what to do. */
enum rf_fetch_fault {
    RF_FETCH_NO_ANSWER, /* the server, the way to it, or the address */
    RF_FETCH_TOO_LARGE, /* more than `max` */
    RF_FETCH_NO_ROOM,   /* where it is stored there is no room for it */
    RF_FETCH_WRONG,     /* it is other bytes than its checksum says (base/download.h) */
};

/* The body, NUL-terminated, the caller frees it. Retried: no network, no route, name not found, timeouts, refused, 5xx, 408,
 * 429. Not retried: 404 and other 4xx, TLS verification, a body over `max` (RF_BAD_PROFILE: the person has to act). Redirects
 * are followed, at most 5, never from https to http. Messages carry the URL without user, password and query. */
int rf_fetch(const struct rf_fetch *fetch, char **ret_body, size_t *ret_size, rf_error **err);

/* The same into a file that is open for writing: it holds the body alone, from its start. An attempt that stands still
 * (`floor`) is given up. After a failure the file holds anything. With `resume` it holds the beginning of the body then, and so may be handed
 * in again (RFC 9110, 14.2); a server that knows no ranges is asked for the whole. Whether both parts were of one file says a checksum. A failure sets
 * *ret_fault (may be NULL). */
int rf_fetch_file(const struct rf_fetch *fetch, int fd, enum rf_fetch_fault *ret_fault, rf_error **err);

/* POSTs one JSON document; any 2xx is success. One attempt of at most `seconds`. RF_BAD_PROFILE: the
 * receiver refuses this document (400, 413, 415, 422), sending it again is pointless; RF_FAILED: later, perhaps. Messages carry
 * rf_url_receiver's view of the URL. */
int rf_post_json(const char *url, const char *json, unsigned seconds, rf_error **err);

/* A URL as it may be shown: scheme, host, port and path; never user, password, query and fragment. For what is fetched: the path says
 * which of a server's profiles was meant. "(not a URL)" where it can't be taken apart. The caller frees it. Pure. */
char *rf_url_public(const char *url);

/* The same for where something is sent: "https://host:port/…". A hook's path is its password. */
char *rf_url_receiver(const char *url);

/* "host" or "host:port" of it; "the server" where it has none. The caller frees it. Pure. */
char *rf_url_host(const char *url);
