/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What commands on an installed node begin with: its profile, and its guests as the profile wants them. */
#pragma once

#include "base/lock.h"
#include "postinstall/node.h"

struct rf_on_node {
    rf_profile *profile;
    rf_node_model *model; /* connects to libvirt when it is first asked */
    struct rf_lock lock;  /* of a command that changes something */
};

/* `ret_node` is all zero before. Reads RF_STATE_PROFILE. RF_BAD_MACHINE where this is no node, RF_BAD_PROFILE with every problem where the profile does not fit this
 * program. */
int rf_on_node_open(struct rf_on_node *ret_node, rf_error **err);

/* The same for a command that changes guests, `what` ("richtfest guest delete"): waits first until it is the only one (installer/node_lock.h),
 * then reads. Closing lets the next one on. */
int rf_on_node_open_alone(struct rf_on_node *ret_node, const char *what, rf_error **err);

/* Frees it and lets go of the lock; may be repeated. */
void rf_on_node_close(struct rf_on_node *node);
#define rf_autoonnode RF_CLEANUP(rf_on_node_close)
