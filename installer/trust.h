/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Further CAs that travel in the medium's reserved region: trusted by the live system, for the profile's URL and report.url, and
 * by the node that it installs. In a root they are
 *
 *   /usr/local/share/ca-certificates/richtfest-N.crt   one each, so that update-ca-certificates(8) keeps them
 *   /etc/ssl/certs/ca-certificates.crt                 behind a line of ours at its end: what libcurl reads, there at once
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>

/* The region's PEM; NULL where it holds none, or where `medium` has no region. The caller frees it. RF_BAD_PROFILE: damaged. */
int rf_trust_read(const char *medium, char **ret_pem, rf_error **err);

/* A bundle with the certificates behind it, and without those that an earlier run put there; `pem` NULL: without any. The same
 * input gives the same text, however often. The caller frees it. Pure. */
char *rf_trust_bundle(const char *bundle, const char *pem);

/* Whether the root (a path, "" for the running system) trusts exactly these of ours. */
bool rf_trust_is_installed(const char *root, const char *pem);

/* Those of ours that a root has, as one PEM; NULL where it has none. The caller frees it. */
char *rf_trust_installed(const char *root);

/* Makes it so. Every file is replaced at once and the bundle last; a kill leaves what the next run mends. */
int rf_trust_install(const char *root, const char *pem, rf_error **err);
