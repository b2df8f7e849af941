/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From empty file systems to a system that boots: unpack the root, make it this node's, keep its state, bring the guests'
 * images, and last, disk by disk, make it bootable. The steps' argument is a struct rf_deploy (or rf_deploy_disk).
 */
#pragma once

#include "base/step.h"
#include "installer/site.h"
#include "installer/system_files.h"
#include "postinstall/node.h"
#include "profiles/profile.h"
#include "raid/layout.h"

#define RF_ROOT_FIRST "roots/1"
#define RF_ROOT_NAME 32 /* bytes of "roots/12.new" */

struct rf_deploy_disk {
    const struct rf_deploy *deploy;
    const struct rf_layout_disk *disk;
};

/* A root that is deployed beside the one that runs. */
struct rf_deploy_beside {
    unsigned number, running; /* the new one's, and the one that it is tried against */
    char name[RF_ROOT_NAME];  /* "roots/2", which it gets when it is complete */
};

typedef struct rf_deploy {
    const rf_profile *profile; /* borrowed */
    const rf_machine *machine;
    const rf_layout *layout;
    char *medium, *target;         /* where the ISO is mounted, and where we mount what we write */
    struct rf_medium_check *check; /* borrowed; or NULL */
    char *source_id;               /* or NULL */
    char *kernel_arguments;        /* or NULL */
    char *ca;                      /* PEM, or NULL */
    char *
        root; /* RF_ROOT_NAME bytes: where the root is written, and, installed once, which one is booted (rf_deploy_open) */
    struct rf_deploy_beside *beside; /* or NULL: an installation */
    char **images; /* that the profile's guests are made from: "crm.qcow2", each once, NULL-terminated */
    struct rf_system_ids ids;
    struct rf_deploy_disk *disks;
} rf_deploy;

/* Borrows profile, machine and layout, which outlive it; copies the options. Pure. */
rf_deploy *rf_deploy_new(const rf_profile *profile, const rf_machine *machine, const rf_layout *layout,
                         const struct rf_site_options *options);
void rf_deploy_free(rf_deploy *deploy);
RF_GUARD(rf_deploy, rf_deploy_free);
#define rf_autodeploy RF_CLEANUP(rf_guard_rf_deploy)

/* Says which images the node's guests need: those are checked before the first write and must be copied; others are brought along for
 * guests that are added later. */
void rf_deploy_need_images(rf_deploy *deploy, const rf_node_model *node);

/* Adds the medium's check in front (it must come before the disks' steps), and the rest behind them. */
void rf_deploy_check_steps(const rf_deploy *deploy, rf_plan *plan);
void rf_deploy_steps(const rf_deploy *deploy, rf_plan *plan);

/* Makes it the deployment of root `number` beside the one that runs: written under another name, with everything in it as that root needs
 * it. The target is then the caller's to mount (rf_roots_enter). */
void rf_deploy_make_beside(rf_deploy *deploy, unsigned number, unsigned running);

/* Its steps, for the node: everything, or, `written`, only the switch. What is booted changes in the last one, at once; a kill before it leaves
 * what was. */
void rf_deploy_beside_steps(const rf_deploy *deploy, bool written, rf_plan *plan);

/* Paths below the mounted target; the caller frees them. */
char *rf_deploy_top(const rf_deploy *deploy, const char *path);    /* in the system volume's top level */
char *rf_deploy_root(const rf_deploy *deploy, const char *path);   /* in the new root */
char *rf_deploy_state(const rf_deploy *deploy, const char *path);  /* in the subvolume `state` */
char *rf_deploy_images(const rf_deploy *deploy, const char *path); /* on the images' volume */

/* Mounts the target where that is not done yet; every step that writes below it calls this first. Where it says already which root is booted,
 * the installation was complete, and deploy->root is that one from then on: a repair must not make another. */
int rf_deploy_open(struct rf_step_env *env, const rf_deploy *deploy, rf_error **err);

extern const struct rf_step_ops rf_step_medium;      /* checksums of all that is needed from the medium */
extern const struct rf_step_ops rf_step_root;        /* the root, unpacked */
extern const struct rf_step_ops rf_step_configure;   /* the files that make it this node */
extern const struct rf_step_ops rf_step_state;       /* profile, machine record, host keys, machine-id */
extern const struct rf_step_ops rf_step_payload;     /* guests' base images */
extern const struct rf_step_ops rf_step_entry;       /* which root is booted, for all loaders */
extern const struct rf_step_ops rf_step_clear_roots; /* what was left of roots, and the room for one */
extern const struct rf_step_ops rf_step_carry;       /* what the running root has become, into the new one */
extern const struct rf_step_ops rf_step_switch;      /* the new root's name, and the next boot */
extern const struct rf_step_ops rf_step_flush;       /* unmounted and on the disks */
extern const struct rf_step_ops rf_step_bootable;    /* arg: rf_deploy_disk; the commit point */
extern const struct rf_step_ops rf_step_mark;        /* what the GRUB of an ISO that is left attached looks for */
