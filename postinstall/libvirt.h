/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The connection to libvirt, with our guards and errors. */
#pragma once

#include "base/error.h"

#include <libvirt/libvirt.h>
#include <pthread.h>

#define RF_LIBVIRT_URI "qemu:///system"

static inline void rf_guard_domain(virDomainPtr *domain)
{
    if (*domain)
        virDomainFree(*domain);
}

static inline void rf_guard_network(virNetworkPtr *network)
{
    if (*network)
        virNetworkFree(*network);
}

static inline void rf_guard_pool(virStoragePoolPtr *pool)
{
    if (*pool)
        virStoragePoolFree(*pool);
}

#define rf_autodomain RF_CLEANUP(rf_guard_domain)
#define rf_autonetwork RF_CLEANUP(rf_guard_network)
#define rf_autopool RF_CLEANUP(rf_guard_pool)

typedef struct rf_libvirt rf_libvirt;

/* Connects to nothing yet. `uri` is copied; `patience` is how many seconds a connection may take to come up (the daemon on a
 * slow machine needs half a minute after boot). */
rf_libvirt *rf_libvirt_new(const char *uri, unsigned patience);
void rf_libvirt_free(rf_libvirt *libvirt);
RF_GUARD(rf_libvirt, rf_libvirt_free);
#define rf_autolibvirt RF_CLEANUP(rf_guard_rf_libvirt)

/* The connection, opened at the first call and again after the daemon was restarted; borrowed. NULL and *err where there is
 * none. May be called from several threads. Blocks while the daemon starts. */
virConnectPtr rf_libvirt_connect(rf_libvirt *libvirt, rf_error **err);

/* 1 and *ret_domain (virDomainFree it): there is a domain of this name. 0: libvirt says that there is none. -1 and *err: it could not say, which
 * is no reason to take it for absent. Blocks as long as the daemon takes to answer. */
int rf_domain_find(virConnectPtr connection, const char *name, virDomainPtr *ret_domain, rf_error **err);

/* 1 it runs (or stands still), 0 it is shut off; -1 and *err: libvirt could not say, which is no reason to take it for shut off. */
int rf_domain_active(virDomainPtr domain, rf_error **err);

/* Held from the question whether there is room for a guest until it runs, so that two lanes do not give the same memory out; others wait for as
 * long as libvirt takes to start one. Ends with the scope: `rf_autostarting pthread_mutex_t *lock = rf_libvirt_starting(libvirt);`. A
 * kill leaves nothing. */
pthread_mutex_t *rf_libvirt_starting(rf_libvirt *libvirt);

static inline void rf_guard_starting(pthread_mutex_t **lock)
{
    pthread_mutex_unlock(*lock);
}
#define rf_autostarting RF_CLEANUP(rf_guard_starting)

/* A failure with libvirt's last error of this thread behind the message. Returns -1. */
int rf_libvirt_fail(rf_error **err, const char *format, ...) RF_PRINTF(2, 3);
