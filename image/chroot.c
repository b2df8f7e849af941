/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/chroot.h"

#include "base/file.h"
#include "base/memory.h"

#include <string.h>

const char **rf_argv_join(const char *const *first, const char *const *words)
{
    size_t count = 0, more = 0;
    while (first[count])
        count++;
    while (words && words[more])
        more++;
    const char **argv = rf_alloc((count + more + 1) * sizeof(*argv));
    memcpy(argv, first, count * sizeof(*argv));
    if (more)
        memcpy(argv + count, words, more * sizeof(*argv));
    return argv;
}

static int systemctl(rf_runner *runner, const char *root, const char *verb, char *const *units, rf_error **err)
{
    if (!units || !units[0])
        return 0;
    rf_autofree const char **argv =
        rf_argv_join(RF_CHROOT_ARGV(root, "systemctl", "--quiet", verb), (const char *const *)units);
    return rf_run_argv(runner, argv, err);
}

int rf_chroot_units(rf_runner *runner, const char *root, char *const *enable, char *const *mask, rf_error **err)
{
    if (systemctl(runner, root, "mask", mask, err) < 0)
        return -1;
    return systemctl(runner, root, "enable", enable, err);
}

int rf_chroot_packages(rf_runner *runner, const char *root, const char *path, rf_error **err)
{
    rf_autofree char *admin = rf_format("--admindir=%s/var/lib/dpkg", root);
    rf_autofree char *text = NULL;
    if (rf_run_output(runner, RF_ARGV("dpkg-query", admin, "--show", "--showformat=${Package} ${Version}\\n"), &text,
                      err) < 0)
        return -1;
    return rf_write_file(path, text, strlen(text), 0644, err);
}
