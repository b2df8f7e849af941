/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The same words again and again: who reads along hears them once more, so that it is clear that the step stands, and then once a minute. Others
 * (the event stream) get each of them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define RF_REPEAT_SECONDS 60

struct rf_said;

struct rf_repetitions { /* zeroes: nothing was said yet */
    struct rf_said *said;
    size_t count;
};

/* Is what this step says at `now` (seconds, rising) worth to be said? Remembers that it was. */
bool rf_repetition_worth(struct rf_repetitions *all, const char *step, const char *words, double now);

void rf_repetitions_clear(struct rf_repetitions *all);
