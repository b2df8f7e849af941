/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libisofs, as much of it as a seed needs: plain ISO 9660 with Rock Ridge and Joliet names. */
#include "postinstall/iso.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#define LIBISOFS_WITHOUT_LIBBURN yes
#include <libisofs/libisofs.h>

enum { BLOCK = 2048 };

static void free_image(IsoImage **image)
{
    if (*image)
        iso_image_unref(*image);
}

static void free_options(IsoWriteOpts **options)
{
    if (*options)
        iso_write_opts_free(*options);
}

static void free_source(struct burn_source **source)
{
    if (!*source)
        return;
    if ((*source)->free_data)
        (*source)->free_data(*source);
    free(*source);
}

static int iso_fail(rf_error **err, int code, const char *what)
{
    return rf_fail(err, RF_FAILED, "%s: %s", what, iso_error_to_msg(code));
}

static int add_path(IsoImage *image, const struct rf_iso_file *file, rf_error **err)
{
    IsoNode *node = NULL;
    int code = iso_tree_add_new_node(image, iso_image_get_root(image), file->name, file->path, &node);
    if (code < 0)
        return iso_fail(err, code, file->path);
    iso_node_set_permissions(node, 0400);
    return 0;
}

static int add_file(IsoImage *image, const struct rf_iso_file *file, rf_error **err)
{
    size_t size = strlen(file->text);
    unsigned char *copy = malloc(size + 1); /* freed by the stream */
    if (!copy)
        abort();
    memcpy(copy, file->text, size + 1);
    IsoStream *stream = NULL;
    int code = iso_memory_stream_new(copy, size, &stream);
    if (code < 0) {
        free(copy);
        return iso_fail(err, code, file->name);
    }
    IsoFile *node = NULL;
    code = iso_tree_add_new_file(iso_image_get_root(image), file->name, stream, &node);
    if (code < 0) {
        iso_stream_unref(stream);
        return iso_fail(err, code, file->name);
    }
    iso_node_set_permissions((IsoNode *)node, 0400);
    return 0;
}

static int write_blocks(struct burn_source *source, int fd, const char *path, rf_error **err)
{
    unsigned char block[BLOCK];
    int got;
    while ((got = source->read_xt ? source->read_xt(source, block, BLOCK) : source->read(source, block, BLOCK)) > 0)
        if (write(fd, block, (size_t)got) != got)
            return rf_fail_errno(err, RF_FAILED, errno, "writing %s", path);
    explicit_bzero(block, sizeof(block));
    if (got < 0)
        return rf_fail(err, RF_FAILED, "making %s: libisofs stopped", path);
    return fsync(fd) < 0 ? rf_fail_errno(err, RF_FAILED, errno, "flushing %s", path) : 0;
}

static int write_image(IsoImage *image, const char *path, rf_error **err)
{
    RF_CLEANUP(free_options) IsoWriteOpts *options = NULL;
    RF_CLEANUP(free_source) struct burn_source *source = NULL;
    int code = iso_write_opts_new(&options, 0);
    if (code < 0)
        return iso_fail(err, code, path);
    iso_write_opts_set_iso_level(options, 2);
    iso_write_opts_set_rockridge(options, 1);
    iso_write_opts_set_joliet(options, 1);
    iso_write_opts_set_relaxed_vol_atts(options, 1); /* the label stays in lower case */
    code = iso_image_create_burn_source(image, options, &source);
    if (code < 0)
        return iso_fail(err, code, path);
    rf_autofd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "creating %s", path);
    return write_blocks(source, fd, path, err);
}

int rf_iso_write(const char *path, const char *label, const struct rf_iso_file *files, size_t count, rf_error **err)
{
    const char *slash = strrchr(path, '/');
    int directory = slash ? (int)(slash - path + 1) : 0;
    rf_autofree char *new = rf_format("%.*s.%s.new", directory, path, path + directory);
    RF_CLEANUP(free_image) IsoImage *image = NULL;
    int code = iso_init();
    if (code >= 0)
        code = iso_image_new(label, &image);
    if (code < 0)
        return iso_fail(err, code, "libisofs");
    iso_set_msgs_severities("NEVER", "NEVER", "");
    for (size_t i = 0; i < count; i++)
        if ((files[i].text ? add_file(image, &files[i], err) : add_path(image, &files[i], err)) < 0)
            return -1;
    if (write_image(image, new, err) < 0)
        return -1;
    if (rename(new, path) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "renaming %s to %s", new, path);
    return 0;
}
