/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One connection, shared by the steps of all lanes. */
#include "postinstall/libvirt.h"

#include "base/memory.h"

#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdarg.h>

struct rf_libvirt {
    char *uri;
    unsigned patience;
    virConnectPtr connection;
    pthread_mutex_t lock, starting;
};

/* libvirt prints errors on stderr unless somebody takes them. */
static void quiet(void *data, virErrorPtr error)
{
    (void)data;
    (void)error;
}

rf_libvirt *rf_libvirt_new(const char *uri, unsigned patience)
{
    rf_libvirt *libvirt = rf_alloc(sizeof(*libvirt));
    libvirt->uri = rf_strdup(uri);
    libvirt->patience = patience;
    pthread_mutex_init(&libvirt->lock, NULL);
    pthread_mutex_init(&libvirt->starting, NULL);
    virSetErrorFunc(NULL, quiet);
    return libvirt;
}

void rf_libvirt_free(rf_libvirt *libvirt)
{
    if (!libvirt)
        return;
    if (libvirt->connection)
        virConnectClose(libvirt->connection);
    pthread_mutex_destroy(&libvirt->lock);
    pthread_mutex_destroy(&libvirt->starting);
    free(libvirt->uri);
    free(libvirt);
}

pthread_mutex_t *rf_libvirt_starting(rf_libvirt *libvirt)
{
    pthread_mutex_lock(&libvirt->starting);
    return &libvirt->starting;
}

static void open_connection(rf_libvirt *libvirt)
{
    if (libvirt->connection && virConnectIsAlive(libvirt->connection) == 1)
        return;
    if (libvirt->connection)
        virConnectClose(libvirt->connection);
    libvirt->connection = NULL;
    for (unsigned i = 0; !libvirt->connection && i <= libvirt->patience; i++) {
        if (i)
            sleep(1);
        libvirt->connection = virConnectOpen(libvirt->uri);
    }
}

virConnectPtr rf_libvirt_connect(rf_libvirt *libvirt, rf_error **err)
{
    pthread_mutex_lock(&libvirt->lock);
    open_connection(libvirt);
    virConnectPtr connection = libvirt->connection;
    pthread_mutex_unlock(&libvirt->lock);
    if (!connection)
        rf_libvirt_fail(err, "no connection to libvirt at %s (see: systemctl status libvirtd)", libvirt->uri);
    return connection;
}

int rf_domain_find(virConnectPtr connection, const char *name, virDomainPtr *ret_domain, rf_error **err)
{
    *ret_domain = virDomainLookupByName(connection, name);
    if (*ret_domain)
        return 1;
    if (virGetLastErrorCode() == VIR_ERR_NO_DOMAIN)
        return 0;
    return rf_libvirt_fail(err, "whether there is a guest '%s' could not be asked", name);
}

int rf_domain_active(virDomainPtr domain, rf_error **err)
{
    const int active = virDomainIsActive(domain);
    if (active < 0)
        return rf_libvirt_fail(err, "whether %s is running could not be asked, so nothing is changed",
                               virDomainGetName(domain));
    return active;
}

int rf_libvirt_fail(rf_error **err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    rf_autofree char *text = rf_format_list(format, args);
    va_end(args);
    const char *why = virGetLastErrorMessage();
    return rf_fail(err, RF_FAILED, "%s: %s", text, why ? why : "no reason given");
}
