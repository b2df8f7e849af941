/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/addresses.h"

#include "base/memory.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdbool.h>
#include <string.h>

static void release(struct ifaddrs **list)
{
    if (*list)
        freeifaddrs(*list);
}

static bool is_card(const struct ifaddrs *entry)
{
    return !(entry->ifa_flags & IFF_LOOPBACK) && entry->ifa_addr;
}

static char *address_of(const struct ifaddrs *list, const char *name)
{
    char text[INET_ADDRSTRLEN];
    for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
        if (!is_card(entry) || strcmp(entry->ifa_name, name) != 0 || entry->ifa_addr->sa_family != AF_INET)
            continue;
        const struct sockaddr_in *address = (const void *)entry->ifa_addr;
        if (inet_ntop(AF_INET, &address->sin_addr, text, sizeof(text)))
            return rf_strdup(text);
    }
    return NULL;
}

char *rf_addresses_text(void)
{
    RF_CLEANUP(release) struct ifaddrs *list = NULL;
    char *text = NULL;
    if (getifaddrs(&list) < 0)
        return rf_strdup("its addresses can't be read");
    for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
        if (!is_card(entry) || entry->ifa_addr->sa_family != AF_PACKET)
            continue;
        rf_autofree char *address = address_of(list, entry->ifa_name);
        const char *none = entry->ifa_flags & IFF_RUNNING ? "no address yet" : "no carrier (cable?)";
        rf_append(&text, "%s%s %s", text ? ", " : "", entry->ifa_name, address ? address : none);
    }
    return text ? text : rf_strdup("no network card found");
}
