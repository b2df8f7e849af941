/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The guests' images beside each other: on the medium, and, for working on a recipe, in a directory. */
#include "base/file.h"
#include "base/memory.h"
#include "image/build.h"

#include <errno.h>
#include <string.h>

typedef int put(const char *from, const char *to, rf_error **err);

static int put_link(const char *from, const char *to, rf_error **err)
{
    if (link(from, to) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be linked to %s", from, to);
    return 0;
}

/* A copy: whoever boots it writes into it, and the cache's own must stay as it is. */
static int put_copy(const char *from, const char *to, rf_error **err)
{
    return rf_copy_file(from, to, 0644, NULL, NULL, err);
}

static int put_into(const char *directory, const char *from, put *how, rf_error **err)
{
    rf_autofree char *to = rf_format("%s/%s", directory, strrchr(from, '/') + 1);
    return how(from, to, err);
}

static int put_all(const rf_build *build, const char *directory, put *how, rf_error **err)
{
    rf_autofree char *name = rf_build_base_name(build, err);
    if (!name)
        return -1;
    rf_autofree char *base = rf_build_path(build, &rf_piece_guest_base, name);
    if (put_into(directory, base, how, err) < 0)
        return -1;
    for (size_t i = 0; i < build->recipes_count; i++) {
        const struct rf_image_recipe *recipe = &build->recipes[i];
        if (!recipe->wanted)
            continue;
        const rf_build_piece *piece = rf_build_piece_of(build, &rf_piece_guest_image, recipe);
        rf_autofree char *file = rf_piece_path(&piece->cached, recipe->file);
        if (put_into(directory, file, how, err) < 0)
            return -1;
    }
    return 0;
}

int rf_build_link_guests(const rf_build *build, const char *directory, rf_error **err)
{
    return put_all(build, directory, put_link, err);
}

static int apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    const rf_build *build = arg;
    if (rf_make_dirs(build->guests_only, 0755, err) < 0)
        return -1;
    return put_all(build, build->guests_only, put_copy, err);
}

const struct rf_step_ops rf_step_guests = {.name = "guests", .apply = apply};
