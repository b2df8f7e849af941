/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The node's reverse proxy: Caddy, from Debian. It serves every guest's published name by HTTPS from that guest's own port: HTTP leads to
 * HTTPS, HSTS is set where the application does not, websockets and large bodies pass.
 *
 * Certificates are Caddy's to get and to renew: by ACME, and where that can't be reached (or access.tls is `own`) from an authority of the
 * node's CA that Caddy holds and that can sign for the published names only, until there is one by ACME. What it got by ACME lies in the node's state, so a reinstalled
 * root does not ask for it again.
 */
#pragma once

#include "base/step.h"
#include "postinstall/node.h"

#define RF_PROXY_DIR                                                                                                   \
    "/etc/richtfest/proxy" /* Caddyfile, root.pem, authority.pem, authority.key (0640, Caddy's group) */
#define RF_PROXY_FILE RF_PROXY_DIR "/Caddyfile"
#define RF_PROXY_STATE RF_STATE_DIR "/caddy" /* Caddy's own */

/* Does Caddy hold a certificate for the guest's published name that it got by ACME and that is valid now? Reads Caddy's storage. */
bool rf_proxy_has_acme(const struct rf_node_guest *guest);

/* The configuration; the caller frees it. It changes once when Caddy has got a name's first certificate by ACME: from then on the node's
 * own CA does not sign for that name, unless that certificate has ended. Reads Caddy's storage, nothing else. */
char *rf_proxy_text(const rf_node_model *model);

/* Writes the configuration and the authority below the model's root, for the caller's own user, and starts nothing: to try the proxy where
 * there is no node. Needs the node's CA (rf_step_ca). Repeatable: a good authority is kept. A kill leaves whole files. */
int rf_proxy_write(const rf_node_model *model, rf_error **err);

/* Writes the configuration (validated by Caddy itself before it takes the place of the old one), gives Caddy its authority, and lets it take
 * both over; its connections go on. Afterwards every name must answer by HTTPS with a certificate that is trusted, whatever
 * its guest says. Where nothing is published it stops Caddy and removes the files. Argument: rf_node_model. Repeatable. */
extern const struct rf_step_ops rf_step_proxy;
