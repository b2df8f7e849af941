/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What commands on an installed node begin with: its profile, and its guests as the profile wants them. */
#pragma once

#include "postinstall/node.h"

struct rf_on_node {
    rf_profile *profile;
    rf_node_model *model; /* connects to libvirt when it is first asked */
};

/* Reads RF_STATE_PROFILE. RF_BAD_MACHINE where this is no node, RF_BAD_PROFILE with every problem where the profile does not fit this
 * program. */
int rf_on_node_open(struct rf_on_node *ret_node, rf_error **err);
void rf_on_node_close(struct rf_on_node *node);
#define rf_autoonnode RF_CLEANUP(rf_on_node_close)
