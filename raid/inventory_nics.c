/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inventory: physical network cards. Bridges, bonds, taps and the like have no device behind them and are left out. */
#include "base/memory.h"
#include "raid/inventory.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { MAC_BYTES = 6 };

/* The burnt-in address: the current one may have been set by a bond or a bridge. NULL where the driver does not tell. */
static char *permanent_mac(const char *name)
{
    union {
        struct ethtool_perm_addr request;
        unsigned char room[sizeof(struct ethtool_perm_addr) + 32];
    } answer = {.request = {.cmd = ETHTOOL_GPERMADDR, .size = 32}};
    struct ifreq request = {.ifr_data = (char *)&answer};
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    rf_autofd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCETHTOOL, &request) < 0 || answer.request.size != MAC_BYTES)
        return NULL;
    const unsigned char *mac = answer.room + offsetof(struct ethtool_perm_addr, data);
    static const unsigned char zero[MAC_BYTES];
    if (memcmp(mac, zero, MAC_BYTES) == 0)
        return NULL;
    return rf_format("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static unsigned speed_of(const char *sysroot, const char *name)
{
    uint64_t speed = rf_sys_number(sysroot, 0, "/sys/class/net/%s/speed", name); /* -1 where the link is down */
    return speed < UINT32_MAX ? (unsigned)speed : 0;
}

void rf_inventory_nics(const char *sysroot, rf_machine *machine)
{
    rf_autonames char **names = rf_sys_names(sysroot, "/sys/class/net");
    for (char **name = names; name && *name; name++) {
        if (!rf_sys_exists(sysroot, "/sys/class/net/%s/device", *name))
            continue;
        struct rf_nic *nic = rf_array_add(&machine->nics, &machine->nics_count, sizeof(*nic));
        nic->name = rf_strdup(*name);
        nic->mac = *sysroot ? NULL : permanent_mac(*name);
        if (!nic->mac)
            nic->mac = rf_sys_text(sysroot, "/sys/class/net/%s/address", *name);
        nic->driver = rf_sys_link(sysroot, "/sys/class/net/%s/device/driver", *name);
        nic->carrier = rf_sys_number(sysroot, 0, "/sys/class/net/%s/carrier", *name) == 1;
        nic->speed = speed_of(sysroot, *name);
    }
}
