/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/source.h"

#include "base/fetch.h"
#include "base/memory.h"
#include "image/region.h"
#include "installer/addresses.h"
#include "installer/clock.h"
#include "installer/cmdline.h"
#include "profiles/profile.h"

#include <string.h>

enum { NETWORK_SECONDS = 20 }; /* what DHCP may take without a word on the console */

#define HOW_TO                                                                                                         \
    "restart this machine, press the key e in the boot menu and add richtfest.profile=URL to the end of the line "     \
    "beginning with linux; or put it into the ISO by `richtfest image customize --profile-url URL ISO`"

/* 1 found, 0 has nothing, -1 has something that can't be used. */
struct source_ops {
    const char *name;
    int (*find)(const char *medium, struct rf_source *ret_source, rf_error **err);
};

static int use_url(const char *url, const char *where, struct rf_source *ret_source, rf_error **err)
{
    if (rf_url_check(url, err) < 0)
        return rf_fail(err, RF_BAD_PROFILE, "%s", where);
    char id[RF_UUID_TEXT];
    rf_source_id_url(url, id);
    *ret_source = (struct rf_source){.url = rf_strdup(url), .name = rf_url_public(url), .id = rf_strdup(id)};
    return 1;
}

static int from_kernel(const char *medium, struct rf_source *ret_source, rf_error **err)
{
    (void)medium;
    rf_autofree char *url = rf_cmdline("richtfest.profile");
    return url ? use_url(url, "richtfest.profile on the kernel's command line", ret_source, err) : 0;
}

static int from_region(const char *medium, struct rf_source *ret_source, rf_error **err)
{
    rf_autofree char *path = rf_format("%s" RF_REGION_FILE, medium);
    rf_autoregion struct rf_region region = {0};
    if (rf_region_read(path, &region, err) < 0)
        return -1;
    if (region.profile_url)
        return use_url(region.profile_url, "the profile URL on the medium", ret_source, err);
    if (!region.profile)
        return 0;
    /* The identity needs the node's id, which only the parsed profile has: set by rf_source_identify. */
    *ret_source = (struct rf_source){.size = region.profile_size};
    ret_source->name = rf_strdup(region.name ? region.name : "profile on the medium");
    ret_source->text = RF_STEAL(region.profile);
    return 1;
}

static const struct source_ops sources[] = {
    {"kernel command line", from_kernel},
    {"medium", from_region},
};

int rf_source_find(const char *medium, struct rf_source *ret_source, rf_error **err)
{
    for (size_t i = 0; i < RF_COUNT(sources); i++) {
        int found = sources[i].find(medium, ret_source, err);
        if (found != 0)
            return found < 0 ? -1 : 0;
    }
    return rf_fail(err, RF_BAD_PROFILE, "no profile: " HOW_TO);
}

struct waiting {
    const struct rf_source *source;
    const char *medium;
    struct rf_session *session;
};

static bool tell(void *data, unsigned attempt, const char *why, unsigned pause)
{
    const struct waiting *waiting = data;
    rf_autofree char *addresses = rf_addresses_text();
    rf_emit_message(waiting->session->events, RF_WAITING,
                    "for the profile %s: %s (attempt %u, next in %u s; this machine: %s)", waiting->source->name, why,
                    attempt, pause, addresses);
    return true;
}

static bool mend_clock(void *data, const char *why)
{
    const struct waiting *waiting = data;
    return rf_clock_mend(waiting->session, waiting->medium, why);
}

int rf_source_fetch(struct rf_source *source, const char *medium, struct rf_session *session, rf_error **err)
{
    if (source->text)
        return 0;
    struct waiting waiting = {source, medium, session};
    if (!rf_addresses_wait(NETWORK_SECONDS)) {
        rf_autofree char *addresses = rf_addresses_text();
        rf_emit_message(session->events, RF_WAITING, "for a network: no address by DHCP yet (this machine: %s)",
                        addresses);
    }
    const struct rf_fetch fetch = {.url = source->url,
                                   .max = RF_PROFILE_MAX,
                                   .seconds = 30,
                                   .pause_max = 15,
                                   .waiting = tell,
                                   .mend_clock = mend_clock,
                                   .data = &waiting};
    return rf_fetch(&fetch, &source->text, &source->size, err);
}

void rf_source_identify(struct rf_source *source, const char *node_id)
{
    char id[RF_UUID_TEXT];
    if (source->id)
        return;
    rf_source_id_node(node_id, id);
    source->id = rf_strdup(id);
}

void rf_source_clear(struct rf_source *source)
{
    free(source->url);
    rf_free_secret(source->text); /* a profile may hold a report URL with a token */
    free(source->name);
    free(source->id);
    *source = (struct rf_source){0};
}
