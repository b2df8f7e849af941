/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates of guests. */
#include "postinstall/guest_tls.h"

#include "base/file.h"
#include "base/memory.h"

#include <string.h>

enum {
    DAYS = 825, /* what clients take at most (Apple's limit for private authorities); renewed when a third is left */
    PEM_MAX = 65536,
};

#define FILE_NAME "certificate.pem"

/* What a request points to. */
struct names {
    const char *hosts[5];
    struct rf_certificate_request request;
};

/* A directory answers for its whole zone too. */
static void fill(const struct rf_node_guest *guest, struct names *names)
{
    size_t count = 0;
    names->hosts[count++] = guest->fqdn;
    names->hosts[count++] = guest->asked->name;
    if (guest->zone)
        names->hosts[count++] = guest->zone;
    if (guest->published && strcmp(guest->published, guest->fqdn) != 0)
        names->hosts[count++] = guest->published;
    names->hosts[count] = NULL;
    names->request = (struct rf_certificate_request){.kind = RF_CERTIFICATE_SERVER,
                                                     .name = guest->asked->name,
                                                     .hosts = names->hosts,
                                                     .address = guest->address,
                                                     .days = DAYS};
}

char *rf_guest_certificate(const struct rf_node_guest *guest)
{
    rf_autofree char *path = rf_guest_state_path(guest, FILE_NAME);
    char *text = NULL;
    return rf_exists(path) && rf_read_file(path, PEM_MAX, &text, NULL, NULL) == 0 ? text : NULL;
}

int rf_guest_certificate_keep(const struct rf_node_guest *guest, const char *certificate, rf_error **err)
{
    rf_autofree char *path = rf_guest_state_path(guest, FILE_NAME);
    return rf_write_file(path, certificate, strlen(certificate), 0600, err);
}

bool rf_guest_certificate_good(const struct rf_node_guest *guest, const char *certificate)
{
    struct names names;
    fill(guest, &names);
    return certificate && rf_ca_good(guest->node, certificate, &names.request);
}

int rf_guest_certificate_issue(const struct rf_node_guest *guest, char **ret_key, char **ret_certificate,
                               rf_error **err)
{
    struct names names;
    fill(guest, &names);
    return rf_ca_issue(guest->node, &names.request, ret_key, ret_certificate, err);
}
