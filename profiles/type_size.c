/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fields that are sizes or bands of sizes. */
#include "base/memory.h"
#include "base/units.h"
#include "profiles/text.h"
#include "profiles/type.h"

#include <string.h>

/* "4 TB" means a disk that is sold as 4 TB. Makers keep to within 0.1 % (the LBA count of IDEMA's LBA1-03); hypervisors round.
 * The nearest sizes on sale (480/500/512 GB) differ by 2.4 %. */
#define SOLD_AS_PERCENT 1

/* One size out of a text of the profile; -1 with a problem. */
static int take_size(const struct rf_place *place, const rf_node *node, const char *text, uint64_t *ret_bytes)
{
    rf_autoerror rf_error *err = NULL;
    rf_autofree char *shown = rf_shown(text); /* what a message may show; a cut one is no size either */
    if (!rf_parse_size(shown, ret_bytes, &err))
        return 0;
    rf_autofree char *wrong = rf_error_text(err);
    rf_place_problem(place, node, "%s", wrong);
    return -1;
}

static void parse_size(const struct rf_place *place, const rf_node *node)
{
    const struct rf_field *field = place->field;
    const char *text = rf_scalar(place, node);
    uint64_t bytes = 0;
    if (!text || take_size(place, node, text, &bytes))
        return;
    if (bytes < field->min || bytes > field->max) {
        rf_autofree char *limit = rf_size_text_binary(bytes < field->min ? field->min : field->max);
        rf_place_problem(place, node, "%s is too %s; write %s %s", text, bytes < field->min ? "small" : "large",
                         bytes < field->min ? "at least" : "at most", limit);
        return;
    }
    *(uint64_t *)RF_TARGET(field, place->object) = bytes;
}

static json_t *schema_size(const struct rf_table *table, const struct rf_field *field)
{
    (void)table;
    (void)field;
    return rf_schema_pattern(&rf_pattern_size);
}

static char *describe_size(const struct rf_field *field)
{
    rf_autofree char *min = rf_size_text_binary(field->min);
    rf_autofree char *max = rf_size_text_binary(field->max);
    return rf_format("size, %s to %s", min, max);
}

const struct rf_type rf_type_size = {"size", parse_size, NULL, schema_size, describe_size};

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " ");
}

/* "1 TB .. 5 TB": both ends belong to it. */
static int take_range(const struct rf_place *place, const rf_node *node, const char *dots,
                      struct rf_size_band *ret_band)
{
    size_t length = (size_t)(dots - node->text);
    while (length && node->text[length - 1] == ' ')
        length--;
    rf_autofree char *low = rf_format("%.*s", (int)length, node->text);
    struct rf_size_band band = {0};
    if (take_size(place, node, low, &band.min) || take_size(place, node, skip_blanks(dots + 2), &band.max))
        return -1;
    if (band.min > band.max) {
        rf_place_problem(place, node, "the smaller size comes first; write \"%s .. %s\"", skip_blanks(dots + 2), low);
        return -1;
    }
    *ret_band = band;
    return 0;
}

static int take_band(const struct rf_place *place, const rf_node *node, const char *text, struct rf_size_band *ret_band)
{
    uint64_t bytes = 0;
    const char *dots = strstr(text, "..");
    if (dots)
        return take_range(place, node, dots, ret_band);
    bool least = !strncmp(text, ">=", 2), most = !strncmp(text, "<=", 2);
    if (!least && !most && (*text == '>' || *text == '<')) {
        rf_place_problem(place, node, "write \"%c= %.*s\": a band includes its ends", *text, RF_SHOWN_MAX,
                         skip_blanks(text + 1));
        return -1;
    }
    if (take_size(place, node, skip_blanks(text + (least || most ? 2 : 0)), &bytes))
        return -1;
    uint64_t tolerance = bytes / 100 * SOLD_AS_PERCENT;
    ret_band->min = least ? bytes : most ? 0 : bytes - tolerance;
    ret_band->max = most ? bytes : least ? 0 : bytes + tolerance;
    return 0;
}

static void parse_band(const struct rf_place *place, const rf_node *node)
{
    struct rf_size_band band = {0};
    const char *text = rf_scalar(place, node);
    if (!text || take_band(place, node, text, &band))
        return;
    if (!band.min && !band.max) /* both open: "0 B" or ">= 0 B" */
        rf_place_problem(place, node, "no disk is that small; write for example %s", place->field->example);
    else
        *(struct rf_size_band *)RF_TARGET(place->field, place->object) = band;
}

static json_t *schema_band(const struct rf_table *table, const struct rf_field *field)
{
    (void)table;
    (void)field;
    return rf_schema_pattern(&rf_pattern_band);
}

static char *describe_band(const struct rf_field *field)
{
    (void)field;
    return rf_strdup("size band");
}

const struct rf_type rf_type_band = {"band", parse_band, NULL, schema_band, describe_band};
