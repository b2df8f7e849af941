/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What this machine is called on the network right now, for a person who reads a console. */
#pragma once

#include <stdbool.h>

/* "eth0 203.0.113.10, eth1 no address (cable?)": every network card but loopback, by getifaddrs(3). The caller frees it. */
char *rf_addresses_text(void);

/* Waits up to `seconds` until a card has an address that others can reach (not loopback, not link-local). False where the time
 * was up. Blocks. */
bool rf_addresses_wait(unsigned seconds);
