/* SPDX-License-Identifier: GPL-3.0-or-later */
/* OpenPGP signatures of files, checked by sqv(1). */
#pragma once

#include "base/command.h"

struct rf_signature {
    const char *file, *name; /* what is signed, and what messages call it */
    const char *signature;   /* its detached signature: a file that need not be there */
    const char *keys;        /* a folder: FINGERPRINT.asc each */
    const char *fingerprint; /* of the key: 40 digits and capitals */
};

/* 1: good; 0: it can't be checked, and why in *ret_why (the caller frees it); -1: bad. Whether a file is used is its checksum's word; a
 * signature says who made it. */
int rf_signature_check(rf_runner *runner, const struct rf_signature *signature, char **ret_why, rf_error **err);
