/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A disk that comes into a running node: one that takes a lost member's place (replace), stands by (add spare), makes the arrays larger
 * (grow), or comes back after having been out (re-add).
 *
 * The rule, here and nowhere else: of the installer's steps that are still to be done, those which bring such a disk in become the node's own.
 * They are a row each in join.c: what the profile consents to clear, its partitions, its places in arrays that run, its ESP, its boot loaders.
 * Nothing else of an installation ever happens on a running node: no array is made, no volume, no file system that the node lives on, no
 * root; and no disk that the node knows as bootable is partitioned or formatted. They run beside the guests, which start all the same.
 */
#pragma once

#include "base/problem.h"
#include "base/step.h"
#include "profiles/profile.h"
#include "raid/layout.h"

/* What a running node may not do although the plan would ask for it: write the table of a disk of its own whose partitions are in use. One problem
 * for each such disk. Pure. */
void rf_join_check(const rf_layout *layout, const rf_machine *machine, rf_problems *problems);

/* The disks that are to come in, by member number: [{"member", "name", "identity", "word": "replace", "text": SENTENCE}]; the sentence says what the
 * disk is good for and which command brings it in. Empty where there is none, and on any machine that is no running node. Pure. The caller owns it. */
json_t *rf_join_json(const rf_layout *layout, const rf_machine *machine);

/* Applies the rule to a plan that holds all steps of the site: the steps get phase node, lanes of their own, and stand behind all others, as do
 * those that pass on a larger array's room. `waits`: nobody is there who asked for it (storage.replace: ask), so only the boot loaders are
 * written of disks that have everything else. Changes nothing on a machine that is no running node. Pure. */
void rf_join_steps(const rf_layout *layout, const rf_machine *machine, bool waits, rf_plan *plan);

/* For `richtfest status`, which has not asked for the whole machine: {"joining": as rf_join_json, "problems": TEXT or null}, the problems being why the
 * profile's disks and this machine's do not fit together. Pure. The caller owns it. */
json_t *rf_join_look(const rf_profile *profile, const rf_machine *machine);

/* The same for people, a line each; empty where there is nothing to say. The caller frees it. Pure. */
char *rf_join_text(const json_t *look);
