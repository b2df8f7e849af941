/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why a server's certificate was not accepted, and what a person does about it. */
#pragma once

#include <stdbool.h>
#include <time.h>

/* `verdict` is what OpenSSL says of the chain (X509_STORE_CTX_get_error(3)). */

/* Whether the machine's time is what speaks against it: not valid yet, or not any more. Pure. */
bool rf_distrust_is_date(long verdict);

/* One line with the host, the reason and what to do. `verdict` X509_V_OK means that the chain is good, but for another name;
 * `detail` is libcurl's own text. `now` is this machine's time. The caller frees it. Pure. */
char *rf_distrust_text(const char *host, long verdict, const char *detail, time_t now);
