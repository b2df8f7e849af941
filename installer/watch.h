/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A picture that is drawn again and again while the questions behind it take their time. */
#pragma once

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>

struct rf_watch {
    /* The answer (the watch owns it), or NULL and an error. Runs in a thread of its own, never twice at a time. */
    json_t *(*ask)(void *data, rf_error **err);
    /* Draws what is known: the last answer (NULL: none yet), and for how many seconds the next one has been asked for (negative: it is
     * not being asked for). False ends the watch. */
    bool (*draw)(void *data, const json_t *answer, double asking);
    void *data;
    unsigned tick_ms;  /* between two pictures while it asks */
    unsigned pause_ms; /* between an answer and the next question */
};

/* Until `draw` says false (0; the question that is open is waited for), or a question fails (-1). */
int rf_watch(const struct rf_watch *watch, rf_error **err);
