/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libvirt's scheduler parameters, block I/O weight and block I/O limits. */
#include "postinstall/tuning.h"

#include "base/memory.h"
#include "base/units.h"

#include <inttypes.h>
#include <string.h>

enum {
    WEIGHT = 100,            /* what a guest has without the key: the kernel's own (cpu.weight, io.weight: cgroup-v2) */
    LEAST_DISK_WEIGHT = 100, /* libvirt's schema takes 100 to 1000 for a disk (domaincommon.rng, "weight") */
};

static bool weighted(const struct rf_node_guest *guest)
{
    return guest->asked->weight && guest->asked->weight != WEIGHT;
}

/* Less than libvirt takes for disks holds for the processors only, where it goes down to 2. */
static unsigned disk_weight(const struct rf_node_guest *guest)
{
    unsigned weight = guest->asked->weight ? guest->asked->weight : WEIGHT;
    return weight < LEAST_DISK_WEIGHT ? LEAST_DISK_WEIGHT : weight;
}

static bool limited(const struct rf_node_guest *guest)
{
    return guest->asked->io.iops || guest->asked->io.bandwidth;
}

char *rf_tuning_text(const struct rf_node_guest *guest)
{
    char *text = rf_strdup("");
    if (weighted(guest))
        rf_append(&text, "weight=%u", guest->asked->weight);
    if (guest->asked->io.iops)
        rf_append(&text, "%siops=%u", *text ? " " : "", guest->asked->io.iops);
    if (guest->asked->io.bandwidth)
        rf_append(&text, "%sbandwidth=%" PRIu64, *text ? " " : "", guest->asked->io.bandwidth);
    return text;
}

char *rf_tuning_words(const struct rf_node_guest *guest)
{
    rf_autofree char *bytes = rf_size_text(guest->asked->io.bandwidth);
    char *text = rf_format("weight %u, ", guest->asked->weight ? guest->asked->weight : WEIGHT);
    if (!limited(guest))
        rf_append(&text, "its disk without limits");
    else
        rf_append(&text, "at most ");
    if (guest->asked->io.iops)
        rf_append(&text, "%u requests%s", guest->asked->io.iops, guest->asked->io.bandwidth ? " and " : "");
    if (guest->asked->io.bandwidth)
        rf_append(&text, "%s", bytes);
    if (limited(guest))
        rf_append(&text, " a second");
    return text;
}

/* libvirt's shares are the kernel's cpu.weight where control groups are of version 2, as on Debian since 11. */
void rf_tuning_add(xmlNode *domain, const struct rf_node_guest *guest)
{
    if (!weighted(guest))
        return;
    rf_xml_add_format(rf_xml_add(domain, "blkiotune", NULL), "weight", "%u", disk_weight(guest));
    rf_xml_add_format(rf_xml_add(domain, "cputune", NULL), "shares", "%u", guest->asked->weight);
}

void rf_tuning_add_disk(xmlNode *disk, const struct rf_node_guest *guest)
{
    if (!limited(guest))
        return;
    xmlNode *tune = rf_xml_add(disk, "iotune", NULL);
    if (guest->asked->io.bandwidth)
        rf_xml_add_format(tune, "total_bytes_sec", "%" PRIu64, guest->asked->io.bandwidth);
    if (guest->asked->io.iops)
        rf_xml_add_format(tune, "total_iops_sec", "%u", guest->asked->io.iops);
}

static virTypedParameter number(const char *name, unsigned long long value, int type)
{
    virTypedParameter parameter = {.type = type};
    snprintf(parameter.field, sizeof(parameter.field), "%s", name);
    if (type == VIR_TYPED_PARAM_UINT)
        parameter.value.ui = (unsigned)value;
    else
        parameter.value.ul = value;
    return parameter;
}

/* The weight's word of such a text, or the limits' words: what changes together. The caller frees it. */
static char *part(const char *text, bool weight)
{
    const size_t first = strncmp(text, "weight=", strlen("weight=")) == 0 ? strcspn(text, " ") : 0;
    return weight ? rf_format("%.*s", (int)first, text) : rf_strdup(text + first + strspn(text + first, " "));
}

/* Of the processors and of the disks; the second is asked for where the first was refused, too. */
static int give_weight(virDomainPtr domain, const struct rf_node_guest *guest, rf_error **err)
{
    const unsigned weight = guest->asked->weight ? guest->asked->weight : WEIGHT;
    virTypedParameter shares = number(VIR_DOMAIN_SCHEDULER_CPU_SHARES, weight, VIR_TYPED_PARAM_ULLONG);
    virTypedParameter block = number(VIR_DOMAIN_BLKIO_WEIGHT, disk_weight(guest), VIR_TYPED_PARAM_UINT);
    rf_autoerror rf_error *cores = NULL;
    if (virDomainSetSchedulerParametersFlags(domain, &shares, 1, VIR_DOMAIN_AFFECT_LIVE) < 0)
        rf_libvirt_fail(&cores, "the processors' weight of %s", guest->asked->name);
    if (virDomainSetBlkioParameters(domain, &block, 1, VIR_DOMAIN_AFFECT_LIVE) < 0)
        rf_libvirt_fail(err, "the disks' weight of %s", guest->asked->name);
    else if (!cores)
        return 0;
    else if (err)
        *err = RF_STEAL(cores);
    return -1;
}

static int give_limits(virDomainPtr domain, const struct rf_node_guest *guest, rf_error **err)
{
    virTypedParameter limits[] = {
        /* 0 takes a limit away */
        number(VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_BYTES_SEC, guest->asked->io.bandwidth, VIR_TYPED_PARAM_ULLONG),
        number(VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_IOPS_SEC, guest->asked->io.iops, VIR_TYPED_PARAM_ULLONG)};
    const char *disk = guest->recipe->plain ? "sda" : "vda"; /* postinstall/domain_xml.c */
    if (virDomainSetBlockIoTune(domain, disk, limits, (int)RF_COUNT(limits), VIR_DOMAIN_AFFECT_LIVE) < 0)
        return rf_libvirt_fail(err, "the limits of the disk of %s", guest->asked->name);
    return 0;
}

char *rf_tuning_apply(virDomainPtr domain, const struct rf_node_guest *guest, const char *former, bool sure,
                      rf_error **err)
{
    rf_autofree char *wanted = rf_tuning_text(guest), *why = NULL;
    char *in_force = rf_strdup("");
    for (int weight = 1; weight >= 0; weight--) {
        rf_autofree char *new = part(wanted, weight), *old = part(former, weight);
        rf_autoerror rf_error *error = NULL;
        const bool changed = !sure || strcmp(new, old) != 0;
        const bool given =
            !changed || (weight ? give_weight(domain, guest, &error) : give_limits(domain, guest, &error)) == 0;
        rf_autofree char *text = given ? NULL : rf_error_text(error);
        const char *has = given ? new : old;
        if (!given)
            rf_append(&why, "%s%s", why ? "; " : "", text);
        rf_append(&in_force, "%s%s", *in_force && *has ? " " : "", has);
    }
    if (why)
        rf_fail(err, RF_FAILED, "%s", why);
    return in_force;
}
