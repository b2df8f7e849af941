/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which root is booted. One file in the top level of the system volume says it to every loader of every disk (RF_NODE_GRUB_CONFIG), so
 * that one rename switches all of them at once. It is GRUB's configuration, and its second line holds the choice as JSON for
 * whoever changes it: what is booted and what is believed to be booted can't differ.
 *
 * A root that was switched to is on trial: GRUB counts its boots on the ESPs (installer/trial.h), which it can write, as it can't btrfs or
 * md. Where no boot is left, none could be counted, or its kernel can't be loaded, GRUB boots the root before. Only a choice with
 * a trial reads the ESPs at all.
 */
#pragma once

#include "base/error.h"
#include "base/ident.h"

#include <stdbool.h>

#define RF_ROOTS_DIR "roots"                    /* in the system volume's top level */
#define RF_TRIAL_ENV "/EFI/richtfest/trial.env" /* on each ESP: GRUB's environment block */
#define RF_TRIAL_TRIES 3                        /* boots that a root on trial has */
#define RF_TRIAL_WORD "richtfest.trial"         /* =N on the kernel's command line: this boot of root N is on trial */
#define RF_FALLBACK_WORD "richtfest.fallback"   /* =N: root N was on trial and is given up */
#define RF_ROOT_NUMBER_MAX 99999U

struct rf_boot_choice {
    unsigned root;            /* that is booted: the N of roots/N */
    unsigned before;          /* the last other one that was good; 0: there was none */
    char trial[RF_UUID_TEXT]; /* which trial `root` is on, against `before`; "": it is good */
};

/* GRUB's configuration for it. The caller frees it. Pure. */
char *rf_boot_choice_text(const char *node_id, const char *system_uuid, const struct rf_boot_choice *choice);

/* The choice that such a text was made from. RF_FAILED where it is none, or one that this program does not understand. Pure. */
int rf_boot_choice_parse(const char *text, struct rf_boot_choice *ret, rf_error **err);

/* Puts `root` on a trial of its own against `before`, where they differ; the same root is simply good. Random. */
void rf_boot_choice_try(struct rf_boot_choice *choice, unsigned root, unsigned before);

/* The N of a kernel's command line with rootflags=subvol=roots/N; 0 where it has none. Pure. */
unsigned rf_boot_running(const char *cmdline);

/* The words of `cmdline` behind the ones that every node has (rf_node_cmdline), those of a trial left out: what was asked for at the installation.
 * The caller frees it. Pure. */
char *rf_boot_arguments(const char *cmdline);
