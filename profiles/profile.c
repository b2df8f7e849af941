/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The profile as an object: from a file, freed, and asked where something stands. */
#include "profiles/profile.h"

#include "base/memory.h"
#include "profiles/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

/* Reads up to one byte more than allowed, so that the parser says what is too large. */
static int read_bounded(int fd, const char *name, char *text, size_t *ret_size, rf_error **err)
{
    size_t size = 0;
    while (size < RF_PROFILE_MAX + 1) {
        ssize_t got = read(fd, text + size, RF_PROFILE_MAX + 1 - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return rf_fail_errno(err, RF_BAD_PROFILE, errno, "reading %s", name);
        if (got == 0)
            break;
        size += (size_t)got;
    }
    *ret_size = size;
    return 0;
}

int rf_profile_load(const char *path, rf_profile **ret_profile, rf_problems *problems, rf_error **err)
{
    bool standard = !strcmp(path, "-");
    const char *name = standard ? "<stdin>" : path;
    rf_autofd int opened = standard ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (!standard && opened < 0)
        return rf_fail_errno(err, RF_BAD_PROFILE, errno, "opening %s", path);
    rf_autofree char *text = rf_alloc(RF_PROFILE_MAX + 1);
    size_t size = 0;
    if (read_bounded(standard ? STDIN_FILENO : opened, name, text, &size, err))
        return -1;
    *ret_profile = rf_profile_parse(name, text, size, problems);
    return 0;
}

void rf_profile_free(rf_profile *profile)
{
    if (!profile)
        return;
    rf_table_release(&rf_profile_table, profile);
    rf_node_free(profile->document);
    free(profile->file);
    rf_free_secret(profile->text); /* report.url may hold a token */
    free(profile);
}

typedef void locate_function(const rf_node *root, const char *path, unsigned *ret_line, unsigned *ret_column);

static void add_problem(const rf_profile *profile, rf_problems *problems, locate_function *locate, const char *key,
                        const char *format, va_list args)
{
    rf_autofree char *text = rf_format_list(format, args);
    unsigned line = 0, column = 0;
    locate(profile->document, key, &line, &column);
    rf_problem_at(problems, profile->file, line, column, key, "%s", text);
}

void rf_profile_problem(const rf_profile *profile, rf_problems *problems, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_problem(profile, problems, rf_node_locate, key, format, args);
    va_end(args);
}

void rf_profile_problem_key(const rf_profile *profile, rf_problems *problems, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_problem(profile, problems, rf_node_locate_key, key, format, args);
    va_end(args);
}

const struct rf_admin *rf_profile_example_admin(const rf_profile *profile)
{
    for (size_t i = 0; i < profile->node.admins_count; i++)
        for (size_t j = 0; j < profile->node.admins[i].ssh_keys_count; j++)
            if (strstr(profile->node.admins[i].ssh_keys[j], RF_EXAMPLE_KEY))
                return &profile->node.admins[i];
    return NULL;
}

unsigned rf_profile_disks(const rf_profile *profile)
{
    return profile->storage.count - profile->storage.missing + profile->storage.spares;
}
