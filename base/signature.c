/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/signature.h"

#include "base/file.h"
#include "base/memory.h"

#include <string.h>

enum { SECONDS = 60 };

/* sqv prints the fingerprint of each certificate whose signature is good. */
static int run_sqv(rf_runner *runner, const struct rf_signature *self, const char *key, rf_error **err)
{
    rf_autofree char *keyring = rf_format("--keyring=%s", key);
    const struct rf_command command = {.argv = RF_ARGV("sqv", keyring, self->signature, self->file),
                                       .seconds = SECONDS};
    rf_autoresult struct rf_result result = {0};
    if (rf_run(runner, &command, &result, err) < 0)
        return rf_wrap(err, "the signature of %s is not good: not used", self->name);
    if (!strcasestr(result.out, self->fingerprint))
        return rf_fail(err, RF_FAILED, "%s is signed, but not by the key %s: not used", self->name, self->fingerprint);
    return 1;
}

int rf_signature_check(rf_runner *runner, const struct rf_signature *self, char **ret_why, rf_error **err)
{
    rf_autofree char *key = rf_format("%s/%s.asc", self->keys, self->fingerprint);
    if (!rf_exists(key))
        *ret_why = rf_format("the key is not in %s", key);
    else if (!rf_exists(self->signature))
        *ret_why = rf_strdup("the signature can't be had");
    else if (rf_run_argv(runner, RF_ARGV("sqv", "--version"), NULL) < 0)
        *ret_why = rf_strdup("sqv is missing: apt-get install sqv");
    else
        return run_sqv(runner, self, key, err);
    return 0;
}
