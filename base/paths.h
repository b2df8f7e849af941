/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The places that more than one room knows. */
#pragma once

#define RF_STATE_DIR "/var/lib/richtfest"                  /* subvolume `state`: survives a reinstalled root */
#define RF_STATE_PROFILE RF_STATE_DIR "/profile.yaml"      /* 0600 */
#define RF_STATE_GUESTS RF_STATE_DIR "/guests"             /* 0700: what is known of each guest */
#define RF_STATE_HANDOVER RF_STATE_DIR "/handover"         /* 0700: age files for the admins */
#define RF_STATE_EVENTS RF_STATE_DIR "/events.jsonl"       /* the runs' events */
#define RF_STATE_LAST_RUN RF_STATE_DIR "/last_run.json"    /* 0600: how the last run ended */
#define RF_STATE_SPOOL RF_STATE_DIR "/report.spool"        /* not yet delivered to report.url */
#define RF_STATE_SPOOL_MD RF_STATE_DIR "/report-md.spool"  /* the same, of mdadm's monitor */
#define RF_POOL_DIR "/var/lib/libvirt/images"              /* the data volume */
#define RF_BASE_IMAGES RF_POOL_DIR "/base"                 /* guests' base images, from the medium */
#define RF_FETCHED_DIR RF_POOL_DIR "/fetched"              /* 0700: what the node fetched, named by SHA-256 */
#define RF_ARTEFACTS_HAND RF_POOL_DIR "/artefacts"         /* artefacts that a person placed there */
#define RF_ARTEFACTS_FILE RF_BASE_IMAGES "/artefacts.json" /* what the images there hold and lack, from the medium */
#define RF_KEYS_DIR "/usr/share/richtfest/keys"            /* FINGERPRINT.asc: what artefacts are signed with */
#define RF_RECIPES_DIR "/usr/share/richtfest/recipes"      /* in the image; RICHTFEST_RECIPES overrides it */
#define RF_RUN_DIR "/run/richtfest"                        /* 0700: of this boot only */
#define RF_MEDIUM_DIR "/run/initramfs/live"                /* where the initrd mounts the medium */
#define RF_MEDIUM_MANIFEST RF_MEDIUM_DIR "/richtfest/manifest.json"
