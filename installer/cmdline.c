/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/cmdline.h"

#include "base/file.h"
#include "base/memory.h"

#include <string.h>

/* Ends the word at *rest, with the quotes that may surround the whole word or its value taken away. */
static char *next_word(char **rest)
{
    char *word = *rest + strspn(*rest, " \t\n"), *out = word, *in = word;
    if (*word == '\0')
        return NULL;
    bool quoted = false;
    for (; *in && (quoted || !strchr(" \t\n", *in)); in++) {
        if (*in == '"')
            quoted = !quoted;
        else
            *out++ = *in;
    }
    *rest = *in ? in + 1 : in;
    *out = '\0';
    return word;
}

char *rf_cmdline_value(const char *cmdline, const char *name)
{
    rf_autofree char *copy = rf_strdup(cmdline);
    char *rest = copy, *word, *found = NULL;
    size_t length = strlen(name);
    while ((word = next_word(&rest)))
        if (strncmp(word, name, length) == 0 && word[length] == '=')
            found = word + length + 1;
    return rf_strdup(found);
}

char *rf_cmdline(const char *name)
{
    rf_autofree char *text = NULL;
    if (rf_read_file("/proc/cmdline", 1 << 16, &text, NULL, NULL) < 0)
        return NULL;
    return rf_cmdline_value(text, name);
}

char *rf_cmdline_kept_of(const char *cmdline)
{
    static const char grub[] = "BOOT_IMAGE=";
    const char *end = strstr(cmdline, " --- "), *start = cmdline;
    if (strncmp(start, grub, sizeof(grub) - 1) == 0)
        start += strcspn(start, " \n");
    start += strspn(start, " ");
    return end && end > start ? rf_format("%.*s", (int)(end - start), start) : rf_strdup("");
}

char *rf_cmdline_kept(void)
{
    rf_autofree char *text = NULL;
    if (rf_read_file("/proc/cmdline", 1 << 16, &text, NULL, NULL) < 0)
        return rf_strdup("");
    return rf_cmdline_kept_of(text);
}
