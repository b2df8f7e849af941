/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/problem.h"

#include "base/memory.h"

#include <stdarg.h>
#include <string.h>

void rf_problems_clear(rf_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        free(problems->items[i].file);
        free(problems->items[i].key);
        free(problems->items[i].text);
    }
    free(problems->items);
    *problems = (rf_problems){0};
}

static void add(rf_problems *problems, struct rf_problem problem)
{
    struct rf_problem *item = rf_array_add(&problems->items, &problems->count, sizeof(*item));
    *item = problem;
}

void rf_problem_at(rf_problems *problems, const char *file, unsigned line, unsigned column, const char *key,
                   const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = rf_format_list(format, args);
    va_end(args);
    add(problems, (struct rf_problem){rf_strdup(file), line, column, rf_strdup(key), text});
}

void rf_problem(rf_problems *problems, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = rf_format_list(format, args);
    va_end(args);
    add(problems, (struct rf_problem){.key = rf_strdup(key), .text = text});
}

static int by_position(const void *left, const void *right)
{
    const struct rf_problem *const *a = left, *const *b = right;
    if ((*a)->line != (*b)->line)
        return (*a)->line < (*b)->line ? -1 : 1;
    if ((*a)->column != (*b)->column)
        return (*a)->column < (*b)->column ? -1 : 1;
    return *a < *b ? -1 : *a > *b; /* as found: qsort(3) is not stable by itself */
}

static void append_problem(char **text, const struct rf_problem *problem)
{
    if (problem->file)
        rf_append(text, "%s:", problem->file);
    if (problem->file && problem->line)
        rf_append(text, "%u:%u:", problem->line, problem->column);
    rf_append(text, "%serror: ", problem->file ? " " : "");
    if (problem->key)
        rf_append(text, "%s: ", problem->key);
    rf_append(text, "%s\n", problem->text);
}

char *rf_problems_text(const rf_problems *problems)
{
    rf_autofree const struct rf_problem **order = rf_alloc(problems->count * sizeof(*order));
    for (size_t i = 0; i < problems->count; i++)
        order[i] = &problems->items[i];
    qsort(order, problems->count, sizeof(*order), by_position);
    char *text = rf_strdup("");
    for (size_t i = 0; i < problems->count; i++)
        append_problem(&text, order[i]);
    return text;
}
