/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kinds of text: each one row with a regular expression, a sentence for people, and a check for what no expression can say. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct rf_pattern {
    const char *name;  /* "host name"; messages say `"X" is not a <name>` */
    const char *regex; /* POSIX extended and ECMA-262 at once: no backslash classes, no look-around */
    size_t max;        /* bytes */
    const char *wants; /* what to write */
    bool secret;       /* the value is never shown in a message: it may hold a token or a pasted private key */
    /* Both return a whole message, which the caller frees, or NULL; both may be absent. */
    char *(*mistake)(const char *text); /* what people write instead, said better than `wants` says it */
    char *(*check)(const char *text);   /* what no expression can say; asked last */
};

extern const struct rf_pattern rf_pattern_node_id;
extern const struct rf_pattern rf_pattern_hostname; /* RFC 1123, 2.1 */
extern const struct rf_pattern rf_pattern_user;
extern const struct rf_pattern rf_pattern_ssh_key;
extern const struct rf_pattern rf_pattern_timezone;
extern const struct rf_pattern rf_pattern_subnet;
extern const struct rf_pattern rf_pattern_address;     /* IPv4 */
extern const struct rf_pattern rf_pattern_lan_address; /* IPv4 with its prefix length, or "dhcp" */
extern const struct rf_pattern rf_pattern_bridge;
extern const struct rf_pattern rf_pattern_open; /* "tcp/443", "udp/5060-5070", "all" */
extern const struct rf_pattern rf_pattern_endpoint;
extern const struct rf_pattern rf_pattern_email;
extern const struct rf_pattern rf_pattern_vpn_key;
extern const struct rf_pattern rf_pattern_mac;
extern const struct rf_pattern rf_pattern_url;
extern const struct rf_pattern rf_pattern_glob; /* exact text, or with a trailing "*" */
extern const struct rf_pattern rf_pattern_disk; /* exact: what a consent names disks by */
extern const struct rf_pattern rf_pattern_guest;
extern const struct rf_pattern rf_pattern_guest_reference;
extern const struct rf_pattern rf_pattern_peer;
extern const struct rf_pattern rf_pattern_recipe;
extern const struct rf_pattern rf_pattern_size; /* as base/units.h reads it; for the JSON Schema only */
extern const struct rf_pattern rf_pattern_band; /* for the JSON Schema only */

/* NULL where `text` is of that kind; else the whole message, which the caller frees. */
char *rf_pattern_check(const struct rf_pattern *pattern, const char *text);
