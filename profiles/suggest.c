/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "Did you mean …?" */
#include "profiles/suggest.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

static int fold(char letter)
{
    return tolower((unsigned char)letter);
}

size_t rf_edit_distance(const char *left, const char *right)
{
    size_t rows = strlen(left), columns = strlen(right);
    if (rows > RF_SUGGEST_MAX || columns > RF_SUGGEST_MAX)
        return SIZE_MAX;
    size_t cost[RF_SUGGEST_MAX + 1][RF_SUGGEST_MAX + 1];
    for (size_t i = 0; i <= rows; i++)
        cost[i][0] = i;
    for (size_t j = 0; j <= columns; j++)
        cost[0][j] = j;
    for (size_t i = 1; i <= rows; i++)
        for (size_t j = 1; j <= columns; j++) {
            int a = fold(left[i - 1]), b = fold(right[j - 1]);
            cost[i][j] = least(cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + (a != b));
            if (i > 1 && j > 1 && a == fold(right[j - 2]) && b == fold(left[i - 2]))
                cost[i][j] = least(cost[i][j], cost[i - 2][j - 2] + 1, SIZE_MAX);
        }
    return cost[rows][columns];
}

static const char *nearest(const char *word, const char *const *candidates, size_t count)
{
    const char *best = NULL;
    size_t best_distance = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        if (!candidates[i])
            continue;
        size_t distance = rf_edit_distance(word, candidates[i]);
        size_t allowed = strlen(candidates[i]) / 3;
        if (distance <= (allowed ? allowed : 1) && distance < best_distance) {
            best = candidates[i];
            best_distance = distance;
        }
    }
    return best;
}

static const char *only_one_containing(const char *word, const char *const *candidates, size_t count)
{
    const char *found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!candidates[i] || !strcasestr(candidates[i], word))
            continue;
        if (found)
            return NULL;
        found = candidates[i];
    }
    return found;
}

const char *rf_suggest(const char *word, const char *const *candidates, size_t count)
{
    if (!*word || strlen(word) > RF_SUGGEST_MAX)
        return NULL;
    const char *best = nearest(word, candidates, count);
    return best || strlen(word) < 3 ? best : only_one_containing(word, candidates, count);
}
