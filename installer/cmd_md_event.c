/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest md-event EVENT ARRAY [COMPONENT]: what mdadm's monitor runs (mdadm.conf(5), PROGRAM). */
#include "base/memory.h"
#include "base/paths.h"
#include "installer/arrays.h"
#include "installer/md_event.h"
#include "installer/session.h"
#include "installer/subcommand.h"

#include <string.h>

static char *array_name(const char *device)
{
    const char *slash = strrchr(device, '/');
    return rf_array_given_name("", slash ? slash + 1 : device);
}

/* A session of its own, with a spool of its own: a run may be under way, and its reporter must not be disturbed. */
static void report(const rf_profile *profile, const struct rf_md_news *news)
{
    rf_autofree char *step = NULL, *title = NULL, *message = NULL;
    struct rf_event event;
    if (!rf_md_event(news, &event, &step, &title, &message))
        return;
    rf_autosession struct rf_session session;
    rf_session_open(&session, RF_AUDIENCE_JSON, RF_STATE_EVENTS, profile->node.id);
    rf_session_report(&session, profile->node.id, profile->report.url, RF_STATE_SPOOL_MD);
    rf_emit(session.events, &event);
    rf_session_end(&session, NULL, "what mdadm's monitor saw is reported");
}

static int run(const struct rf_subcommand *self, int argc, char **argv)
{
    if (argc < 3 || argc > 4)
        return rf_say_usage(self, "an event, an array, and perhaps a component");
    rf_autoprofile rf_profile *profile = NULL;
    int code = rf_command_profile(RF_STATE_PROFILE, false, &profile);
    if (code != RF_OK)
        return code;
    rf_autofree char *array = array_name(argv[2]), *component = argc > 3 ? rf_md_component("", argv[3]) : NULL;
    report(profile, &(struct rf_md_news){argv[1], array, component, profile->storage.missing});
    return RF_OK;
}

const struct rf_subcommand rf_cmd_md_event = {
    .name = "md-event",
    .usage = "EVENT ARRAY [COMPONENT]",
    .summary = "on the node, for mdadm's monitor: reports what it saw",
    .hidden = true,
    .run = run,
};
