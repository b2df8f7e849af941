/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/error.h"

#include "base/memory.h"

#include <stdarg.h>
#include <string.h>

struct rf_error {
    enum rf_code code;
    char *text;
    rf_error *cause;
};

static void push(rf_error **err, enum rf_code code, char *text)
{
    if (!err) {
        free(text);
        return;
    }
    rf_error *link = rf_alloc(sizeof(*link));
    *link = (struct rf_error){.code = code, .text = text, .cause = *err};
    *err = link;
}

int rf_fail(rf_error **err, enum rf_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    push(err, code, rf_format_list(format, args));
    va_end(args);
    return -1;
}

int rf_fail_errno(rf_error **err, enum rf_code code, int errnum, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    rf_autofree char *text = rf_format_list(format, args);
    va_end(args);
    return rf_fail(err, code, "%s: %s", text, strerror(errnum));
}

int rf_wrap(rf_error **err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    push(err, err ? rf_error_code(*err) : RF_FAILED, rf_format_list(format, args));
    va_end(args);
    return -1;
}

enum rf_code rf_error_code(const rf_error *err)
{
    return err ? err->code : RF_OK;
}

char *rf_error_text(const rf_error *err)
{
    if (!err)
        return NULL;
    char *text = rf_strdup(err->text);
    for (const rf_error *link = err->cause; link; link = link->cause)
        rf_append(&text, ": %s", link->text);
    return text;
}

void rf_error_free(rf_error *err)
{
    while (err) {
        rf_error *cause = err->cause;
        free(err->text);
        free(err);
        err = cause;
    }
}
