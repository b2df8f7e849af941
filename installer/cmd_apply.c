/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest apply: walks the plan. The installer, the node's convergence and repairs all are this. */
#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/report_queue.h"
#include "installer/engine.h"
#include "installer/inputs.h"
#include "installer/keep_profile.h"
#include "installer/last_run.h"
#include "installer/live.h"
#include "installer/node_lock.h"
#include "installer/subcommand.h"
#include "installer/trust.h"

struct options {
    const char *medium, *profile;
    bool live, node, json, unattended;
};

static const struct rf_option known[] = {
    RF_OPTION_TEXT(struct options, medium, "medium", "DIR",
                   "the payload: where the ISO is mounted (default " RF_MEDIUM_DIR ")"),
    RF_OPTION_FLAG(struct options, json, "json", "events as JSON lines on standard output"),
    RF_OPTION_FLAG(struct options, live, "live", "in the live system: find the profile, install, reboot"),
    RF_OPTION_FLAG(struct options, node, "node", "on the node: bring guests up, from the profile that it keeps"),
    RF_OPTION_FLAG(struct options, unattended, "unattended",
                   "with --node, by a service: disks that came in are left to a person where the profile says so"),
    {0}};

/* Exactly one of the three says where the profile comes from. */
static bool choose_profile(struct options *options, int count, char **words)
{
    options->profile = options->node ? RF_STATE_PROFILE : count ? words[0] : NULL;
    return count + options->live + options->node == 1;
}

/* A node's own profile is kept already; another one takes its place there, or the next boot would undo it. */
static const char *keep_at(const struct options *options)
{
    return !options->node && rf_exists(RF_STATE_PROFILE) ? RF_STATE_PROFILE : NULL;
}

static int engage(struct rf_session *session, const struct options *options, const rf_profile *profile, rf_error **err)
{
    rf_automachine rf_machine *machine = NULL;
    if (rf_read_machine(NULL, &machine, err) < 0)
        return -1;
    rf_autofree char *ca = NULL;
    if (rf_trust_read(options->medium, &ca, err) < 0)
        return -1;
    const struct rf_site_options where = {.medium = options->medium,
                                          .target = RF_RUN_DIR "/target",
                                          .ca = ca,
                                          .keep = keep_at(options),
                                          .unattended = options->unattended};
    return rf_engine_apply(session, profile, machine, &where, NULL, err);
}

/* Lets the next one on before the last reports are delivered, which may take a minute. */
static int apply(const struct options *options, const rf_profile *profile, struct rf_lock *lock)
{
    enum rf_audience audience = options->unattended ? RF_AUDIENCE_CONSOLES
                                : options->json     ? RF_AUDIENCE_JSON
                                                    : RF_AUDIENCE_TERMINAL;
    bool on_node = rf_exists(RF_STATE_PROFILE);
    rf_autoerror rf_error *error = NULL;
    rf_autosession struct rf_session session;
    rf_session_open(&session, audience, on_node ? RF_STATE_EVENTS : RF_RUN_DIR "/events.jsonl", profile->node.id);
    if (on_node)
        rf_events_add(session.events, rf_sink_last_run(RF_STATE_LAST_RUN));
    if (on_node) /* what mdadm's monitor could not deliver; left there where that fails */
        rf_report_spool_move(RF_STATE_SPOOL_MD, RF_STATE_SPOOL, NULL);
    rf_session_report(&session, profile->node.id, profile->report.url,
                      on_node ? RF_STATE_SPOOL : RF_RUN_DIR "/report.spool");
    int outcome = engage(&session, options, profile, &error);
    rf_lock_release(lock);
    rf_session_end(&session, error,
                   session.unfit ? "done; what does not fit, or waits for a person, was said at the beginning"
                                 : "the profile is fulfilled");
    return outcome < 0 ? (int)rf_error_code(error) : RF_OK;
}

/* Two runs at once would take each other's half-made guests for their own. What is wrong with the profile is said without waiting; one that was
 * changed while this waited counts as it is now, or the run before would be undone. */
static int apply_alone(const struct options *options)
{
    rf_autoprofile rf_profile *profile = NULL, *changed = NULL;
    rf_autolock struct rf_lock lock = {0};
    rf_error *error = NULL;
    bool waited = false;
    int code = rf_command_profile(options->profile, true, &profile);
    if (code != RF_OK)
        return code;
    const char *what = options->node ? "richtfest apply --node" : "richtfest apply";
    if (rf_node_lock(RF_RUN_DIR, what, &lock, &waited, &error) < 0)
        return rf_say_error(error);
    if (waited && (code = rf_command_profile(options->profile, true, &changed)) != RF_OK)
        return code;
    const rf_profile *counts = changed ? changed : profile;
    if (rf_profile_check_node(counts, RF_STATE_PROFILE, &error) < 0)
        return rf_say_error(error);
    return apply(options, counts, &lock);
}

static int run(const struct rf_subcommand *self, int argc, char **argv)
{
    struct options options = {.medium = RF_MEDIUM_DIR};
    char **words;
    int count = rf_read_options(self, argc, argv, &options, &words);
    if (count < 0)
        return RF_USAGE;
    if (!choose_profile(&options, count, words))
        return rf_say_usage(self, "one profile, or --live, or --node");
    if (options.unattended && !options.node)
        return rf_say_usage(self, "--unattended with --node only");
    if (options.live)
        return rf_live_run(options.medium);
    return apply_alone(&options);
}

const struct rf_subcommand rf_cmd_apply = {
    .name = "apply",
    .usage = "PROFILE [--medium DIR] [--json] | --live | --node [--unattended]",
    .summary = "walks the plan: installs, converges, repairs",
    .options = known,
    .help = "Repeating it is safe: every step looks first whether it is done.\n"
            "On a node PROFILE is kept and counts from then on, at every boot too; it must be of that node (node.id).\n"
            "On a node it also brings in a disk that was put in (a replacement, a spare, one more to grow onto); with "
            "--unattended\n"
            "only where the profile says 'storage.replace: auto'.\n"
            "One at a time: it waits for another run, and for 'richtfest guest' commands that change something.\n",
    .run = run,
};
