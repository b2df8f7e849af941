/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/isolation_lan.h"

#include "base/memory.h"
#include "postinstall/address.h"
#include "postinstall/bridge.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>

#define PORTS "\"" RF_LAN_PORT_PREFIX "*\""
#define SILENCE                                                                                                        \
    "2m" /* longer than a guest's reboot would be no harm; a DHCP server gives an address away after hours */

static bool bridged(const struct rf_node_guest *guest)
{
    return guest->bridge != NULL;
}

static bool by_dhcp(const struct rf_node_guest *guest)
{
    rf_autofree char *fixed = rf_guest_lan_address(guest);
    return guest->bridge && !fixed;
}

static bool any(const rf_node_model *model, bool (*is)(const struct rf_node_guest *))
{
    for (size_t i = 0; i < model->guests_count; i++)
        if (is(&model->guests[i]))
            return true;
    return false;
}

/* "{ a, b }" of the guests for which `element` is not NULL; NULL where there is none. */
static char *set_of(const rf_node_model *model, char *(*element)(const struct rf_node_guest *))
{
    rf_autofree char *list = NULL;
    for (size_t i = 0; i < model->guests_count; i++) {
        rf_autofree char *one = element(&model->guests[i]);
        if (one)
            rf_append(&list, "%s%s", list ? ",\n                     " : "", one);
    }
    return list ? rf_format("{ %s }", list) : NULL;
}

static char *port_element(const struct rf_node_guest *guest)
{
    return guest->bridge ? rf_format("\"%s\" . %s", guest->lan_port, guest->lan_mac) : NULL;
}

static char *mac_element(const struct rf_node_guest *guest)
{
    return guest->bridge ? rf_strdup(guest->lan_mac) : NULL;
}

static char *fixed_element(const struct rf_node_guest *guest)
{
    rf_autofree char *address = rf_guest_lan_address(guest);
    return address ? rf_format("\"%s\" . %s", guest->lan_port, address) : NULL;
}

static char *dhcp_element(const struct rf_node_guest *guest)
{
    return by_dhcp(guest) ? rf_format("\"%s\"", guest->lan_port) : NULL;
}

static void append_set(char **text, const rf_node_model *model, const char *name, const char *type,
                       char *(*element)(const struct rf_node_guest *))
{
    rf_autofree char *elements = set_of(model, element);
    rf_append(text, "\n    set %s {\n        type %s\n", name, type);
    if (elements)
        rf_append(text, "        elements = %s\n", elements);
    rf_append(text, "    }\n");
}

/* Filled by the rules themselves. */
static void append_learned_set(char **text, const char *name, const char *type, bool forgets)
{
    rf_append(text, "\n    set %s {\n        type %s\n        size 4096\n        flags dynamic%s\n    }\n", name, type,
              forgets ? ",timeout\n        timeout " SILENCE : "");
}

static bool same_network(const struct rf_node_guest *left, const struct rf_node_guest *right)
{
    return left->bridge == right->bridge && left->asked->vlan == right->asked->vlan;
}

/* Fixed addresses of guests in the same network: "{ a, b }", or NULL. */
static char *fixed_beside(const struct rf_node_guest *guest)
{
    const rf_node_model *model = guest->node;
    rf_autofree char *list = NULL;
    for (size_t i = 0; i < model->guests_count; i++) {
        rf_autofree char *address = rf_guest_lan_address(&model->guests[i]);
        if (address && same_network(guest, &model->guests[i]))
            rf_append(&list, "%s%s", list ? ", " : "", address);
    }
    return list ? rf_format("{ %s }", list) : NULL;
}

/* Is it the first of those whose addresses come by DHCP there? It stands for its network. */
static bool stands_for_network(const struct rf_node_guest *guest)
{
    const struct rf_node_guest *first = guest->node->guests;
    for (; first < guest; first++)
        if (by_dhcp(first) && same_network(first, guest))
            return false;
    return by_dhcp(guest);
}

/* Which chain is its network's. */
static size_t number_of(const struct rf_node_guest *guest)
{
    const struct rf_node_guest *at = guest->node->guests;
    while (!stands_for_network(at) || !same_network(at, guest))
        at++;
    return (size_t)(at - guest->node->guests);
}

/* `source` is where the address stands: in the IP header or inside ARP. */
static void append_network_chain(char **text, const struct rf_node_guest *guest, const char *suffix, const char *source)
{
    rf_autofree char *fixed = fixed_beside(guest);
    size_t number = number_of(guest);
    rf_append(text, "\n    chain network%zu%s {\n", number, suffix);
    if (fixed)
        rf_append(text, "        %s %s drop\n", source, fixed);
    rf_append(text,
              "        iifname . %s @lan_now%zu goto network%zu%s_keep\n"
              "        iifname @lan_busy%zu drop comment \"one address at a time\"\n"
              "        %s @lan_used%zu drop comment \"another guest's\"\n"
              "        goto network%zu%s_keep\n    }\n",
              source, number, number, suffix, number, source, number, number, suffix);
    rf_append(text,
              "\n    chain network%zu%s_keep {\n"
              "        update @lan_now%zu { iifname . %s }\n"
              "        update @lan_busy%zu { iifname }\n"
              "        update @lan_used%zu { %s }\n"
              "        accept\n    }\n",
              number, suffix, number, source, number, number, source);
}

static void append_networks(char **text, const rf_node_model *model)
{
    for (size_t i = 0; i < model->guests_count; i++) {
        const struct rf_node_guest *guest = &model->guests[i];
        if (!stands_for_network(guest))
            continue;
        rf_autofree char *now = rf_format("lan_now%zu", i), *busy = rf_format("lan_busy%zu", i),
                         *used = rf_format("lan_used%zu", i);
        append_learned_set(text, now, "ifname . ipv4_addr", true);
        append_learned_set(text, busy, "ifname", true);
        append_learned_set(text, used, "ipv4_addr", true);
    }
    /* nft wants a chain before one that goes to it */
    for (size_t i = 0; i < model->guests_count; i++) {
        if (!stands_for_network(&model->guests[i]))
            continue;
        append_network_chain(text, &model->guests[i], "", "ip saddr");
        append_network_chain(text, &model->guests[i], "_arp", "arp saddr ip");
    }
}

static void append_gotos(char **text, const rf_node_model *model, const char *suffix)
{
    for (size_t i = 0; i < model->guests_count; i++)
        if (by_dhcp(&model->guests[i]))
            rf_append(text, "        iifname \"%s\" goto network%zu%s\n", model->guests[i].lan_port,
                      number_of(&model->guests[i]), suffix);
}

/* What comes out of a guest. */
static void append_from(char **text, const rf_node_model *model)
{
    rf_append(text, "\n    chain lan {\n"
                    "        iifname . ether saddr != @lan_ports drop\n"
                    "        ether type arp goto lan_arp\n"
                    "        ether type ip goto lan_ip\n"
                    "        drop\n    }\n"
                    "\n    chain lan_arp {\n"
                    "        iifname . arp saddr ether != @lan_ports drop\n"
                    "        arp saddr ip 0.0.0.0 accept comment \"is it free?\"\n"
                    "        arp saddr ip @lan_node drop\n"
                    "        iifname . arp saddr ip @lan_fixed accept\n");
    append_gotos(text, model, "_arp");
    rf_append(text, "        drop\n    }\n"
                    "\n    chain lan_ip {\n"
                    "        ip saddr @lan_node drop\n"
                    "        udp sport 67 drop comment \"no guest gives out addresses\"\n"
                    "        udp dport 68 drop comment \"by whatever port\"\n"
                    "        iifname . ip saddr @lan_fixed accept\n"
                    "        iifname @lan_dhcp ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept comment \"DHCP\"\n");
    append_gotos(text, model, "");
    rf_append(text, "        drop\n    }\n");
}

static void append_open(char **text, const struct rf_node_guest *guest)
{
    for (size_t i = 0; i < guest->asked->lan.open_count; i++) {
        const char *open = guest->asked->lan.open[i], *slash = strchr(open, '/');
        if (slash)
            rf_append(text, "        oifname \"%s\" %.*s dport %s accept comment \"%s\"\n", guest->lan_port,
                      (int)(slash - open), open, slash + 1, guest->asked->name);
        else
            rf_append(text, "        oifname \"%s\" accept comment \"%s: all\"\n", guest->lan_port, guest->asked->name);
    }
}

/* A lease with an address of the guests' own network would lead the guest's words to the node, its resolver and its neighbours there. networkd
 * can't refuse one, so it does not arrive: `yiaddr` is at 16 behind the UDP header (RFC 2131, 2). */
static void append_lease(char **text, const rf_node_model *model)
{
    struct rf_subnet subnet = rf_subnet_read(model->profile->network.guests.subnet);
    if (subnet.prefix)
        rf_append(text,
                  "        udp dport 68 @th,192,32 & 0x%08x == 0x%08x drop comment \"leases of the node's network\"\n",
                  UINT32_MAX << (32 - subnet.prefix), subnet.network);
}

/* What goes into a guest. */
static void append_into(char **text, const rf_node_model *model)
{
    rf_append(text, "\n    chain into {\n"
                    "        ether type arp accept\n"
                    "        ether type != ip drop\n"
                    "        ip frag-off & 0x1fff != 0 accept comment \"the rest of what was asked about\"\n");
    append_lease(text, model);
    rf_append(
        text,
        "        icmp type { echo-request, echo-reply, destination-unreachable, time-exceeded, parameter-problem } "
        "accept\n"
        "        tcp flags & (syn | ack) != syn accept\n"
        "        udp dport 32768-65535 accept comment \"answers\"\n"
        "        oifname @lan_dhcp udp sport 67 udp dport 68 accept comment \"DHCP\"\n");
    for (size_t i = 0; i < model->guests_count; i++)
        if (model->guests[i].bridge)
            append_open(text, &model->guests[i]);
    rf_append(text, "        drop\n    }\n");
}

/* Between ports, to the node and from it. What the node says of itself in ARP is its own: no guest takes that. */
static void append_hooks(char **text, const rf_node_model *model)
{
    const struct rf_bridge *uplink = rf_bridge_uplink(model->profile);
    rf_append(text, "\n    chain forward {\n"
                    "        type filter hook forward priority filter; policy accept;\n"
                    "        iifname " PORTS " oifname " PORTS " drop\n"
                    "        oifname " PORTS " goto into\n    }\n"
                    "\n    chain input {\n"
                    "        type filter hook input priority filter; policy accept;\n"
                    "        iifname " PORTS " drop\n    }\n"
                    "\n    chain output {\n"
                    "        type filter hook output priority filter; policy accept;\n");
    if (uplink) /* the bridge has the card's hardware address (postinstall/bridge.c) */
        rf_append(text, "        ether saddr %s ether type arp add @lan_node { arp saddr ip }\n",
                  model->profile->network.uplink.match_mac);
    rf_append(text, "        oifname " PORTS " drop\n    }\n");
}

/* A card that was at a bridge stays there until its guest is started anew: without a row in the profile it hears nothing and says nothing
 * (the other direction is the entry's). */
static void append_mute(char **text)
{
    rf_append(text, "\n    chain forward {\n"
                    "        type filter hook forward priority filter; policy accept;\n"
                    "        oifname " PORTS " drop\n    }\n"
                    "\n    chain output {\n"
                    "        type filter hook output priority filter; policy accept;\n"
                    "        oifname " PORTS " drop\n    }\n");
}

char *rf_lan_entry(const rf_node_model *model)
{
    return rf_strdup(any(model, bridged) ? "        iifname " PORTS " goto lan\n"
                                           "        ether saddr @lan_macs drop\n"
                                         : "        iifname " PORTS " drop\n");
}

char *rf_lan_bridged(const rf_node_model *model)
{
    char *text = rf_strdup("");
    if (!any(model, bridged)) {
        append_mute(&text);
        return text;
    }
    append_set(&text, model, "lan_macs", "ether_addr", mac_element);
    append_set(&text, model, "lan_ports", "ifname . ether_addr", port_element);
    append_set(&text, model, "lan_fixed", "ifname . ipv4_addr", fixed_element);
    append_set(&text, model, "lan_dhcp", "ifname", dhcp_element);
    append_learned_set(&text, "lan_node", "ipv4_addr", false);
    append_networks(&text, model);
    append_from(&text, model);
    append_into(&text, model);
    append_hooks(&text, model);
    return text;
}

/* Where frames are bridged while the kernel shows them to the routed rules too (br_netfilter), both names are the bridge's. */
void rf_lan_routed(char **text, const rf_node_model *model)
{
    for (size_t i = 0; i < model->bridges_count; i++) {
        const struct rf_node_bridge *bridge = &model->bridges[i];
        if (!bridge->asked->uplink)
            rf_append(text,
                      "        iifname \"%s\" oifname != \"%s\" drop\n"
                      "        oifname \"%s\" iifname != \"%s\" drop\n",
                      bridge->device, bridge->device, bridge->device, bridge->device);
    }
}

char *rf_lan_silent(const rf_node_model *model)
{
    char *text = rf_strdup("");
    for (size_t i = 0; i < model->bridges_count; i++)
        if (!model->bridges[i].asked->uplink)
            rf_append(&text, "        iifname \"%s\" drop\n", model->bridges[i].device);
    return text;
}

static void free_addresses(struct ifaddrs **list)
{
    if (*list)
        freeifaddrs(*list);
}

static bool own_address(const struct ifaddrs *entry, char ret_text[INET_ADDRSTRLEN])
{
    if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_INET || (entry->ifa_flags & IFF_LOOPBACK))
        return false;
    inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)entry->ifa_addr)->sin_addr, ret_text,
              INET_ADDRSTRLEN);
    return true;
}

/* Do the rules have to know them? */
static bool to_be_taught(const rf_node_model *model)
{
    return rf_bridge_uplink(model->profile) && any(model, bridged);
}

/* Is the address in nft's list? There it stands between blanks, commas and braces. */
static bool listed(const char *list, const char *address)
{
    size_t length = strlen(address);
    for (const char *at = list; (at = strstr(at, address)); at += length)
        if (at > list && strchr(" \t\n{", at[-1]) && strchr(" ,}\n", at[length]))
            return true;
    return false;
}

/* What the kernel's set has; NULL: there is no such set. The caller frees it. */
static int list_taught(struct rf_step_env *env, char **ret_text, rf_error **err)
{
    struct rf_command command = {.argv = RF_ARGV("nft", "list", "set", "bridge", "richtfest_guests", "lan_node")};
    rf_autoresult struct rf_result result = {0};
    if (rf_run_status(env->runner, &command, &result, err) < 0)
        return -1;
    *ret_text = result.status == 0 ? rf_strdup(result.out) : NULL;
    return 0;
}

int rf_lan_taught(const rf_node_model *model, struct rf_step_env *env, rf_error **err)
{
    RF_CLEANUP(free_addresses) struct ifaddrs *list = NULL;
    rf_autofree char *text = NULL;
    char one[INET_ADDRSTRLEN];
    if (!to_be_taught(model))
        return 1;
    if (list_taught(env, &text, err) < 0)
        return -1;
    if (getifaddrs(&list) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "the node's own addresses");
    for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next)
        if (own_address(entry, one) && !(text && listed(text, one)))
            return 0;
    return 1;
}

int rf_lan_teach(const rf_node_model *model, struct rf_step_env *env, rf_error **err)
{
    RF_CLEANUP(free_addresses) struct ifaddrs *list = NULL;
    rf_autofree char *addresses = NULL, *known = NULL;
    char one[INET_ADDRSTRLEN];
    if (!to_be_taught(model))
        return 0;
    if (list_taught(env, &known, err) < 0)
        return -1;
    if (!known) /* rules of a profile without such guests, which the isolation step replaces */
        return 0;
    if (getifaddrs(&list) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "the node's own addresses");
    for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next)
        if (own_address(entry, one))
            rf_append(&addresses, "%s%s", addresses ? ", " : "{ ", one);
    if (!addresses)
        return 0;
    rf_append(&addresses, " }");
    return rf_run_argv(env->runner,
                       RF_ARGV("nft", "add", "element", "bridge", "richtfest_guests", "lan_node", addresses), err);
}

/* The guest that the profile gives this address of the node's own, or NULL. */
static const struct rf_node_guest *given_to(const rf_node_model *model, const char *address)
{
    for (size_t i = 0; i < model->guests_count; i++) {
        rf_autofree char *fixed = rf_guest_lan_address(&model->guests[i]);
        if (fixed && strcmp(fixed, address) == 0)
            return &model->guests[i];
    }
    return NULL;
}

static int check(const rf_node_model *model, rf_error **err)
{
    RF_CLEANUP(free_addresses) struct ifaddrs *list = NULL;
    char one[INET_ADDRSTRLEN];
    if (!to_be_taught(model))
        return 0;
    if (getifaddrs(&list) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "the node's own addresses");
    for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
        const struct rf_node_guest *guest = own_address(entry, one) ? given_to(model, one) : NULL;
        if (guest)
            return rf_fail(err, RF_BAD_MACHINE,
                           "lan.address of %s is %s, which is the node's own (%s): nothing of that card passes; "
                           "write another address into the profile",
                           guest->asked->name, one, entry->ifa_name);
    }
    return 0;
}

static enum rf_probe addresses_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    return check(arg, err) < 0 ? RF_PROBE_ERROR : RF_PROBE_DONE;
}

static int addresses_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    return check(arg, err);
}

const struct rf_step_ops rf_step_lan_addresses = {"lan-addresses", addresses_probe, addresses_apply, NULL};
