/* SPDX-License-Identifier: GPL-3.0-or-later */
/* QEMU's documentation, "The QCOW2 image format" (docs/interop/qcow2.txt), and the first bytes of what else is offered as a disk. */
#include "postinstall/image_header.h"

#include "base/guard.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

enum {
    HEADER = 512,       /* one sector: holds every field that is looked at */
    BACKING_OFFSET = 8, /* of the backing file's name; 0: none */
    VIRTUAL_SIZE = 24,  /* bytes of the disk */
    CRYPT_METHOD = 32,  /* 0: none */
    INCOMPATIBLE = 72,  /* feature bits, from version 3 on */
    EXTERNAL_DATA = 1 << 2,
    BOOT_SIGNATURE = 510, /* 0x55 0xaa: an MBR, a protective one before a GPT too, or a FAT's first sector */
};

static const unsigned char qcow2_magic[4] = {'Q', 'F', 'I', 0xfb};

static const struct {
    size_t at, size;
    const char *bytes, *name;
} others[] = {
    {0, 4, "QFI\xfb", "a qcow2 image; write 'format: qcow2'"},
    {0, 6,
     "\xfd"
     "7zXZ\0",
     "compressed by xz; unpack it, offer that, and give its checksum"},
    {0, 2, "\x1f\x8b", "compressed by gzip; unpack it, offer that, and give its checksum"},
    {0, 3, "BZh", "compressed by bzip2; unpack it, offer that, and give its checksum"},
    {0, 4, "\x28\xb5\x2f\xfd", "compressed by zstd; unpack it, offer that, and give its checksum"},
    {0, 4, "PK\x03\x04", "a ZIP archive; unpack it, offer the image in it, and give its checksum"},
    {0, 4, "KDMV", "a VMDK image; convert it by qemu-img and give the new file's checksum"},
    {0, 8, "vhdxfile", "a VHDX image; convert it by qemu-img and give the new file's checksum"},
    {0, 8, "conectix", "a VHD image; convert it by qemu-img and give the new file's checksum"},
    {64, 4, "\x7f\x10\xda\xbe", "a VDI image; convert it by qemu-img and give the new file's checksum"},
    {257, 5, "ustar", "a tar archive (an OVA?); unpack it, offer the image in it, and give its checksum"},
    {0, 5, "<!DOC", "a web page, not an image; give the address of the file itself"},
    {0, 5, "<html", "a web page, not an image; give the address of the file itself"},
};

/* What it is instead; NULL: nothing that is known. */
static const char *other_name(const unsigned char *header)
{
    for (size_t i = 0; i < RF_COUNT(others); i++)
        if (memcmp(header + others[i].at, others[i].bytes, others[i].size) == 0)
            return others[i].name;
    return NULL;
}

static uint64_t number(const unsigned char *header, size_t at)
{
    uint64_t value;
    memcpy(&value, header + at, sizeof(value));
    return be64toh(value);
}

static uint32_t small_number(const unsigned char *header, size_t at)
{
    uint32_t value;
    memcpy(&value, header + at, sizeof(value));
    return be32toh(value);
}

/* A disk that boots a PC ends its first sector with these two bytes, whatever partitions it has. */
static bool boots(const unsigned char *header)
{
    return header[BOOT_SIGNATURE] == 0x55 && header[BOOT_SIGNATURE + 1] == 0xaa;
}

static int check_qcow2(const unsigned char *header, uint64_t *ret_size, rf_error **err)
{
    const char *known = other_name(header), *raw = boots(header) ? "a raw one; write 'format: raw'" : NULL;
    const char *other = known ? known : raw;
    if (memcmp(header, qcow2_magic, sizeof(qcow2_magic)) != 0)
        return rf_fail(err, RF_FAILED, "it is no qcow2 image%s%s", other ? ", but " : "; write the format that it has",
                       other ? other : "");
    const uint32_t version = small_number(header, 4);
    if (version != 2 && version != 3)
        return rf_fail(err, RF_FAILED, "it is a qcow2 image of version %u; versions 2 and 3 are known", version);
    if (number(header, BACKING_OFFSET) != 0)
        return rf_fail(err, RF_FAILED,
                       "it is only the difference to another image (its backing file); offer the whole");
    if (version >= 3 && (number(header, INCOMPATIBLE) & EXTERNAL_DATA))
        return rf_fail(err, RF_FAILED, "it keeps its data in another file; offer an image that stands for itself");
    if (small_number(header, CRYPT_METHOD) != 0)
        return rf_fail(err, RF_FAILED, "it is encrypted; offer one that is not");
    *ret_size = number(header, VIRTUAL_SIZE);
    return 0;
}

/* Anything is a raw image; what is wanted is one that boots. */
static int check_raw(const unsigned char *header, uint64_t file_size, uint64_t *ret_size, rf_error **err)
{
    const char *other = other_name(header);
    if (other)
        return rf_fail(err, RF_FAILED, "it is no raw image, but %s", other);
    if (!boots(header))
        return rf_fail(err, RF_FAILED,
                       "it is no raw image of a disk that boots: its first sector has no boot signature; write the "
                       "format that it has");
    *ret_size = file_size;
    return 0;
}

int rf_image_header(const char *path, const char *format, uint64_t *ret_size, rf_error **err)
{
    unsigned char header[HEADER] = {0};
    struct stat status;
    rf_autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &status) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be read", path);
    const ssize_t got = pread(fd, header, sizeof(header), 0);
    if (got < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be read", path);
    if (got < HEADER)
        return rf_fail(err, RF_FAILED, "it has %zd bytes, which is no disk; give the address of the image itself", got);
    if (strcmp(format, "qcow2") == 0)
        return check_qcow2(header, ret_size, err);
    return check_raw(header, (uint64_t)status.st_size, ret_size, err);
}
