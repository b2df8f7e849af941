/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What this machine is called on the network right now, for a person who reads a console. */
#pragma once

/* "eth0 203.0.113.10, eth1 no address (cable?)": every network card but loopback, by getifaddrs(3). The caller frees it. */
char *rf_addresses_text(void);
