/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The node's own certificate authority: guests trust it, and it signs what they show each other. Its key (0600, below a 0700
 * directory of the node's state) never leaves the node; it survives a reinstalled root.
 */
#pragma once

#include "base/step.h"
#include "postinstall/certificate.h"
#include "postinstall/node.h"

#define RF_STATE_CA RF_STATE_DIR "/ca" /* 0700: key.pem, ca.pem */

/* Makes key and certificate; renews the certificate (with the same key) when a third of its time is left. A kill leaves a key without
 * a certificate, which the next run uses. Argument: rf_node_model. */
extern const struct rf_step_ops rf_step_ca;

/* The authority's own certificate (PEM), the caller frees it; NULL where there is none yet. */
char *rf_ca_certificate(const rf_node_model *model);

/* Where it lies, for programs that read it; the caller frees the path. */
char *rf_ca_certificate_path(const rf_node_model *model);

/* A new key and a certificate for it, signed by the authority. The caller frees them, the key by rf_free_secret. */
int rf_ca_issue(const rf_node_model *model, const struct rf_certificate_request *request, char **ret_key,
                char **ret_certificate, rf_error **err);

/* Is it a certificate of this authority that need not be renewed? NULL is none. */
bool rf_ca_good(const rf_node_model *model, const char *certificate, const struct rf_certificate_request *request);
