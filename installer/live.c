/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/live.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "image/medium_present.h"
#include "installer/clock.h"
#include "installer/cmdline.h"
#include "installer/engine.h"
#include "installer/hold.h"
#include "installer/inputs.h"
#include "installer/medium_check.h"
#include "installer/source.h"
#include "installer/spool_keep.h"
#include "installer/trust.h"
#include "raid/layout.h"

#include <pthread.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/resource.h>

enum { SCAN_SECONDS = 5 };

enum { AGAIN_SECONDS = 30 }; /* a profile that is wrong on its server may be mended there meanwhile */

#define EVENTS RF_RUN_DIR "/events.jsonl"
#define SPOOL RF_RUN_DIR "/report.spool"

/* The identity until a profile is there: what stands on the provider's invoice, as far as the firmware knows it. */
static char *machine_name(void)
{
    rf_autofree char *serial = rf_read_line("/sys/class/dmi/id/product_serial");
    return rf_strdup(serial && *serial ? serial : "unnamed");
}

/* One try to get a valid profile. *ret_report is where a failure can be reported even though the profile is wrong. */
static int try_profile(struct rf_session *session, const char *medium, struct rf_source *source,
                       rf_profile **ret_profile, char **ret_report, rf_error **err)
{
    if (rf_source_find(medium, source, err) < 0 || rf_source_fetch(source, medium, session, err) < 0)
        return -1;
    rf_autoproblems rf_problems problems = {0};
    rf_autoprofile rf_profile *profile = rf_check_profile(source->name, source->text, source->size, &problems);
    if (profile)
        rf_check_example_key(profile, &problems);
    if (problems.count) {
        *ret_report = rf_report_url(source->text, source->size);
        return rf_fail_problems(err, RF_BAD_PROFILE, &problems);
    }
    rf_source_identify(source, profile->node.id);
    *ret_profile = RF_STEAL(profile);
    return 0;
}

/* A run of its own that only says what is wrong with the profile: on the consoles, and to its report.url where that much can
 * be read. */
static void tell_bad_profile(const char *name, const char *report, const rf_error *error)
{
    rf_autosession struct rf_session session;
    rf_session_open(&session, RF_AUDIENCE_CONSOLES, EVENTS, name);
    rf_session_report(&session, NULL, report, NULL);
    rf_session_end(&session, error, NULL);
}

/* Until there is a valid profile. NULL where waiting can't help: a profile that is part of the medium does not get better. */
static rf_profile *wait_for_profile(struct rf_session *session, const char *medium, const char *name,
                                    struct rf_source *source, rf_error **err)
{
    rf_autofree char *told = NULL;
    for (;;) {
        rf_autoerror rf_error *error = NULL;
        rf_autofree char *report = NULL;
        rf_profile *profile = NULL;
        if (try_profile(session, medium, source, &profile, &report, &error) == 0)
            return profile;
        rf_autofree char *why = rf_error_text(error);
        if (!told || strcmp(told, why) != 0)
            tell_bad_profile(name, report, error);
        free(told);
        told = RF_STEAL(why);
        if (!source->url) {
            rf_emit_message(
                session->events, RF_WAITING,
                "nothing was written; mend the medium or the kernel's command line and restart this machine");
            *err = RF_STEAL(error);
            return NULL;
        }
        rf_emit_message(session->events, RF_WAITING, "nothing was written; the profile is fetched again in %d s",
                        AGAIN_SECONDS);
        rf_source_clear(source);
        sleep(AGAIN_SECONDS);
    }
}

/* One try on the machine as it is now; *ret_disks is how many disks it had. */
static int try_install(struct rf_session *session, const struct rf_site_options *options, const rf_profile *profile,
                       size_t *ret_disks, rf_error **err)
{
    rf_automachine rf_machine *machine = NULL;
    /* Drivers may still be finding disks, and one that is missing now would be missing in the plan. */
    if (rf_run_argv(session->runner, RF_ARGV("udevadm", "settle", "--timeout=50"), NULL) < 0)
        rf_emit_message(session->events, RF_PROGRESS,
                        "drivers are still at work after 50 s; going on with what is there");
    /* Drivers that can't be loaded any more would look like a machine that does not fit. */
    if (rf_medium_present(options->medium, err) < 0)
        return rf_wrap(err, "the medium was pulled (nothing was written; attach the ISO again)");
    if (rf_read_machine(NULL, &machine, err) < 0)
        return -1;
    *ret_disks = machine->disks_count;
    return rf_engine_apply(session, profile, machine, options, NULL, err);
}

/* Adapters that scan in the background (SAS, some virtual ones) show disks that udev knew nothing of while it settled. As long
 * as there are more of them at every look, a machine that does not fit gets another. */
static int install(struct rf_session *session, const struct rf_site_options *options, const rf_profile *profile,
                   rf_error **err)
{
    size_t before = 0, disks = 0;
    for (unsigned look = 0;; look++) {
        rf_autoerror rf_error *error = NULL;
        if (try_install(session, options, profile, &disks, &error) == 0)
            return 0;
        if (rf_error_code(error) != RF_BAD_MACHINE || (look && disks <= before)) {
            *err = RF_STEAL(error);
            return -1;
        }
        before = disks;
        sleep(SCAN_SECONDS);
    }
}

/* Whatever failed (a tool that could not be started, too), a medium that is gone is the reason that a person can do something
 * about. */
static void explain(const char *medium, rf_error **err)
{
    if (rf_error_code(*err) == RF_FAILED && rf_medium_present(medium, NULL) < 0)
        rf_wrap(err, "the installation medium can't be read any more; attach it again and restart this machine, which "
                     "goes on where it stopped");
}

/* The spool lies in memory, and the node reads its own. That the events are late is no failure of the installation, but is said. */
static void keep_undelivered(const rf_profile *profile)
{
    static const struct rf_state_volume volume = {RF_SYSTEM_DEVICE, "btrfs", "subvol=/state"};
    rf_autoerror rf_error *error = NULL;
    size_t count = 0;
    rf_spool_keep(SPOOL, &volume, RF_RUN_DIR "/state", profile->text, &count, &error);
    if (count == 0)
        return;
    rf_autofree char *why = rf_error_text(error);
    rf_autosession struct rf_session session;
    rf_session_open(&session, RF_AUDIENCE_CONSOLES, EVENTS, profile->node.id);
    rf_emit_message(session.events, RF_PROGRESS, "%zu event%s not delivered to report.url: %s%s", count,
                    count == 1 ? "" : "s", error ? "they may be lost now, because " : "the node sends them",
                    error ? why : "");
}

/* Directly, without the live system's own shutdown: everything of ours is unmounted, and the rest lies in memory. */
static int restart_machine(void)
{
    rf_autofree char *asked = rf_cmdline("richtfest.reboot");
    if (asked && strcmp(asked, "no") == 0)
        return RF_OK;
    sync(); /* reboot(2) does not */
    return reboot(RB_AUTOBOOT) < 0 ? RF_FAILED : RF_OK;
}

/* Before anything is fetched or reported. A region that can't be read is said by whoever needs the profile in it; without its CA
 * a server that needs it is refused, which is said too. NULL: none, or none that can be used. */
static char *trust_medium(struct rf_session *session, const char *medium)
{
    rf_autofree char *ca = NULL;
    rf_autoerror rf_error *error = NULL;
    if (rf_trust_read(medium, &ca, &error) == 0 && (!ca || rf_trust_install("", ca, &error) == 0))
        return RF_STEAL(ca);
    rf_autofree char *why = rf_error_text(error);
    rf_emit_message(session->events, RF_PROGRESS, "%s; going on without the medium's CA", why);
    return NULL;
}

/* Without the right time no report would leave by https. */
static void set_clock_for_reports(struct rf_session *session, const char *medium, const rf_profile *profile)
{
    const char *url = profile->report.url;
    if (url && strncasecmp(url, "https:", 6) == 0 && rf_clock_is_impossible(medium))
        rf_clock_mend(session, medium,
                      "it says a time before this medium was made, and report.url needs the right one");
}

/* *ret_profile: what was installed, and NULL where nothing was. */
static int run(struct rf_session *session, const char *medium, const char *name, rf_profile **ret_profile)
{
    rf_automediumcheck struct rf_medium_check *check = rf_medium_check_start(medium);
    rf_autosource struct rf_source source = {0};
    rf_autoerror rf_error *error = NULL;
    rf_autofree char *ca = trust_medium(session, medium);
    rf_autoprofile rf_profile *profile = wait_for_profile(session, medium, name, &source, &error);
    if (!profile)
        return rf_error_code(error); /* told already */
    set_clock_for_reports(session, medium, profile);
    rf_session_report(session, profile->node.id, profile->report.url, SPOOL);
    rf_autofree char *kernel_arguments = rf_cmdline_kept();
    const struct rf_site_options options = {.medium = medium,
                                            .target = RF_RUN_DIR "/target",
                                            .check = check,
                                            .source_id = source.id,
                                            .kernel_arguments = kernel_arguments,
                                            .ca = ca};
    if (install(session, &options, profile, &error) < 0) {
        explain(medium, &error);
        rf_session_end(session, error, NULL);
        rf_emit_message(session->events, RF_WAITING,
                        "this machine stays as it is; mend what is said above and reboot it");
        return rf_error_code(error);
    }
    rf_hold_program(); /* whoever reads "installed" may pull the medium at once */
    rf_session_end(session, NULL, "installed; rebooting into the node");
    *ret_profile = RF_STEAL(profile);
    return RF_OK;
}

/* What passes while the network comes up. Drivers that will be needed soon: btrfs alone takes seconds to load, and a failure shows
 * where the driver is missed. Then this program, so that a medium that is pulled can still be reported; at the lowest priority
 * (a thread's own, setpriority(2)), because others use the seconds that reading it takes better. */
static void *make_ready(void *data)
{
    (void)data;
    rf_autorunner rf_runner *runner = rf_runner_real();
    rf_run_argv(runner, RF_ARGV("modprobe", "--all", "--quiet", "raid1", "btrfs", "dm_mod", "xfs", "vfat"), NULL);
    setpriority(PRIO_PROCESS, (id_t)gettid(), 19);
    rf_hold_program();
    return NULL;
}

int rf_live_run(const char *medium)
{
    pthread_t helper;
    bool helped = pthread_create(&helper, NULL, make_ready, NULL) == 0;
    rf_make_dirs(RF_RUN_DIR, 0700, NULL);
    rf_autofree char *name = machine_name();
    rf_autoprofile rf_profile *installed = NULL;
    int code;
    {
        rf_autosession struct rf_session session;
        rf_session_open(&session, RF_AUDIENCE_CONSOLES, EVENTS, name);
        code = run(&session, medium, name, &installed);
    } /* what is still to be reported leaves here, before the reboot; what does not goes along with the node */
    if (installed)
        keep_undelivered(installed);
    if (helped)
        pthread_join(helper, NULL);
    return code == RF_OK ? restart_machine() : code;
}
