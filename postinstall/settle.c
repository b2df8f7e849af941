/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The end of a guest's first boot: no seed, no secrets, comes up with the node. */
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "postinstall/artefact.h"
#include "postinstall/configure.h"
#include "postinstall/domain.h"
#include "postinstall/domain_xml.h"
#include "postinstall/grow.h"
#include "postinstall/secret.h"
#include "postinstall/seed_read.h"

#include <errno.h>
#include <string.h>

enum { DETACH_SECONDS = 30, DETACH_AGAIN = 10 };

static bool attached(virDomainPtr domain, const char *file)
{
    rf_autofree char *live = virDomainGetXMLDesc(domain, 0);
    return live && strstr(live, file);
}

/* Asks the guest to let go of the drive (PCI hot-unplug) and waits a bounded time. One that does not is healthy all the same:
 * it keeps an unlinked file until it is shut down. */
static void detach(virDomainPtr domain, const struct rf_node_guest *guest, const char *file,
                   void (*add)(xmlNode *parent, const struct rf_node_guest *guest))
{
    rf_autoxml xmlDoc *document = rf_xml_new("devices");
    add(rf_xml_root(document), guest);
    rf_autofree char *drive = rf_xml_node_text(document, rf_xml_child(rf_xml_root(document), "disk"));
    if (virDomainIsActive(domain) != 1)
        return;
    for (unsigned i = 0; i < DETACH_SECONDS && attached(domain, file); i++) {
        if (i % DETACH_AGAIN == 0)
            virDomainDetachDeviceFlags(domain, drive, VIR_DOMAIN_AFFECT_LIVE);
        sleep(1);
    }
}

/* Without the seed from its next start on. */
static int redefine(virConnectPtr connection, const struct rf_node_guest *guest, rf_error **err)
{
    rf_autoxml xmlDoc *document = rf_domain_xml(guest, false);
    rf_autofree char *text = rf_xml_text(document);
    rf_autodomain virDomainPtr domain = virDomainDefineXML(connection, text);
    if (!domain || virDomainSetAutostart(domain, guest->directory == NULL) < 0)
        return rf_libvirt_fail(err, "defining the guest %s without its seed", guest->asked->name);
    return 0;
}

static int remove_file(const char *path, rf_error **err)
{
    if (unlink(path) < 0 && errno != ENOENT)
        return rf_fail_errno(err, RF_FAILED, errno, "removing %s", path);
    return 0;
}

static enum rf_probe settle_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    return rf_guest_settled(arg) && !rf_secret_seeding(arg) ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static int settle_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_node_guest *guest = arg;
    if (rf_seed_read(env, guest, err) < 0)
        return -1;
    rf_autofree char *seed = rf_guest_seed_path(guest), *mark = rf_guest_state_path(guest, "settled.json");
    rf_autofree char *directory = rf_guest_state_path(guest, ""), *artefacts = rf_guest_artefacts_path(guest);
    virConnectPtr connection = rf_libvirt_connect(guest->node->libvirt, err);
    if (!connection)
        return -1;
    rf_autodomain virDomainPtr domain = NULL;
    if (rf_domain_find(connection, guest->asked->name, &domain, err) < 0)
        return -1;
    if (!domain)
        return rf_libvirt_fail(err, "the guest %s", guest->asked->name);
    if (!rf_guest_fetch_url(guest)) { /* else: a system of others may look at it again; it is not asked to let go */
        detach(domain, guest, seed, rf_domain_add_seed);
        detach(domain, guest, artefacts, rf_domain_add_artefacts);
    }
    if (redefine(connection, guest, err) < 0)
        return -1;
    if (remove_file(seed, err) < 0 || rf_artefact_drop_drive(guest, err) < 0)
        return -1;
    if (rf_secret_handed_over(guest, err) < 0 || rf_make_dirs(directory, 0700, err) < 0 ||
        rf_configure_settled(guest, err) < 0 || rf_grow_remember(guest, guest->disk, err) < 0)
        return -1;
    rf_autojson json_t *facts = json_pack("{s:s,s:s}", "uuid", guest->uuid, "recipe", guest->recipe->name);
    rf_autofree char *text = rf_json_text(facts);
    if (rf_write_file(mark, text, strlen(text), 0600, err) < 0)
        return -1;
    rf_artefact_tidy(guest->node);
    return rf_secret_remove(guest,
                            err); /* not before the mark: an unsettled guest without its key would get another one */
}

const struct rf_step_ops rf_step_settle = {"settle", settle_probe, settle_apply, NULL};
