/* SPDX-License-Identifier: GPL-3.0-or-later */
/* OUTPUT.sha256, as sha256sum(1) reads it: of the ISO as it left the builder. */
#include "base/digest.h"
#include "base/file.h"
#include "base/memory.h"
#include "image/build.h"

#include <string.h>
#include <sys/stat.h>

static char *path_of(const rf_build *build)
{
    return rf_format("%s.sha256", build->output);
}

static enum rf_probe probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    const rf_build *build = arg;
    rf_autofree char *path = path_of(build);
    struct stat iso, sum;
    if (stat(build->output, &iso) < 0 || stat(path, &sum) < 0)
        return RF_PROBE_TODO;
    const bool older = sum.st_mtim.tv_sec < iso.st_mtim.tv_sec ||
                       (sum.st_mtim.tv_sec == iso.st_mtim.tv_sec && sum.st_mtim.tv_nsec < iso.st_mtim.tv_nsec);
    return older ? RF_PROBE_TODO : RF_PROBE_DONE;
}

struct reading {
    struct rf_step_env *env;
    uint64_t total;
};

static void tell(void *data, uint64_t done)
{
    const struct reading *self = data;
    rf_step_progress(self->env, done, self->total, "bytes");
}

static int apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_build *build = arg;
    struct stat status;
    struct reading reading = {env, stat(build->output, &status) == 0 ? (uint64_t)status.st_size : 0};
    char digest[RF_SHA256_HEX];
    if (rf_sha256_file(build->output, digest, tell, &reading, err) < 0)
        return -1;
    const char *slash = strrchr(build->output, '/');
    rf_autofree char *path = path_of(build);
    rf_autofree char *line = rf_format("%s  %s\n", digest, slash ? slash + 1 : build->output);
    return rf_write_file(path, line, strlen(line), 0644, err);
}

const struct rf_step_ops rf_step_checksum = {.name = "checksum", .probe = probe, .apply = apply};
