/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/chroot.h"

#include "base/file.h"
#include "base/memory.h"
#include "image/build.h"

#include <string.h>

enum { DEBSTRAP_SECONDS = 1800 };

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

/* mmdebstrap says "I: running apt-get update..." and the like, one line at the beginning of each of its stages. */
struct stages {
    struct rf_step_env *env;
    uint64_t seen;
};

enum { STAGES = 9 };

static void count_stages(void *data, const char *text, size_t size)
{
    struct stages *self = data;
    for (const char *at = text, *end = text + size; at && at + 3 <= end; at = memchr(at, '\n', (size_t)(end - at))) {
        at += *at == '\n';
        self->seen += at + 3 <= end && memcmp(at, "I: ", 3) == 0;
    }
    rf_step_progress(self->env, self->seen < STAGES ? self->seen : STAGES, STAGES, "stages");
}

static char *joined(const struct rf_debstrap *wanted)
{
    char *text = rf_strdup("--include=");
    for (size_t i = 0; wanted->packages[i]; i++)
        rf_append(&text, "%s%s", i ? "," : "", wanted->packages[i]);
    for (size_t i = 0; wanted->more_packages && wanted->more_packages[i]; i++)
        rf_append(&text, ",%s", wanted->more_packages[i]);
    return text;
}

static void add(const char ***argv, size_t *count, const char *word)
{
    *(const char **)rf_array_add(argv, count, sizeof(**argv)) = word;
}

static int run_debstrap(struct rf_step_env *env, const struct rf_debstrap *wanted, const char *const *argv,
                        rf_error **err)
{
    rf_autofree char *date = rf_format("SOURCE_DATE_EPOCH=%lld", (long long)wanted->date);
    struct stages stages = {.env = env};
    /* INITRD=No: neither dracut's nor initramfs-tools' hook runs; the initrd is a piece of its own. */
    const char *const envs[] = {date, wanted->early ? NULL : "INITRD=No", NULL};
    const struct rf_command command = {.argv = argv,
                                       .seconds = DEBSTRAP_SECONDS,
                                       .env = envs,
                                       .on_output = count_stages,
                                       .data = &stages,
                                       .input = wanted->sources,
                                       .input_size = strlen(wanted->sources)};
    rf_autoresult struct rf_result result = {0};
    rf_error *error = NULL;
    if (rf_run(env->runner, &command, &result, &error) == 0)
        return 0;
    rf_autofree char *why = rf_error_text(error);
    if (strstr(why, "NO_PUBKEY") || strstr(why, "Missing key"))
        rf_wrap(
            &error,
            "the keyring lacks the key of suite %s: install a newer debian-archive-keyring, or name another keyring "
            "by --keyring",
            wanted->suite);
    if (err)
        *err = RF_STEAL(error);
    rf_error_free(error);
    return -1;
}

int rf_debstrap(struct rf_step_env *env, const struct rf_debstrap *wanted, rf_error **err)
{
    static const char *const fixed[] = {"mmdebstrap",
                                        "--mode=root",
                                        "--variant=minbase",
                                        "--format=directory",
                                        "--skip=check/qemu",
                                        "--aptopt=Apt::Install-Recommends \"false\"",
                                        "--aptopt=Acquire::Languages \"none\"",
                                        "--aptopt=DPkg::Use-Pty \"false\"",
                                        "--dpkgopt=force-unsafe-io"};
    rf_autofree char *dpkg = rf_format("--dpkgopt=%s", wanted->dpkg_options);
    rf_autofree char *include = joined(wanted);
    rf_autofree char *early = wanted->early ? rf_format("--essential-hook=sync-in %s /", wanted->early) : NULL;
    rf_autofree const char **argv = NULL;
    size_t count = 0;
    for (size_t i = 0; i < RF_COUNT(fixed); i++)
        add(&argv, &count, fixed[i]);
    add(&argv, &count, dpkg);
    add(&argv, &count, include);
    if (early)
        add(&argv, &count, early);
    if (wanted->keep_lists)
        add(&argv, &count, "--skip=cleanup/apt/lists");
    add(&argv, &count, wanted->suite);
    add(&argv, &count, wanted->root);
    add(&argv, &count, "-"); /* sources.list on standard input */
    add(&argv, &count, NULL);
    return run_debstrap(env, wanted, argv, err);
}
