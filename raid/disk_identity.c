/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a disk is, from sysfs and udev's database, without opening it. The hardware's own attributes come first; udev's
 * database fills in what only a command to the disk can tell (USB bridges).
 */
#include "base/file.h"
#include "base/memory.h"
#include "base/units.h"
#include "raid/inventory.h"

#include <string.h>
#include <strings.h>

enum { SECTOR = 512 }; /* /sys/block/NAME/size counts these, whatever the disk's own sectors are */

/* Block devices that are no disks of the machine. */
static const char *const virtual_prefixes[] = {"ram", "zram",     "sr", "fd",     "md",  "dm-",
                                               "nbd", "mtdblock", "zd", "bcache", "drbd"};

bool rf_disk_is_whole(const char *name)
{
    if (strncmp(name, "loop", 4) == 0) {
        const char *wanted = getenv("RICHTFEST_LOOP");
        return wanted && strcmp(wanted, "1") == 0;
    }
    for (size_t i = 0; i < RF_COUNT(virtual_prefixes); i++)
        if (strncmp(name, virtual_prefixes[i], strlen(virtual_prefixes[i])) == 0)
            return false;
    return true;
}

/* SPC-6, 7.7.18 (Unit Serial Number page): two bytes of length at 2, the serial from 4. */
static char *scsi_serial(const char *sysroot, const char *name)
{
    rf_autofree char *path = rf_format("%s/sys/block/%s/device/vpd_pg80", sysroot, name);
    rf_autofree char *page = NULL;
    size_t size = 0;
    if (rf_read_file(path, 4096, &page, &size, NULL) < 0 || size < 5)
        return NULL;
    size_t length = (size_t)(unsigned char)page[2] << 8 | (unsigned char)page[3];
    if (length > size - 4)
        length = size - 4;
    return rf_clean_text(rf_format("%.*s", (int)length, page + 4));
}

/* udev's database, one "E:KEY=value" a line, for the device number of `name`. NULL where there is none. */
static char *udev_record(const char *sysroot, const char *name)
{
    rf_autofree char *device = rf_sys_text(sysroot, "/sys/block/%s/dev", name);
    rf_autofree char *path = rf_format("%s/run/udev/data/b%s", sysroot, device ? device : "");
    char *text = NULL;
    return rf_read_file(path, 64 * RF_KIB, &text, NULL, NULL) == 0 ? text : NULL;
}

static char *udev_value(const char *record, const char *key)
{
    rf_autofree char *wanted = rf_format("E:%s=", key);
    for (const char *line = record; line && *line; line = strchr(line, '\n'), line += line != NULL)
        if (strncmp(line, wanted, strlen(wanted)) == 0) {
            const char *value = line + strlen(wanted);
            return rf_clean_text(rf_format("%.*s", (int)strcspn(value, "\n"), value));
        }
    return NULL;
}

static char *serial_of(const char *sysroot, const char *name, const char *record)
{
    char *serial = rf_sys_text(sysroot, "/sys/block/%s/serial", name); /* virtio */
    if (!serial)
        serial = rf_sys_text(sysroot, "/sys/block/%s/device/serial", name); /* NVMe, MMC */
    if (!serial)
        serial = scsi_serial(sysroot, name);
    if (!serial)
        serial = udev_value(record, "ID_SERIAL_SHORT");
    if (!serial) { /* tests: the file behind a loop device */
        rf_autofree char *file = rf_sys_text(sysroot, "/sys/block/%s/loop/backing_file", name);
        serial = file ? rf_clean_text(rf_strdup(strrchr(file, '/') ? strrchr(file, '/') + 1 : file)) : NULL;
    }
    return serial;
}

/* As `lsblk -o WWN` and labels on disks write it. "t10." names are made of vendor, model and serial: no WWN. */
static char *wwn_of(const char *sysroot, const char *name, const char *record)
{
    rf_autofree char *wwid = rf_sys_text(sysroot, "/sys/block/%s/wwid", name); /* NVMe */
    if (!wwid)
        wwid = rf_sys_text(sysroot, "/sys/block/%s/device/wwid", name); /* SCSI */
    if (wwid && strncasecmp(wwid, "naa.", 4) == 0)
        return rf_format("0x%s", wwid + 4);
    if (wwid && (strncmp(wwid, "eui.", 4) == 0 || strncmp(wwid, "uuid.", 5) == 0))
        return RF_STEAL(wwid);
    return udev_value(record, "ID_WWN");
}

static char *model_of(const char *sysroot, const char *name, const char *record)
{
    char *model = rf_sys_text(sysroot, "/sys/block/%s/device/model", name);
    return model ? model : udev_value(record, "ID_MODEL");
}

/* The first row whose text stands in the device's path in /sys: USB bridges hang SCSI disks below an usb path, and libata
 * hangs SATA disks below hosts of its own. */
static const struct {
    const char *part, *transport;
} transports[] = {
    {"/usb", "usb"},     {"/ata", "sata"},  {"/end_device-", "sas"}, {"/session", "iscsi"},
    {"/rport-", "fc"},   {"/nvme", "nvme"}, {"/mmc", "mmc"},         {"/xen", "xen"},
    {"/target", "scsi"}, {"/vbd-", "xen"},  {"/virtio", "virtio"},   {"/virtual/block/loop", "loop"},
};

static char *transport_of(const char *sysroot, const char *name)
{
    rf_autofree char *path = rf_format("%s/sys/block/%s", sysroot, name);
    rf_autofree char *real = realpath(path, NULL);
    for (size_t i = 0; real && i < RF_COUNT(transports); i++)
        if (strstr(real + strlen(sysroot), transports[i].part))
            return rf_strdup(transports[i].transport);
    return NULL;
}

static int rotational_of(const char *sysroot, const char *name)
{
    switch (rf_sys_number(sysroot, 2, "/sys/block/%s/queue/rotational", name)) {
    case 0:
        return RF_ROTATIONAL_NO;
    case 1:
        return RF_ROTATIONAL_YES;
    default:
        return RF_ROTATIONAL_UNKNOWN;
    }
}

void rf_disk_identify(const char *sysroot, const char *name, struct rf_disk *ret_disk)
{
    rf_autofree char *record = udev_record(sysroot, name);
    ret_disk->name = rf_strdup(name);
    ret_disk->path = rf_format("/dev/%s", name);
    for (char *at = ret_disk->path; (at = strchr(at, '!'));)
        *at = '/'; /* sysfs writes "cciss!c0d0" for /dev/cciss/c0d0 */
    ret_disk->by_path = udev_value(record, "ID_PATH");
    ret_disk->serial = serial_of(sysroot, name, record);
    ret_disk->wwn = wwn_of(sysroot, name, record);
    ret_disk->model = model_of(sysroot, name, record);
    ret_disk->transport = transport_of(sysroot, name);
    ret_disk->size = rf_sys_number(sysroot, 0, "/sys/block/%s/size", name) * SECTOR;
    ret_disk->logical_sector = (unsigned)rf_sys_number(sysroot, SECTOR, "/sys/block/%s/queue/logical_block_size", name);
    ret_disk->physical_sector =
        (unsigned)rf_sys_number(sysroot, SECTOR, "/sys/block/%s/queue/physical_block_size", name);
    ret_disk->rotational = rotational_of(sysroot, name);
    ret_disk->read_only = rf_sys_number(sysroot, 0, "/sys/block/%s/ro", name) == 1;
    ret_disk->removable = rf_sys_number(sysroot, 0, "/sys/block/%s/removable", name) == 1;
}
