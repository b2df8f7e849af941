/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules between guests. */
#include "postinstall/isolation.h"

#include "base/file.h"
#include "base/memory.h"
#include "postinstall/isolation_lan.h"
#include "postinstall/ruleset.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum {
    TEXT_MAX = 65536,
    COMMENT_MAX = 120, /* NFTNL_UDATA_COMMENT_MAXLEN is 128 */
};

#define BRIDGE "\"" RF_NETWORK_BRIDGE "\""
/* A port itself passes nothing on: what comes in by one has gone around the bridge (postinstall/firewall.c). */
#define PORTS "{ \"" RF_PORT_PREFIX "*\", \"" RF_LAN_PORT_PREFIX "*\" }"
#define VPN "\"" RF_VPN_INTERFACE "\""

/* What nft takes as a comment: a recipe's title is free text. The caller frees it. */
static char *comment_of(const char *who, const struct rf_recipe_port *port, const struct rf_node_guest *to)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:;()/_+-";
    char *text = rf_format("%s: %s of %s", who, port->title ? port->title : "", to->asked->name);
    for (char *c = text; *c; c++)
        if (!strchr(letters, *c))
            *c = ' ';
    if (strlen(text) > COMMENT_MAX)
        text[COMMENT_MAX] = '\0';
    return text;
}

/* One rule: from these addresses to a guest's port. */
static void append_port(char **text, const char *from, const struct rf_node_guest *to,
                        const struct rf_recipe_port *port, const char *who)
{
    rf_autofree char *comment = comment_of(who, port, to);
    rf_append(text, "        %sip daddr %s %s dport %u accept comment \"%s\"\n", from, to->address, port->protocol,
              port->port, comment);
}

static void append_reached(char **text, const struct rf_node_guest *guest, const struct rf_node_guest *to)
{
    rf_autofree char *from = rf_format("ip saddr %s ", guest->address),
                     *who = rf_format("%s reaches", guest->asked->name);
    for (size_t i = 0; i < to->recipe->ports_count; i++)
        append_port(text, from, to, &to->recipe->ports[i], who);
}

/* "ip saddr { 10.20.0.11, 10.20.0.12 } "; NULL where it has no members. */
static char *members_of(const struct rf_node_guest *directory)
{
    const rf_node_model *model = directory->node;
    rf_autofree char *list = NULL;
    for (size_t i = 0; i < model->guests_count; i++)
        if (model->guests[i].directory == directory)
            rf_append(&list, "%s%s", list ? ", " : "", model->guests[i].address);
    return list ? rf_format("ip saddr { %s } ", list) : NULL;
}

static void append_between(char **text, const struct rf_node_guest *to)
{
    const rf_node_model *model = to->node;
    rf_autofree char *members = members_of(to);
    rf_autofree char *all = rf_format("ip saddr %s ", model->profile->network.guests.subnet);
    for (size_t i = 0; i < to->recipe->ports_count; i++) {
        const struct rf_recipe_port *port = &to->recipe->ports[i];
        if (port->to & RF_TO_GUESTS)
            append_port(text, all, to, port, "guests");
        else if ((port->to & RF_TO_MEMBERS) && members)
            append_port(text, members, to, port, "members");
    }
}

static void append_vpn(char **text, const struct rf_node_guest *to)
{
    for (size_t i = 0; i < to->recipe->ports_count; i++)
        if (to->recipe->ports[i].to & RF_TO_VPN)
            append_port(text, "iifname " VPN " ", to, &to->recipe->ports[i], "VPN");
}

static void append_reaches(char **text, const struct rf_node_guest *guest)
{
    for (size_t i = 0; i < guest->asked->reach_count; i++) {
        const struct rf_node_guest *to = rf_node_guest_named(guest->node, guest->asked->reach[i]);
        if (to)
            append_reached(text, guest, to);
    }
}

/* "{ a, b }" of every guest, made by `element`; NULL where there is no guest. */
static char *set_of(const rf_node_model *model, char *(*element)(const struct rf_node_guest *))
{
    rf_autofree char *list = NULL;
    for (size_t i = 0; i < model->guests_count; i++) {
        rf_autofree char *one = element(&model->guests[i]);
        rf_append(&list, "%s%s", list ? ",\n                     " : "", one);
    }
    return list ? rf_format("{ %s }", list) : NULL;
}

static char *owner_element(const struct rf_node_guest *guest)
{
    return rf_format("%s . %s", guest->address, guest->mac);
}

static char *ip_element(const struct rf_node_guest *guest)
{
    return rf_strdup(guest->address);
}

/* A guest's address counts only together with its hardware address: others may be on that bridge too. Asked before any connection that
 * is known already: theirs is not it. */
static void append_owners(char **text, const rf_node_model *model)
{
    rf_autofree char *owners = set_of(model, owner_element), *addresses = set_of(model, ip_element);
    if (owners)
        rf_append(text,
                  "    set owners {\n        type ipv4_addr . ether_addr\n        elements = %s\n    }\n\n"
                  "    set taken {\n        type ipv4_addr\n        elements = %s\n    }\n\n",
                  owners, addresses);
    rf_append(text, "    chain forward {\n"
                    "        type filter hook forward priority filter; policy accept;\n"
                    "        iifname " PORTS " drop\n");
    if (owners)
        rf_append(text, "        iifname " BRIDGE " ip saddr @taken ip saddr . ether saddr != @owners drop\n");
}

/* What the node passes on. */
static char *routed(const rf_node_model *model)
{
    const char *subnet = model->profile->network.guests.subnet;
    char *text = NULL;
    append_owners(&text, model);
    rf_append(&text, "        iifname " BRIDGE " oifname " BRIDGE " goto between\n"
                     "        oifname " BRIDGE " goto inward\n"
                     "        oifname " VPN " ct state new drop\n"
                     "        iifname " VPN " drop\n");
    rf_lan_routed(&text, model);
    rf_append(&text, "    }\n\n"
                     "    chain between {\n"
                     "        ct state vmap { established : accept, related : accept, invalid : drop }\n");
    for (size_t i = 0; i < model->guests_count; i++)
        append_between(&text, &model->guests[i]);
    for (size_t i = 0; i < model->guests_count; i++)
        append_reaches(&text, &model->guests[i]);
    /* Said at once. The kernel sends only one ICMP error a second to each receiver (icmp_ratelimit, ip-sysctl); resets it does not count. */
    rf_append(&text, "        meta l4proto tcp reject with tcp reset\n"
                     "        reject with icmpx admin-prohibited\n    }\n\n"
                     "    chain inward {\n"
                     "        ct state vmap { established : accept, related : accept, invalid : drop }\n");
    for (size_t i = 0; i < model->guests_count; i++)
        append_vpn(&text, &model->guests[i]);
    rf_append(&text,
              "        drop\n    }\n\n"
              "    chain postrouting {\n"
              "        type nat hook postrouting priority srcnat; policy accept;\n"
              "        ip saddr %s ip daddr != %s oifname != { " BRIDGE ", " VPN " } masquerade\n"
              "    }\n",
              subnet, subnet);
    return text;
}

static char *mac_element(const struct rf_node_guest *guest)
{
    return rf_strdup(guest->mac);
}

static char *port_element(const struct rf_node_guest *guest)
{
    return rf_format("\"%s\" . %s", guest->port, guest->mac);
}

static char *address_element(const struct rf_node_guest *guest)
{
    return rf_format("\"%s\" . %s . %s", guest->port, guest->mac, guest->address);
}

/* What comes through a bridge's port: only what is that guest's own. */
static char *bridged(const rf_node_model *model)
{
    rf_autofree char *macs = set_of(model, mac_element), *ports = set_of(model, port_element);
    rf_autofree char *addresses = set_of(model, address_element);
    rf_autofree char *entry = rf_lan_entry(model), *lan = rf_lan_bridged(model);
    if (!macs) /* fails closed: a guest that has left the profile may still be shutting down */
        return rf_format("    chain prerouting {\n"
                         "        type filter hook prerouting priority filter; policy accept;\n"
                         "        iifname \"" RF_PORT_PREFIX "*\" drop\n%s    }\n%s",
                         entry, lan);
    return rf_format(
        "    set macs {\n        type ether_addr\n        elements = %s\n    }\n\n"
        "    set ports {\n        type ifname . ether_addr\n        elements = %s\n    }\n\n"
        "    set addresses {\n        type ifname . ether_addr . ipv4_addr\n        elements = %s\n    }\n\n"
        "    chain prerouting {\n"
        "        type filter hook prerouting priority filter; policy accept;\n"
        "        iifname \"" RF_PORT_PREFIX "*\" goto guest\n"
        "%s"
        "        ether saddr @macs drop\n"
        "    }\n\n"
        "    chain guest {\n"
        "        iifname . ether saddr != @ports drop\n"
        "        ether type arp goto guest_arp\n"
        "        ether type ip iifname . ether saddr . ip saddr @addresses accept\n"
        "        ether type ip ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept comment \"DHCP\"\n"
        "        drop\n"
        "    }\n\n"
        "    chain guest_arp {\n"
        "        iifname . arp saddr ether . arp saddr ip @addresses accept\n"
        "        iifname . arp saddr ether @ports arp saddr ip 0.0.0.0 accept comment \"is it free?\"\n"
        "        drop\n"
        "    }\n%s",
        macs, ports, addresses, entry, lan);
}

static char *body(const rf_node_model *model, size_t table)
{
    return table ? bridged(model) : routed(model);
}

static const struct rf_ruleset ruleset = {
    .path = RF_ISOLATION_FILE,
    .tables = (const char *const[]){"inet richtfest_guests", "bridge richtfest_guests", NULL},
    .body = body};

char *rf_isolation_text(const rf_node_model *model)
{
    return rf_ruleset_text(&ruleset, model);
}

/* A redirect would tell a guest to speak to its neighbour directly, which it can't; the value for all interfaces counts too
 * (Documentation/networking/ip-sysctl: "or"). And an answer on behalf of a neighbour is delayed by up to 0.8 s unless that is said
 * otherwise (arp(7), proxy_delay). */
static const struct {
    const char *name; /* below net.ipv4 */
    char value;
} switches[] = {{"ip_forward", '1'},
                {"conf.all.send_redirects", '0'},
                {"conf." RF_NETWORK_BRIDGE ".send_redirects", '0'},
                {"conf." RF_NETWORK_BRIDGE ".proxy_arp_pvlan", '1'},
                {"neigh." RF_NETWORK_BRIDGE ".proxy_delay", '0'}};

/* "-": udev applies the file again to every interface that appears, so it may be absent when the node boots (systemd-sysctl(8)). */
char *rf_isolation_sysctl(void)
{
    char *text = rf_strdup("# Written by richtfest: the node routes between the guests, whose ports are isolated.\n");
    for (size_t i = 0; i < RF_COUNT(switches); i++)
        rf_append(&text, "-net.ipv4.%s = %c\n", switches[i].name, switches[i].value);
    return text;
}

/* The bridge's name has no dot. */
static char *switch_path(const rf_node_model *model, size_t index)
{
    rf_autofree char *name = rf_strdup(switches[index].name);
    for (char *c = name; *c; c++)
        *c = *c == '.' ? '/' : *c;
    return rf_node_path(model, "/proc/sys/net/ipv4/%s", name);
}

static bool switched(const rf_node_model *model)
{
    bool all = true;
    for (size_t i = 0; i < RF_COUNT(switches); i++) {
        rf_autofree char *path = switch_path(model, i), *value = rf_read_line(path);
        all = all && value && value[0] == switches[i].value;
    }
    return all;
}

static bool sysctl_written(const rf_node_model *model)
{
    rf_autofree char *path = rf_node_path(model, "%s", RF_ISOLATION_SYSCTL), *wanted = rf_isolation_sysctl(),
                     *text = NULL;
    return rf_exists(path) && rf_read_file(path, TEXT_MAX, &text, NULL, NULL) == 0 && strcmp(text, wanted) == 0;
}

static enum rf_probe isolation_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    if (!sysctl_written(arg) || !switched(arg))
        return RF_PROBE_TODO;
    enum rf_probe loaded = rf_ruleset_probe(&ruleset, arg, env, err);
    if (loaded != RF_PROBE_DONE)
        return loaded;
    int taught = rf_lan_taught(arg, env, err);
    return taught < 0 ? RF_PROBE_ERROR : taught ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static int set_switch(const char *path, char value, rf_error **err)
{
    rf_autofd int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, &value, 1) != 1)
        return rf_fail_errno(err, RF_FAILED, errno, "setting %s", path);
    return 0;
}

static int isolation_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    rf_autofree char *path = rf_node_path(arg, "%s", RF_ISOLATION_SYSCTL), *text = rf_isolation_sysctl();
    rf_autofree char *directory = rf_node_path(arg, "/etc/sysctl.d");
    if (rf_ruleset_apply(&ruleset, arg, env, err) < 0)
        return -1;
    if (rf_make_dirs(directory, 0755, err) < 0 || rf_write_file(path, text, strlen(text), 0644, err) < 0)
        return -1;
    for (size_t i = 0; i < RF_COUNT(switches); i++) {
        rf_autofree char *one = switch_path(arg, i);
        if (set_switch(one, switches[i].value, err) < 0)
            return -1;
    }
    return rf_lan_teach(arg, env, err);
}

const struct rf_step_ops rf_step_isolation = {"isolation", isolation_probe, isolation_apply, NULL};
