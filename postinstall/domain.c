/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Defining and starting domains. */
#include "postinstall/domain.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/units.h"
#include "postinstall/capacity.h"
#include "postinstall/domain_xml.h"
#include "postinstall/guest_address.h"
#include "postinstall/guest_past.h"
#include "postinstall/snapshot.h"
#include "postinstall/tuning.h"

#include <libvirt/virterror.h>
#include <string.h>

enum { MEMINFO_MAX = 65536 };

/* As rf_domain_find. */
static int find(const struct rf_node_guest *guest, virDomainPtr *ret_domain, rf_error **err)
{
    virConnectPtr connection = rf_libvirt_connect(guest->node->libvirt, err);
    return connection ? rf_domain_find(connection, guest->asked->name, ret_domain, err) : -1;
}

int rf_domain_running(const struct rf_node_guest *guest, rf_error **err)
{
    rf_autodomain virDomainPtr domain = NULL;
    int state = VIR_DOMAIN_NOSTATE;
    const int found = find(guest, &domain, err);
    if (found <= 0)
        return found;
    if (virDomainGetState(domain, &state, NULL, 0) == 0)
        return state == VIR_DOMAIN_RUNNING || state == VIR_DOMAIN_BLOCKED;
    if (virGetLastErrorCode() == VIR_ERR_NO_DOMAIN) /* undefined just now */
        return 0;
    return rf_libvirt_fail(err, "whether %s is running could not be asked", guest->asked->name);
}

int rf_domain_reset(const struct rf_node_guest *guest, rf_error **err)
{
    rf_autodomain virDomainPtr domain = NULL;
    if (find(guest, &domain, err) < 0)
        return -1;
    if (!domain || virDomainReset(domain, 0) < 0)
        return rf_libvirt_fail(err, "resetting the guest %s", guest->asked->name);
    return 0;
}

static char *marked(virDomainPtr domain, unsigned where, const char *attribute)
{
    rf_autofree char *text = virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, RF_DOMAIN_NAMESPACE, where);
    rf_autoxml xmlDoc *mark = text ? rf_xml_parse("metadata", text, NULL) : NULL;
    return mark ? rf_xml_attribute(rf_xml_root(mark), attribute) : NULL;
}

static char *digest_in(virDomainPtr domain, unsigned where)
{
    return marked(domain, where, "digest");
}

char *rf_domain_digest_of(virDomainPtr domain)
{
    return digest_in(domain, VIR_DOMAIN_AFFECT_CONFIG);
}

static char *tuning_in(virDomainPtr domain, unsigned where)
{
    char *text = marked(domain, where, "tuning");
    return text ? text : rf_strdup("");
}

static bool refused(virDomainPtr domain, const char *tuning)
{
    rf_autofree char *text = marked(domain, VIR_DOMAIN_AFFECT_LIVE, "refused");
    return text && strcmp(text, tuning) == 0;
}

char *rf_domain_tuning_of(virDomainPtr domain)
{
    rf_autofree char *next = tuning_in(domain, VIR_DOMAIN_AFFECT_CONFIG);
    rf_autofree char *live = virDomainIsActive(domain) == 1 ? tuning_in(domain, VIR_DOMAIN_AFFECT_LIVE) : NULL;
    const bool no = live && refused(domain, next);
    if (live && (no || strcmp(live, next) != 0))
        return rf_format("%s, but running with: %s%s", *next ? next : "none", *live ? live : "none",
                         no ? " (the machine refuses the change until the next start)" : "");
    return RF_STEAL(next);
}

char *rf_domain_tuning_given(virDomainPtr domain)
{
    rf_autofree char *next = tuning_in(domain, VIR_DOMAIN_AFFECT_CONFIG);
    return virDomainIsActive(domain) == 1 && refused(domain, next) ? RF_STEAL(next) : rf_domain_tuning_of(domain);
}

bool rf_domain_tuning_refused(virDomainPtr domain)
{
    rf_autofree char *next = tuning_in(domain, VIR_DOMAIN_AFFECT_CONFIG);
    return virDomainIsActive(domain) == 1 && refused(domain, next);
}

static bool tuned(virDomainPtr domain, const struct rf_node_guest *guest)
{
    rf_autofree char *wanted = rf_tuning_text(guest), *known = rf_domain_tuning_given(domain);
    return strcmp(wanted, known) == 0;
}

bool rf_domain_restart_needed(virDomainPtr domain)
{
    if (virDomainIsActive(domain) != 1)
        return false;
    rf_autofree char *live = digest_in(domain, VIR_DOMAIN_AFFECT_LIVE),
                     *next = digest_in(domain, VIR_DOMAIN_AFFECT_CONFIG);
    return live && next && strcmp(live, next) != 0;
}

bool rf_domain_autostart(const struct rf_node_guest *guest)
{
    return !guest->directory && rf_guest_settled(guest);
}

static bool starts_as_wanted(virDomainPtr domain, const struct rf_node_guest *guest)
{
    int autostart = 0;
    return virDomainGetAutostart(domain, &autostart) == 0 && (autostart != 0) == rf_domain_autostart(guest);
}

/* The seed's drive, and that of the artefacts where there is one, as long as the guest is not settled; then neither. */
static bool drives_as_wanted(virDomainPtr domain, const struct rf_node_guest *guest)
{
    rf_autofree char *seed = rf_guest_seed_path(guest), *artefacts = rf_guest_artefacts_path(guest);
    rf_autofree char *text = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
    const bool settled = rf_guest_settled(guest), more = !settled && rf_exists(artefacts);
    return text && (strstr(text, seed) != NULL) == !settled && (strstr(text, artefacts) != NULL) == more;
}

static enum rf_probe domain_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    const struct rf_node_guest *guest = arg;
    rf_autodomain virDomainPtr domain = NULL;
    if (find(guest, &domain, err) < 0)
        return RF_PROBE_ERROR;
    rf_autofree char *digest = domain ? rf_domain_digest_of(domain) : NULL;
    char wanted[RF_SHA256_HEX];
    rf_domain_digest(guest, wanted);
    bool done = digest && strcmp(digest, wanted) == 0 && drives_as_wanted(domain, guest) &&
                starts_as_wanted(domain, guest) && tuned(domain, guest) && rf_guest_address_kept(guest) &&
                rf_guest_zone_kept(guest);
    return done ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static void tell(struct rf_step_env *env, const char *message)
{
    rf_emit(env->events, &(struct rf_event){.step = env->step ? env->step->id : NULL,
                                            .title = env->step ? env->step->title : NULL,
                                            .state = RF_PROGRESS,
                                            .seconds = -1,
                                            .message = message});
}

static void tell_restart(struct rf_step_env *env, const struct rf_node_guest *guest)
{
    rf_autofree char *message =
        rf_format("%s runs on with its former definition; shut it down and start it when it suits "
                  "(virsh shutdown %s; virsh start %s)",
                  guest->asked->name, guest->asked->name, guest->asked->name);
    tell(env, message);
}

static void tell_refused(struct rf_step_env *env, const struct rf_node_guest *guest, const char *now,
                         const rf_error *why)
{
    rf_autofree char *text = rf_error_text(why);
    rf_autofree char *message =
        rf_format("%s runs on with its former weight or limits (%s); it has the new ones when it is started again: %s",
                  guest->asked->name, *now ? now : "none", text);
    tell(env, message);
}

/* The running domain's mark says what it runs with, so it is changed last. A machine that can't change a running guest is no failure: the
 * guest has it with its next start, and until then the mark says that it was refused. */
static int tune_running(struct rf_step_env *env, virDomainPtr domain, const struct rf_node_guest *guest, rf_error **err)
{
    rf_autoerror rf_error *why = NULL;
    rf_autofree char *wanted = rf_tuning_text(guest), *live = tuning_in(domain, VIR_DOMAIN_AFFECT_LIVE);
    rf_autofree char *before = marked(domain, VIR_DOMAIN_AFFECT_LIVE, "refused");
    if (virDomainIsActive(domain) != 1 || (strcmp(wanted, live) == 0 && !before))
        return 0;
    rf_autofree char *now = rf_tuning_apply(domain, guest, live, !before, &why);
    if (why)
        tell_refused(env, guest, now, why);
    rf_autofree char *digest = digest_in(domain, VIR_DOMAIN_AFFECT_LIVE);
    rf_autofree char *mark = rf_domain_mark(guest, digest, now, why ? wanted : NULL);
    if (virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, mark, "richtfest", RF_DOMAIN_NAMESPACE,
                             VIR_DOMAIN_AFFECT_LIVE) < 0)
        return rf_libvirt_fail(err, "noting the weight and the limits of %s", guest->asked->name);
    return 0;
}

/* Is it there with another definition? -1: nobody could say. (Only whether it starts with the node is no reason for a snapshot.) */
static int redefined(const struct rf_node_guest *guest, rf_error **err)
{
    rf_autodomain virDomainPtr domain = NULL;
    if (find(guest, &domain, err) < 0)
        return -1;
    rf_autofree char *digest = domain ? rf_domain_digest_of(domain) : NULL;
    char wanted[RF_SHA256_HEX];
    rf_domain_digest(guest, wanted);
    return digest && strcmp(digest, wanted) != 0;
}

static void tell_emulated(struct rf_step_env *env, const rf_node_model *model)
{
    rf_autofree char *message = rf_format("no KVM on this node, so the guest is emulated, slowly%s%s",
                                          model->kvm_reason ? ": " : "", model->kvm_reason ? model->kvm_reason : "");
    tell(env, message);
}

static int domain_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_node_guest *guest = arg;
    virConnectPtr connection = rf_libvirt_connect(guest->node->libvirt, err);
    if (!connection)
        return -1;
    if (!guest->node->kvm)
        tell_emulated(env, guest->node);
    rf_autoxml xmlDoc *document = rf_domain_xml(guest, !rf_guest_settled(guest));
    rf_autofree char *text = rf_xml_text(document);
    char digest[RF_SHA256_HEX];
    rf_domain_digest(guest, digest);
    const int changes = redefined(guest, err);
    if (changes < 0 || (changes && rf_snapshot_once(env, guest, "define", digest, err) < 0) ||
        rf_guest_zone_keep(guest, err) < 0 ||
        rf_guest_address_keep(guest, err) < 0) /* before it can be started: it is the guest's from then on */
        return -1;
    rf_autodomain virDomainPtr domain = virDomainDefineXMLFlags(connection, text, VIR_DOMAIN_DEFINE_VALIDATE);
    if (!domain || virDomainSetAutostart(domain, rf_domain_autostart(guest)) < 0)
        return rf_libvirt_fail(err, "defining the guest %s", guest->asked->name);
    if (rf_snapshot_spent(guest, "define", err) < 0)
        return -1;
    if (rf_domain_restart_needed(domain))
        tell_restart(env, guest);
    return tune_running(env, domain, guest, err);
}

const struct rf_step_ops rf_step_domain = {"domain", domain_probe, domain_apply, NULL};

static enum rf_probe start_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    int running = rf_domain_running(arg, err);
    return running < 0 ? RF_PROBE_ERROR : running ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static uint64_t meminfo(const char *text, const char *key)
{
    const char *line = text ? strstr(text, key) : NULL;
    return line ? strtoull(line + strlen(key), NULL, 10) * RF_KIB : UINT64_MAX;
}

/* What the guests that run may take, those that a person made by hand included. -1 and *err where libvirt does not say. */
static int given_out(virConnectPtr connection, uint64_t *ret_bytes, rf_error **err)
{
    rf_autofree virDomainPtr *domains = NULL;
    int count = virConnectListAllDomains(connection, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
    if (count < 0)
        return rf_libvirt_fail(err, "the guests that run");
    *ret_bytes = 0;
    for (int i = 0; i < count; i++) {
        rf_autodomain virDomainPtr domain = domains[i];
        virDomainInfo info;
        if (virDomainGetInfo(domain, &info) == 0) /* else it has ended meanwhile */
            *ret_bytes += info.maxMem * RF_KIB + RF_GUEST_OVERHEAD;
    }
    return 0;
}

/* Its memory is taken as it is used, so nothing would fail now; but later the kernel would end some guest or other. So what those that run may
 * take counts as taken, and what others than guests have, too; no guest gets what the node keeps. What a guest has of its host's page
 * cache counts as free. */
static int enough_memory(const struct rf_node_guest *guest, virConnectPtr connection, rf_error **err)
{
    rf_autofree char *path = rf_node_path(guest->node, "/proc/meminfo"), *text = NULL;
    uint64_t taken = 0;
    rf_read_file(path, MEMINFO_MAX, &text, NULL, NULL);
    uint64_t available = meminfo(text, "MemAvailable:"), total = meminfo(text, "MemTotal:");
    uint64_t room = total == UINT64_MAX ? total : rf_capacity_room(guest->node->profile, total);
    if (given_out(connection, &taken, err) < 0)
        return -1;
    uint64_t own = room > taken ? room - taken : 0, left = own < available ? own : available;
    if (left >= guest->memory + RF_GUEST_OVERHEAD)
        return 0;
    rf_autofree char *needs = rf_size_text_binary(guest->memory + RF_GUEST_OVERHEAD), *has = rf_size_text_binary(left),
                     *others = rf_size_text_binary(taken);
    return rf_fail(
        err, RF_FAILED,
        "%s is not started: it needs %s of memory and this node has %s left (guests that run may take %s); give the "
        "guests less in the profile, or shut one down",
        guest->asked->name, needs, has, others);
}

/* The memory is given out before the next one asks for it. */
static int create(const struct rf_node_guest *guest, virConnectPtr connection, virDomainPtr domain, int *ret_created,
                  rf_error **err)
{
    rf_autostarting pthread_mutex_t *lock = rf_libvirt_starting(guest->node->libvirt);
    (void)lock;
    if (enough_memory(guest, connection, err) < 0)
        return -1;
    *ret_created = virDomainCreate(domain);
    return 0;
}

static int start_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    const struct rf_node_guest *guest = arg;
    virConnectPtr connection = rf_libvirt_connect(guest->node->libvirt, err);
    if (!connection)
        return -1;
    rf_autodomain virDomainPtr domain = NULL;
    int state = VIR_DOMAIN_NOSTATE, result;
    if (rf_domain_find(connection, guest->asked->name, &domain, err) < 0)
        return -1;
    if (!domain || virDomainGetState(domain, &state, NULL, 0) < 0)
        return rf_libvirt_fail(err, "the guest %s", guest->asked->name);
    switch (state) {
    case VIR_DOMAIN_PAUSED:
        result = virDomainResume(domain);
        break;
    case VIR_DOMAIN_PMSUSPENDED:
        result = virDomainPMWakeup(domain, 0);
        break;
    default:
        if (create(guest, connection, domain, &result, err) < 0)
            return -1;
    }
    if (result == 0)
        return 0;
    rf_autoerror rf_error *why = NULL;
    rf_libvirt_fail(&why, "starting the guest %s", guest->asked->name);
    if (rf_domain_running(guest, NULL) == 1)
        return 0; /* after a boot libvirt itself starts settled guests at the same time */
    if (err)
        *err = RF_STEAL(why);
    return -1;
}

const struct rf_step_ops rf_step_start = {"start", start_probe, start_apply, NULL};
