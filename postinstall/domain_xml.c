/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Domain XML (https://libvirt.org/formatdomain.html). Decisions:
 *
 * - q35, virtio for everything that has a virtio device. The seed is a read-only virtio disk, not a CD-ROM: it is there as
 *   early as the root disk, while a CD-ROM's driver is loaded beside cloud-init's search for its seed.
 * - host-passthrough where there is KVM: it works on every rented server, also where the provider masks CPU features so
 *   that host-model finds none of its names. Live migration between unlike CPUs needs a named model; that is the
 *   cluster's decision. Without KVM: QEMU's emulation with all features that it can emulate.
 * - cache none: a guest's flushed data is on the array, not in the node's memory; it is also what live migration asks for.
 * - as many queues as virtual processors (at most 8): QEMU does that for a virtio disk by itself (since 5.2), for a card it is said here.
 *   discard=unmap gives the node back what a guest deletes.
 * - no graphics: administration is the serial console (Cockpit shows it) and SSH; an open VNC port is one more door. Where a system has
 *   plain devices it is one without a serial console: it gets a screen, by a socket of this node and no port.
 * - plain devices: SATA, Intel's network card, the seed as a CD. What is virtio beside them (random numbers, the agent's channel, the
 *   balloon) is nothing that a system without drivers needs to boot.
 * - a TPM comes with Secure Boot and Microsoft's keys: what wants the one wants the other.
 */
#include "postinstall/domain_xml.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/units.h"
#include "postinstall/tuning.h"

#include <inttypes.h>
#include <string.h>

enum { QUEUES_MAX = 8 }; /* one per virtual CPU; more bring nothing on the machines that are rented */

static void add_processor(xmlNode *root, const struct rf_node_guest *guest)
{
    rf_xml_add_format(root, "vcpu", "%u", guest->cores);
    if (guest->node->kvm)
        rf_xml_add(root, "cpu", "mode", "host-passthrough", "check", "none", "migratable", "on", NULL);
    else
        rf_xml_add(root, "cpu", "mode", "maximum", NULL);
}

static void add_memory(xmlNode *root, const struct rf_node_guest *guest)
{
    xmlNode *memory = rf_xml_add_format(root, "memory", "%" PRIu64, guest->memory / RF_KIB);
    xmlNewProp(memory, (const xmlChar *)"unit", (const xmlChar *)"KiB");
}

/* libvirt chooses the firmware's files itself, and keeps the variables beside the domain. */
static void add_platform(xmlNode *root, const struct rf_node_guest *guest)
{
    const bool secure = guest->recipe->uefi && guest->recipe->tpm;
    xmlNode *os = rf_xml_add(root, "os", "firmware", guest->recipe->uefi ? "efi" : NULL, NULL);
    xmlNode *type = rf_xml_add_text(os, "type", "hvm");
    xmlNewProp(type, (const xmlChar *)"arch", (const xmlChar *)"x86_64");
    xmlNewProp(type, (const xmlChar *)"machine", (const xmlChar *)"q35");
    if (secure) {
        xmlNode *firmware = rf_xml_add(os, "firmware", NULL);
        rf_xml_add(firmware, "feature", "enabled", "yes", "name", "enrolled-keys", NULL);
        rf_xml_add(firmware, "feature", "enabled", "yes", "name", "secure-boot", NULL);
    }
    rf_xml_add(os, "boot", "dev", "hd", NULL);
    xmlNode *features = rf_xml_add(root, "features", NULL);
    rf_xml_add(features, "acpi", NULL);
    rf_xml_add(features, "apic", NULL);
    if (secure)
        rf_xml_add(features, "smm", "state", "on", NULL);
    rf_xml_add(root, "clock", "offset", "utc", NULL);
    rf_xml_add_text(root, "on_poweroff", "destroy");
    rf_xml_add_text(root, "on_reboot", "restart");
    rf_xml_add_text(root, "on_crash", "restart");
}

/* "vda" or "sda" */
static void add_target(xmlNode *disk, const struct rf_node_guest *guest, const char *letters)
{
    const bool plain = guest->recipe->plain;
    rf_autofree char *name = rf_format("%c%s", plain ? 's' : 'v', letters);
    rf_xml_add(disk, "target", "dev", name, "bus", plain ? "sata" : "virtio", NULL);
}

static void add_disk(xmlNode *devices, const struct rf_node_guest *guest, bool tuned)
{
    rf_autofree char *path = rf_guest_disk_path(guest);
    xmlNode *disk = rf_xml_add(devices, "disk", "type", "file", "device", "disk", NULL);
    rf_xml_add(disk, "driver", "name", "qemu", "type", "qcow2", "cache", "none", "discard", "unmap", NULL);
    rf_xml_add(disk, "source", "file", path, NULL);
    add_target(disk, guest, "da");
    rf_xml_add_format(disk, "serial", "%s", guest->asked->name);
    if (tuned)
        rf_tuning_add_disk(disk, guest);
}

static void add_drive(xmlNode *parent, const struct rf_node_guest *guest, const char *path, const char *letters,
                      const char *serial)
{
    const char *device = guest->recipe->plain ? "cdrom" : "disk";
    xmlNode *disk = rf_xml_add(parent, "disk", "type", "file", "device", device, NULL);
    rf_xml_add(disk, "driver", "name", "qemu", "type", "raw", NULL);
    rf_xml_add(disk, "source", "file", path, NULL);
    add_target(disk, guest, letters);
    rf_xml_add(disk, "readonly", NULL);
    rf_xml_add_text(disk, "serial", serial);
}

void rf_domain_add_seed(xmlNode *parent, const struct rf_node_guest *guest)
{
    rf_autofree char *path = rf_guest_seed_path(guest);
    add_drive(parent, guest, path, "db", "seed");
}

void rf_domain_add_artefacts(xmlNode *parent, const struct rf_node_guest *guest)
{
    rf_autofree char *path = rf_guest_artefacts_path(guest);
    add_drive(parent, guest, path, "dc", "artefacts");
}

static unsigned queues_of(const struct rf_node_guest *guest)
{
    return guest->cores < QUEUES_MAX ? guest->cores : QUEUES_MAX;
}

static void add_card(xmlNode *interface, const struct rf_node_guest *guest)
{
    const bool plain = guest->recipe->plain;
    rf_autofree char *queues = rf_format("%u", queues_of(guest));
    rf_xml_add(interface, "model", "type", plain ? "e1000e" : "virtio", NULL);
    if (guest->cores > 1 && !plain)
        rf_xml_add(interface, "driver", "queues", queues, NULL);
}

static void add_interface(xmlNode *devices, const struct rf_node_guest *guest)
{
    xmlNode *interface = rf_xml_add(devices, "interface", "type", "network", NULL);
    rf_xml_add(interface, "mac", "address", guest->mac, NULL);
    rf_xml_add(interface, "source", "network", RF_NETWORK_NAME, NULL);
    rf_xml_add(interface, "target", "dev", guest->port, NULL); /* what the packet filter knows it by */
    add_card(interface, guest);
}

/* In the customer's own network. libvirt makes the port one of a single VLAN, untagged towards the guest (since 11.0 for Linux' own
 * bridges); an older one ignores that, and the port would be in the untagged network: the node is Debian 13, which has 11.3. */
static void add_lan(xmlNode *devices, const struct rf_node_guest *guest)
{
    char device[16];
    rf_autofree char *vlan = rf_format("%u", guest->asked->vlan);
    rf_bridge_device(guest->bridge, device);
    xmlNode *interface = rf_xml_add(devices, "interface", "type", "bridge", NULL);
    rf_xml_add(interface, "mac", "address", guest->lan_mac, NULL);
    rf_xml_add(interface, "source", "bridge", device, NULL);
    if (guest->asked->vlan)
        rf_xml_add(rf_xml_add(interface, "vlan", NULL), "tag", "id", vlan, NULL);
    rf_xml_add(interface, "target", "dev", guest->lan_port, NULL);
    add_card(interface, guest);
    rf_xml_add(interface, "port", "isolated", "yes", NULL);
}

static void add_console(xmlNode *devices, const struct rf_node_guest *guest)
{
    rf_autofree char *log = rf_guest_console_path(guest);
    xmlNode *serial = rf_xml_add(devices, "serial", "type", "pty", NULL);
    rf_xml_add(serial, "log", "file", log, "append", "on", NULL);
    rf_xml_add(serial, "target", "type", "isa-serial", "port", "0", NULL);
    xmlNode *console = rf_xml_add(devices, "console", "type", "pty", NULL);
    rf_xml_add(console, "target", "type", "serial", "port", "0", NULL);
    xmlNode *channel = rf_xml_add(devices, "channel", "type", "unix", NULL);
    rf_xml_add(channel, "target", "type", "virtio", "name", "org.qemu.guest_agent.0", NULL);
}

static void add_screen(xmlNode *devices)
{
    rf_xml_add(rf_xml_add(devices, "graphics", "type", "vnc", NULL), "listen", "type", "socket", NULL);
    rf_xml_add(rf_xml_add(devices, "video", NULL), "model", "type", "vga", NULL);
}

static void add_devices(xmlNode *root, const struct rf_node_guest *guest, bool with_seed, bool tuned)
{
    xmlNode *devices = rf_xml_add(root, "devices", NULL);
    add_disk(devices, guest, tuned);
    rf_autofree char *artefacts = rf_guest_artefacts_path(guest);
    if (with_seed)
        rf_domain_add_seed(devices, guest);
    if (with_seed && rf_exists(artefacts))
        rf_domain_add_artefacts(devices, guest);
    add_interface(devices, guest);
    if (guest->bridge)
        add_lan(devices, guest);
    add_console(devices, guest);
    if (guest->recipe->plain)
        add_screen(devices);
    xmlNode *rng = rf_xml_add(devices, "rng", "model", "virtio", NULL);
    xmlNode *backend = rf_xml_add_text(rng, "backend", "/dev/urandom");
    xmlNewProp(backend, (const xmlChar *)"model", (const xmlChar *)"random");
    if (guest->recipe->tpm)
        rf_xml_add(rf_xml_add(devices, "tpm", "model", "tpm-crb", NULL), "backend", "type", "emulator", "version",
                   "2.0", NULL);
    rf_xml_add(devices, "memballoon", "model", "virtio", "autodeflate", "on", "freePageReporting", "on", NULL);
}

/* What the digest covers is the document without a digest: without weights and limits too, which a running guest gets. */
static xmlDoc *build(const struct rf_node_guest *guest, bool with_seed, const char *digest)
{
    xmlDoc *document = rf_xml_new("domain");
    xmlNode *root = rf_xml_root(document);
    xmlNewProp(root, (const xmlChar *)"type", (const xmlChar *)(guest->node->kvm ? "kvm" : "qemu"));
    rf_xml_add_text(root, "name", guest->asked->name);
    rf_xml_add_text(root, "uuid", guest->uuid);
    if (guest->recipe->title)
        rf_xml_add_text(root, "description", guest->recipe->title);
    rf_autofree char *tuning = digest ? rf_tuning_text(guest) : NULL;
    xmlNode *mark = rf_xml_add(rf_xml_add(root, "metadata", NULL), "guest", "recipe", guest->recipe->name, "digest",
                               digest, "tuning", tuning && *tuning ? tuning : NULL, NULL);
    xmlSetNs(mark, xmlNewNs(mark, (const xmlChar *)RF_DOMAIN_NAMESPACE, (const xmlChar *)"richtfest"));
    add_memory(root, guest);
    add_processor(root, guest);
    if (digest)
        rf_tuning_add(root, guest);
    add_platform(root, guest);
    add_devices(root, guest, with_seed, digest != NULL);
    return document;
}

void rf_domain_digest(const struct rf_node_guest *guest, char ret_hex[RF_SHA256_HEX])
{
    rf_autoxml xmlDoc *document = build(guest, false, NULL);
    rf_autofree char *text = rf_xml_text(document);
    rf_sha256(text, strlen(text), ret_hex);
}

char *rf_domain_mark(const struct rf_node_guest *guest, const char *digest, const char *tuning, const char *refused)
{
    rf_autoxml xmlDoc *document = rf_xml_new("guest");
    xmlNode *root = rf_xml_root(document);
    xmlNewProp(root, (const xmlChar *)"recipe", (const xmlChar *)guest->recipe->name);
    if (digest)
        xmlNewProp(root, (const xmlChar *)"digest", (const xmlChar *)digest);
    if (*tuning)
        xmlNewProp(root, (const xmlChar *)"tuning", (const xmlChar *)tuning);
    if (refused)
        xmlNewProp(root, (const xmlChar *)"refused", (const xmlChar *)refused);
    return rf_xml_text(document);
}

xmlDoc *rf_domain_xml(const struct rf_node_guest *guest, bool with_seed)
{
    char digest[RF_SHA256_HEX];
    rf_domain_digest(guest, digest);
    return build(guest, with_seed, digest);
}
