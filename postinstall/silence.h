/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A guest that stands still in its first boot: it runs, and says nothing at all. */
#pragma once

#include "base/step.h"
#include "postinstall/node.h"

#include <sys/types.h>

/* A booting system writes to its console every few seconds, also while it waits for something (systemd counts the seconds of a job that it
 * waits for). Measured: at most 40 s between two lines on an emulated node. */
enum { RF_SILENCE_SECONDS = 180 };

/* What was heard so far; starts as {0}. */
struct rf_silence {
    off_t heard;  /* bytes in the console's log */
    double since; /* when that became so, as rf_now(); 0: not listened yet */
    bool woken;   /* reset once already */
};

/* To be called while the guest's agent does not answer, `now` as rf_now(). Where a guest that never was healthy has not written to its
 * console for RF_SILENCE_SECONDS it is reset, once, as by its reset button, which is told as progress of env's step: its disk is as after
 * a power cut, and its seeding goes on from there. A guest that was settled is never reset: it may be working without an agent.
 * 1 it was reset, 0 not; -1 and *err where libvirt refuses. Does not block. */
int rf_silence_break(struct rf_silence *silence, struct rf_step_env *env, const struct rf_node_guest *guest, double now,
                     rf_error **err);
