/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/esp.h"

#include "base/file.h"
#include "base/memory.h"
#include "raid/mounts.h"
#include "raid/steps.h"

#include <errno.h>
#include <sys/mount.h>

int rf_esp_mount(const struct rf_layout_disk *disk, const char *target, unsigned long flags, struct rf_esp *ret,
                 rf_error **err)
{
    const char *device = disk->parts[RF_PART_ESP].device;
    ret->where = rf_format("%s/esp%u", target, disk->member);
    if (rf_make_dirs(ret->where, 0700, err) < 0 || rf_part_check("", disk, 1, device, err) < 0)
        return -1;
    if (mount(device, ret->where, "vfat", flags | MS_NODEV | MS_NOEXEC | MS_NOSUID, "umask=0077") < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "the ESP %s can't be mounted", device);
    ret->mounted = true;
    return 0;
}

int rf_esp_unmount(struct rf_esp *esp, rf_error **err)
{
    if (rf_unmount(esp->where, err) < 0)
        return rf_wrap(err, "the ESP");
    esp->mounted = false;
    return 0;
}

void rf_esp_release(struct rf_esp *esp)
{
    if (esp->mounted)
        rf_unmount(esp->where, NULL);
    free(esp->where);
    *esp = (struct rf_esp){0};
}
