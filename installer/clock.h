/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The machine's clock. A server that was just rented may have one that nobody ever set, and certificates are valid in time only. */
#pragma once

#include "installer/session.h"

/* Whether the clock says a time before the medium was made (the dates of its files): then it is wrong for sure. */
bool rf_clock_is_impossible(const char *medium);

/*
 * Sets the clock by the time servers of the image's chrony.conf, once: chronyd -q, up to half a minute. Says before what it does
 * and why, and afterwards what came of it. True: it was set. False: nobody answered, or with a time before the medium was made,
 * which is not believed, and the clock goes on as it was: time by NTP is not authenticated, and must not bring back certificates
 * that have expired since. Repeating it is safe.
 */
bool rf_clock_mend(struct rf_session *session, const char *medium, const char *why);
