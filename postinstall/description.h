/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a guest is told about itself: the same document in its seed (below "richtfest" of the meta-data) and on the standard input of
 * its recipe's `configure`. The format is docs/reference/recipe.md, "What the guest gets".
 */
#pragma once

#include "postinstall/node.h"

#define RF_CREDENTIALS "security-credentials" /* cloud-init keeps what is below it out of its world-readable files */

/* Everything but certificates and secrets. Pure; the caller owns it. */
json_t *rf_description(const struct rf_node_guest *guest);

/* Adds what was issued for it: the authority's and its own certificate (PEM; NULL is left out) and the secrets (NULL: none). */
void rf_description_add(json_t *description, const char *authority, const char *certificate, const json_t *secrets);

/* The accounts of a member in its directory: "svc-crm", "CRM". The caller frees them. */
char *rf_member_service(const struct rf_node_guest *guest);
char *rf_member_computer(const struct rf_node_guest *guest);
