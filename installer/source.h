/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the profile comes from when nobody types: the kernel's command line, or the medium's reserved region. One row per
 * kind in installer/source.c; the first that has something wins.
 */
#pragma once

#include "installer/session.h"

struct rf_source {
    char *url;  /* to be fetched, or NULL */
    char *text; /* the profile itself, or NULL */
    size_t size;
    char *name; /* as messages call it: the URL without secrets, or "profile on the medium" */
    char *id;   /* identity of the source (image/region.h), for the boot of an ISO that is left attached */
};

/* 0 found; -1: none, or one that can't be read (RF_BAD_PROFILE, with what to do). `medium` is where the ISO is mounted. */
int rf_source_find(const char *medium, struct rf_source *ret_source, rf_error **err);

/* Fills `text` from `url` where it is not there yet. Blocks until the network is up, telling why it waits by RF_WAITING
 * events; sets the clock once (installer/clock.h) where it speaks against the server's certificate; fails only where waiting
 * can't help (RF_BAD_PROFILE: 404, too large, a certificate). */
int rf_source_fetch(struct rf_source *source, const char *medium, struct rf_session *session, rf_error **err);

/* Gives an embedded profile its identity, once its node's id is known. */
void rf_source_identify(struct rf_source *source, const char *node_id);

void rf_source_clear(struct rf_source *source);
#define rf_autosource RF_CLEANUP(rf_source_clear)
