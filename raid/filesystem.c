/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/filesystem.h"

#include "raid/inventory.h"

#include <string.h>
#include <strings.h>

const struct rf_filesystem_ops *rf_filesystem_ops(const char *type)
{
    static const struct rf_filesystem_ops *const table[] = {
        &rf_filesystem_vfat,
        &rf_filesystem_btrfs,
        &rf_filesystem_xfs,
    };
    for (size_t i = 0; i < RF_COUNT(table); i++)
        if (strcmp(table[i]->type, type) == 0)
            return table[i];
    return NULL;
}

bool rf_filesystem_ours(const struct rf_layout_filesystem *filesystem, const struct rf_signature *signatures,
                        size_t count, bool *ret_complete)
{
    const struct rf_signature *found = rf_signature_find(signatures, count, filesystem->type);
    if (!found || !found->uuid || strcasecmp(found->uuid, filesystem->uuid) != 0)
        return false;
    *ret_complete = found->label && strcmp(found->label, "NO NAME") != 0; /* FAT's word for "no label" */
    return true;
}
