/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The profile: what should be. Parsed from YAML by one schema table (profiles/schema.c), which also makes the messages, the
 * JSON Schema and the reference page. Widening the profile is a member here and a row there.
 */
#pragma once

#include "base/json.h"
#include "base/problem.h"

#include <stdbool.h>
#include <stdint.h>

#define RF_PROFILE_MAX (256U << 10) /* bytes: a larger profile is rejected */
#define RF_GUESTS_MAX 200
#define RF_PROFILE_FORMAT 1 /* the number behind `richtfest:` */

/* The key in the shipped profiles. It spells what to do with it, and its curve point was chosen by that spelling: nobody has
 * the private half. */
#define RF_EXAMPLE_KEY "AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLE/REPLACE/THIS/BY/YOUR/OWN/PUBLIC/KEY"

enum rf_tristate { RF_ANY = 0, RF_NO, RF_YES };

enum rf_level { RF_LEVEL_SINGLE, RF_LEVEL_RAID1, RF_LEVEL_RAID5, RF_LEVEL_RAID6, RF_LEVEL_RAID10 };

/* Where RAID10 puts the second copy of a block (md(4), "RAID10"). */
enum rf_copies { RF_COPIES_NEAR, RF_COPIES_FAR };

/* Whether a disk that comes into the running node waits for a person. */
enum rf_replace { RF_REPLACE_ASK, RF_REPLACE_AUTO };

struct rf_admin {
    char *name;
    char **ssh_keys;
    size_t ssh_keys_count;
};

struct rf_size_band { /* inclusive bounds in bytes; 0: open */
    uint64_t min, max;
};

struct rf_disk_match {
    struct rf_size_band size;
    enum rf_tristate rotational;
    char *model, *serial, *wwn; /* exact, or with a trailing "*"; NULL: any */
    char *transport;            /* "sata", "nvme", "virtio", "sas", "usb", …; NULL: any */
};

struct rf_guest {
    char *name;
    char *recipe;
    unsigned cores;   /* 0: the recipe's default */
    uint64_t memory;  /* bytes; 0: the recipe's default */
    uint64_t disk;    /* bytes; 0: the recipe's default */
    json_t *settings; /* object; checked against the recipe's own schema by postinstall/recipe.h */
    char *directory;  /* name of a guest that holds the directory, or NULL */
    char *address;    /* in network.guests.subnet; NULL: the node gives it one, for good */
    char **reach;     /* names of guests whose ports this one may use */
    size_t reach_count;
    char *bridge;  /* name of one of network.bridges, or NULL: it is in the node's own network only */
    unsigned vlan; /* the tagged network of that bridge, 2 to 4094; 0: what is untagged there */
    struct {
        char *address; /* "dhcp", or "192.168.20.5/24" */
        char *gateway; /* or NULL */
        char **open;   /* "tcp/443", "udp/5060-5070", "all": what others there may begin */
        size_t open_count;
    } lan;           /* at the bridge */
    unsigned weight; /* 100 is everybody's, when processors and disks are asked for more than they have */
    struct {
        unsigned iops;      /* requests a second; 0: no limit */
        uint64_t bandwidth; /* bytes a second; 0: no limit */
    } io;
    unsigned line, column;
};

struct rf_bridge {
    char *name;
    bool uplink; /* over the card that leads out; else over the card `mac` */
    char *mac;   /* or NULL */
};

enum rf_tls { RF_TLS_ACME, RF_TLS_OWN };

struct rf_peer {
    char *name;
    char *public_key; /* base64; NULL: the node makes the peer's keys */
};

typedef struct rf_profile {
    char *file;               /* where it came from, as messages name it */
    char *text;               /* as it was given, byte for byte: what the node keeps */
    struct rf_node *document; /* the text as a tree, for rf_profile_problem */
    unsigned format;          /* RF_PROFILE_FORMAT */
    struct {
        char *id;
        char *hostname;
        char *timezone;
        struct rf_admin *admins;
        size_t admins_count;
        struct {
            uint64_t memory; /* bytes; 0: computed (postinstall/capacity.h) */
            unsigned cores;
        } reserve;
        unsigned overcommit; /* virtual processors of all guests for each of the machine's */
    } node;
    struct {
        unsigned cores;
        uint64_t memory, storage; /* bytes; 0: not asked */
        bool kvm;
    } requires;
    struct {
        struct {
            enum rf_tristate match_carrier;
            char *match_mac;
            char *address; /* "dhcp" */
        } uplink;
        struct {
            char *subnet; /* "10.20.0.0/24" */
        } guests;
        struct rf_bridge *bridges;
        size_t bridges_count;
    } network;
    struct {
        struct rf_disk_match match;
        unsigned count;  /* members */
        unsigned spares; /* disks beside them */
        enum rf_level level;
        enum rf_copies layout; /* of raid10 */
        unsigned missing;      /* members that are left out on purpose, for now */
        enum rf_replace replace;
        struct {
            char **wipe; /* serial numbers, WWNs or bus paths of the disks whose foreign data may be destroyed */
            size_t wipe_count;
        } foreign; /* empty: all of it is refused */
    } storage;
    struct rf_guest *guests;
    size_t guests_count;
    struct {
        enum rf_tls tls;
        char *email; /* or NULL */
        struct {
            char *subnet;
            unsigned port;
            char *endpoint; /* NULL: node.hostname */
            struct rf_peer *peers;
            size_t peers_count; /* 0: no VPN */
        } vpn;
    } access;
    struct {
        char *url; /* or NULL */
    } report;
} rf_profile;

/* Parses and validates, defaults filled in. `name` is what messages call the text (a path or a URL without secrets). Every problem is added to
 * `problems`; NULL where there is at least one (errors only: there are no warnings). Unknown keys are errors with a suggestion.
 * Pure: no file is opened. */
rf_profile *rf_profile_parse(const char *name, const char *text, size_t size, rf_problems *problems);

/* The same from a file ("-" is standard input). -1 and *err only where it can't be read; *ret_profile is NULL where it has
 * problems. */
int rf_profile_load(const char *path, rf_profile **ret_profile, rf_problems *problems, rf_error **err);

void rf_profile_free(rf_profile *profile);
RF_GUARD(rf_profile, rf_profile_free);
#define rf_autoprofile RF_CLEANUP(rf_guard_rf_profile)

/* Adds a problem at the place where `key` ("requires.memory", "guests[1].settings.realm") stands in the profile's text, or
 * of what is around it where the profile does not have it. For everyone who checks a profile against something else (the
 * machine, a recipe). Keys of settings are letters, digits, "_" and "-", so a path names them all. */
void rf_profile_problem(const rf_profile *profile, rf_problems *problems, const char *key, const char *format, ...)
    RF_PRINTF(4, 5);

/* The same at the key itself, for one that should not be there: the problem is not what it says. */
void rf_profile_problem_key(const rf_profile *profile, rf_problems *problems, const char *key, const char *format, ...)
    RF_PRINTF(4, 5);

/* The first admin who still has RF_EXAMPLE_KEY, or NULL: a server installed with it would let nobody in. */
const struct rf_admin *rf_profile_example_admin(const rf_profile *profile);

/* The JSON Schema (2020-12) for editors, and the reference page (Markdown), both made from the table. */
json_t *rf_profile_json_schema(void);
char *rf_profile_reference(void);

/* How many disks the profile means: members that are not missing, and spares. */
unsigned rf_profile_disks(const rf_profile *profile);
