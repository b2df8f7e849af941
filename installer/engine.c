/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/engine.h"

#include "base/memory.h"
#include "installer/disk_errors.h"
#include "installer/fallen.h"
#include "installer/keep_profile.h"

#include <string.h>

int rf_fail_problems(rf_error **err, enum rf_code code, const rf_problems *problems)
{
    rf_autofree char *text = rf_problems_text(problems);
    size_t length = strlen(text);
    if (length && text[length - 1] == '\n')
        text[length - 1] = '\0';
    if (problems->count == 1)
        return rf_fail(err, code, "%s", text + (strncmp(text, "error: ", 7) == 0 ? 7 : 0));
    return rf_fail(err, code, "%zu problems:\n%s", problems->count, text);
}

static void announce(struct rf_session *session, const rf_profile *profile, const struct rf_site *site)
{
    size_t todo = rf_plan_todo(rf_site_plan(site), rf_site_phase(site));
    rf_emit_message(session->events, RF_STARTED, "Richtfest %s: node %s, %zu step%s to do", RF_VERSION,
                    profile->node.id, todo, todo == 1 ? "" : "s");
    if (rf_site_disks(site))
        rf_emit_message(session->events, RF_PROGRESS, "this node no longer fits its profile:\n%s", rf_site_disks(site));
    session->unfit = rf_site_disks(site) || rf_site_waiting(site);
    if (rf_site_waiting(site))
        rf_emit_message(session->events, RF_PROGRESS, "%s", rf_site_waiting(site));
}

static void say(struct rf_session *session, const char *text)
{
    if (text)
        rf_emit_message(session->events, RF_PROGRESS, "%s", text);
}

/* At the end, when what comes up slowly is there. On a node `status` has the members that fell out. */
static void say_disks(struct rf_session *session, enum rf_phase phase, const rf_machine *machine)
{
    rf_autofree char *errors = rf_disk_errors_text(RF_KERNEL_LOG, session->started, machine);
    rf_autofree char *arrays = phase == RF_PHASE_INSTALL ? rf_fallen_text("", machine) : rf_stopped_text("");
    say(session, errors);
    say(session, arrays);
}

int rf_engine_apply(struct rf_session *session, const rf_profile *profile, const rf_machine *machine,
                    const struct rf_site_options *options, struct rf_apply_summary *ret_summary, rf_error **err)
{
    rf_autoproblems rf_problems problems = {0};
    rf_autosite struct rf_site *site = NULL;
    if (rf_site_new(profile, machine, options, &site, &problems, err) < 0)
        return -1;
    if (problems.count)
        return rf_fail_problems(err, RF_BAD_MACHINE, &problems);
    announce(session, profile, site);
    if (options->keep && rf_profile_keep(session->events, profile, options->keep, err) < 0)
        return -1;
    rf_autofree char *kill_at = rf_session_kill_at();
    const struct rf_apply_options apply = {.phase = rf_site_phase(site), .kill_at = kill_at};
    struct rf_step_env env = {.runner = session->runner, .events = session->events};
    int outcome = rf_plan_apply(rf_site_plan(site), &env, &apply, ret_summary, err);
    say_disks(session, rf_site_phase(site), machine);
    return outcome;
}
