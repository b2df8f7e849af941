/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules between fields: the customer's own networks. */
#include "base/memory.h"
#include "profiles/rule.h"
#include "profiles/suggest.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum { VLAN_UNTAGGED = 1, BRIDGES_MAX = 16 };

static bool same_text(const char *left, const char *right)
{
    return left && right && strcasecmp(left, right) == 0;
}

static void check_uplink(const struct rf_rule_run *run, size_t index)
{
    const rf_profile *profile = run->profile;
    rf_autofree char *path = rf_format("network.bridges[%zu].uplink", index);
    if (profile->network.bridges[index].mac)
        rf_rule_report(run, path, "a bridge is over the uplink or over a card of its own; leave `mac` or `uplink` out");
    else if (!profile->network.uplink.match_mac)
        rf_rule_report(run, path,
                       "which card is put under the bridge must be certain, two on one switch would be a loop; write "
                       "`network.uplink.match.mac`");
    for (size_t i = 0; i < index; i++)
        if (profile->network.bridges[i].uplink)
            rf_rule_report(run, path, "network.bridges[%zu] is over the uplink already", i);
}

static void check_card(const struct rf_rule_run *run, size_t index)
{
    const rf_profile *profile = run->profile;
    const struct rf_bridge *bridge = &profile->network.bridges[index];
    rf_autofree char *path = rf_format("network.bridges[%zu].mac", index),
                     *whole = rf_format("network.bridges[%zu]", index);
    if (!bridge->mac && !rf_rule_broken(run, path))
        rf_rule_report(run, whole, "over which card? write `mac: …`, or `uplink: true`");
    if (bridge->mac && !profile->network.uplink.match_mac)
        rf_rule_report(run, path,
                       "without `network.uplink.match.mac` every card is an uplink, this one too before the bridge is "
                       "made: it would get an address, and the node a second way out; write which card the uplink is");
    if (same_text(bridge->mac, profile->network.uplink.match_mac))
        rf_rule_report(run, path, "this is the uplink's card; write `uplink: true` instead");
    for (size_t i = 0; i < index; i++)
        if (same_text(bridge->mac, profile->network.bridges[i].mac))
            rf_rule_report(run, path, "network.bridges[%zu] has that card already; one bridge carries every VLAN", i);
}

void rf_rule_bridges(const struct rf_rule_run *run)
{
    const struct rf_bridge *bridges = run->profile->network.bridges;
    for (size_t i = 0; i < run->profile->network.bridges_count; i++) {
        rf_autofree char *path = rf_format("network.bridges[%zu].name", i);
        for (size_t k = 0; k < i; k++)
            if (same_text(bridges[i].name, bridges[k].name))
                rf_rule_report(run, path, "\"%s\" is also network.bridges[%zu]; each needs a name of its own",
                               bridges[i].name, k);
        if (bridges[i].uplink)
            check_uplink(run, i);
        else
            check_card(run, i);
    }
}

struct lan { /* host byte order */
    uint32_t address, mask;
};

static bool read_lan(const char *text, struct lan *ret)
{
    struct in_addr parsed;
    rf_autofree char *address = text ? rf_format("%.*s", (int)strcspn(text, "/"), text) : NULL;
    if (!address || inet_pton(AF_INET, address, &parsed) != 1)
        return false;
    const char *slash = strchr(text, '/');
    unsigned prefix = slash ? (unsigned)strtoul(slash + 1, NULL, 10) : 32;
    *ret = (struct lan){ntohl(parsed.s_addr), prefix ? UINT32_MAX << (32 - prefix) : 0};
    return true;
}

static bool overlap(const struct lan *left, const struct lan *right)
{
    uint32_t wider = left->mask & right->mask;
    return (left->address & wider) == (right->address & wider);
}

/* The guest would not know by which of its cards to go. */
static void check_apart(const struct rf_rule_run *run, const char *path, const struct lan *lan)
{
    const rf_profile *profile = run->profile;
    const struct {
        const char *key, *subnet;
    } networks[] = {{"network.guests.subnet", profile->network.guests.subnet},
                    {"access.vpn.subnet", profile->access.vpn.peers_count ? profile->access.vpn.subnet : NULL}};
    for (size_t i = 0; i < RF_COUNT(networks); i++) {
        struct lan other;
        if (read_lan(networks[i].subnet, &other) && overlap(lan, &other))
            rf_rule_report(run, path, "its network overlaps with %s (%s); give that one another subnet",
                           networks[i].key, networks[i].subnet);
    }
}

static void check_lan_address(const struct rf_rule_run *run, size_t index, const struct lan *lan)
{
    const struct rf_guest *guests = run->profile->guests, *guest = &guests[index];
    rf_autofree char *path = rf_format("guests[%zu].lan.address", index);
    uint32_t host = lan->address & ~lan->mask;
    if (host == 0 || host == ~lan->mask)
        rf_rule_report(run, path, "%s is the network's own %s; write another one", guest->lan.address,
                       host ? "broadcast address" : "address");
    check_apart(run, path, lan);
    for (size_t i = 0; i < index; i++) {
        struct lan other;
        if (guests[i].vlan == guest->vlan && same_text(guests[i].bridge, guest->bridge) &&
            read_lan(guests[i].lan.address, &other) && other.address == lan->address)
            rf_rule_report(run, path, "guests[%zu] has that address in the same network", i);
    }
}

static void check_gateway(const struct rf_rule_run *run, size_t index, const struct lan *lan)
{
    const struct rf_guest *guest = &run->profile->guests[index];
    rf_autofree char *path = rf_format("guests[%zu].lan.gateway", index);
    struct lan gateway;
    if (!read_lan(guest->lan.gateway, &gateway))
        return;
    if (!lan)
        rf_rule_report(run, path, "by DHCP the router comes along; leave it out, or write `lan.address`");
    else if (gateway.address == lan->address)
        rf_rule_report(run, path, "this is the guest itself");
    else if ((gateway.address & lan->mask) != (lan->address & lan->mask))
        rf_rule_report(run, path, "%s is not in the network of %s", guest->lan.gateway, guest->lan.address);
}

static void check_bridge_named(const struct rf_rule_run *run, size_t index)
{
    const rf_profile *profile = run->profile;
    const char *name = profile->guests[index].bridge, *names[BRIDGES_MAX] = {0};
    rf_autofree char *path = rf_format("guests[%zu].bridge", index);
    size_t count = 0;
    for (size_t i = 0; i < profile->network.bridges_count; i++) {
        const char *other = profile->network.bridges[i].name;
        if (same_text(other, name))
            return;
        if (other && count < BRIDGES_MAX)
            names[count++] = other;
    }
    const char *meant = count ? rf_suggest(name, names, count) : NULL;
    if (meant)
        rf_rule_report(run, path, "no bridge is named \"%s\"; did you mean `%s`?", name, meant);
    else
        rf_rule_report(run, path, "no bridge is named \"%s\"; describe it in `network.bridges`", name);
}

static void check_bridged(const struct rf_rule_run *run, size_t index)
{
    const struct rf_guest *guest = &run->profile->guests[index];
    rf_autofree char *vlan = rf_format("guests[%zu].vlan", index), *lan = rf_format("guests[%zu].lan", index),
                     *bridge = rf_format("guests[%zu].bridge", index);
    struct lan own;
    if (!guest->bridge) {
        bool said = rf_rule_broken(run, bridge);
        if (guest->vlan && !said)
            rf_rule_report(run, vlan, "of which bridge? write `bridge: …` beside it");
        if ((guest->lan.address || guest->lan.gateway || guest->lan.open_count) && !said)
            rf_rule_report(run, lan, "at which bridge? write `bridge: …` beside it");
        return;
    }
    check_bridge_named(run, index);
    if (guest->vlan == VLAN_UNTAGGED)
        rf_rule_report(run, vlan,
                       "1 is the bridge's own number for what is untagged; leave `vlan` out, or write 2 to "
                       "4094");
    bool fixed = read_lan(guest->lan.address, &own);
    if (fixed)
        check_lan_address(run, index, &own);
    check_gateway(run, index, fixed ? &own : NULL);
}

void rf_rule_bridged(const struct rf_rule_run *run)
{
    for (size_t i = 0; i < run->profile->guests_count; i++)
        check_bridged(run, i);
}
