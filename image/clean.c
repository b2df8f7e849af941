/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/clean.h"

#include "base/file.h"
#include "base/memory.h"
#include "image/tree.h"

#include <errno.h>
#include <glob.h>
#include <string.h>

static int remove_matches(const char *root, const char *pattern, rf_error **err)
{
    rf_autofree char *whole = rf_format("%s/%s", root, pattern);
    glob_t found = {0};
    int outcome = 0;
    if (glob(whole, GLOB_PERIOD | GLOB_NOSORT, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc && outcome == 0; i++) {
            const char *name = strrchr(found.gl_pathv[i], '/') + 1;
            if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
                continue;
            outcome = rf_tree_inside(root, found.gl_pathv[i])
                          ? rf_remove_tree(found.gl_pathv[i], err)
                          : rf_fail(err, RF_FAILED, "%s can't be removed: a link on the way leads out of the root",
                                    found.gl_pathv[i]);
        }
    globfree(&found);
    return outcome;
}

static int remove_file(void *data, const char *path, const char *below, const struct stat *status, rf_error **err)
{
    (void)data;
    (void)below;
    if (S_ISREG(status->st_mode) && unlink(path) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be removed", path);
    return 0;
}

int rf_root_clean(const char *root, char *const *patterns, time_t date, rf_error **err)
{
    for (size_t i = 0; patterns[i]; i++)
        if (remove_matches(root, patterns[i], err) < 0)
            return -1;
    rf_autofree char *log = rf_format("%s/var/log", root), *in_log = rf_format("%s/.", log);
    if (rf_exists(log) && rf_tree_inside(root, in_log) && rf_tree_walk(log, remove_file, NULL, err) < 0)
        return -1;
    return rf_tree_put(root, "/etc/machine-id", "", 0444, date, err);
}
