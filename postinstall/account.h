/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accounts of the node's services, looked up below the model's root. */
#pragma once

#include "postinstall/node.h"

#include <sys/types.h>

struct rf_account {
    uid_t uid;
    gid_t gid; /* its own group */
};

/* Of a service's account; -1 and *err where the node does not have it. */
int rf_account_find(const rf_node_model *model, const char *name, struct rf_account *ret_account, rf_error **err);

/* Gives a file or directory away. */
int rf_account_give(const char *path, uid_t uid, gid_t gid, rf_error **err);
