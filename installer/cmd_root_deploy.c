/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest root deploy: a new root beside the one that runs, from a medium; by the same steps as an installation. */
#include "base/memory.h"
#include "base/paths.h"
#include "image/medium.h"
#include "installer/cmdline.h"
#include "installer/deploy.h"
#include "installer/root_command.h"
#include "installer/session.h"
#include "installer/subcommand.h"
#include "installer/trust.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define MEDIUM RF_ROOTS_TARGET "/medium"

struct options {
    const char *medium, *profile;
    bool again, json;
};

static const struct rf_option known[] = {
    RF_OPTION_TEXT(struct options, profile, "profile", "FILE",
                   "in the ISO's shell: for the node of that profile, which does not start any more"),
    RF_OPTION_FLAG(struct options, again, "again", "also where a root of this very medium is there"),
    RF_OPTION_FLAG(struct options, json, "json", "events as JSON lines on standard output"),
    {0}};

/* An ISO or a drive is mounted where only this command sees it. *ret_dir is the mounted medium; the caller frees it. */
static int open_medium(rf_runner *runner, const char *medium, char **ret_dir, rf_error **err)
{
    struct stat status;
    if (stat(medium, &status) < 0)
        return rf_fail_errno(err, RF_BAD_MACHINE, errno, "the medium %s", medium);
    if (S_ISDIR(status.st_mode)) {
        *ret_dir = rf_strdup(medium);
        return 0;
    }
    const char *options = S_ISBLK(status.st_mode) ? "ro,X-mount.mkdir=0700" : "ro,loop,X-mount.mkdir=0700";
    if (rf_run_argv(runner, RF_ARGV("mount", "--types", "iso9660", "--options", options, medium, MEDIUM), err) < 0)
        return rf_wrap(err, "the medium %s", medium);
    *ret_dir = rf_strdup(MEDIUM);
    return 0;
}

/* The newest root that was unpacked from that payload; NULL: none. */
static const struct rf_root *same_payload(const rf_roots *roots, const char *digest)
{
    for (size_t i = roots->count; i-- > 0;)
        if (roots->list[i].digest && strcmp(roots->list[i].digest, digest) == 0)
            return &roots->list[i];
    return NULL;
}

/* What there is to do: *ret_number is the root's, *ret_written whether it has only to be switched to; 0 for nothing. */
static int choose_number(const struct options *options, const char *medium_dir, const rf_roots *roots,
                         unsigned *ret_number, bool *ret_written, rf_error **err)
{
    rf_automedium rf_medium *medium = NULL;
    if (rf_medium_load(medium_dir, &medium, err) < 0)
        return rf_wrap(err, "%s is no medium of Richtfest", options->medium);
    const struct rf_payload *payload = rf_medium_payload(medium, RF_MEDIUM_ROOT_FILE);
    if (!payload || !payload->sha256)
        return rf_fail(err, RF_BAD_MACHINE, "%s holds no root", options->medium);
    const struct rf_root *same = options->again ? NULL : same_payload(roots, payload->sha256);
    *ret_written = same != NULL;
    *ret_number = !same ? rf_roots_next(roots) : same->number == roots->choice.root ? 0 : same->number;
    if (same && same->failed)
        return rf_fail(err, RF_BAD_MACHINE,
                       "root %u is of this medium and was given up on its trial; --again deploys it once more",
                       same->number);
    return 0;
}

static int walk(struct rf_session *session, const rf_deploy *deploy, bool written, rf_error **err)
{
    rf_autoplan rf_plan *plan = rf_plan_new();
    rf_autofree char *kill_at = rf_session_kill_at();
    struct rf_step_env env = {.runner = session->runner, .events = session->events};
    const struct rf_apply_options apply = {.phase = RF_PHASE_NODE, .kill_at = kill_at};
    rf_deploy_beside_steps(deploy, written, plan);
    return rf_plan_apply(plan, &env, &apply, NULL, err);
}

/* What the node got at its installation: further words for its kernel, and CAs. In a live system, what that one has for a node. */
static int read_gifts(const struct rf_root_command *command, char **ret_arguments, char **ret_ca, rf_error **err)
{
    if (command->cmdline) {
        *ret_arguments = rf_boot_arguments(command->cmdline);
        *ret_ca = rf_trust_installed("");
        return 0;
    }
    *ret_arguments = rf_cmdline_kept();
    return rf_trust_read(RF_MEDIUM_DIR, ret_ca, err);
}

static int deploy_root(struct rf_session *session, struct rf_root_command *command, const char *medium_dir,
                       unsigned number, bool written, rf_error **err)
{
    rf_autofree char *arguments = NULL, *ca = NULL;
    if (read_gifts(command, &arguments, &ca, err) < 0 || (!command->layout && rf_root_command_disks(command, err) < 0))
        return -1;
    const struct rf_site_options options = {
        .medium = medium_dir, .target = RF_ROOTS_TARGET, .kernel_arguments = arguments, .ca = ca};
    rf_autodeploy rf_deploy *deploy = rf_deploy_new(command->profile, command->machine, command->layout, &options);
    rf_deploy_make_beside(deploy, number, command->roots->running);
    return walk(session, deploy, written, err);
}

static int deploy_and_report(const struct options *options, struct rf_root_command *command, const char *medium_dir,
                             unsigned number, bool written)
{
    rf_autoerror rf_error *error = NULL;
    rf_autosession struct rf_session session;
    const rf_profile *profile = command->profile;
    const bool live = options->profile != NULL;
    rf_session_open(&session, options->json ? RF_AUDIENCE_JSON : RF_AUDIENCE_TERMINAL,
                    live ? RF_RUN_DIR "/events.jsonl" : RF_STATE_EVENTS, profile->node.id);
    rf_session_report(&session, profile->node.id, profile->report.url, live ? NULL : RF_STATE_DIR "/report-root.spool");
    rf_emit_message(session.events, RF_STARTED, "Richtfest %s: root %u beside root %u of node %s", RF_VERSION, number,
                    command->roots->running, profile->node.id);
    rf_autofree char *said = rf_format("root %u is booted next, on trial; restart this node when it suits you", number);
    deploy_root(&session, command, medium_dir, number, written, &error);
    rf_lock_release(&command->lock);
    rf_session_end(&session, error, said);
    return (int)rf_error_code(error);
}

static int deploy(const struct options *options, rf_error **err)
{
    rf_autorootcommand struct rf_root_command command = {0};
    rf_autofree char *medium_dir = NULL;
    unsigned number = 0;
    bool written = false;
    const char *what = "richtfest root deploy";
    const int opened = options->profile ? rf_root_command_open_live(&command, options->profile, what, err)
                                        : rf_root_command_open(&command, what, err);
    if (opened < 0)
        return -1;
    if (!rf_roots_find(command.roots, command.roots->running))
        return rf_fail(err, RF_BAD_MACHINE, "the system that runs is no root of this node's system volume");
    /* Now, and not after minutes in which nobody else could say that it is good */
    if (rf_roots_on_trial(command.roots))
        return rf_root_fail_trial(command.roots, err);
    if (open_medium(command.runner, options->medium, &medium_dir, err) < 0 ||
        choose_number(options, medium_dir, command.roots, &number, &written, err) < 0)
        return -1;
    if (number)
        return deploy_and_report(options, &command, medium_dir, number, written);
    printf("root %u is of this medium, and is what this node boots; nothing to do (--again deploys a fresh one)\n",
           command.roots->choice.root);
    return RF_OK;
}

static int run(const struct rf_subcommand *self, int argc, char **argv)
{
    struct options options = {0};
    rf_error *error = NULL;
    char **words;
    const int count = rf_read_options(self, argc, argv, &options, &words);
    if (count < 0)
        return RF_USAGE;
    if (count != 1)
        return rf_say_usage(self, "which medium? An ISO, a drive, or where one is mounted");
    options.medium = words[0];
    const int outcome = deploy(&options, &error);
    return outcome < 0 ? rf_say_error(error) : outcome;
}

const struct rf_subcommand rf_cmd_root_deploy = {
    .name = "root deploy",
    .usage = "MEDIUM [--profile FILE] [--again] [--json]",
    .summary = "on the node: unpacks the root of an ISO beside the running one; the next start boots it, on trial",
    .options = known,
    .help = "MEDIUM is an ISO of Richtfest, the drive that it is in (/dev/sr0), or where one is mounted.\n"
            "The node goes on working meanwhile, and restarts when a person restarts it. Where the new root is not\n"
            "healthy in three boots, the one that runs now is booted again. Data, guests, host keys, machine-id and\n"
            "profile are kept. Packages that were installed by hand are not in the new root.\n"
            "Where no root starts any more: boot the ISO, choose its shell, get the profile (curl), and run\n"
            "'richtfest root deploy " RF_MEDIUM_DIR " --profile FILE --again'.\n",
    .run = run,
};
