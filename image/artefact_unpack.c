/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/artefact_unpack.h"

#include "base/file.h"
#include "base/memory.h"
#include "image/tree.h"

#include <string.h>

enum { SECONDS = 900 };

/* bsdtar reads every format that artefacts come in, and refuses paths that lead out of the directory. */
static int extract(struct rf_step_env *env, const struct rf_artefact *artefact, const char *file, const char *to,
                   rf_error **err)
{
    rf_autofree char *strip = rf_format("%u", artefact->strip);
    const struct rf_command command = {.argv = RF_ARGV("bsdtar", "--extract", "--no-same-owner", "--no-acls",
                                                       "--no-xattrs", "--no-fflags", "--strip-components", strip,
                                                       "--directory", to, "--file", file),
                                       .seconds = SECONDS};
    rf_autoresult struct rf_result result = {0};
    return rf_run(env->runner, &command, &result, err);
}

int rf_artefact_unpack(struct rf_step_env *env, const struct rf_artefact *artefact, const char *file, const char *root,
                       time_t date, rf_error **err)
{
    rf_autofree char *to = rf_format("%s" RF_ARTEFACTS_DIR "/%s", root, artefact->name);
    rf_autofree char *plain = rf_format("%s/%s", to, artefact->file);
    if (rf_make_dirs(to, 0755, err) < 0)
        return -1;
    const bool packed = strcmp(artefact->format, "file") != 0;
    if (packed ? extract(env, artefact, file, to, err) < 0 : rf_copy_file(file, plain, 0644, NULL, NULL, err) < 0)
        return rf_wrap(err, "artefact %s", artefact->name);
    return rf_tree_normalise(to, date, err);
}
