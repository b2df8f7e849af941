/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The addresses in the guests' network: the n-th guest of a new node's profile gets the subnet's address 10 + n unless the profile gives it
 * one; who gets which later: postinstall/guest_address.h. The node is the first address.
 * Addresses from the middle upward are given out by DHCP to whatever else a person starts there by hand.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define RF_SUBNET_FIRST_GUEST 10

struct rf_subnet {
    uint32_t network; /* host byte order */
    unsigned prefix;
};

/* "10.20.0.0/24": IPv4, prefix 16 to 27, no host bits. RF_BAD_PROFILE otherwise. */
int rf_subnet_parse(const char *text, struct rf_subnet *ret_subnet, rf_error **err);

/* The same without limits, for a subnet that was checked: the VPN's may be smaller. What is none becomes 0.0.0.0/0. */
struct rf_subnet rf_subnet_read(const char *text);

/* Is this address in it? */
bool rf_subnet_holds(const struct rf_subnet *subnet, const char *address);

/* How many guests fit below the middle. */
size_t rf_subnet_guests_max(const struct rf_subnet *subnet);

/* "10.20.0.<index>", the caller frees it. */
char *rf_subnet_address(const struct rf_subnet *subnet, uint32_t index);

/* The node's own address in it, that of the n-th guest (from 0), and the bounds of what DHCP gives out. The caller frees. */
char *rf_subnet_node(const struct rf_subnet *subnet);
char *rf_subnet_guest(const struct rf_subnet *subnet, size_t index);
char *rf_subnet_dhcp_first(const struct rf_subnet *subnet);
char *rf_subnet_dhcp_last(const struct rf_subnet *subnet);

/* Is this one of those that DHCP gives out? */
bool rf_subnet_in_dhcp(const struct rf_subnet *subnet, const char *address);
