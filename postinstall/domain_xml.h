/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest as libvirt's domain. What the document says is derived from the profile alone; its digest is kept in the domain's
 * metadata, so that "is it defined as the profile wants it?" does not depend on what libvirt adds to the document, and what an
 * admin changes in Cockpit stays until the profile itself changes.
 */
#pragma once

#include "base/digest.h"
#include "postinstall/node.h"
#include "postinstall/xml.h"

#define RF_DOMAIN_NAMESPACE "urn:richtfest:guest:1"

/* Pure. With or without the seed's drive, and that of the artefacts where the file for it lies there; the digest is the same for both. The caller frees the document. */
xmlDoc *rf_domain_xml(const struct rf_node_guest *guest, bool with_seed);

/* The seed's drive alone, added below `parent`; and the one with the artefacts that the guest's image lacks. */
void rf_domain_add_seed(xmlNode *parent, const struct rf_node_guest *guest);
void rf_domain_add_artefacts(xmlNode *parent, const struct rf_node_guest *guest);

/* The element of the metadata that is ours, as virDomainSetMetadata takes it: recipe, this digest (or NULL), weight and limits that
 * are in force, and those that the machine refused (or NULL). The caller frees it. */
char *rf_domain_mark(const struct rf_node_guest *guest, const char *digest, const char *tuning, const char *refused);

/* SHA-256 of the definition without seed and digest, and without weight and limits (postinstall/tuning.h). */
void rf_domain_digest(const struct rf_node_guest *guest, char ret_hex[RF_SHA256_HEX]);
