/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/repetition.h"

#include "base/memory.h"

#include <string.h>

struct rf_said {
    char *step, *words;
    unsigned times; /* in a row */
    double last;
};

static struct rf_said *of_step(struct rf_repetitions *all, const char *step)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->said[i].step, step) == 0)
            return &all->said[i];
    struct rf_said *said = rf_array_add(&all->said, &all->count, sizeof(*said));
    *said = (struct rf_said){.step = rf_strdup(step)};
    return said;
}

bool rf_repetition_worth(struct rf_repetitions *all, const char *step, const char *words, double now)
{
    struct rf_said *said = of_step(all, step);
    if (!said->words || strcmp(said->words, words) != 0) {
        free(said->words);
        said->words = rf_strdup(words);
        said->times = 0;
    }
    if (said->times > 1 && now - said->last < RF_REPEAT_SECONDS)
        return false;
    said->times++;
    said->last = now;
    return true;
}

void rf_repetitions_clear(struct rf_repetitions *all)
{
    for (size_t i = 0; i < all->count; i++) {
        free(all->said[i].step);
        free(all->said[i].words);
    }
    free(all->said);
    *all = (struct rf_repetitions){0};
}
