/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A guest's own certificate: for its names, its address and its published name, signed by the node's CA. */
#pragma once

#include "postinstall/ca.h"

/* The one that was handed in last (PEM), the caller frees it; NULL where there is none. */
char *rf_guest_certificate(const struct rf_node_guest *guest);

/* Remembers it. The key is not kept here: the guest has it. */
int rf_guest_certificate_keep(const struct rf_node_guest *guest, const char *certificate, rf_error **err);

/* Does this one still do: for the names that the guest has now, by the CA that the node has now, with time left? NULL does not. */
bool rf_guest_certificate_good(const struct rf_node_guest *guest, const char *certificate);

/* A new key and certificate; the caller frees them, the key by rf_free_secret. Writes nothing. */
int rf_guest_certificate_issue(const struct rf_node_guest *guest, char **ret_key, char **ret_certificate,
                               rf_error **err);
