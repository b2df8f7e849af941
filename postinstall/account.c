/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/account.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>

int rf_account_find(const rf_node_model *model, const char *name, struct rf_account *ret_account, rf_error **err)
{
    rf_autofree char *path = rf_node_path(model, "/etc/passwd");
    rf_autofile FILE *file = fopen(path, "re");
    for (struct passwd *entry; file && (entry = fgetpwent(file));) {
        if (strcmp(entry->pw_name, name) != 0)
            continue;
        *ret_account = (struct rf_account){entry->pw_uid, entry->pw_gid};
        return 0;
    }
    return rf_fail(err, RF_FAILED, "this node has no account '%s'; is the package installed?", name);
}

int rf_account_give(const char *path, uid_t uid, gid_t gid, rf_error **err)
{
    return lchown(path, uid, gid) < 0 ? rf_fail_errno(err, RF_FAILED, errno, "giving %s away", path) : 0;
}
