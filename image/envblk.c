/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/envblk.h"

#include "base/memory.h"

#include <string.h>

static const char signature[] = "# GRUB Environment Block\n";

/* What GRUB's parser takes as a name (grub-core/script/yylex.l). */
static bool name_valid(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    static const char further[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    return *name && strchr(letters, *name) && strspn(name, further) == strlen(name);
}

static void append_escaped(char **text, const char *value)
{
    for (; *value; value++)
        rf_append(text, *value == '\\' || *value == '\n' ? "\\%c" : "%c", *value);
}

int rf_envblk_format(const struct rf_envblk_variable *variables, size_t count, char ret_block[RF_ENVBLK_SIZE],
                     rf_error **err)
{
    rf_autofree char *text = rf_strdup(signature);
    for (size_t i = 0; i < count; i++) {
        if (!name_valid(variables[i].name))
            return rf_fail(err, RF_FAILED, "\"%s\" is no name of a GRUB variable", variables[i].name);
        rf_append(&text, "%s=", variables[i].name);
        append_escaped(&text, variables[i].value);
        rf_append(&text, "\n");
    }
    size_t used = strlen(text);
    if (used > RF_ENVBLK_SIZE)
        return rf_fail(err, RF_FAILED, "GRUB's environment block has room for %d bytes; these are %zu", RF_ENVBLK_SIZE,
                       used);
    memset(ret_block, '#', RF_ENVBLK_SIZE);
    memcpy(ret_block, text, used);
    return 0;
}

bool rf_envblk_valid(const char *block, size_t size)
{
    return size >= sizeof(signature) - 1 && memcmp(block, signature, sizeof(signature) - 1) == 0;
}

/* The end of the line that starts at `at`: an escaped newline does not end it. */
static size_t line_end(const char *block, size_t size, size_t at)
{
    while (at < size && block[at] != '\n')
        at += block[at] == '\\' ? 2 : 1;
    return at < size ? at : size;
}

static char *unescape(const char *text, size_t size)
{
    char *value = rf_alloc(size + 1);
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\\' && i + 1 < size)
            i++;
        value[used++] = text[i];
    }
    return value;
}

char *rf_envblk_get(const char *block, size_t size, const char *name)
{
    if (!rf_envblk_valid(block, size))
        return NULL;
    const size_t length = strlen(name);
    for (size_t at = sizeof(signature) - 1, end; at < size; at = end + 1) {
        end = line_end(block, size, at);
        if (block[at] != '#' && end - at > length && memcmp(block + at, name, length) == 0 && block[at + length] == '=')
            return unescape(block + at + length + 1, end - at - length - 1);
    }
    return NULL;
}
