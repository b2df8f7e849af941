/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Snapshots by libvirt's API. */
#include "postinstall/snapshot.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/units.h"
#include "postinstall/xml.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <string.h>
#include <time.h>

static void free_snapshot(virDomainSnapshotPtr *snapshot)
{
    if (*snapshot)
        virDomainSnapshotFree(*snapshot);
}

#define autosnapshot RF_CLEANUP(free_snapshot)

/* "2026-11-21T15-20-05Z": sorts by time; without colons, which shells and tools take amiss. */
static char *now_text(void)
{
    char text[32];
    time_t seconds = time(NULL);
    struct tm utc;
    strftime(text, sizeof(text), "%Y-%m-%dT%H-%M-%SZ", gmtime_r(&seconds, &utc));
    return rf_strdup(text);
}

int rf_snapshot_take(virDomainPtr domain, const char *name, const char *description, char **ret_name, rf_error **err)
{
    rf_autofree char *made = name ? rf_strdup(name) : now_text();
    rf_autoxml xmlDoc *document = rf_xml_new("domainsnapshot");
    rf_xml_add_text(rf_xml_root(document), "name", made);
    if (description)
        rf_xml_add_text(rf_xml_root(document), "description", description);
    rf_autofree char *xml = rf_xml_text(document);
    autosnapshot virDomainSnapshotPtr snapshot =
        virDomainSnapshotCreateXML(domain, xml, VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC);
    if (!snapshot)
        return rf_libvirt_fail(err, "taking a snapshot of %s", virDomainGetName(domain));
    if (ret_name)
        *ret_name = RF_STEAL(made);
    return 0;
}

int rf_snapshot_room(struct rf_step_env *env, const rf_node_model *model, virDomainPtr domain,
                     struct rf_pool_share *ret_share, rf_error **err)
{
    const char *name = virDomainGetName(domain);
    virDomainInfo info = {0};
    const int active = rf_domain_active(domain, err);
    if (active <= 0)
        return active;
    if (virDomainGetInfo(domain, &info) < 0)
        return rf_libvirt_fail(err, "how much memory %s has", name);
    rf_autofree char *disk = rf_node_path(model, "%s/%s.qcow2", RF_POOL_DIR, name);
    if (rf_pool_need(env, model, disk, info.memory * RF_KIB, ret_share, err) < 0)
        return rf_wrap(err, "a snapshot of %s with its memory", name);
    return 0;
}

static json_t *describe(virDomainSnapshotPtr snapshot)
{
    rf_autofree char *xml = virDomainSnapshotGetXMLDesc(snapshot, 0);
    rf_autoxml xmlDoc *document = xml ? rf_xml_parse("snapshot", xml, NULL) : NULL;
    const xmlNode *root = document ? rf_xml_root(document) : NULL;
    const xmlNode *taken = rf_xml_child(root, "creationTime"), *words = rf_xml_child(root, "description");
    rf_autofree char *seconds = taken ? (char *)xmlNodeGetContent(taken) : NULL;
    rf_autofree char *description = words ? (char *)xmlNodeGetContent(words) : NULL;
    return json_pack("{s:s,s:s*,s:I,s:b}", "name", virDomainSnapshotGetName(snapshot), "description", description,
                     "taken", (json_int_t)(seconds ? strtoll(seconds, NULL, 10) : 0), "current",
                     virDomainSnapshotIsCurrent(snapshot, 0) == 1);
}

static int by_time(const void *left, const void *right)
{
    const json_t *a = *(json_t *const *)left, *b = *(json_t *const *)right;
    json_int_t first = rf_json_integer(a, "taken", 0), second = rf_json_integer(b, "taken", 0);
    if (first != second)
        return first < second ? -1 : 1;
    return strcmp(rf_json_string(a, "name"),
                  rf_json_string(b, "name")); /* within one second: the names hold the time */
}

json_t *rf_snapshot_list(virDomainPtr domain, rf_error **err)
{
    virDomainSnapshotPtr *found = NULL;
    int count = virDomainListAllSnapshots(domain, &found, 0);
    if (count < 0) {
        rf_libvirt_fail(err, "listing the snapshots of %s", virDomainGetName(domain));
        return NULL;
    }
    rf_autofree json_t **sorted = rf_alloc(((size_t)count + 1) * sizeof(json_t *));
    for (int i = 0; i < count; i++) {
        sorted[i] = describe(found[i]);
        virDomainSnapshotFree(found[i]);
    }
    free(found);
    qsort(sorted, (size_t)count, sizeof(json_t *), by_time);
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(list, sorted[i]);
    return list;
}

static int find(virDomainPtr domain, const char *name, virDomainSnapshotPtr *ret_snapshot, rf_error **err)
{
    rf_autojson json_t *list = rf_snapshot_list(domain, err);
    size_t count = json_array_size(list);
    const char *newest = count ? rf_json_string(json_array_get(list, count - 1), "name") : NULL;
    if (!list)
        return -1;
    if (!count)
        return rf_fail(err, RF_FAILED, "%s has no snapshot", virDomainGetName(domain));
    *ret_snapshot = virDomainSnapshotLookupByName(domain, name ? name : newest, 0);
    if (*ret_snapshot)
        return 0;
    if (virGetLastErrorCode() != VIR_ERR_NO_DOMAIN_SNAPSHOT)
        return rf_libvirt_fail(err, "asking for the snapshot %s of %s", name ? name : newest, virDomainGetName(domain));
    rf_autofree char *all = NULL;
    for (size_t i = 0; i < count; i++)
        rf_append(&all, "%s%s", all ? ", " : "", rf_json_string(json_array_get(list, i), "name"));
    return rf_fail(err, RF_FAILED, "%s has no snapshot '%s'; there are %s", virDomainGetName(domain),
                   name ? name : newest, all);
}

int rf_snapshot_choose(virDomainPtr domain, const char *name, char **ret_name, int64_t *ret_taken, rf_error **err)
{
    autosnapshot virDomainSnapshotPtr snapshot = NULL;
    if (find(domain, name, &snapshot, err) < 0)
        return -1;
    rf_autojson json_t *one = describe(snapshot);
    *ret_name = rf_strdup(rf_json_string(one, "name"));
    *ret_taken = rf_json_integer(one, "taken", 0);
    return 0;
}

int rf_snapshot_rollback(virDomainPtr domain, const char *name, char **ret_name, rf_error **err)
{
    autosnapshot virDomainSnapshotPtr snapshot = NULL;
    if (find(domain, name, &snapshot, err) < 0)
        return -1;
    if (virDomainRevertToSnapshot(snapshot, VIR_DOMAIN_SNAPSHOT_REVERT_FORCE) < 0)
        return rf_libvirt_fail(err, "bringing %s back to %s", virDomainGetName(domain),
                               virDomainSnapshotGetName(snapshot));
    if (ret_name)
        *ret_name = rf_strdup(virDomainSnapshotGetName(snapshot));
    return 0;
}

int rf_snapshot_delete(virDomainPtr domain, const char *name, rf_error **err)
{
    autosnapshot virDomainSnapshotPtr snapshot = NULL;
    if (find(domain, name, &snapshot, err) < 0)
        return -1;
    if (virDomainSnapshotDelete(snapshot, 0) < 0)
        return rf_libvirt_fail(err, "removing the snapshot %s of %s", name, virDomainGetName(domain));
    return 0;
}

/* The oldest of our own beyond those that are kept. */
static int prune(virDomainPtr domain, rf_error **err)
{
    rf_autojson json_t *list = rf_snapshot_list(domain, err);
    size_t own = 0;
    for (size_t i = json_array_size(list); i-- > 0;) {
        const char *name = rf_json_string(json_array_get(list, i), "name");
        if (strncmp(name, RF_SNAPSHOT_PREFIX, strlen(RF_SNAPSHOT_PREFIX)) != 0)
            continue;
        if (++own > RF_SNAPSHOTS_KEPT && rf_snapshot_delete(domain, name, err) < 0)
            return -1;
    }
    return list ? 0 : -1;
}

/* libvirt says so where this machine can't have one. */
static bool unsupported(void)
{
    int code = virGetLastErrorCode();
    return code == VIR_ERR_OPERATION_UNSUPPORTED || code == VIR_ERR_CONFIG_UNSUPPORTED || code == VIR_ERR_NO_SUPPORT;
}

static void tell(struct rf_step_env *env, const char *format, const char *text)
{
    rf_autofree char *message = rf_format("%s%s", format, text);
    rf_emit(env->events, &(struct rf_event){.step = env->step ? env->step->id : NULL,
                                            .title = env->step ? env->step->title : NULL,
                                            .state = RF_PROGRESS,
                                            .seconds = -1,
                                            .message = message});
}

int rf_snapshot_before(struct rf_step_env *env, const struct rf_node_guest *guest, const char *what, rf_error **err)
{
    rf_autoerror rf_error *why = NULL;
    rf_autopoolshare struct rf_pool_share share = {0};
    rf_autofree char *time = now_text(), *name = rf_format(RF_SNAPSHOT_PREFIX "%s-%s", time, what), *taken = NULL;
    if (!rf_guest_settled(guest))
        return 0;
    virConnectPtr connection = rf_libvirt_connect(guest->node->libvirt, err);
    if (!connection)
        return -1;
    rf_autodomain virDomainPtr domain = NULL;
    const int found = rf_domain_find(connection, guest->asked->name, &domain, err);
    if (found <= 0)
        return found;
    if (rf_snapshot_room(env, guest->node, domain, &share, err) < 0)
        return rf_wrap(err, "nothing is changed without a snapshot");
    if (rf_snapshot_take(domain, name, "taken before the engine changed the guest", &taken, &why) == 0) {
        tell(env, "snapshot taken: ", taken);
        return prune(domain, err);
    }
    rf_autofree char *text = rf_error_text(why);
    if (unsupported()) {
        tell(env, "changed without a snapshot, which this machine can't have: ", text);
        return 0;
    }
    return rf_fail(err, RF_FAILED, "nothing is changed without a snapshot: %s", text);
}

/* The newest of our own that was taken before such a change; the caller frees it. NULL: there is none, or nobody can say. */
static char *newest_before(const struct rf_node_guest *guest, const char *what)
{
    rf_autofree char *suffix = rf_format("-%s", what);
    virConnectPtr connection = rf_libvirt_connect(guest->node->libvirt, NULL);
    rf_autodomain virDomainPtr domain = NULL;
    if (!connection || rf_domain_find(connection, guest->asked->name, &domain, NULL) != 1)
        return NULL;
    rf_autojson json_t *list = rf_snapshot_list(domain, NULL);
    for (size_t i = json_array_size(list); i-- > 0;) {
        const char *name = rf_json_string(json_array_get(list, i), "name");
        const size_t length = strlen(name);
        if (strncmp(name, RF_SNAPSHOT_PREFIX, strlen(RF_SNAPSHOT_PREFIX)) == 0 && length > strlen(suffix) &&
            strcmp(name + length - strlen(suffix), suffix) == 0)
            return rf_strdup(name);
    }
    return NULL;
}

static char *note_path(const struct rf_node_guest *guest, const char *what)
{
    rf_autofree char *file = rf_format("before-%s", what);
    return rf_guest_state_path(guest, file);
}

int rf_snapshot_once(struct rf_step_env *env, const struct rf_node_guest *guest, const char *what, const char *change,
                     rf_error **err)
{
    rf_autofree char *note = note_path(guest, what), *noted = rf_read_line(note), *before = newest_before(guest, what);
    rf_autofree char *wanted = before ? rf_format("%s %s", change, before) : NULL;
    if (wanted && noted && strcmp(wanted, noted) == 0)
        return 0;
    if (rf_snapshot_before(env, guest, what, err) < 0)
        return -1;
    rf_autofree char *taken = rf_guest_settled(guest) ? newest_before(guest, what) : NULL;
    if (!taken)
        return 0;
    rf_autofree char *text = rf_format("%s %s\n", change, taken);
    return rf_write_file(note, text, strlen(text), 0600, err);
}

int rf_snapshot_spent(const struct rf_node_guest *guest, const char *what, rf_error **err)
{
    rf_autofree char *note = note_path(guest, what);
    if (unlink(note) < 0 && errno != ENOENT)
        return rf_fail_errno(err, RF_FAILED, errno, "removing %s", note);
    return 0;
}
