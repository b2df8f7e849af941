/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is left of artefacts when no guest needs them any more. */
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"
#include "postinstall/artefact.h"
#include "postinstall/artefact_file.h"

#include <errno.h>
#include <string.h>

int rf_artefact_drop_drive(const struct rf_node_guest *guest, rf_error **err)
{
    rf_autofree char *drive = rf_guest_artefacts_path(guest);
    if (rf_artefact_note_drive(guest, false, err) < 0)
        return -1;
    if (unlink(drive) < 0 && errno != ENOENT)
        return rf_fail_errno(err, RF_FAILED, errno, "removing %s", drive);
    return 0;
}

/* One whose drive is written may lose it before its first boot has come to its end. */
static bool has_come_up(const struct rf_node_guest *guest)
{
    rf_autofree char *disk = rf_guest_disk_path(guest);
    return rf_guest_settled(guest) && rf_exists(disk);
}

/* The name holds the checksum, that of a part or of a note beside it, too. */
static bool needs(const struct rf_node_guest *guest, const char *file)
{
    rf_autojson json_t *all = rf_artefacts_lacking(guest, guest->recipe->artefacts, false),
                       *more = rf_artefacts_lacking(guest, guest->recipe->more_artefacts, true);
    size_t index;
    json_t *artefact;
    json_array_extend(all, more);
    json_array_foreach(all, index, artefact)
    {
        const char *sha256 = rf_json_string(artefact, "sha256");
        if (sha256 && strstr(file, sha256))
            return true;
    }
    return false;
}

static bool needed(const rf_node_model *model, const char *file)
{
    for (size_t i = 0; i < model->guests_count; i++)
        if (!has_come_up(&model->guests[i]) && needs(&model->guests[i], file))
            return true;
    return false;
}

void rf_artefact_tidy(const rf_node_model *model)
{
    rf_autofree char *directory = rf_node_path(model, "%s", RF_FETCHED_DIR);
    rf_autodir DIR *entries = model->artefacts ? opendir(directory) : NULL;
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        if (strstr(entry->d_name, ".art") && !needed(model, entry->d_name))
            unlinkat(dirfd(entries), entry->d_name, 0);
}
