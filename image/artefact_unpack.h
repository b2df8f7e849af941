/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An artefact in its place: unpacked below RF_ARTEFACTS_DIR of a root. */
#pragma once

#include "base/step.h"
#include "image/artefact.h"

#include <time.h>

#define RF_ARTEFACTS_DIR "/usr/share/richtfest/artefacts" /* NAME/… each */

/* Unpacks `file` to ROOT RF_ARTEFACTS_DIR/NAME, as files of root with ordinary modes, dated. "file": the file itself lies there.
 * Blocks for some ten seconds. After a failure the root is to be thrown away. */
int rf_artefact_unpack(struct rf_step_env *env, const struct rf_artefact *artefact, const char *file, const char *root,
                       time_t date, rf_error **err);
