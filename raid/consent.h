/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Consent: what the profile must say before anything that is not this node's is destroyed (storage.foreign.wipe). It names disks one by
 * one, by serial number or WWN, and by the bus path where a disk has neither; exactly, never by a pattern. It counts for a disk
 * that is named, exists once, and is chosen; for no other.
 *
 * struct rf_consent is made here and nowhere else, and is what the step that destroys takes (raid/step_clear.c).
 */
#pragma once

#include "base/step.h"
#include "raid/layout.h"

struct rf_consent;

/* Does the profile name this disk? Pure. */
bool rf_consent_given(const rf_profile *profile, const struct rf_disk *disk);

/*
 * Checks the whole list against the machine: who is named but does not exist, exists twice, or is not chosen; and what runs on a
 * consented disk and can't be shut down (see rf_consent_covers). Each is a problem (storage.foreign). On a node that was finished once
 * names without a disk are no problem any more: the consent was used, and the disk may be gone since.
 *
 * Gives each disk of the layout that holds foreign data and is named its `consent`, which the layout owns. `layout` may be NULL
 * (something else is wrong): then only the names are checked. Pure.
 */
void rf_consent_check(const rf_profile *profile, const rf_machine *machine, const struct rf_match *match,
                      rf_layout *layout, rf_problems *problems);

/* The line of the profile that consents to all chosen disks with foreign data, those included that it names already: "foreign:
 * {wipe: [SERIAL, …]}". NULL where there is none, or one that has no name. The caller frees it. Pure. */
char *rf_consent_line(const rf_profile *profile, const struct rf_match *match);

/* The disk that it is about; its findings (rf_foreign_findings, without holders) when it was given; and the whole list for people: what is
 * shut down and what is wiped, lines after the first indented. All borrowed. */
const struct rf_layout_disk *rf_consent_disk(const struct rf_consent *consent);
const char *rf_consent_findings(const struct rf_consent *consent);
const char *rf_consent_list(const struct rf_consent *consent);

/* Is that disk, by its identity, one that the same profile consented to? What runs over a consented disk and over another one that is
 * not is stopped only where that writes nothing to the other (rf_holder_is_silent). */
bool rf_consent_covers(const struct rf_consent *consent, const struct rf_disk *disk);

void rf_consent_free(struct rf_consent *consent);

/* What a disk holds that is not this node's, without who uses it: the same as long as nobody writes to it. The caller frees it; NULL: nothing. */
char *rf_consent_fingerprint(const char *node_id, const struct rf_disk *disk);

/* Adds a step clear/<member> for each disk with a consent, one after the other: an array that spans two of them is stopped once. */
void rf_clear_steps(const rf_layout *layout, rf_plan *plan);
