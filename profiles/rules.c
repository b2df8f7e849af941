/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules between fields. */
#include "base/memory.h"
#include "profiles/rule.h"
#include "profiles/sshkey.h"
#include "profiles/suggest.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <string.h>

#define COMPUTER_NAME_MAX 15 /* a NetBIOS name has 16 bytes, the last one its type (RFC 1001, 5.2) */

void rf_rule_report(const struct rf_rule_run *run, const char *path, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    rf_autofree char *text = rf_format_list(format, args);
    va_end(args);
    unsigned line = 0, column = 0;
    rf_node_locate(run->root, path, &line, &column);
    rf_parse_problem(run->parse, line, column, path, "%s", text);
}

/* Was something already said about that very key? Then its value is not there to be checked. */
bool rf_rule_broken(const struct rf_rule_run *run, const char *path)
{
    const rf_problems *problems = run->parse->problems;
    for (size_t i = problems->count - run->parse->listed; i < problems->count; i++)
        if (problems->items[i].key && !strcmp(problems->items[i].key, path))
            return true;
    return false;
}

static void check_hostname(const struct rf_rule_run *run)
{
    const char *hostname = run->profile->node.hostname;
    if (hostname && !strchr(hostname, '.'))
        rf_rule_report(run, "node.hostname", "\"%s\" has no domain; write for example \"%s.musterkunde.example\"",
                       hostname, hostname);
}

static bool system_account(const char *name)
{
    /* What Debian's base-passwd and the node's own packages create. */
    static const char *const names[] = {
        "root", "daemon",    "bin",    "sys",      "sync", "games",  "man",  "lp",         "mail",    "news",
        "uucp", "proxy",     "backup", "list",     "irc",  "nobody", "sshd", "messagebus", "polkitd", "dnsmasq",
        "tss",  "hacluster", "_apt",   "www-data", "sudo", "adm",    "disk", "kvm",        "libvirt", "libvirt-qemu"};
    if (!strncmp(name, "systemd-", 8))
        return true;
    for (size_t i = 0; i < RF_COUNT(names); i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

static void check_admin_names(const struct rf_rule_run *run)
{
    const rf_profile *profile = run->profile;
    for (size_t i = 0; i < profile->node.admins_count; i++) {
        const char *name = profile->node.admins[i].name;
        rf_autofree char *path = rf_format("node.admins[%zu].name", i);
        if (name && system_account(name))
            rf_rule_report(run, path, "\"%s\" is an account of the system; choose another name", name);
        for (size_t j = 0; name && j < i; j++)
            if (profile->node.admins[j].name && !strcmp(name, profile->node.admins[j].name)) {
                rf_rule_report(run, path,
                               "\"%s\" is also node.admins[%zu]; give each person one entry with all their keys", name,
                               j);
                break;
            }
    }
}

static void check_handover(const struct rf_rule_run *run)
{
    const rf_profile *profile = run->profile;
    size_t keys = 0;
    for (size_t i = 0; i < profile->node.admins_count; i++)
        for (size_t j = 0; j < profile->node.admins[i].ssh_keys_count; j++, keys++)
            if (rf_ssh_key_for_age(profile->node.admins[i].ssh_keys[j]))
                return;
    if (keys && profile->guests_count)
        rf_rule_report(run, "node.admins",
                       "no key here can receive the guests' passwords, which are encrypted by age; add an "
                       "ssh-ed25519 or ssh-rsa key");
}

/* RFC 1918, 3, and the shared addresses of RFC 6598. */
static bool private_network(uint32_t address, unsigned prefix)
{
    static const struct {
        uint32_t address;
        unsigned prefix;
    } networks[] = {{0x0A000000, 8}, {0xAC100000, 12}, {0xC0A80000, 16}, {0x64400000, 10}};
    for (size_t i = 0; i < RF_COUNT(networks); i++)
        if (prefix >= networks[i].prefix && (address ^ networks[i].address) >> (32 - networks[i].prefix) == 0)
            return true;
    return false;
}

bool rf_rule_subnet(const struct rf_rule_run *run, const char *key, const char *subnet, struct rf_rule_subnet *ret)
{
    if (!subnet)
        return false;
    rf_autofree char *text = rf_format("%.*s", (int)strcspn(subnet, "/"), subnet);
    unsigned prefix = (unsigned)strtoul(strchr(subnet, '/') + 1, NULL, 10);
    struct in_addr parsed = {0};
    inet_pton(AF_INET, text, &parsed); /* its pattern was checked */
    uint32_t address = ntohl(parsed.s_addr);
    uint32_t mask = prefix ? UINT32_MAX << (32 - prefix) : 0;
    if (address & ~mask) {
        parsed.s_addr = htonl(address & mask);
        rf_rule_report(run, key, "\"%s\" is an address inside a network; write \"%s/%u\"", subnet, inet_ntoa(parsed),
                       prefix);
        return false;
    }
    if (!private_network(address, prefix))
        rf_rule_report(run, key, "\"%s\" is not private; take one out of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16",
                       subnet);
    *ret = (struct rf_rule_subnet){address, mask};
    return true;
}

static void check_subnet(const struct rf_rule_run *run)
{
    static const char key[] = "network.guests.subnet";
    const char *subnet = run->profile->network.guests.subnet;
    struct rf_rule_subnet parsed;
    if (!rf_rule_subnet(run, key, subnet, &parsed))
        return;
    uint64_t room = (uint64_t)~parsed.mask + 1;
    if (room < run->profile->guests_count + 3 || room < 8) /* the network, the node and broadcast take one each */
        rf_rule_report(run, key, "\"%s\" is too small for %zu guests and the node; write for example \"10.20.0.0/24\"",
                       subnet, run->profile->guests_count);
}

const struct rf_guest *rf_rule_guest(const rf_profile *profile, const char *name)
{
    for (size_t i = 0; name && i < profile->guests_count; i++)
        if (profile->guests[i].name && !strcmp(profile->guests[i].name, name))
            return &profile->guests[i];
    return NULL;
}

static void check_guest_names(const struct rf_rule_run *run)
{
    const rf_profile *profile = run->profile;
    for (size_t i = 0; i < profile->guests_count; i++) {
        const struct rf_guest *first = rf_rule_guest(profile, profile->guests[i].name);
        rf_autofree char *path = rf_format("guests[%zu].name", i);
        if (first && first != &profile->guests[i])
            rf_rule_report(run, path, "\"%s\" is also guests[%zu]; each guest needs a name of its own", first->name,
                           (size_t)(first - profile->guests));
    }
}

/* A member of a directory, or the one that holds it, is a computer account there. */
static void check_computer_names(const struct rf_rule_run *run)
{
    const rf_profile *profile = run->profile;
    for (size_t i = 0; i < profile->guests_count; i++) {
        const struct rf_guest *guest = &profile->guests[i];
        bool known = guest->directory != NULL;
        for (size_t j = 0; guest->name && !known && j < profile->guests_count; j++)
            known = profile->guests[j].directory && !strcmp(profile->guests[j].directory, guest->name);
        if (!known || !guest->name || strlen(guest->name) <= COMPUTER_NAME_MAX)
            continue;
        rf_autofree char *path = rf_format("guests[%zu].name", i);
        rf_rule_report(run, path, "\"%s\" is too long for a computer in a directory; at most %d characters",
                       guest->name, COMPUTER_NAME_MAX);
    }
}

void rf_rule_no_guest(const struct rf_rule_run *run, const struct rf_guest *asking, const char *path, const char *name)
{
    const rf_profile *profile = run->profile;
    const char *names[RF_GUESTS_MAX] = {0};
    size_t count = 0;
    for (size_t i = 0; i < profile->guests_count && count < RF_GUESTS_MAX; i++)
        if (&profile->guests[i] != asking)
            names[count++] = profile->guests[i].name;
    const char *meant = rf_suggest(name, names, count);
    if (meant)
        rf_rule_report(run, path, "no guest is named \"%s\"; did you mean `%s`?", name, meant);
    else
        rf_rule_report(run, path, "no guest is named \"%s\"; write the `name` of one, or leave it out", name);
}

static void check_directory(const struct rf_rule_run *run)
{
    const rf_profile *profile = run->profile;
    for (size_t i = 0; i < profile->guests_count; i++) {
        const struct rf_guest *guest = &profile->guests[i];
        rf_autofree char *path = rf_format("guests[%zu].directory", i);
        if (guest->directory && !rf_rule_guest(profile, guest->directory))
            rf_rule_no_guest(run, guest, path, guest->directory);
    }
}

/* Follows the pointers from `start`; true where they lead back to it and it is the first of that circle in the text. Each guest points
 * to at most one other, so as many steps as there are guests find every circle. */
static bool circle_begins_at(const rf_profile *profile, const struct rf_guest *start)
{
    const struct rf_guest *at = start;
    for (size_t steps = 0; steps < profile->guests_count; steps++) {
        at = rf_rule_guest(profile, at->directory);
        if (!at || at < start)
            return false;
        if (at == start)
            return true;
    }
    return false;
}

static void check_cycles(const struct rf_rule_run *run)
{
    const rf_profile *profile = run->profile;
    for (size_t i = 0; i < profile->guests_count; i++) {
        const struct rf_guest *start = &profile->guests[i], *at = start;
        if (!circle_begins_at(profile, start))
            continue;
        rf_autofree char *way = rf_strdup(start->name);
        do {
            at = rf_rule_guest(profile, at->directory);
            rf_append(&way, " → %s", at->name);
        } while (at != start);
        rf_autofree char *path = rf_format("guests[%zu].directory", i);
        rf_rule_report(run, path, "goes round in a circle (%s); one of them must have no directory", way);
    }
}

const struct rf_rule rf_rules[] = {
    {"hostname", "`node.hostname` has a domain, so at least one dot.", check_hostname},
    {"admin-names", "No two admins have the same name, and none has that of an account of the system.",
     check_admin_names},
    {"handover", "Where there are guests, at least one admin has an ssh-ed25519 or ssh-rsa key.", check_handover},
    {"level", "`single` takes exactly one disk, `raid1` 2 to 8, `raid5` and `raid10` 3 to 8, `raid6` 4 to 8.",
     rf_rule_level},
    {"spares", "`single` has no spares; `storage.missing` and `storage.disks.spares` exclude each other.",
     rf_rule_spares},
    {"missing",
     "`storage.missing` is no more than the level survives: of `raid1` all members but one, of `raid5` and `raid10` "
     "one, "
     "of `raid6` two; `single` has none to miss.",
     rf_rule_missing},
    {"layout", "`storage.layout` stands with `raid10` only.", rf_rule_layout},
    {"subnet",
     "`network.guests.subnet` is a private network (RFC 1918 or 6598) written without host bits, of at least 8 "
     "addresses and "
     "with room for every guest.",
     check_subnet},
    {"guest-names", "No two guests have the same name.", check_guest_names},
    {"computer-names", "A guest that has a `directory`, or is one, has a name of at most 15 characters.",
     check_computer_names},
    {"directory", "`directory` names a guest of this profile.", check_directory},
    {"directory-cycle", "No guest is its own directory, not even by way of others.", check_cycles},
    {"addresses",
     "`guests[].address` lies in `network.guests.subnet`, is not the node's (the first), and no two guests have the "
     "same.",
     rf_rule_addresses},
    {"reach", "`reach` names other guests of this profile, each once.", rf_rule_reach},
    {"vpn",
     "`access.vpn.subnet` is a private network of its own with room for every peer; no two peers have the same name or "
     "key.",
     rf_rule_vpn},
    {"bridges",
     "Each of `network.bridges` has a name of its own and either `uplink: true` (one of them) or a card of its own "
     "(`mac`), which is not the uplink's; `network.uplink.match.mac` says which that is.",
     rf_rule_bridges},
    {"bridged",
     "`guests[].bridge` names a bridge; `vlan` and `lan` stand beside it; `vlan` 1 is reserved; a `lan.address` is no "
     "other guest's in the same network, none of the node's networks', and its `lan.gateway` lies in its network.",
     rf_rule_bridged},
};

const size_t rf_rules_count = RF_COUNT(rf_rules);

void rf_rules_check(struct rf_parse *parse, const rf_profile *profile, const rf_node *root)
{
    struct rf_rule_run run = {parse, profile, root};
    for (size_t i = 0; i < rf_rules_count; i++)
        rf_rules[i].check(&run);
}
