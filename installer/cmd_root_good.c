/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest root good: how a trial has ended, said by the node itself (richtfest-good.service). */
#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "installer/root_command.h"
#include "installer/root_health.h"
#include "installer/session.h"
#include "installer/subcommand.h"

#define SPOOL RF_STATE_DIR "/report-root.spool" /* the service's own run may be at work with the other one */
#define GOOD RF_RUN_DIR "/trial-good"           /* richtfest-trial.service: no restart is needed */

/* Where a person looks who was not there. A failed delivery waits in its spool for the next time. */
static void report(const rf_profile *profile, const char *said, rf_error *given_up)
{
    rf_autosession struct rf_session session;
    rf_session_open(&session, RF_AUDIENCE_CONSOLES, RF_STATE_EVENTS, profile->node.id);
    rf_session_report(&session, profile->node.id, profile->report.url, SPOOL);
    rf_emit_message(session.events, RF_STARTED, "Richtfest %s: the end of a root's trial", RF_VERSION);
    rf_session_end(&session, given_up, said);
}

static void tell(const struct rf_root_command *command, enum rf_settled settled, unsigned number)
{
    rf_autofree char *said = rf_format("root %u is good", number);
    rf_autoerror rf_error *given_up = NULL;
    if (settled == RF_SETTLED_GIVEN_UP)
        rf_fail(&given_up, RF_FAILED,
                "root %u did not become healthy on its trial and was given up; root %u runs again. What it said: "
                "'richtfest root list', and its journal below /var/log of that root",
                number, command->roots->running);
    report(command->profile, said, given_up);
    printf("%s\n", given_up ? "the trial is over" : said);
}

static int settle(rf_error **err)
{
    rf_autorootcommand struct rf_root_command command = {0};
    unsigned number = 0;
    if (rf_root_command_open(&command, "richtfest root good", err) < 0)
        return -1;
    if (rf_roots_on_trial(command.roots) && rf_root_health(command.runner, "", err) < 0)
        return rf_wrap(err, "root %u is not good yet", command.roots->running);
    const enum rf_settled settled = rf_root_settle(&command.env, RF_ROOTS_TOP, command.roots, command.cmdline,
                                                   command.profile->node.id, command.system_uuid, &number, err);
    if (settled == RF_SETTLED_ERROR || rf_write_file(GOOD, "", 0, 0600, err) < 0)
        return -1;
    rf_lock_release(&command.lock); /* the report may take a minute */
    if (settled == RF_SETTLED_NOTHING)
        printf("no root is on trial in this boot\n");
    else
        tell(&command, settled, number);
    return 0;
}

static int good(const struct rf_subcommand *self, int argc, char **argv)
{
    rf_error *error = NULL;
    char **words;
    const int count = rf_read_options(self, argc, argv, NULL, &words);
    if (count < 0)
        return RF_USAGE;
    if (count > 0)
        return rf_say_usage(self, "it takes no word");
    return settle(&error) < 0 ? rf_say_error(error) : RF_OK;
}

const struct rf_subcommand rf_cmd_root_good = {
    .name = "root good",
    .usage = "",
    .summary = "on the node: ends the trial of the root that runs, where it is healthy; the node does it by itself",
    .help = "Healthy: SSH and libvirt answer, the arrays run, the images are mounted, and there is an address.\n"
            "3: it is not, and why. A root on trial that is not good 15 minutes after its start is restarted.\n",
    .run = good,
};
