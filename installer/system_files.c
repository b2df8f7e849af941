/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/system_files.h"

#include "base/memory.h"
#include "base/paths.h"
#include "image/region.h"
#include "postinstall/admins.h"
#include "postinstall/bridge.h"
#include "postinstall/firewall.h"

#include <string.h>

void rf_md_uuid(const char *uuid, char ret[36])
{
    unsigned digits = 0, out = 0;
    for (; *uuid && digits < 32; uuid++) {
        if (*uuid == '-')
            continue;
        if (digits && digits % 8 == 0)
            ret[out++] = ':';
        ret[out++] = *uuid;
        digits++;
    }
    ret[out] = '\0';
}

static char *fstab(const rf_profile *profile, const struct rf_system_ids *ids)
{
    (void)profile;
    /* The images are not needed to come up: without them the node boots, answers by SSH and says what is missing. */
    return rf_format("# Written by Richtfest. The ESPs are mounted only while they are written.\n"
                     "UUID=%s / btrfs subvol=%s,noatime 0 0\n"
                     "UUID=%s " RF_STATE_DIR " btrfs subvol=state,noatime 0 0\n"
                     "UUID=%s " RF_POOL_DIR " xfs noatime,nofail,x-systemd.device-timeout=60s 0 0\n",
                     ids->system_uuid, ids->root, ids->system_uuid, ids->images_uuid);
}

static char *mdadm_conf(const rf_profile *profile, const struct rf_system_ids *ids)
{
    (void)profile;
    char system[36], data[36];
    rf_md_uuid(ids->system_md, system);
    rf_md_uuid(ids->data_md, data);
    return rf_format("# Written by Richtfest. Only this node's own arrays are assembled, and without a host prefix.\n"
                     "HOMEHOST <ignore>\n"
                     "MAILADDR root\n"
                     "PROGRAM /usr/lib/richtfest/md-event\n"
                     "ARRAY /dev/md/system UUID=%s\n"
                     "ARRAY /dev/md/data UUID=%s\n"
                     "AUTO -all\n",
                     system, data);
}

static char *hostname(const rf_profile *profile, const struct rf_system_ids *ids)
{
    (void)ids;
    return rf_format("%.*s\n", (int)strcspn(profile->node.hostname, "."), profile->node.hostname);
}

static char *hosts(const rf_profile *profile, const struct rf_system_ids *ids)
{
    (void)ids;
    const char *name = profile->node.hostname;
    return rf_format("127.0.0.1 localhost\n127.0.1.1 %s %.*s\n\n::1 localhost ip6-localhost ip6-loopback\n"
                     "ff02::1 ip6-allnodes\nff02::2 ip6-allrouters\n",
                     name, (int)strcspn(name, "."), name);
}

static char *uplink(const rf_profile *profile, const struct rf_system_ids *ids)
{
    (void)ids;
    return rf_uplink_network(profile);
}

static char *uplink_netdev(const rf_profile *profile, const struct rf_system_ids *ids)
{
    (void)ids;
    return rf_uplink_netdev(profile);
}

static char *uplink_bridge(const rf_profile *profile, const struct rf_system_ids *ids)
{
    (void)ids;
    return rf_uplink_bridge(profile);
}

static char *timezone_file(const rf_profile *profile, const struct rf_system_ids *ids)
{
    (void)ids;
    return rf_format("%s\n", profile->node.timezone);
}

static char *host_keys(const rf_profile *profile, const struct rf_system_ids *ids)
{
    (void)profile;
    (void)ids;
    return rf_strdup("# Written by Richtfest: the host keys outlive a reinstalled root.\n"
                     "HostKey " RF_STATE_DIR "/ssh/ssh_host_ed25519_key\n"
                     "HostKey " RF_STATE_DIR "/ssh/ssh_host_ecdsa_key\n");
}

static char *sshd(const rf_profile *profile, const struct rf_system_ids *ids)
{
    (void)profile;
    (void)ids;
    return rf_sshd_config();
}

static char *firewall(const rf_profile *profile, const struct rf_system_ids *ids)
{
    (void)profile;
    (void)ids;
    return rf_firewall_text(NULL);
}

/* kernel-img.conf(5): the links that the boot entries name are kept in /boot. */
static char *kernel_links(const rf_profile *profile, const struct rf_system_ids *ids)
{
    (void)profile;
    (void)ids;
    return rf_strdup("# Written by Richtfest.\ndo_symlinks = yes\nlink_in_boot = yes\n");
}

static const struct {
    const char *path;
    unsigned mode;
    char *(*text)(const rf_profile *profile, const struct rf_system_ids *ids);
} table[] = {
    {"/etc/fstab", 0644, fstab},
    {"/etc/mdadm/mdadm.conf", 0644, mdadm_conf},
    {"/etc/hostname", 0644, hostname},
    {"/etc/hosts", 0644, hosts},
    {"/etc/timezone", 0644, timezone_file},
    {RF_UPLINK_NETDEV, 0644, uplink_netdev},
    {RF_UPLINK_NETWORK, 0644, uplink},
    {RF_UPLINK_BRIDGE, 0644, uplink_bridge},
    {"/etc/ssh/sshd_config.d/05-host-keys.conf", 0644, host_keys},
    {RF_SSHD_CONFIG, 0644, sshd},
    {"/etc/nftables.conf", 0644, firewall},
    {"/etc/kernel-img.conf", 0644, kernel_links},
};

struct rf_system_file *rf_system_files(const rf_profile *profile, const struct rf_system_ids *ids, size_t *ret_count)
{
    struct rf_system_file *files = rf_alloc(sizeof(*files) * RF_COUNT(table));
    *ret_count = 0;
    for (size_t i = 0; i < RF_COUNT(table); i++) {
        char *text = table[i].text(profile, ids);
        if (text) /* NULL: this profile has no use for it */
            files[(*ret_count)++] = (struct rf_system_file){table[i].path, table[i].mode, text};
    }
    return files;
}

void rf_system_files_free(struct rf_system_file *files, size_t count)
{
    for (size_t i = 0; files && i < count; i++)
        free(files[i].text);
    free(files);
}

char *rf_node_cmdline(const struct rf_system_ids *ids)
{
    char md[36];
    rf_md_uuid(ids->system_md, md);
    bool more = ids->arguments && *ids->arguments;
    return rf_format(
        "root=UUID=%s rootflags=subvol=%s,noatime rd.md.uuid=%s panic=60 console=tty0 console=ttyS0,115200%s%s",
        ids->system_uuid, ids->root, md, more ? " " : "", more ? ids->arguments : "");
}

static void append_entry(char **text, const rf_profile *profile, const struct rf_system_ids *ids, const char *what,
                         const char *suffix)
{
    rf_autofree char *cmdline = rf_node_cmdline(ids);
    rf_append(text,
              "menuentry \"Richtfest node %s%s\" {\n"
              "  search --no-floppy --fs-uuid --set=root %s\n"
              "  linux /%s/boot/vmlinuz%s %s $rf_words\n"
              "  initrd /%s/boot/initrd.img%s\n"
              "}\n",
              profile->node.id, what, ids->system_uuid, ids->root, suffix, cmdline, ids->root, suffix);
}

char *rf_node_grub_config(const rf_profile *profile, const struct rf_system_ids *ids)
{
    char *text = rf_format("# Written by Richtfest for node %s.\n"
                           "if [ \"$grub_platform\" = pc ]; then\n"
                           "  serial --unit=0 --speed=115200\n"
                           "  terminal_input console serial\n"
                           "  terminal_output console serial\n"
                           "fi\n"
                           "set default=0\n"
                           "set timeout=1\n"
                           "search --no-floppy --fs-uuid --set=root %s\n"
                           "# Links that lead nowhere: a kernel's update was cut short. The kernel before is whole.\n"
                           "if [ ! -s /%s/boot/vmlinuz -o ! -s /%s/boot/initrd.img ]; then\n"
                           "  set default=1\n"
                           "fi\n",
                           profile->node.id, ids->system_uuid, ids->root, ids->root);
    append_entry(&text, profile, ids, "", "");
    append_entry(&text, profile, ids, ", the kernel before", ".old");
    return text;
}

char *rf_grub_stub(const struct rf_system_ids *ids)
{
    return rf_format("search --no-floppy --fs-uuid --set=root %s\n"
                     "set prefix=($root)" RF_NODE_DIR "\n"
                     "configfile ($root)" RF_NODE_GRUB_CONFIG "\n",
                     ids->system_uuid);
}
