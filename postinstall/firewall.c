/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ruleset. */
#include "postinstall/firewall.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/memory.h"

#include <string.h>

enum { TEXT_MAX = 65536, MARK = 16 };

/* nft(8); ICMPv6 types that IPv6 cannot do without: RFC 4890, 4.4. DHCP: RFC 2131, RFC 8415. */
static const char rules[] =
    "    chain input {\n"
    "        type filter hook input priority filter; policy drop;\n"
    "        iif lo accept\n"
    "        ct state vmap { established : accept, related : accept, invalid : drop }\n"
    "        iifname \"" RF_NETWORK_BRIDGE "\" goto guests\n"
    "        icmp type { echo-request, destination-unreachable, time-exceeded, parameter-problem } accept\n"
    "        icmpv6 type { echo-request, destination-unreachable, packet-too-big, time-exceeded, parameter-problem } "
    "accept\n"
    "        icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit "
    "255 "
    "accept\n"
    "        icmpv6 type { mld-listener-query, mld-listener-report, mld2-listener-report } ip6 saddr fe80::/10 accept\n"
    "        udp sport 67 udp dport 68 accept comment \"DHCP client\"\n"
    "        ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept comment \"DHCPv6 client\"\n"
    "        tcp dport { 22, 9090 } accept comment \"SSH, Cockpit\"\n"
    "    }\n"
    "\n"
    "    chain guests {\n"
    "        udp dport { 53, 67 } accept comment \"DNS, DHCP\"\n"
    "        tcp dport 53 accept comment \"DNS\"\n"
    "        icmp type echo-request accept\n"
    "        drop\n"
    "    }\n"
    "\n"
    "    chain forward {\n"
    "        type filter hook forward priority filter; policy accept;\n"
    "        iifname != \"" RF_NETWORK_BRIDGE "\" oifname \"" RF_NETWORK_BRIDGE "\" ct state new drop\n"
    "    }\n";

static void mark_of(char ret_mark[MARK + 1])
{
    char hex[RF_SHA256_HEX];
    rf_sha256(rules, strlen(rules), hex);
    memcpy(ret_mark, hex, MARK);
    ret_mark[MARK] = '\0';
}

/* "table; delete table" makes the replacement one transaction, whether the table was there or not. */
char *rf_firewall_text(void)
{
    char mark[MARK + 1];
    mark_of(mark);
    return rf_format("#!/usr/sbin/nft -f\n"
                     "# Written by richtfest. Rules of your own belong into another table: this one is replaced.\n"
                     "table inet richtfest\n"
                     "delete table inet richtfest\n"
                     "table inet richtfest {\n"
                     "    comment \"richtfest %s\"\n"
                     "\n"
                     "%s"
                     "}\n",
                     mark, rules);
}

static enum rf_probe firewall_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    rf_autofree char *path = rf_node_path(arg, "%s", RF_FIREWALL_FILE), *wanted = rf_firewall_text(), *text = NULL;
    if (!rf_exists(path) || rf_read_file(path, TEXT_MAX, &text, NULL, NULL) < 0 || strcmp(text, wanted) != 0)
        return RF_PROBE_TODO;
    struct rf_command command = {.argv = RF_ARGV("nft", "list", "table", "inet", "richtfest")};
    rf_autoresult struct rf_result result = {0};
    if (rf_run_status(env->runner, &command, &result, err) < 0)
        return RF_PROBE_ERROR;
    char mark[MARK + 1];
    mark_of(mark);
    return result.status == 0 && strstr(result.out, mark) ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static int firewall_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    rf_autofree char *path = rf_node_path(arg, "%s", RF_FIREWALL_FILE), *text = rf_firewall_text();
    if (rf_write_file(path, text, strlen(text), 0755, err) < 0)
        return -1;
    return rf_run_argv(env->runner, RF_ARGV("nft", "-f", path), err);
}

const struct rf_step_ops rf_step_firewall = {"firewall", firewall_probe, firewall_apply, NULL};
