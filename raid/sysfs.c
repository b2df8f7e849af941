/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small reads of /sys, /proc and /run below a prefix. */
#include "base/file.h"
#include "base/memory.h"
#include "raid/inventory.h"

#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

static char *path_below(const char *sysroot, const char *format, va_list args)
{
    rf_autofree char *tail = rf_format_list(format, args);
    return rf_format("%s%s", sysroot, tail);
}

#define PATH_BELOW(path)                                                                                               \
    va_list args;                                                                                                      \
    va_start(args, format);                                                                                            \
    rf_autofree char *path = path_below(sysroot, format, args);                                                        \
    va_end(args)

char *rf_clean_text(char *text)
{
    if (!text)
        return NULL;
    size_t length = strnlen(text, RF_MACHINE_TEXT_MAX);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        length--;
    text[length] = '\0';
    size_t blanks = strspn(text, " \t\r\n");
    memmove(text, text + blanks, length - blanks + 1);
    for (char *at = text; *at; at++)
        if (*at < ' ' || *at > '~')
            *at = '?';
    if (*text)
        return text;
    free(text);
    return NULL;
}

char *rf_sys_text(const char *sysroot, const char *format, ...)
{
    PATH_BELOW(path);
    return rf_clean_text(rf_read_line(path));
}

uint64_t rf_sys_number(const char *sysroot, uint64_t fallback, const char *format, ...)
{
    PATH_BELOW(path);
    rf_autofree char *text = rf_read_line(path);
    if (!text || !isdigit((unsigned char)*text))
        return fallback;
    char *end;
    uint64_t number = strtoull(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
    return *end ? fallback : number;
}

bool rf_sys_exists(const char *sysroot, const char *format, ...)
{
    PATH_BELOW(path);
    return access(path, F_OK) == 0;
}

char *rf_sys_link(const char *sysroot, const char *format, ...)
{
    PATH_BELOW(path);
    char target[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof(target) - 1);
    if (length <= 0)
        return NULL;
    target[length] = '\0';
    const char *slash = strrchr(target, '/');
    return rf_clean_text(rf_strdup(slash ? slash + 1 : target));
}

static int by_version(const void *left, const void *right)
{
    return strverscmp(*(char *const *)left, *(char *const *)right);
}

char **rf_sys_names(const char *sysroot, const char *format, ...)
{
    PATH_BELOW(path);
    rf_autodir DIR *dir = opendir(path);
    if (!dir)
        return NULL;
    char **names = NULL;
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            *(char **)rf_array_add(&names, &count, sizeof(*names)) = rf_strdup(entry->d_name);
    if (count)
        qsort(names, count, sizeof(*names), by_version);
    *(char **)rf_array_add(&names, &count, sizeof(*names)) = NULL;
    return names;
}

void rf_names_free(char **names)
{
    for (char **name = names; name && *name; name++)
        free(*name);
    free(names);
}
