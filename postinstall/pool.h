/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pool of guests' disk images: a directory on the data volume, known to libvirt, so that Cockpit shows it. */
#pragma once

#include "base/step.h"
#include "postinstall/node.h"
#include "postinstall/xml.h"

/* Pure. The caller frees the document. */
xmlDoc *rf_pool_xml(const rf_node_model *model);

/* Makes the directory, defines, starts and autostarts the pool. A pool that somebody else has defined on the same directory
 * is used as it is: libvirt allows only one. Argument: rf_node_model. Repeatable. */
extern const struct rf_step_ops rf_step_pool;

/* Is the volume that holds the guests there? RF_FAILED where /etc/fstab gives the pool's directory a file system of its own and none is mounted on it: what
 * is there then is the root's, and guests whose disks can't be seen must not be taken for new ones. 0 on a node that has no such line. Reads
 * only; does not wait for the volume. */
int rf_pool_there(const rf_node_model *model, rf_error **err);

/* Makes libvirt look at the directory again; failures do not matter. */
void rf_pool_refresh(const rf_node_model *model);
