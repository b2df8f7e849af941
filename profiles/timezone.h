/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of the tz database, as a node has it. */
#pragma once

#define RF_ZONEINFO_DIR "/usr/share/zoneinfo" /* hier(7), tzset(3) */

/* What is wrong with a name of the right shape ("Area/Place", "UTC"), or NULL; the caller frees it. The area is looked up in a list of our
 * own, the place in the tz database of the machine that asks (`directory`, RF_ZONEINFO_DIR): the live system's is the node's, so that a
 * place which does not exist is found before the first write. A machine without that database checks the area alone. */
char *rf_timezone_mistake(const char *directory, const char *name);
