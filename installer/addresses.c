/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/addresses.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/units.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
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
        rf_autofree char *hardware = rf_format("/sys/class/net/%s/device", entry->ifa_name);
        if (!address && !rf_exists(hardware)) /* a guest's end of a bridge is nobody's card */
            continue;
        const char *none = entry->ifa_flags & IFF_RUNNING ? "no address yet" : "no carrier (cable?)";
        rf_append(&text, "%s%s %s", text ? ", " : "", entry->ifa_name, address ? address : none);
    }
    return text ? text : rf_strdup("no network card found");
}

static bool is_global(const struct ifaddrs *entry)
{
    if (!is_card(entry))
        return false;
    if (entry->ifa_addr->sa_family == AF_INET) {
        const struct sockaddr_in *address = (const void *)entry->ifa_addr;
        return (ntohl(address->sin_addr.s_addr) >> 16) != 0xa9fe; /* 169.254/16: RFC 3927 */
    }
    if (entry->ifa_addr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *address = (const void *)entry->ifa_addr;
        return !IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr);
    }
    return false;
}

static bool any_global(void)
{
    RF_CLEANUP(release) struct ifaddrs *list = NULL;
    if (getifaddrs(&list) < 0)
        return false;
    for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next)
        if (is_global(entry))
            return true;
    return false;
}

bool rf_addresses_wait(unsigned seconds)
{
    double deadline = rf_now() + seconds;
    while (!any_global()) {
        if (rf_now() > deadline)
            return false;
        usleep(100000); /* a DHCP lease comes within a second or two: back-off would cost more than looking */
    }
    return true;
}
