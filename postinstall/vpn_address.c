/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/vpn_address.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "postinstall/vpn.h"

#include <string.h>

enum { FIRST_PEER = 2 };

static size_t count_of(const rf_node_model *model)
{
    return model->profile->access.vpn.peers_count;
}

static char *path_of(const rf_node_model *model, size_t index)
{
    return rf_node_path(model, "%s/%s" RF_VPN_ADDRESS_SUFFIX, RF_STATE_VPN,
                        model->profile->access.vpn.peers[index].name);
}

static bool holds(char *const *addresses, size_t count, const char *address)
{
    for (size_t i = 0; i < count; i++)
        if (addresses[i] && strcmp(addresses[i], address) == 0)
            return true;
    return false;
}

static char *kept(const rf_node_model *model, size_t index, const struct rf_subnet *subnet)
{
    rf_autofree char *path = path_of(model, index), *node = rf_subnet_node(subnet);
    char *address = rf_read_line(path);
    if (address && rf_subnet_holds(subnet, address) && strcmp(address, node) != 0)
        return address;
    free(address);
    return NULL;
}

static void give_if_free(char **addresses, size_t count, size_t index, const struct rf_subnet *subnet, size_t place)
{
    rf_autofree char *address = rf_subnet_address(subnet, FIRST_PEER + (uint32_t)place);
    if (!addresses[index] && !holds(addresses, count, address))
        addresses[index] = RF_STEAL(address);
}

char **rf_vpn_addresses(const rf_node_model *model)
{
    const size_t count = count_of(model);
    const struct rf_subnet subnet = rf_subnet_read(model->profile->access.vpn.subnet);
    char **addresses = rf_alloc((count + 1) * sizeof(*addresses));
    for (size_t i = 0; i < count; i++) {
        rf_autofree char *own = kept(model, i, &subnet);
        if (own && !holds(addresses, i, own))
            addresses[i] = RF_STEAL(own);
    }
    for (size_t i = 0; i < count; i++)
        give_if_free(addresses, count, i, &subnet, i);
    for (size_t i = 0; i < count; i++) /* of as many places as there are peers one is free */
        for (size_t place = 0; place < count && !addresses[i]; place++)
            give_if_free(addresses, count, i, &subnet, place);
    return addresses;
}

void rf_vpn_addresses_free(char **addresses)
{
    for (char **address = addresses; address && *address; address++)
        free(*address);
    free(addresses);
}

int rf_vpn_addresses_keep(const rf_node_model *model, rf_error **err)
{
    rf_autovpnaddresses char **addresses = rf_vpn_addresses(model);
    for (size_t i = 0; i < count_of(model); i++) {
        rf_autofree char *path = path_of(model, i), *line = rf_format("%s\n", addresses[i]);
        if (rf_write_file(path, line, strlen(line), 0600, err) < 0)
            return -1;
    }
    return 0;
}

bool rf_vpn_addresses_kept(const rf_node_model *model)
{
    rf_autovpnaddresses char **addresses = rf_vpn_addresses(model);
    for (size_t i = 0; i < count_of(model); i++) {
        rf_autofree char *path = path_of(model, i), *line = rf_read_line(path);
        if (!line || strcmp(line, addresses[i]) != 0)
            return false;
    }
    return true;
}
