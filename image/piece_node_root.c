/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The node's packages, unpacked. What Richtfest adds to them comes later (piece_squashfs.c), so that it costs no new unpacking. */
#include "base/file.h"
#include "base/memory.h"
#include "image/build.h"
#include "image/text.h"

#include <errno.h>
#include <string.h>

static int inputs(const rf_build *build, rf_build_piece *piece, rf_error **err)
{
    (void)build;
    rf_key_add(&piece->cached.key, "recipe", "1"); /* raised where make() changes what comes out */
    rf_build_depends_archive(piece);
    if (rf_build_depends_data(piece, "node.packages", err) < 0)
        return -1;
    return rf_build_depends_data(piece, "node.dpkg", err);
}

/* The one kernel's release: what apt pulled in for linux-image-amd64. */
static int write_release(const char *root, const rf_build_piece *piece, rf_error **err)
{
    rf_autofree char *modules = rf_format("%s/usr/lib/modules", root);
    rf_autofree char *path = rf_piece_new_path(&piece->cached, "kernel");
    rf_autodir DIR *directory = opendir(modules);
    if (!directory)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be read", modules);
    rf_autofree char *release = NULL;
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] == '.')
            continue;
        if (release)
            return rf_fail(err, RF_FAILED, "%s holds more than one kernel: %s and %s", modules, release, entry->d_name);
        release = rf_strdup(entry->d_name);
    }
    if (!release)
        return rf_fail(err, RF_FAILED, "%s holds no kernel", modules);
    return rf_write_file(path, release, strlen(release), 0644, err);
}

static int make(struct rf_step_env *env, const rf_build *build, const rf_build_piece *piece, rf_error **err)
{
    (void)build;
    rf_autofree char *root = rf_piece_new_path(&piece->cached, "root");
    const struct rf_unpack wanted = {.name = "node"};
    if (rf_build_unpack(env, piece, &wanted, err) < 0 ||
        rf_text_drop_line(root, "/etc/dpkg/dpkg.cfg.d/99mmdebstrap", "force-unsafe-io", err) < 0)
        return -1;
    return write_release(root, piece, err);
}

const struct rf_piece_ops rf_piece_node_root = {.name = "node-root",
                                                .title = "Unpack the node's packages",
                                                .lane = RF_LANE_NODE,
                                                .inputs = inputs,
                                                .make = make};
