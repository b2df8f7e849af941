/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libvirt that can't answer, as while its daemon is being stopped: the functions below stand before the library's own in the program that
 * includes this, and hand on nothing where a fault is wished for. The library then says what is wrong itself.
 */
#pragma once

#include <dlfcn.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

struct faults {
    bool lookup, active, state;
};

static inline struct faults *faults(void)
{
    static struct faults wished;
    return &wished;
}

virDomainPtr virDomainLookupByName(virConnectPtr connection, const char *name)
{
    virDomainPtr (*real)(virConnectPtr, const char *);
    *(void **)&real = dlsym(RTLD_NEXT, "virDomainLookupByName");
    return real(faults()->lookup ? NULL : connection, name);
}

int virDomainIsActive(virDomainPtr domain)
{
    int (*real)(virDomainPtr);
    *(void **)&real = dlsym(RTLD_NEXT, "virDomainIsActive");
    return real(faults()->active ? NULL : domain);
}

int virDomainGetState(virDomainPtr domain, int *state, int *reason, unsigned flags)
{
    int (*real)(virDomainPtr, int *, int *, unsigned);
    *(void **)&real = dlsym(RTLD_NEXT, "virDomainGetState");
    return real(faults()->state ? NULL : domain, state, reason, flags);
}
