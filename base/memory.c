/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/memory.h"

#include <string.h>

void *rf_alloc(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (!memory)
        abort();
    return memory;
}

void *rf_array_add(void *array_pointer, size_t *count, size_t size)
{
    char **array = array_pointer;
    size_t used = *count;
    if ((used & (used - 1)) == 0) { /* 0, 1, 2, 4, 8 …: the capacity is used up */
        char *larger = reallocarray(*array, used ? used * 2 : 1, size);
        if (!larger)
            abort();
        *array = larger;
    }
    memset(*array + used * size, 0, size);
    *count = used + 1;
    return *array + used * size;
}

char *rf_strdup(const char *text)
{
    return text ? rf_format("%s", text) : NULL;
}

char *rf_format_list(const char *format, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0)
        abort();
    return text;
}

char *rf_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = rf_format_list(format, args);
    va_end(args);
    return text;
}

void rf_append(char **text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    rf_autofree char *more = rf_format_list(format, args);
    va_end(args);
    char *longer = rf_format("%s%s", *text ? *text : "", more);
    free(*text);
    *text = longer;
}

void rf_free_secret(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}
