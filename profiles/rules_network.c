/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules between fields: addresses, who reaches whom, the VPN. */
#include "base/memory.h"
#include "profiles/rule.h"

#include <arpa/inet.h>
#include <string.h>

/* A subnet without a word about it: its own rule has said what is wrong. */
static bool quiet_subnet(const char *subnet, struct rf_rule_subnet *ret)
{
    rf_autofree char *text = subnet ? rf_format("%.*s", (int)strcspn(subnet, "/"), subnet) : NULL;
    struct in_addr parsed = {0};
    if (!text || inet_pton(AF_INET, text, &parsed) != 1)
        return false;
    unsigned prefix = (unsigned)strtoul(strchr(subnet, '/') + 1, NULL, 10);
    uint32_t mask = prefix ? UINT32_MAX << (32 - prefix) : 0;
    *ret = (struct rf_rule_subnet){ntohl(parsed.s_addr) & mask, mask};
    return true;
}

static void check_address(const struct rf_rule_run *run, size_t index, const struct rf_rule_subnet *subnet)
{
    const rf_profile *profile = run->profile;
    const char *text = profile->guests[index].address;
    rf_autofree char *path = rf_format("guests[%zu].address", index);
    struct in_addr parsed = {0};
    inet_pton(AF_INET, text, &parsed); /* its pattern was checked */
    uint32_t address = ntohl(parsed.s_addr), last = subnet->address | ~subnet->mask;
    if ((address & subnet->mask) != subnet->address) {
        rf_rule_report(run, path, "%s is not in network.guests.subnet (%s)", text, profile->network.guests.subnet);
        return;
    }
    if (address == subnet->address || address == last)
        rf_rule_report(run, path, "%s is the %s of the network itself; write another one", text,
                       address == last ? "broadcast address" : "address");
    else if (address == subnet->address + 1)
        rf_rule_report(run, path, "%s is the node's own address there; write another one", text);
    for (size_t i = 0; i < index; i++)
        if (profile->guests[i].address && !strcmp(profile->guests[i].address, text)) {
            rf_rule_report(run, path, "%s is also guests[%zu]'s; each guest needs an address of its own", text, i);
            break;
        }
}

void rf_rule_addresses(const struct rf_rule_run *run)
{
    struct rf_rule_subnet subnet;
    if (!quiet_subnet(run->profile->network.guests.subnet, &subnet))
        return;
    for (size_t i = 0; i < run->profile->guests_count; i++)
        if (run->profile->guests[i].address)
            check_address(run, i, &subnet);
}

static void check_reach(const struct rf_rule_run *run, size_t index)
{
    const struct rf_guest *guest = &run->profile->guests[index];
    for (size_t i = 0; i < guest->reach_count; i++) {
        const char *name = guest->reach[i];
        rf_autofree char *path = rf_format("guests[%zu].reach[%zu]", index, i);
        bool twice = false;
        for (size_t j = 0; j < i; j++)
            twice |= !strcmp(guest->reach[j], name);
        if (twice)
            rf_rule_report(run, path, "\"%s\" is given twice", name);
        else if (guest->name && !strcmp(guest->name, name))
            rf_rule_report(run, path, "a guest reaches itself anyway; leave it out");
        else if (!rf_rule_guest(run->profile, name))
            rf_rule_no_guest(run, guest, path, name);
    }
}

void rf_rule_reach(const struct rf_rule_run *run)
{
    for (size_t i = 0; i < run->profile->guests_count; i++)
        check_reach(run, i);
}

static void check_peers(const struct rf_rule_run *run)
{
    const struct rf_peer *peers = run->profile->access.vpn.peers;
    for (size_t i = 0; i < run->profile->access.vpn.peers_count; i++)
        for (size_t j = 0; j < i; j++) {
            rf_autofree char *name = rf_format("access.vpn.peers[%zu].name", i);
            rf_autofree char *key = rf_format("access.vpn.peers[%zu].public_key", i);
            if (peers[i].name && peers[j].name && !strcmp(peers[i].name, peers[j].name))
                rf_rule_report(run, name, "\"%s\" is also access.vpn.peers[%zu]; each peer needs a name of its own",
                               peers[i].name, j);
            if (peers[i].public_key && peers[j].public_key && !strcmp(peers[i].public_key, peers[j].public_key))
                rf_rule_report(run, key, "access.vpn.peers[%zu] has the same key; each device needs its own", j);
        }
}

void rf_rule_vpn(const struct rf_rule_run *run)
{
    static const char key[] = "access.vpn.subnet";
    const rf_profile *profile = run->profile;
    struct rf_rule_subnet vpn, guests;
    if (!profile->access.vpn.peers_count && !profile->access.vpn.subnet)
        return;
    check_peers(run);
    if (!rf_rule_subnet(run, key, profile->access.vpn.subnet, &vpn))
        return;
    uint64_t room = (uint64_t)~vpn.mask + 1;
    if (room < profile->access.vpn.peers_count + 3)
        rf_rule_report(run, key, "\"%s\" is too small for %zu peers and the node; write for example \"10.21.0.0/24\"",
                       profile->access.vpn.subnet, profile->access.vpn.peers_count);
    if (!quiet_subnet(profile->network.guests.subnet, &guests) || !profile->access.vpn.peers_count)
        return;
    uint32_t wider = vpn.mask & guests.mask;
    if ((vpn.address & wider) == (guests.address & wider))
        rf_rule_report(run, key, "\"%s\" and network.guests.subnet (%s) overlap; write another one",
                       profile->access.vpn.subnet, profile->network.guests.subnet);
}
