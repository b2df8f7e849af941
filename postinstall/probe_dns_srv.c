/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Does the guest's own DNS server answer with an SRV record (RFC 2782)? Asked from the node, as a client would. */
#include "base/json.h"
#include "base/memory.h"
#include "postinstall/probe.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <ctype.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

enum {
    ANSWER_MAX = 4096,
    HEADER_SIZE = 12,  /* RFC 1035, 4.1.1 */
    QUESTION_TAIL = 4, /* type, class */
    RECORD_FIXED = 10, /* type, class, TTL, length */
    SRV_FIXED = 6,     /* priority, weight, port */
    DNS_PORT = 53,
};

static const char *missing(const struct rf_recipe_probe *probe)
{
    if (!probe->service)
        return "service";
    return probe->zone ? NULL : "zone";
}

static unsigned u16(const unsigned char *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* Steps over a name and `fixed` bytes; NULL where the message ends before. */
static const unsigned char *skip(const unsigned char *at, const unsigned char *end, size_t fixed)
{
    int length = dn_skipname(at, end);
    if (length < 0 || (size_t)(end - at) < (size_t)length + fixed)
        return NULL;
    return at + length + fixed;
}

/* The first SRV record of the answer as "target:port"; false where there is none. */
static bool first_srv(const unsigned char *message, size_t size, char **ret_target)
{
    const unsigned char *end = message + size, *at = message + HEADER_SIZE;
    if (size < HEADER_SIZE)
        return false;
    unsigned questions = u16(message + 4), answers = u16(message + 6);
    for (; at && questions; questions--)
        at = skip(at, end, QUESTION_TAIL);
    for (; at && answers; answers--) {
        const unsigned char *data = skip(at, end, RECORD_FIXED);
        char target[NS_MAXDNAME];
        if (!data || (size_t)(end - data) < u16(data - 2))
            return false;
        if (u16(data - RECORD_FIXED) == ns_t_srv && u16(data - 2) > SRV_FIXED &&
            dn_expand(message, end, data + SRV_FIXED, target, sizeof(target)) > 0) {
            *ret_target = rf_format("%s:%u", target, u16(data + 4));
            return true;
        }
        at = data + u16(data - 2);
    }
    return false;
}

static int query(const char *address, unsigned port, const char *name, unsigned seconds, unsigned char *answer)
{
    struct __res_state state = {0};
    if (res_ninit(&state) < 0)
        return -1;
    state.nscount = 1;
    state.nsaddr_list[0] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, address, &state.nsaddr_list[0].sin_addr);
    state.retrans = (int)(seconds < 2 ? 1 : seconds / 2);
    state.retry = 2;
    int length = res_nquery(&state, name, ns_c_in, ns_t_srv, answer, ANSWER_MAX);
    res_nclose(&state);
    return length;
}

static enum rf_health ask(const struct rf_recipe_probe *probe, const struct rf_probe_context *context, char **ret_words)
{
    const char *zone = rf_json_string(context->settings, probe->zone);
    rf_autofree char *name = rf_format("%s.%s", probe->service, zone ? zone : "");
    for (char *c = name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    unsigned char answer[ANSWER_MAX];
    int length = query(context->address, probe->port ? probe->port : DNS_PORT, name, probe->seconds, answer);
    rf_autofree char *target = NULL;
    if (length > ANSWER_MAX || length < 0 || !first_srv(answer, (size_t)length, &target)) {
        *ret_words = rf_format("%s: no SRV record from %s", name, context->address);
        return RF_HEALTH_WAITING;
    }
    *ret_words = rf_format("%s is %s", name, target);
    return RF_HEALTH_OK;
}

static const char *const keys[] = {"service", "zone", "port", NULL};

const struct rf_probe_ops rf_probe_dns_srv = {"dns_srv", keys, missing, ask};
