/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/isofile.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define LIBISOFS_WITHOUT_LIBBURN yes
#include <libisofs/libisofs.h>

enum { BLOCK = 2048 };

static void free_image(IsoImage **image)
{
    if (*image)
        iso_image_unref(*image);
}

static void free_data_source(IsoDataSource **source)
{
    if (*source)
        iso_data_source_unref(*source);
}

static void free_options(IsoReadOpts **options)
{
    if (*options)
        iso_read_opts_free(*options);
}

static int not_an_iso(const char *iso, int code, rf_error **err)
{
    return rf_fail(err, RF_BAD_MACHINE, "%s is no ISO image that can be read: %s", iso, iso_error_to_msg(code));
}

static int import(const char *iso, IsoImage **ret_image, IsoDataSource **ret_source, rf_error **err)
{
    RF_CLEANUP(free_options) IsoReadOpts *options = NULL;
    int code = iso_init();
    if (code >= 0)
        code = iso_image_new("", ret_image);
    if (code >= 0)
        code = iso_read_opts_new(&options, 0);
    if (code < 0)
        return rf_fail(err, RF_FAILED, "libisofs: %s", iso_error_to_msg(code));
    iso_set_msgs_severities("NEVER", "NEVER", "");
    iso_read_opts_set_no_joliet(options, 1);
    iso_read_opts_set_no_md5(options, 1);
    code = iso_data_source_new_from_file(iso, ret_source);
    if (code >= 0)
        code = iso_image_import(*ret_image, *ret_source, options, NULL);
    return code < 0 ? not_an_iso(iso, code, err) : 0;
}

static void locate(IsoImage *image, struct rf_isofile *file)
{
    file->offset = file->size = 0;
    IsoNode *node = NULL;
    if (iso_image_path_to_node(image, file->path, &node) != 1 || iso_node_get_type(node) != LIBISO_FILE)
        return;
    struct iso_file_section *sections = NULL;
    int count = 0;
    if (iso_file_get_old_image_sections((IsoFile *)node, &count, &sections, 0) == 1 && count == 1) {
        file->offset = (uint64_t)sections[0].block * BLOCK;
        file->size = sections[0].size;
    }
    free(sections);
}

int rf_isofile_find(const char *iso, struct rf_isofile *files, size_t count, rf_error **err)
{
    rf_autofd int fd = open(iso, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return rf_fail_errno(err, RF_BAD_MACHINE, errno, "%s can't be opened", iso);
    RF_CLEANUP(free_data_source) IsoDataSource *source = NULL;
    RF_CLEANUP(free_image) IsoImage *image = NULL;
    if (import(iso, &image, &source, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        locate(image, &files[i]);
    return 0;
}

int rf_isofile_read(const char *iso, const struct rf_isofile *file, size_t max, char **ret_bytes, rf_error **err)
{
    if (file->size > max)
        return rf_fail(err, RF_BAD_MACHINE, "%s in %s is larger than the %zu bytes allowed", file->path, iso, max);
    rf_autofd int fd = open(iso, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return rf_fail_errno(err, RF_BAD_MACHINE, errno, "%s can't be opened", iso);
    rf_autofree char *bytes = rf_alloc(file->size + 1);
    for (size_t done = 0; done < file->size;) {
        ssize_t got = pread(fd, bytes + done, file->size - done, (off_t)(file->offset + done));
        if (got == 0 || (got < 0 && errno != EINTR))
            return rf_fail_errno(err, RF_BAD_MACHINE, got ? errno : EIO, "%s in %s can't be read", file->path, iso);
        done += got > 0 ? (size_t)got : 0;
    }
    *ret_bytes = RF_STEAL(bytes);
    return 0;
}
