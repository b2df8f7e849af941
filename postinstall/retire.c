/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/retire.h"

#include "base/memory.h"
#include "base/units.h"
#include "postinstall/domain.h"

#include <string.h>

enum { PATIENCE = 300, AGAIN = 60, POLL_MS = 1000 };

bool rf_domain_ours(virDomainPtr domain)
{
    rf_autofree char *digest = rf_domain_digest_of(domain);
    return digest != NULL;
}

static enum rf_probe retire_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    const struct rf_node_retired *retired = arg;
    virConnectPtr connection = rf_libvirt_connect(retired->node->libvirt, err);
    if (!connection)
        return RF_PROBE_ERROR;
    rf_autodomain virDomainPtr domain = NULL;
    int autostart = 0;
    const int found = rf_domain_find(connection, retired->name, &domain, err);
    if (found <= 0)
        return found < 0 ? RF_PROBE_ERROR : RF_PROBE_DONE;
    const int active = rf_domain_active(domain, err);
    if (active < 0)
        return RF_PROBE_ERROR;
    bool still = !active && virDomainGetAutostart(domain, &autostart) == 0 && !autostart;
    return still ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static int shut_down(virDomainPtr domain, const char *name, rf_error **err)
{
    double began = rf_now(), asked = 0;
    int active;
    while ((active = rf_domain_active(domain, err)) == 1) {
        double now = rf_now();
        if (now - began > PATIENCE)
            return rf_fail(
                err, RF_FAILED,
                "%s does not shut down, and is not forced to; look at its console, or end it by 'virsh destroy "
                "%s'",
                name, name);
        if (asked == 0 || now - asked > AGAIN) { /* a guest that is still booting misses the first call */
            virDomainShutdown(domain);
            asked = now;
        }
        usleep(POLL_MS * 1000);
    }
    return active;
}

static int retire_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    const struct rf_node_retired *retired = arg;
    virConnectPtr connection = rf_libvirt_connect(retired->node->libvirt, err);
    if (!connection)
        return -1;
    rf_autodomain virDomainPtr domain = NULL;
    const int found = rf_domain_find(connection, retired->name, &domain, err);
    if (found <= 0) /* deleted meanwhile: there is nothing to keep */
        return found;
    if (virDomainSetAutostart(domain, 0) < 0)
        return rf_libvirt_fail(err, "keeping %s from starting with the node", retired->name);
    return shut_down(domain, retired->name, err);
}

const struct rf_step_ops rf_step_retire = {"retire", retire_probe, retire_apply, NULL};
