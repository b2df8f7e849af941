/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The node as the profile wants it: what all steps of this room share, derived from the profile and the facts without any
 * I/O but reading the recipes. Owned by whoever made the plan; the steps' arguments point into it.
 */
#pragma once

#include "base/ident.h"
#include "postinstall/address.h"
#include "postinstall/libvirt.h"
#include "postinstall/recipe.h"
#include "profiles/profile.h"

#define RF_NETWORK_NAME "guests"
#define RF_NETWORK_BRIDGE "virbr-guests" /* at most 15 characters: IFNAMSIZ, netdevice(7) */
#define RF_PORT_PREFIX "rfg-"
#define RF_LAN_PORT_PREFIX "rfl-"   /* of a guest's second card, at a bridge of the profile */
#define RF_LAN_BRIDGE_PREFIX "rfb-" /* the name has at most 11 characters: profiles/patterns.c */
#define RF_VPN_INTERFACE "rf-vpn"
#define RF_POOL_NAME "images"

/* Steps that run beside the guests, whose lanes are their places in the list. */
enum rf_node_lane {
    RF_LANE_LAN_ADDRESSES = 89998,
    RF_LANE_BRIDGES_OLD,
    RF_LANE_BRIDGES,
    RF_LANE_PROXY = 100000,
    RF_LANE_VPN,
    RF_LANE_RETIRED
};

struct rf_node_model;

struct rf_node_guest {
    const struct rf_node_model *node;
    const struct rf_guest *asked; /* in the profile */
    rf_recipe *recipe;
    char uuid[RF_UUID_TEXT];
    char mac[18];
    char port[16];   /* its interface on the node, at the bridge: IFNAMSIZ */
    char *address;   /* postinstall/guest_address.h */
    char *fqdn;      /* host name in the zone that the guest serves or belongs to, else below the node's own name */
    char *zone;      /* the DNS zone that it serves, in lower case; or NULL */
    char *published; /* the name under which the node's proxy shows it, in lower case; or NULL */
    const struct rf_bridge *bridge; /* where its second card is; or NULL */
    char lan_mac[18], lan_port[16];
    const struct rf_node_guest *directory; /* the guest that holds its accounts; or NULL */
    unsigned cores;
    uint64_t memory, disk; /* bytes, whole MiB */
    json_t *settings;      /* with defaults */
    unsigned lane;         /* guests run side by side */
};

struct rf_node_admin {
    const struct rf_node_model *node;
    const struct rf_admin *asked;
};

struct rf_node_bridge {
    const struct rf_node_model *node;
    const struct rf_bridge *asked;
    char device[16]; /* "rfb-lan" */
};

/* A guest that the profile no longer has. */
struct rf_node_retired {
    const struct rf_node_model *node;
    char *name;
};

typedef struct rf_node_model {
    const rf_profile *profile; /* borrowed */
    char *root;                /* "" on a node; a directory in tests */
    rf_libvirt *libvirt;
    struct rf_pool_room *room; /* postinstall/pool_room.h: who writes into the pool now */
    bool kvm;
    char *kvm_reason; /* where kvm is false; or NULL */
    struct rf_subnet subnet;
    struct rf_node_guest *guests;
    size_t guests_count;
    struct rf_node_retired *retired; /* as the facts have it */
    size_t retired_count;
    struct rf_node_admin *admins;
    size_t admins_count;
    json_t *artefacts; /* what the images hold and lack (postinstall/artefact.h); NULL: nobody knows */
    struct rf_node_bridge *bridges;
    size_t bridges_count;
} rf_node_model;

/* What a model is made from beyond the profile; zeroes are a real node's values. */
struct rf_node_options {
    const char *recipes_dir; /* NULL: rf_recipes_dir() */
    const char *root;        /* NULL: "" */
    const char *uri;         /* NULL: RF_LIBVIRT_URI */
    unsigned patience;       /* seconds that libvirt may take to answer */
};

/* NULL where the profile has problems (all of them are added). Connects to nothing. `facts` may be NULL. */
rf_node_model *rf_node_model_new(const rf_profile *profile, const json_t *facts, const struct rf_node_options *options,
                                 rf_problems *problems);
void rf_node_model_free(rf_node_model *model);
RF_GUARD(rf_node_model, rf_node_model_free);
#define rf_autonodemodel RF_CLEANUP(rf_guard_rf_node_model)

/* A path of the node below the model's root. The caller frees it. */
char *rf_node_path(const rf_node_model *model, const char *format, ...) RF_PRINTF(2, 3);

/* The interface of a bridge on the node: "rfb-lan". */
void rf_bridge_device(const struct rf_bridge *bridge, char ret_device[16]);

/* The guest's address at its bridge without the prefix length, the caller frees it; NULL: it comes by DHCP, or there is no bridge. */
char *rf_guest_lan_address(const struct rf_node_guest *guest);

/* The guest of that name, or NULL. */
const struct rf_node_guest *rf_node_guest_named(const rf_node_model *model, const char *name);

/* Does any guest have a published name; does the profile have peers of a VPN? */
bool rf_node_published(const rf_node_model *model);
bool rf_node_vpn(const rf_node_model *model);

/* Places of one guest; the caller frees them. */
char *rf_guest_state_path(const struct rf_node_guest *guest, const char *file); /* below RF_STATE_GUESTS/<name>/ */
char *rf_guest_disk_path(const struct rf_node_guest *guest);
char *rf_guest_seed_path(const struct rf_node_guest *guest);
char *rf_guest_artefacts_path(const struct rf_node_guest *guest); /* the drive with what its image lacks */

/* The same places by name alone, for a guest that the profile no longer has; the caller frees them. */
char *rf_node_seed_path(const rf_node_model *model, const char *name);
char *rf_node_artefacts_path(const rf_node_model *model, const char *name);
char *rf_guest_console_path(const struct rf_node_guest *guest);

/* The image that the node fetches for it, as its settings say: URL, checksum, "qcow2" or "raw"; borrowed. NULL where its image comes with
 * the ISO. */
const char *rf_guest_fetch_url(const struct rf_node_guest *guest);
const char *rf_guest_fetch_sha256(const struct rf_node_guest *guest);
const char *rf_guest_fetch_format(const struct rf_node_guest *guest);

/* Where it lies when it is fetched, named by its checksum; NULL as above. The caller frees it. */
char *rf_guest_fetched_path(const struct rf_node_guest *guest);

/* What tells this guest's disk from one that it had before (random, made with the disk); the caller frees it. NULL: none yet. */
char *rf_guest_born(const struct rf_node_guest *guest);

/* Has this guest come up healthy once and was it handed over? Then its secrets and its seed are gone for good. */
bool rf_guest_settled(const struct rf_node_guest *guest);
