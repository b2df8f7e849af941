/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `image customize`: a few kilobytes written into a finished ISO. */
#include "base/file.h"
#include "base/memory.h"
#include "base/units.h"
#include "image/certificates.h"
#include "image/envblk.h"
#include "image/image.h"
#include "image/isofile.h"
#include "image/medium.h"
#include "image/region.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

struct target {
    const char *iso;
    struct rf_isofile region, envblk;
};

static int write_at(int fd, const char *iso, const void *data, size_t size, uint64_t offset, rf_error **err)
{
    for (size_t done = 0; done < size;) {
        ssize_t wrote = pwrite(fd, (const char *)data + done, size - done, (off_t)(offset + done));
        if (wrote < 0 && errno != EINTR)
            return rf_fail_errno(err, RF_FAILED, errno, "%s can't be written", iso);
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    return 0;
}

static int flush(int fd, const char *iso, rf_error **err)
{
    return fdatasync(fd) < 0 ? rf_fail_errno(err, RF_FAILED, errno, "%s can't be flushed", iso) : 0;
}

/* Is it an ISO of ours, with regions of the sizes that this program writes? Looked at before anything is written. */
static int find_regions(struct target *target, rf_error **err)
{
    struct rf_isofile files[] = {{.path = RF_REGION_FILE}, {.path = RF_ENVBLK_FILE}, {.path = RF_MEDIUM_MANIFEST_FILE}};
    if (rf_isofile_find(target->iso, files, RF_COUNT(files), err) < 0)
        return -1;
    if (!files[2].offset)
        return rf_fail(err, RF_BAD_MACHINE, "%s is no Richtfest image: it holds no %s", target->iso,
                       RF_MEDIUM_MANIFEST_FILE);
    if (files[0].size != RF_REGION_SIZE || files[1].size != RF_ENVBLK_SIZE)
        return rf_fail(err, RF_BAD_MACHINE,
                       "%s has no reserved region that this program can write (it was built by another "
                       "version): build it again, or use the program of its version",
                       target->iso);
    target->region = files[0];
    target->envblk = files[1];
    rf_autofree char *envblk = NULL;
    if (rf_isofile_read(target->iso, &target->envblk, RF_ENVBLK_SIZE, &envblk, err) < 0)
        return -1;
    if (!rf_envblk_valid(envblk, target->envblk.size))
        return rf_fail(err, RF_BAD_MACHINE, "%s is damaged: %s in it is no environment block of GRUB; build it again",
                       target->iso, RF_ENVBLK_FILE);
    return 0;
}

/* A region without a valid header, then the rest, then the header: a run that was cut short is always seen as such, and never
 * mixes an old profile with a new source. */
static int write_regions(int fd, const struct target *target, const char *bytes, const char *envblk, rf_error **err)
{
    static const char interrupted[RF_REGION_HEADER] = {0};
    const uint64_t region = target->region.offset;
    if (write_at(fd, target->iso, interrupted, sizeof(interrupted), region, err) < 0 || flush(fd, target->iso, err) < 0)
        return -1;
    if (write_at(fd, target->iso, envblk, RF_ENVBLK_SIZE, target->envblk.offset, err) < 0 ||
        write_at(fd, target->iso, bytes + RF_REGION_HEADER, RF_REGION_SIZE - RF_REGION_HEADER,
                 region + RF_REGION_HEADER, err) < 0 ||
        flush(fd, target->iso, err) < 0)
        return -1;
    if (write_at(fd, target->iso, bytes, RF_REGION_HEADER, region, err) < 0)
        return -1;
    return flush(fd, target->iso, err);
}

static int customize_file(const char *iso, const char *bytes, const char *envblk, rf_error **err)
{
    struct target target = {.iso = iso};
    if (find_regions(&target, err) < 0)
        return -1;
    rf_autofd int fd = open(iso, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return rf_fail_errno(err, RF_BAD_MACHINE, errno, "%s can't be opened for writing", iso);
    return write_regions(fd, &target, bytes, envblk, err);
}

/* The copy gets its name when it is complete. A profile, or a URL with a token in it, is for its owner only: 0600. */
static int customize_copy(const struct rf_customize_options *options, const char *bytes, const char *envblk,
                          rf_error **err)
{
    struct target original = {.iso = options->iso};
    if (find_regions(&original, err) < 0)
        return -1;
    rf_autofree char *temporary = rf_format("%s.new", options->output);
    if (rf_copy_file(options->iso, temporary, 0600, NULL, NULL, err) < 0)
        return -1;
    if (customize_file(temporary, bytes, envblk, err) < 0) {
        unlink(temporary);
        return -1;
    }
    if (rename(temporary, options->output) < 0) {
        int why = errno;
        unlink(temporary);
        return rf_fail_errno(err, RF_FAILED, why, "%s can't be written", options->output);
    }
    return 0;
}

/* Letters, digits, and what kernel-parameters.txt's own examples need. "--" and "---" end parts of the line. */
static int check_arguments(const char *arguments, rf_error **err)
{
    static const char taken[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,:;=_-+@/%~!*";
    size_t size = strlen(arguments), good = strspn(arguments, taken);
    if (size > RF_KERNEL_ARGUMENTS_MAX)
        return rf_fail(err, RF_USAGE, "the kernel's arguments are %zu bytes long; there is room for %d", size,
                       RF_KERNEL_ARGUMENTS_MAX);
    if (good < size)
        return rf_fail(err, RF_USAGE, "the kernel's arguments can't hold the character '%c' (byte %zu)",
                       arguments[good] >= ' ' && arguments[good] < 127 ? arguments[good] : '?', good + 1);
    if (strncmp(arguments, "--", 2) == 0 || strstr(arguments, " --"))
        return rf_fail(err, RF_USAGE, "the kernel's arguments can't hold a word that begins with --");
    return 0;
}

static int check_options(const struct rf_customize_options *options, rf_error **err)
{
    if (!!options->profile_url + !!options->profile_text + options->reset != 1)
        return rf_fail(err, RF_USAGE, "exactly one of a profile's URL, a profile, and a reset is wanted");
    if (options->kernel_arguments && check_arguments(options->kernel_arguments, err) < 0)
        return -1;
    return options->profile_url ? rf_url_check(options->profile_url, err) : 0;
}

static int make_envblk(const struct rf_customize_options *options, char ret_block[RF_ENVBLK_SIZE], rf_error **err)
{
    char id[RF_UUID_TEXT] = "";
    if (options->profile_url)
        rf_source_id_url(options->profile_url, id);
    else if (options->profile_text)
        rf_source_id_node(options->profile_node_id, id);
    const struct rf_envblk_variable variables[] = {
        {RF_SOURCE_VARIABLE, id}, {RF_ARGUMENTS_VARIABLE, options->kernel_arguments ? options->kernel_arguments : ""}};
    return rf_envblk_format(variables, options->kernel_arguments ? 2 : 1, ret_block, err);
}

/* The certificates alone, as PEM: whatever else stands in the person's file stays there. */
static int read_ca(const struct rf_customize_options *options, char **ret_pem, rf_error **err)
{
    rf_autocertificates rf_certificates certificates = {0};
    if (!options->ca_text)
        return 0;
    if (rf_certificates_read(options->ca_text, options->ca_size, &certificates, err) < 0)
        return rf_wrap(err, "%s", options->ca);
    for (size_t i = 0; i < certificates.count; i++) {
        const struct rf_certificate *certificate = &certificates.list[i];
        rf_autofree char *until = rf_date_text(certificate->until);
        if (certificate->until < time(NULL))
            return rf_fail(err, RF_USAGE,
                           "%s: the certificate %s has expired (%s): leave it out, or get the CA's new one",
                           options->ca, certificate->subject, until);
    }
    *ret_pem = rf_certificates_pem(&certificates);
    return 0;
}

int rf_image_customize(const struct rf_customize_options *options, rf_error **err)
{
    if (check_options(options, err) < 0)
        return -1;
    rf_autoregion struct rf_region region = {.profile_url = rf_strdup(options->profile_url)};
    if (options->profile_text) {
        region.profile = rf_strdup(options->profile_text);
        region.profile_size = options->profile_size;
        region.name = rf_strdup(options->profile);
    }
    rf_autosecret char *bytes = NULL;
    char envblk[RF_ENVBLK_SIZE];
    if (read_ca(options, &region.ca, err) < 0)
        return -1;
    if (rf_region_format(&region, &bytes, err) < 0 || make_envblk(options, envblk, err) < 0)
        return -1;
    return options->output ? customize_copy(options, bytes, envblk, err)
                           : customize_file(options->iso, bytes, envblk, err);
}
