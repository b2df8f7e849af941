/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest's weight and the limits of its disk: all that libvirt changes in a running guest. They are no part of the definition's digest, so
 * that changing them asks for no restart and no snapshot (nothing in the guest changes); the domain's mark says beside the digest what is in
 * force.
 */
#pragma once

#include "postinstall/libvirt.h"
#include "postinstall/node.h"
#include "postinstall/xml.h"

/* "weight=200 iops=500 bandwidth=10000000"; "" where all is as without the keys. The caller frees it. */
char *rf_tuning_text(const struct rf_node_guest *guest);

/* The same for people: "weight 200, at most 500 requests and 10.0 MB a second". The caller frees it. */
char *rf_tuning_words(const struct rf_node_guest *guest);

/* Elements of the definition; nothing where all is as without the keys. `disk` is the guest's own. */
void rf_tuning_add(xmlNode *domain, const struct rf_node_guest *guest);
void rf_tuning_add_disk(xmlNode *disk, const struct rf_node_guest *guest);

/* Gives a running domain what its profile says, where that is not what it runs with (`former`, as rf_tuning_text has it; not `sure`: an
 * earlier change may have been taken by halves, and nothing is left out). Weight and limits
 * are given one without the other: a machine without a scheduler that knows weights still limits. What is in force then, as
 * rf_tuning_text has it, the caller frees it; *err is set where libvirt did not take all of it: the definition has it all the same. */
char *rf_tuning_apply(virDomainPtr domain, const struct rf_node_guest *guest, const char *former, bool sure,
                      rf_error **err);
