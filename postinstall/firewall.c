/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who may speak to the node itself. */
#include "postinstall/firewall.h"

#include "base/memory.h"
#include "postinstall/isolation_lan.h"
#include "postinstall/ruleset.h"

/* Nothing comes from a guest's port itself: it has no address, and what its guest says comes in by the bridge. But a bridge hands frames for
 * 01:80:c2:00:00:0e (LLDP) to the port, past every hook of its own (br_handle_frame, net/bridge/br_input.c): one router advertisement
 * that way, and the guest is the node's IPv6 router. Asked before all else, connections that are known included. */
#define PORTS "{ \"" RF_PORT_PREFIX "*\", \"" RF_LAN_PORT_PREFIX "*\" }"

/* Other ports have names that nobody here knows: those of machines made by hand, and a bridge's own card, whose network the node may have no
 * address in. But nobody sends IP or ARP to the addresses that bridges keep among themselves (IEEE 802.1Q, table 8-1). */
#define RESERVED "ether daddr 01:80:c2:00:00:00-01:80:c2:00:00:0f drop"

/* nft(8); ICMPv6 types that IPv6 cannot do without: RFC 4890, 4.4. DHCP: RFC 2131, RFC 8415. */
static const char input[] = "    chain input {\n"
                            "        type filter hook input priority filter; policy drop;\n"
                            "        iif lo accept\n"
                            "        iifname " PORTS " drop\n"
                            "        " RESERVED "\n"
                            "        ct state vmap { established : accept, related : accept, invalid : drop }\n"
                            "        iifname \"" RF_NETWORK_BRIDGE "\" goto guests\n";

static const char world[] =
    "        icmp type { echo-request, destination-unreachable, time-exceeded, parameter-problem } accept\n"
    "        icmpv6 type { echo-request, destination-unreachable, packet-too-big, time-exceeded, parameter-problem } "
    "accept\n"
    "        icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit "
    "255 "
    "accept\n"
    "        icmpv6 type { mld-listener-query, mld-listener-report, mld2-listener-report } ip6 saddr fe80::/10 accept\n"
    "        udp sport 67 udp dport 68 accept comment \"DHCP client\"\n"
    "        ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept comment \"DHCPv6 client\"\n"
    "        tcp dport { 22, 9090 } accept comment \"SSH, Cockpit\"\n";

static const char guests[] = "    chain guests {\n"
                             "        udp dport { 53, 67 } accept comment \"DNS, DHCP\"\n"
                             "        tcp dport 53 accept comment \"DNS\"\n"
                             "        icmp type echo-request accept\n";

static const char proxy[] = "        tcp dport { 80, 443 } accept comment \"published names\"\n";

/* Linux answers ARP on every interface that is up, for every address that it has (arp_ignore, ip-sysctl). */
static char *arp(const rf_node_model *model)
{
    rf_autofree char *silent = model ? rf_lan_silent(model) : rf_strdup("");
    return rf_format("    chain input {\n"
                     "        type filter hook input priority filter; policy accept;\n"
                     "        iifname " PORTS " drop\n%s"
                     "        " RESERVED "\n    }\n",
                     silent);
}

static char *node(const rf_node_model *model)
{
    bool published = model && rf_node_published(model);
    rf_autofree char *silent = model ? rf_lan_silent(model) : rf_strdup("");
    char *text = rf_format("%s%s%s%s", input, silent, world, published ? proxy : "");
    if (model && rf_node_vpn(model))
        rf_append(&text, "        udp dport %u accept comment \"WireGuard\"\n", model->profile->access.vpn.port);
    rf_append(&text, "    }\n\n%s%s        drop\n    }\n", guests, published ? proxy : "");
    return text;
}

static char *body(const rf_node_model *model, size_t table)
{
    return table ? arp(model) : node(model);
}

static const struct rf_ruleset ruleset = {.path = RF_FIREWALL_FILE,
                                          .tables = (const char *const[]){"inet richtfest", "arp richtfest", NULL},
                                          .body = body,
                                          .tail = "\ninclude \"" RF_RULESETS_DIR "/*.nft\"\n"};

char *rf_firewall_text(const rf_node_model *model)
{
    return rf_ruleset_text(&ruleset, model);
}

static enum rf_probe firewall_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    return rf_ruleset_probe(&ruleset, arg, env, err);
}

static int firewall_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    if (rf_ruleset_apply(&ruleset, arg, env, err) < 0)
        return -1;
    return rf_lan_teach(arg, env, err); /* the file loads those of the guests anew, too */
}

const struct rf_step_ops rf_step_firewall = {"firewall", firewall_probe, firewall_apply, NULL};
