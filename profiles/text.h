/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text from outside: is it text at all, and how is it shown in a message. */
#pragma once

#include "base/problem.h"

#include <stdbool.h>

/* Longer values are cut in messages. */
#define RF_SHOWN_MAX 60

/* UTF-8 (RFC 3629) without control characters other than tab and line ends (YAML 1.2, 5.1). False adds one problem at the first
 * place that is not. Positions count characters, as libyaml does. */
bool rf_text_check(const char *name, const char *text, size_t size, rf_problems *problems);

/* A value from the profile as a message shows it: cut to RF_SHOWN_MAX bytes (at a character's border), control characters as "?". Of a
 * URL only the scheme: one that stands in the wrong place may be a hook, whose path is its password. The caller frees it. */
char *rf_shown(const char *text);
