/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IPv4 arithmetic of the guests' subnet. */
#include "postinstall/address.h"

#include "base/memory.h"

#include <arpa/inet.h>
#include <string.h>

enum { PREFIX_MIN = 16, PREFIX_MAX = 27 }; /* /27 leaves 6 guests; larger than /16 is a mistake */

static uint32_t size_of(const struct rf_subnet *subnet)
{
    return UINT32_C(1) << (32 - subnet->prefix);
}

int rf_subnet_parse(const char *text, struct rf_subnet *ret_subnet, rf_error **err)
{
    char address[INET_ADDRSTRLEN] = "";
    unsigned prefix = 0;
    char rest = 0;
    struct in_addr parsed;
    if (sscanf(text, "%15[0-9.]/%2u%c", address, &prefix, &rest) != 2 || inet_pton(AF_INET, address, &parsed) != 1)
        return rf_fail(err, RF_BAD_PROFILE, "'%s' is not an IPv4 subnet; write it like 10.20.0.0/24", text);
    if (prefix < PREFIX_MIN || prefix > PREFIX_MAX)
        return rf_fail(err, RF_BAD_PROFILE, "the prefix of '%s' must be from /%d to /%d", text, PREFIX_MIN, PREFIX_MAX);
    struct rf_subnet subnet = {.network = ntohl(parsed.s_addr), .prefix = prefix};
    if (subnet.network & (size_of(&subnet) - 1)) {
        subnet.network &= ~(size_of(&subnet) - 1);
        rf_autofree char *base = rf_subnet_address(&subnet, 0);
        return rf_fail(err, RF_BAD_PROFILE, "'%s' has host bits set; write %s/%u", text, base, prefix);
    }
    *ret_subnet = subnet;
    return 0;
}

struct rf_subnet rf_subnet_read(const char *text)
{
    struct in_addr parsed = {0};
    const char *slash = strchr(text, '/');
    rf_autofree char *address = rf_format("%.*s", (int)strcspn(text, "/"), text);
    inet_pton(AF_INET, address, &parsed);
    return (struct rf_subnet){.network = ntohl(parsed.s_addr),
                              .prefix = slash ? (unsigned)strtoul(slash + 1, NULL, 10) : 0};
}

bool rf_subnet_holds(const struct rf_subnet *subnet, const char *address)
{
    struct in_addr parsed = {0};
    return inet_pton(AF_INET, address, &parsed) == 1 && ntohl(parsed.s_addr) - subnet->network < size_of(subnet);
}

size_t rf_subnet_guests_max(const struct rf_subnet *subnet)
{
    return size_of(subnet) / 2 - RF_SUBNET_FIRST_GUEST;
}

char *rf_subnet_address(const struct rf_subnet *subnet, uint32_t index)
{
    struct in_addr address = {.s_addr = htonl(subnet->network + index)};
    char text[INET_ADDRSTRLEN];
    return rf_strdup(inet_ntop(AF_INET, &address, text, sizeof(text)));
}

char *rf_subnet_node(const struct rf_subnet *subnet)
{
    return rf_subnet_address(subnet, 1);
}

char *rf_subnet_guest(const struct rf_subnet *subnet, size_t index)
{
    return rf_subnet_address(subnet, RF_SUBNET_FIRST_GUEST + (uint32_t)index);
}

char *rf_subnet_dhcp_first(const struct rf_subnet *subnet)
{
    return rf_subnet_address(subnet, size_of(subnet) / 2);
}

char *rf_subnet_dhcp_last(const struct rf_subnet *subnet)
{
    return rf_subnet_address(subnet, size_of(subnet) - 2);
}

bool rf_subnet_in_dhcp(const struct rf_subnet *subnet, const char *address)
{
    struct in_addr parsed = {0};
    if (inet_pton(AF_INET, address, &parsed) != 1)
        return false;
    uint32_t offset = ntohl(parsed.s_addr) - subnet->network;
    return offset >= size_of(subnet) / 2 && offset < size_of(subnet);
}
