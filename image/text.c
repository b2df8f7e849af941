/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/text.h"

#include "base/file.h"
#include "base/memory.h"
#include "image/tree.h"

#include <string.h>

enum { TEXT_MAX = 1 << 20 };

int rf_text_drop_line(const char *root, const char *path, const char *line, rf_error **err)
{
    rf_autofree char *file = rf_format("%s%s", root, path);
    rf_autofree char *text = NULL, *kept = rf_strdup("");
    if (!rf_exists(file))
        return 0;
    if (rf_read_file(file, TEXT_MAX, &text, NULL, err) < 0)
        return -1;
    for (char *rest = text, *one; (one = strsep(&rest, "\n"));)
        if ((rest || *one) && strcmp(one, line) != 0)
            rf_append(&kept, "%s\n", one);
    return rf_write_file(file, kept, strlen(kept), 0644, err);
}

/* The pair whose "@NAME@" stands at `at`, or NULL. */
static const char *const *pair_at(const char *at, const char *const *values)
{
    for (; values[0]; values += 2) {
        const size_t length = strlen(values[0]);
        if (strncmp(at + 1, values[0], length) == 0 && at[1 + length] == '@')
            return values;
    }
    return NULL;
}

char *rf_text_fill(const char *template, const char *const *values)
{
    char *text = rf_strdup("");
    while (*template) {
        const size_t plain = strcspn(template, "@");
        rf_append(&text, "%.*s", (int)plain, template);
        template += plain;
        if (!*template)
            break;
        const char *const *pair = pair_at(template, values);
        rf_append(&text, "%s", pair ? pair[1] : "@");
        template += pair ? strlen(pair[0]) + 2 : 1;
    }
    return text;
}

int rf_text_fill_file(const char *from, const char *to, const char *const *values, time_t date, rf_error **err)
{
    rf_autofree char *template = NULL;
    if (rf_read_file(from, TEXT_MAX, &template, NULL, err) < 0)
        return -1;
    rf_autofree char *text = rf_text_fill(template, values);
    return rf_tree_put("", to, text, 0644, date, err);
}
