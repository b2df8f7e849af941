/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text from outside: is it text at all, and how is it shown in a message. */
#include "profiles/text.h"

#include "base/memory.h"

#include <stdint.h>
#include <string.h>

/* Length of the UTF-8 sequence at `text` and its code point; 0 where it is none (RFC 3629, 4: no overlong forms, no
 * surrogates, nothing over U+10FFFF). */
static size_t decode(const unsigned char *text, size_t size, uint32_t *ret_point)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = text[0] < 0x80 ? 1 : (text[0] & 0xE0) == 0xC0 ? 2 : (text[0] & 0xF0) == 0xE0 ? 3 : 4;
    if (length > size || (length == 4 && (text[0] & 0xF8) != 0xF0))
        return 0;
    uint32_t point = length == 1 ? text[0] : text[0] & (0x7FU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        point = point << 6 | (text[i] & 0x3F);
    }
    if (point < lowest[length] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
        return 0;
    *ret_point = point;
    return length;
}

static bool printable(uint32_t point)
{
    if (point == '\t' || point == '\n' || point == '\r' || point == 0x85)
        return true;
    if (point < 0x20 || (point >= 0x7F && point < 0xA0))
        return false;
    return point != 0xFEFF && point != 0xFFFE && point != 0xFFFF;
}

static void report(rf_problems *problems, const char *name, unsigned line, unsigned column, size_t length,
                   uint32_t point)
{
    if (!length)
        rf_problem_at(problems, name, line, column, NULL, "not UTF-8; save the profile as UTF-8 text");
    else if (!point)
        rf_problem_at(problems, name, line, column, NULL, "a NUL byte: this is not a text file");
    else
        rf_problem_at(problems, name, line, column, NULL, "the control character U+%04X; remove it", (unsigned)point);
}

bool rf_text_check(const char *name, const char *text, size_t size, rf_problems *problems)
{
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned line = 1, column = 1;
    for (size_t at = 0; at < size;) {
        uint32_t point = 0;
        size_t length = decode(bytes + at, size - at, &point);
        if (!length || !printable(point)) {
            report(problems, name, line, column, length, point);
            return false;
        }
        at += length;
        column++;
        if (point == '\n' || (point == '\r' && !(at < size && bytes[at] == '\n'))) {
            line++;
            column = 1;
        }
    }
    return true;
}

char *rf_shown(const char *text)
{
    size_t length = strlen(text);
    size_t kept = length;
    const char *url = strstr(text, "://");
    if (url && url + 3 - text < RF_SHOWN_MAX)
        kept = (size_t)(url + 3 - text);
    else if (length > RF_SHOWN_MAX)
        for (kept = RF_SHOWN_MAX; kept && ((unsigned char)text[kept] & 0xC0) == 0x80;)
            kept--;
    char *shown = rf_format("%.*s%s", (int)kept, text, kept < length ? "…" : "");
    for (char *c = shown; *c; c++) {
        bool c1 =
            (unsigned char)c[0] == 0xC2 && (unsigned char)c[1] < 0xA0; /* U+0080 to U+009F: a terminal obeys some */
        if ((unsigned char)*c < 0x20 || *c == 0x7F || c1)
            memset(c, '?', c1 && c[1] ? 2 : 1);
    }
    return shown;
}
