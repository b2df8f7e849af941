/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/units.h"

#include "base/memory.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

static const struct {
    const char *name;
    uint64_t bytes;
} units[] = {
    {"B", 1},
    {"kB", 1000},
    {"KB", 1000},
    {"MB", 1000000},
    {"GB", 1000000000},
    {"TB", UINT64_C(1000000000000)},
    {"PB", UINT64_C(1000000000000000)},
    {"KiB", RF_KIB},
    {"MiB", RF_MIB},
    {"GiB", RF_GIB},
    {"TiB", RF_TIB},
    {"PiB", RF_TIB << 10},
};

static int bad_size(const char *text, rf_error **err)
{
    return rf_fail(err, RF_BAD_PROFILE, "\"%.40s\" is not a size; write for example \"24 GB\" or \"512 MiB\"", text);
}

/* strtod also takes "inf", "nan", hexadecimal and signs; a size has none of these. */
static bool plain_number(const char *text, size_t *ret_length)
{
    size_t digits = strspn(text, "0123456789");
    size_t length = digits;
    if (digits && text[digits] == '.') {
        size_t fraction = strspn(text + digits + 1, "0123456789");
        if (fraction == 0)
            return false;
        length += 1 + fraction;
    }
    *ret_length = length;
    return digits > 0 && length < 20;
}

int rf_parse_size(const char *text, uint64_t *ret_bytes, rf_error **err)
{
    size_t length;
    if (!plain_number(text, &length))
        return bad_size(text, err);
    const char *unit = text + length;
    unit += strspn(unit, " ");
    if (*unit == '\0')
        return rf_fail(err, RF_BAD_PROFILE, "\"%s\" has no unit; write for example \"%s GB\"", text, text);
    for (size_t i = 0; i < RF_COUNT(units); i++) {
        if (strcmp(unit, units[i].name) != 0)
            continue;
        double bytes = strtod(text, NULL) * (double)units[i].bytes;
        if (bytes >= 0x1p63)
            return rf_fail(err, RF_BAD_PROFILE, "\"%s\" is larger than any disk", text);
        *ret_bytes = (uint64_t)(bytes + 0.5);
        return 0;
    }
    return bad_size(text, err);
}

static char *scaled(uint64_t bytes, double base, const char *const *names, size_t count)
{
    double value = (double)bytes;
    size_t index = 0;
    while (value >= base * 0.9995 && index + 1 < count) {
        value /= base;
        index++;
    }
    if (index == 0)
        return rf_format("%.0f %s", value, names[0]);
    return rf_format("%.*f %s", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value, names[index]);
}

char *rf_size_text(uint64_t bytes)
{
    static const char *const names[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    return scaled(bytes, 1000, names, RF_COUNT(names));
}

char *rf_size_text_binary(uint64_t bytes)
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    return scaled(bytes, 1024, names, RF_COUNT(names));
}

char *rf_seconds_text(double seconds)
{
    if (seconds < 59.95)
        return rf_format("%.1f s", seconds);
    unsigned whole = (unsigned)(seconds + 0.5);
    return rf_format("%u min %02u s", whole / 60, whole % 60);
}

char *rf_date_text(time_t date)
{
    struct tm utc;
    char text[64] = "";
    if (gmtime_r(&date, &utc))
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &utc);
    return rf_strdup(text);
}

double rf_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
