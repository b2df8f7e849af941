/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The reserved regions of an ISO: ordinary files in it that are overwritten in place, so that a finished ISO is customised
 * without being made again.
 *
 *   RF_REGION_FILE   for the live system: 64 bytes of header, then JSON, then zeros
 *   RF_ENVBLK_FILE   for the ISO's GRUB: an environment block (image/envblk.h) with `richtfest_source`
 *
 * Header, all in ASCII so that a person with a hex viewer can read it: "RICHTFEST-REGION", a blank, the format ("01"), a
 * blank, the JSON's length in bytes as 8 decimal digits, a blank, 32 hexadecimal digits of SHA-256 over the JSON (the first
 * 16 bytes), a blank and a newline. Length 0 means: not customised.
 *
 *   {"format": 1, "profile_url": "https://…"}      or      {"format": 1, "profile": "…text…", "name": "musterkunde.yaml"}
 *
 * and with either, or alone, "ca": "-----BEGIN CERTIFICATE-----…", the certificates of further CAs that are trusted.
 */
#pragma once

#include "base/error.h"
#include "base/ident.h"

#include <stddef.h>

#define RF_REGION_FILE "/richtfest/custom.json"
#define RF_ENVBLK_FILE "/boot/grub/custom.env"
#define RF_REGION_SIZE (320U << 10) /* holds a profile of RF_PROFILE_MAX, JSON escapes of an ordinary text included */
#define RF_REGION_HEADER 64
#define RF_REGION_FORMAT 1
#define RF_URL_MAX 2048 /* bytes of a profile's URL */

/* GRUB's variable in RF_ENVBLK_FILE, and the file that a node's system volume holds for an ISO that is left attached:
 * RF_NODE_MARK_DIR "/" ID. The ISO's GRUB looks for that file and, where it finds it, goes on with RF_NODE_GRUB_CONFIG of the
 * same volume. Both paths count from the top of the file system, not from a subvolume. */
#define RF_SOURCE_VARIABLE "richtfest_source"
#define RF_ARGUMENTS_VARIABLE "richtfest_arguments"
#define RF_NODE_DIR "/richtfest"
#define RF_NODE_MARK_DIR RF_NODE_DIR "/source"
#define RF_NODE_GRUB_CONFIG RF_NODE_DIR "/grub.cfg"

/* What stands in the region; every member NULL: nothing does. */
struct rf_region {
    char *profile_url;
    char *profile; /* the text, NUL-terminated */
    size_t profile_size;
    char *name; /* of the profile's file, for messages */
    char *ca;   /* PEM (image/certificates.h), NUL-terminated */
};

void rf_region_clear(struct rf_region *region);
#define rf_autoregion RF_CLEANUP(rf_region_clear)

/* The region's bytes, RF_REGION_SIZE of them. RF_USAGE where the content does not fit. The caller frees them. Pure. */
int rf_region_format(const struct rf_region *region, char **ret_bytes, rf_error **err);

/* Bytes to content. RF_BAD_PROFILE: damaged (a customising that was interrupted), or of a format that this program does not
 * know; says what to do. `size` is the file's. Pure. */
int rf_region_parse(const char *bytes, size_t size, struct rf_region *ret_region, rf_error **err);

/* The same from a file of the mounted medium (MEDIUM RF_REGION_FILE). An absent file is RF_BAD_PROFILE too. */
int rf_region_read(const char *path, struct rf_region *ret_region, rf_error **err);

/* The identity of a profile's source, UUIDv5: of the URL as it is written, or of an embedded profile's node id. An ISO that
 * is left attached boots the installed node that has the same. */
void rf_source_id_url(const char *url, char ret[RF_UUID_TEXT]);
void rf_source_id_node(const char *node_id, char ret[RF_UUID_TEXT]);

/* 0 where `url` can be fetched: http or https, a host, printable ASCII without blanks, at most RF_URL_MAX. RF_USAGE else; the
 * message holds no user, password or query. */
int rf_url_check(const char *url, rf_error **err);
