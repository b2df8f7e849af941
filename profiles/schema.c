/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of every field of the profile, and walking it. */
#include "base/units.h"
#include "profiles/schema_lists.h"

#include <string.h>

#define PROFILE(member) offsetof(rf_profile, member)

static const struct rf_choice levels[] = {{"single", RF_LEVEL_SINGLE}, {"raid1", RF_LEVEL_RAID1},
                                          {"raid5", RF_LEVEL_RAID5},   {"raid6", RF_LEVEL_RAID6},
                                          {"raid10", RF_LEVEL_RAID10}, {NULL, 0}};
static const struct rf_choice copies[] = {{"near", RF_COPIES_NEAR}, {"far", RF_COPIES_FAR}, {NULL, 0}};
static const struct rf_choice replaces[] = {{"ask", RF_REPLACE_ASK}, {"auto", RF_REPLACE_AUTO}, {NULL, 0}};
static const struct rf_choice authorities[] = {{"acme", RF_TLS_ACME}, {"own", RF_TLS_OWN}, {NULL, 0}};
static const struct rf_choice addresses[] = {{"dhcp", 0}, {NULL, 0}};
/* As `lsblk -o TRAN` names them, and the paravirtual ones. */
static const struct rf_choice transports[] = {{"ata", 0},  {"fc", 0},     {"iscsi", 0}, {"mmc", 0},
                                              {"nvme", 0}, {"sas", 0},    {"sata", 0},  {"scsi", 0},
                                              {"usb", 0},  {"virtio", 0}, {"xen", 0},   {NULL, 0}};

static const struct rf_field profile_rows[] = {
    {.name = "richtfest",
     .type = &rf_type_integer,
     .offset = PROFILE(format),
     .required = true,
     .min = RF_PROFILE_FORMAT,
     .max = RF_PROFILE_FORMAT,
     .help = "The format of this file; its first key.",
     .example = "1"},

    {.name = "node", .type = &rf_type_group, .required = true, .help = "Who the node is and who may enter it."},
    {.name = "node.id",
     .type = &rf_type_text,
     .offset = PROFILE(node.id),
     .required = true,
     .pattern = &rf_pattern_node_id,
     .help = "The node's identity: names and UUIDs on its disks derive from it. A disk with another id is foreign, so "
             "it stays "
             "the same for the node's life, new hardware included.",
     .example = "musterkunde-n1"},
    {.name = "node.hostname",
     .type = &rf_type_text,
     .offset = PROFILE(node.hostname),
     .required = true,
     .pattern = &rf_pattern_hostname,
     .help = "The full host name, with its domain.",
     .example = "n1.musterkunde.example"},
    {.name = "node.timezone",
     .type = &rf_type_text,
     .offset = PROFILE(node.timezone),
     .fallback = "UTC",
     .pattern = &rf_pattern_timezone,
     .help = "The node's time zone, a name of the tz database.",
     .example = "Europe/Berlin"},
    {.name = "node.admins",
     .type = &rf_type_objects,
     .offset = PROFILE(node.admins),
     .count_offset = PROFILE(node.admins_count),
     .required = true,
     .min = 1,
     .max = 50,
     .element = &rf_admin_table,
     .help = "Who may enter the node: by SSH with their keys, and nobody else. They may do everything (sudo).",
     .example = "{name: jiku, ssh_keys: [ssh-ed25519 AAAA… name@place]}"},

    {.name = "node.reserve",
     .type = &rf_type_group,
     .help = "What the guests together leave to the node; the plan refuses more, where it knows the machine."},
    {.name = "node.reserve.memory",
     .type = &rf_type_size,
     .offset = PROFILE(node.reserve.memory),
     .min = 256 * RF_MIB,
     .max = RF_TIB,
     .fallback_note = "1 GiB and a fiftieth of the machine's memory",
     .help = "Memory for the node itself.",
     .example = "2 GB"},
    {.name = "node.reserve.cores",
     .type = &rf_type_integer,
     .offset = PROFILE(node.reserve.cores),
     .min = 1,
     .max = 64,
     .fallback_note = "none",
     .help = "Processors that no guest's virtual ones are counted on.",
     .example = "1"},
    {.name = "node.overcommit",
     .type = &rf_type_integer,
     .offset = PROFILE(node.overcommit),
     .min = 1,
     .max = 16,
     .fallback = "4",
     .help = "How many virtual processors the guests may have together for each one of the machine's that is not "
             "reserved. Of memory the plan gives out none twice.",
     .example = "4"},

    {.name = "requires",
     .type = &rf_type_group,
     .help = "What the machine must have; checked before anything is touched. What is left out is not checked."},
    {.name = "requires.cores",
     .type = &rf_type_integer,
     .offset = PROFILE(requires.cores),
     .min = 1,
     .max = 4096,
     .fallback_note = "not checked",
     .help = "At least so many logical processors.",
     .example = "6"},
    {.name = "requires.memory",
     .type = &rf_type_size,
     .offset = PROFILE(requires.memory),
     .min = 256 * RF_MIB,
     .max = 1024 * RF_TIB,
     .fallback_note = "not checked",
     .help = "At least so much memory.",
     .example = "24 GB"},
    {.name = "requires.storage",
     .type = &rf_type_size,
     .offset = PROFILE(requires.storage),
     .min = RF_GIB,
     .max = 1024 * 1024 * RF_TIB,
     .fallback_note = "not checked",
     .help = "At least so much storage: the size of the chosen disks, after mirroring and before partitioning.",
     .example = "4 TB"},
    {.name = "requires.kvm",
     .type = &rf_type_bool,
     .offset = PROFILE(requires.kvm),
     .fallback = "false",
     .help = "Whether hardware virtualization must be there.",
     .example = "true"},

    {.name = "network", .type = &rf_type_group, .help = "How the node is connected."},
    {.name = "network.uplink", .type = &rf_type_group, .help = "The network card that leads out."},
    {.name = "network.uplink.match",
     .type = &rf_type_group,
     .help = "Which card it is; all that is written must hold. Without it: the one that gets an address."},
    {.name = "network.uplink.match.carrier",
     .type = &rf_type_tristate,
     .offset = PROFILE(network.uplink.match_carrier),
     .fallback_note = "any",
     .help = "Whether a cable (or its virtual counterpart) is plugged in.",
     .example = "true"},
    {.name = "network.uplink.match.mac",
     .type = &rf_type_text,
     .offset = PROFILE(network.uplink.match_mac),
     .fallback_note = "any",
     .pattern = &rf_pattern_mac,
     .help = "The card's hardware address. After a swap the new card has another one: better to do without.",
     .example = "\"52:54:00:12:34:56\""},
    {.name = "network.uplink.address",
     .type = &rf_type_word,
     .offset = PROFILE(network.uplink.address),
     .fallback = "dhcp",
     .choices = addresses,
     .help = "Where the address comes from.",
     .example = "dhcp"},
    {.name = "network.guests", .type = &rf_type_group, .help = "The network of the guests, inside the node."},
    {.name = "network.guests.subnet",
     .type = &rf_type_text,
     .offset = PROFILE(network.guests.subnet),
     .fallback = "10.20.0.0/24",
     .pattern = &rf_pattern_subnet,
     .help = "Its private addresses; the node takes the first one.",
     .example = "10.20.0.0/24"},

    {.name = "network.bridges",
     .type = &rf_type_objects,
     .offset = PROFILE(network.bridges),
     .count_offset = PROFILE(network.bridges_count),
     .min = 0,
     .max = 16,
     .element = &rf_bridge_table,
     .fallback_note = "none",
     .help = "The customer's own networks that guests may be in, untagged or tagged (`guests[].vlan`).",
     .example = "{name: lan, mac: \"52:54:00:12:34:57\"}"},

    {.name = "storage", .type = &rf_type_group, .required = true, .help = "Which disks are used, and how."},
    {.name = "storage.disks",
     .type = &rf_type_group,
     .help = "Which disks are taken: exactly `count` and `spares` together (less `storage.missing`) must match, "
             "otherwise nothing is touched."},
    {.name = "storage.disks.match",
     .type = &rf_type_group,
     .help = "What a disk must be; all that is written must hold, and a property that a disk lacks does not hold. "
             "Without it: any disk."},
    {.name = "storage.disks.match.size",
     .type = &rf_type_band,
     .offset = PROFILE(storage.match.size),
     .fallback_note = "any",
     .help =
         "Its size: `\">= 1 TB\"`, `\"<= 5 TB\"`, `1 TB .. 5 TB` (both ends included), or `4 TB` for a disk that is "
         "sold as that (within 1 %).",
     .example = "\">= 1 TB\""},
    {.name = "storage.disks.match.rotational",
     .type = &rf_type_tristate,
     .offset = PROFILE(storage.match.rotational),
     .fallback_note = "any",
     .help = "Whether it is a hard disk (true) or a solid state disk (false).",
     .example = "false"},
    {.name = "storage.disks.match.model",
     .type = &rf_type_text,
     .offset = PROFILE(storage.match.model),
     .fallback_note = "any",
     .pattern = &rf_pattern_glob,
     .help = "Its model, exactly or with a `*` at the end.",
     .example = "\"SAMSUNG MZ*\""},
    {.name = "storage.disks.match.serial",
     .type = &rf_type_text,
     .offset = PROFILE(storage.match.serial),
     .fallback_note = "any",
     .pattern = &rf_pattern_glob,
     .help = "Its serial number, exactly or with a `*` at the end.",
     .example = "S4EVNF0M*"},
    {.name = "storage.disks.match.wwn",
     .type = &rf_type_text,
     .offset = PROFILE(storage.match.wwn),
     .fallback_note = "any",
     .pattern = &rf_pattern_glob,
     .help = "Its World Wide Name, exactly or with a `*` at the end.",
     .example = "\"0x5002538*\""},
    {.name = "storage.disks.match.transport",
     .type = &rf_type_word,
     .offset = PROFILE(storage.match.transport),
     .fallback_note = "any",
     .choices = transports,
     .help = "How it is attached.",
     .example = "nvme"},
    {.name = "storage.disks.count",
     .type = &rf_type_integer,
     .offset = PROFILE(storage.count),
     .min = 1,
     .max = 8,
     .fallback_note = "1 for `single`, 2 for `raid1`, 3 for `raid5`, 4 for `raid6` and `raid10`",
     .help = "How many disks are members. Of disks of several sizes the smallest counts. More than a node has: its "
             "arrays grow onto the new disks; fewer are refused.",
     .example = "2"},
    {.name = "storage.disks.spares",
     .type = &rf_type_integer,
     .offset = PROFILE(storage.spares),
     .min = 0,
     .max = 8,
     .fallback = "0",
     .help = "How many disks more stand by: each is a spare of both arrays, has boot loaders of its own, and takes the "
             "place of a member that fails.",
     .example = "1"},
    {.name = "storage.level",
     .type = &rf_type_choice,
     .offset = PROFILE(storage.level),
     .required = true,
     .choices = levels,
     .help =
         "How the data is spread over the members: `raid1` mirrors it on all, `raid5` and `raid6` survive any one "
         "or two lost members, `raid10` keeps two copies of each block; `single` is one disk without a copy, "
         "which becomes a mirror when a disk is added and `raid1` written. The system is mirrored on all members at "
         "every level.",
     .example = "raid1"},
    {.name = "storage.layout",
     .type = &rf_type_choice,
     .offset = PROFILE(storage.layout),
     .fallback_note = "`near` for `raid10`",
     .choices = copies,
     .help = "Where `raid10` keeps the second copy: `near`, at the same place of the next member; `far`, in the other "
             "half of it: reads as fast as striping, writes more slowly, and can't grow.",
     .example = "near"},
    {.name = "storage.missing",
     .type = &rf_type_integer,
     .offset = PROFILE(storage.missing),
     .min = 0,
     .max = 7,
     .fallback = "0",
     .help = "So many of the members are not there yet: the arrays begin without them, as degraded as that makes them. "
             "When the disks are there, leave it out: they are added.",
     .example = "1"},
    {.name = "storage.replace",
     .type = &rf_type_choice,
     .offset = PROFILE(storage.replace),
     .fallback = "ask",
     .choices = replaces,
     .help =
         "What the running node does with a disk that is put into it and matches: `auto`, it brings it in by itself "
         "(partitions, arrays, boot loaders), also one that takes a lost member's place; `ask`, it says so, and "
         "waits for `richtfest apply --node`. Blank disks only, but for those that `storage.foreign` names.",
     .example = "auto"},
    {.name = "storage.foreign",
     .type = &rf_type_consent,
     .offset = PROFILE(storage.foreign.wipe),
     .count_offset = PROFILE(storage.foreign.wipe_count),
     .min = 1,
     .max = 64,
     .pattern = &rf_pattern_disk,
     .fallback = "refuse",
     .help = "What happens where a chosen disk holds data that is not this node's. `refuse`: nothing is written, and "
             "all that was "
             "found is named. `{wipe: [SERIAL, …]}`: consent to destroy what lies on the disks with exactly these "
             "serial numbers "
             "(or WWNs; a disk that has neither, by its bus path), and on no others.",
     .example = "{wipe: [S4EVNF0M123456, S4EVNF0M123457]}"},

    {.name = "guests",
     .type = &rf_type_objects,
     .offset = PROFILE(guests),
     .count_offset = PROFILE(guests_count),
     .min = 0,
     .max = RF_GUESTS_MAX,
     .element = &rf_guest_table,
     .fallback_note = "none",
     .help = "The virtual machines on this node.",
     .example = "{name: dc1, recipe: active-directory}"},

    {.name = "access", .type = &rf_type_group, .help = "How people reach what the guests offer."},
    {.name = "access.tls",
     .type = &rf_type_choice,
     .offset = PROFILE(access.tls),
     .fallback = "acme",
     .choices = authorities,
     .help = "Who signs the certificates of published names: `acme` (Let's Encrypt; the node's own CA as long as that "
             "can't be reached) or `own` (the node's own CA only).",
     .example = "acme"},
    {.name = "access.email",
     .type = &rf_type_text,
     .offset = PROFILE(access.email),
     .fallback_note = "none",
     .pattern = &rf_pattern_email,
     .help = "Whom the ACME authority writes to when something is wrong with a certificate.",
     .example = "ops@msp.example"},
    {.name = "access.vpn",
     .type = &rf_type_group,
     .help = "WireGuard: peers reach the guests' ports that are meant for it (RDP, SMB, LDAP), which are never open to "
             "the world."},
    {.name = "access.vpn.subnet",
     .type = &rf_type_text,
     .offset = PROFILE(access.vpn.subnet),
     .fallback = "10.21.0.0/24",
     .pattern = &rf_pattern_subnet,
     .help = "The peers' private addresses; the node takes the first one, the first peer the second; "
             "each keeps its own as long as it is a peer.",
     .example = "10.21.0.0/24"},
    {.name = "access.vpn.port",
     .type = &rf_type_integer,
     .offset = PROFILE(access.vpn.port),
     .min = 1,
     .max = 65535,
     .fallback = "51820",
     .help = "The node's UDP port.",
     .example = "51820"},
    {.name = "access.vpn.endpoint",
     .type = &rf_type_text,
     .offset = PROFILE(access.vpn.endpoint),
     .fallback_note = "`node.hostname`",
     .pattern = &rf_pattern_endpoint,
     .help = "The name or address by which peers find the node.",
     .example = "vpn.musterkunde.example"},
    {.name = "access.vpn.peers",
     .type = &rf_type_objects,
     .offset = PROFILE(access.vpn.peers),
     .count_offset = PROFILE(access.vpn.peers_count),
     .min = 0,
     .max = 200,
     .element = &rf_peer_table,
     .fallback_note = "none: no VPN",
     .help = "The devices that may use it. One that leaves the list is shut out.",
     .example = "{name: laptop-anna}"},

    {.name = "report", .type = &rf_type_group, .help = "Who is told."},
    {.name = "report.url",
     .type = &rf_type_text,
     .offset = PROFILE(report.url),
     .fallback_note = "nobody",
     .pattern = &rf_pattern_url,
     .help = "Every event (a step's start, progress and end) is sent there by POST as a JSON line.",
     .example = "https://hooks.msp.example/richtfest"},
};

const struct rf_table rf_profile_table = {profile_rows, RF_COUNT(profile_rows), sizeof(rf_profile), 0, 0};

static bool child_of(const struct rf_field *row, const struct rf_field *group)
{
    size_t length = group ? strlen(group->name) : 0;
    if (group && (strncmp(row->name, group->name, length) != 0 || row->name[length] != '.'))
        return false;
    return !strchr(row->name + length + (group != NULL), '.');
}

const struct rf_field *rf_field_next(const struct rf_table *table, const struct rf_field *group,
                                     const struct rf_field *previous)
{
    for (size_t i = previous ? (size_t)(previous - table->rows) + 1 : 0; i < table->count; i++)
        if (child_of(&table->rows[i], group))
            return &table->rows[i];
    return NULL;
}

const char *rf_field_key(const struct rf_field *field)
{
    const char *dot = strrchr(field->name, '.');
    return dot ? dot + 1 : field->name;
}

void rf_table_release(const struct rf_table *table, void *object)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].type->release)
            table->rows[i].type->release(&table->rows[i], object);
}
