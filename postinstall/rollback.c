/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/rollback.h"

#include "base/file.h"
#include "base/ident.h"
#include "base/memory.h"
#include "base/units.h"
#include "postinstall/configure.h"
#include "postinstall/guest_file.h"
#include "postinstall/secret.h"
#include "postinstall/snapshot.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { AGAIN_SECONDS = 2 };

/* What it was told and asked for, as digests, and its certificate, whose key it may no longer have. */
static const char *const beliefs[] = {RF_CONFIGURED_FILE, "enrolled.json", "grown", "certificate.pem"};

static int forget(const struct rf_node_guest *guest, rf_error **err)
{
    char born[RF_UUID_TEXT];
    rf_autofree char *mark = rf_guest_state_path(guest, "born");
    for (size_t i = 0; i < RF_COUNT(beliefs); i++) {
        rf_autofree char *path = rf_guest_state_path(guest, beliefs[i]);
        if (unlink(path) < 0 && errno != ENOENT)
            return rf_fail_errno(err, RF_FAILED, errno, "removing %s", path);
    }
    if (rf_secret_forget_member(guest, err) < 0)
        return -1;
    rf_uuid_random(born); /* a directory's members are enrolled in that one */
    return rf_write_file(mark, born, strlen(born), 0600, err);
}

/* The agent may need a moment: its channel is a new one. */
static int set_clock(virDomainPtr domain, unsigned patience, rf_error **err)
{
    const double deadline = rf_now() + patience;
    for (;;) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        if (virDomainSetTime(domain, (long long)now.tv_sec, (unsigned)now.tv_nsec, 0) == 0)
            return 0;
        const int code = virGetLastErrorCode();
        const bool may_come = code == VIR_ERR_AGENT_UNRESPONSIVE || code == VIR_ERR_AGENT_UNSYNCED;
        if (!may_come || rf_now() > deadline)
            return rf_libvirt_fail(err, "setting its clock by its agent");
        sleep(AGAIN_SECONDS);
    }
}

static void tell_clock(virDomainPtr domain, unsigned patience, char **words)
{
    rf_autoerror rf_error *why = NULL;
    const char *name = virDomainGetName(domain);
    if (virDomainIsActive(domain) != 1 || set_clock(domain, patience, &why) == 0)
        return;
    rf_autofree char *text = rf_error_text(why);
    rf_append(words,
              "its clock still says the time of the snapshot, with which logins and certificates fail (%s): set it in "
              "the guest, or start it anew ('virsh shutdown %s', then 'virsh start %s')\n",
              text, name, name);
}

static bool has_accounts(const struct rf_node_guest *guest)
{
    for (size_t i = 0; guest->recipe && i < guest->recipe->secrets_count; i++)
        if (guest->recipe->secrets[i].each)
            return true;
    return false;
}

static bool older_than_mark(const struct rf_node_guest *guest, int64_t taken)
{
    struct stat status;
    rf_autofree char *mark = rf_guest_state_path(guest, "settled.json");
    return stat(mark, &status) == 0 && taken < (int64_t)status.st_mtime;
}

static void tell_rest(const struct rf_node_guest *guest, int64_t taken, char **words)
{
    if (guest->recipe)
        rf_append(words, "'richtfest apply --node' tells it what has changed since%s\n",
                  guest->recipe->serves_directory ? ", and enrols its members anew" : "");
    if (has_accounts(guest))
        rf_append(words, "passwords are those of that time; an account that was added later has none: set it in the "
                         "guest\n");
    if (older_than_mark(guest, taken))
        rf_append(words,
                  "this snapshot is older than the end of its first boot, whose seed is gone: if it does not come up, "
                  "take a later one, or make it anew ('richtfest guest delete %s --with-its-disk')\n",
                  guest->asked->name);
}

int rf_guest_rollback(const rf_node_model *model, const char *name, const char *snapshot, unsigned patience,
                      char **ret_snapshot, char **ret_words, rf_error **err)
{
    const struct rf_guest by_name = {.name = (char *)name}; /* of one that the profile no longer has: its places */
    const struct rf_node_guest kept = {.node = model, .asked = &by_name}, *named = rf_node_guest_named(model, name);
    const struct rf_node_guest *guest = named ? named : &kept;
    int64_t taken = 0;
    rf_autodomain virDomainPtr domain = rf_guest_domain(model, name, err);
    rf_autofree char *chosen = NULL, *words = rf_strdup("");
    if (!domain || rf_snapshot_choose(domain, snapshot, &chosen, &taken, err) < 0)
        return -1;
    const bool settled = rf_guest_settled(guest);
    if (settled && forget(guest, err) < 0) /* before: what is forgotten for nothing is only told once more */
        return -1;
    if (rf_snapshot_rollback(domain, chosen, NULL, err) < 0)
        return -1;
    tell_clock(domain, patience, &words);
    if (settled)
        tell_rest(guest, taken, &words);
    *ret_snapshot = RF_STEAL(chosen);
    *ret_words = RF_STEAL(words);
    return 0;
}
