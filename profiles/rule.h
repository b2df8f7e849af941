/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the rules share. Only profiles/rules*.c include this. */
#pragma once

#include "profiles/rules.h"

/* Adds a problem at the place of `path` in the text. */
void rf_rule_report(const struct rf_rule_run *run, const char *path, const char *format, ...) RF_PRINTF(3, 4);

/* Was something already said about that very key? Then its value is not there to be checked. */
bool rf_rule_broken(const struct rf_rule_run *run, const char *path);

struct rf_rule_subnet {
    uint32_t address, mask; /* host byte order */
};

/* Reads a subnet whose pattern was checked; says where it has host bits (then false) or is not private. NULL is false. */
bool rf_rule_subnet(const struct rf_rule_run *run, const char *key, const char *subnet, struct rf_rule_subnet *ret);

/* The guest of that name, or NULL; NULL has none. */
const struct rf_guest *rf_rule_guest(const rf_profile *profile, const char *name);

/* Says that no guest has that name, and which other one `asking` may have meant. */
void rf_rule_no_guest(const struct rf_rule_run *run, const struct rf_guest *asking, const char *path, const char *name);

/* Rules about the network (rules_network.c). */
void rf_rule_addresses(const struct rf_rule_run *run);
void rf_rule_reach(const struct rf_rule_run *run);
void rf_rule_vpn(const struct rf_rule_run *run);

/* Rules about storage (rules_storage.c). */
void rf_rule_level(const struct rf_rule_run *run);
void rf_rule_spares(const struct rf_rule_run *run);
void rf_rule_missing(const struct rf_rule_run *run);
void rf_rule_layout(const struct rf_rule_run *run);

/* Rules about bridges (rules_bridge.c). */
void rf_rule_bridges(const struct rf_rule_run *run);
void rf_rule_bridged(const struct rf_rule_run *run);
