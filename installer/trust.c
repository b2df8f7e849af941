/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/trust.h"

#include "base/file.h"
#include "base/memory.h"
#include "image/certificates.h"
#include "image/region.h"

#include <errno.h>
#include <string.h>

#define BUNDLE "/etc/ssl/certs/ca-certificates.crt"
#define DIRECTORY "/usr/local/share/ca-certificates"

enum { BUNDLE_MAX = 4 << 20 }; /* Debian's has 220 kB */

/* Readers of PEM skip what stands between the blocks. */
static const char mark[] = "# Richtfest: certificates from the installation medium\n";

int rf_trust_read(const char *medium, char **ret_pem, rf_error **err)
{
    rf_autofree char *path = rf_format("%s" RF_REGION_FILE, medium);
    rf_autoregion struct rf_region region = {0};
    if (!rf_exists(path))
        return 0;
    if (rf_region_read(path, &region, err) < 0)
        return -1;
    *ret_pem = RF_STEAL(region.ca);
    return 0;
}

char *rf_trust_bundle(const char *bundle, const char *pem)
{
    const char *ours = strstr(bundle, mark);
    const size_t length = ours ? (size_t)(ours - bundle) : strlen(bundle);
    return rf_format("%.*s%s%s", (int)length, bundle, pem ? mark : "", pem ? pem : "");
}

static char *file_of(const char *root, size_t number)
{
    return rf_format("%s" DIRECTORY "/richtfest-%zu.crt", root, number);
}

static bool has_text(const char *path, const char *text)
{
    rf_autofree char *found = NULL;
    return rf_read_file(path, BUNDLE_MAX, &found, NULL, NULL) == 0 && strcmp(found, text) == 0;
}

/* The system's bundle, and what is to stand in it. One that is there and can't be read is never replaced: with it the system
 * would lose all of its own CAs. */
static int read_bundle(const char *path, const char *pem, char **ret_wanted, bool *ret_right, rf_error **err)
{
    rf_autofree char *found = NULL;
    if (rf_exists(path) && rf_read_file(path, BUNDLE_MAX, &found, NULL, err) < 0)
        return -1;
    *ret_wanted = rf_trust_bundle(found ? found : "", pem);
    *ret_right = strcmp(found ? found : "", *ret_wanted) == 0;
    return 0;
}

static int parse(const char *pem, rf_certificates *ret, rf_error **err)
{
    return pem ? rf_certificates_read(pem, strlen(pem), ret, err) : 0;
}

static bool files_are_there(const char *root, const rf_certificates *certificates)
{
    for (size_t i = 0; i < certificates->count; i++) {
        rf_autofree char *path = file_of(root, i + 1);
        if (!has_text(path, certificates->list[i].pem))
            return false;
    }
    rf_autofree char *surplus = file_of(root, certificates->count + 1);
    return !rf_exists(surplus);
}

bool rf_trust_is_installed(const char *root, const char *pem)
{
    rf_autocertificates rf_certificates certificates = {0};
    rf_autofree char *path = rf_format("%s" BUNDLE, root), *wanted = NULL;
    bool right = false;
    if (parse(pem, &certificates, NULL) < 0 || !files_are_there(root, &certificates))
        return false;
    return read_bundle(path, pem, &wanted, &right, NULL) == 0 && right;
}

char *rf_trust_installed(const char *root)
{
    char *pem = NULL;
    for (size_t number = 1;; number++) {
        rf_autofree char *path = file_of(root, number), *text = NULL;
        if (rf_read_file(path, BUNDLE_MAX, &text, NULL, NULL) < 0)
            return pem;
        rf_append(&pem, "%s", text);
    }
}

/* Those of an earlier run that had more. */
static int remove_surplus(const char *root, size_t count, rf_error **err)
{
    for (size_t number = count + 1;; number++) {
        rf_autofree char *path = file_of(root, number);
        if (unlink(path) == 0)
            continue;
        return errno == ENOENT ? 0 : rf_fail_errno(err, RF_FAILED, errno, "%s can't be removed", path);
    }
}

static int write_files(const char *root, const rf_certificates *certificates, rf_error **err)
{
    rf_autofree char *directory = rf_format("%s" DIRECTORY, root);
    if (certificates->count && rf_make_dirs(directory, 0755, err) < 0)
        return -1;
    for (size_t i = 0; i < certificates->count; i++) {
        rf_autofree char *path = file_of(root, i + 1);
        const char *pem = certificates->list[i].pem;
        if (rf_write_file(path, pem, strlen(pem), 0644, err) < 0)
            return -1;
    }
    return remove_surplus(root, certificates->count, err);
}

int rf_trust_install(const char *root, const char *pem, rf_error **err)
{
    rf_autocertificates rf_certificates certificates = {0};
    if (rf_trust_is_installed(root, pem))
        return 0;
    if (parse(pem, &certificates, err) < 0)
        return rf_wrap(err, "the CA on the medium");
    rf_autofree char *path = rf_format("%s" BUNDLE, root), *directory = rf_format("%s/etc/ssl/certs", root),
                     *wanted = NULL;
    bool right;
    if (read_bundle(path, pem, &wanted, &right, err) < 0 || write_files(root, &certificates, err) < 0)
        return -1;
    if (right)
        return 0;
    return rf_make_dirs(directory, 0755, err) < 0 ? -1 : rf_write_file(path, wanted, strlen(wanted), 0644, err);
}
