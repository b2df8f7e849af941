/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request to a web server whose address is known, as health probes and the proxy's own check make it (libcurl). */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define RF_HTTP_BODY_MAX (256U << 10) /* bytes that are kept of an answer; the rest is read and dropped */

struct rf_http {
    const char *url;
    const char *
        address; /* "10.20.0.11" or "10.20.0.11:8080": whatever the URL's host is, this is connected to; NULL: by name */
    const char *header;  /* "Name: value", or NULL */
    const char *ca_file; /* trusted beside the system's certificates (PEM), or NULL */
    unsigned seconds;    /* for all of it */
};

struct rf_http_answer {
    unsigned status; /* of HTTP */
    char *body;      /* NUL-terminated, at most RF_HTTP_BODY_MAX; never NULL after success */
    bool by_ca_file; /* its certificate is trusted for request->ca_file's sake, not the system's */
};

/* Frees what it holds and zeroes it. */
void rf_http_answer_clear(struct rf_http_answer *answer);
#define rf_autohttp RF_CLEANUP(rf_http_answer_clear)

/* A GET without following redirects. Any status is an answer; -1 where there is none (no connection, no trust, no time). No proxy
 * of the environment is used. Blocks for up to `seconds`. */
int rf_http_get(const struct rf_http *request, struct rf_http_answer *ret_answer, rf_error **err);

/* Does something accept a TCP connection there? Closed at once. */
int rf_tcp_connect(const char *address, unsigned port, unsigned seconds, rf_error **err);
