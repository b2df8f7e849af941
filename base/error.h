/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The error object. Functions that can fail take `rf_error **err` as their last argument and return 0 or -1. On success
 * *err is untouched; on failure it holds a chain, outermost context first. `err` itself may be NULL where the caller does
 * not want to know why. Library code never prints: only `installer/` turns an error into a message.
 */
#pragma once

#include "base/guard.h"

/* What a failure means to the caller of the program: the exit codes of every command. */
enum rf_code {
    RF_OK = 0,          /* done */
    RF_BAD_PROFILE = 1, /* the profile is wrong */
    RF_BAD_MACHINE = 2, /* this machine does not fit, or foreign data is in the way; nothing was written */
    RF_FAILED = 3,      /* it failed while working */
    RF_USAGE = 64,      /* the command line is wrong (sysexits.h: EX_USAGE) */
};

typedef struct rf_error rf_error;

/* Starts a chain with one message. Returns -1, so that `return rf_fail(err, …)` is the whole failure path. */
int rf_fail(rf_error **err, enum rf_code code, const char *format, ...) RF_PRINTF(3, 4);

/* The same, with ": " and strerror(errnum) behind the message. `errnum` is a positive errno value. */
int rf_fail_errno(rf_error **err, enum rf_code code, int errnum, const char *format, ...) RF_PRINTF(4, 5);

/* Puts a context in front of an existing chain ("creating /dev/md/system"); keeps its code. Returns -1. */
int rf_wrap(rf_error **err, const char *format, ...) RF_PRINTF(2, 3);

/* RF_OK for NULL. */
enum rf_code rf_error_code(const rf_error *err);

/* The whole chain as one line, "outer: inner: cause"; the caller frees it. NULL only for NULL. */
char *rf_error_text(const rf_error *err);

void rf_error_free(rf_error *err);

RF_GUARD(rf_error, rf_error_free);
#define rf_autoerror RF_CLEANUP(rf_guard_rf_error)
