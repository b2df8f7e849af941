/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kinds of text in a profile. */
#include "profiles/patterns.h"

#include "base/memory.h"
#include "profiles/sshkey.h"
#include "profiles/suggest.h"
#include "profiles/text.h"
#include "profiles/timezone.h"

#include <arpa/inet.h>
#include <regex.h>
#include <string.h>

#define LABEL "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?" /* RFC 1123, 2.1; lower case, as names are compared here */
#define OCTET "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
#define NUMBER "[0-9]+([.][0-9]+)? ?"
#define SIZE NUMBER "([kKMGTP]?B|[KMGTP]iB)"

static char *check_timezone(const char *text)
{
    return rf_timezone_mistake(RF_ZONEINFO_DIR, text);
}

static char *check_hostname(const char *text)
{
    const char *dot = strrchr(text, '.');
    const char *last = dot ? dot + 1 : text;
    if (strspn(last, "0123456789") == strlen(last)) /* RFC 1123, 2.1: it would read as an address */
        return rf_format("\"%s\" is not a host name; its last part can't be a number", text);
    return NULL;
}

/* A name, or an address: but what looks like an address must be one. */
static char *check_endpoint(const char *text)
{
    unsigned char address[4];
    return inet_pton(AF_INET, text, address) == 1 ? NULL : check_hostname(text);
}

static char *mistake_prefix(const char *text)
{
    unsigned char address[4];
    if (inet_pton(AF_INET, text, address) != 1)
        return NULL;
    return rf_format("\"%s\" has no prefix length; write for example \"10.20.0.0/24\"", text);
}

static char *mistake_lan_prefix(const char *text)
{
    unsigned char address[4];
    if (inet_pton(AF_INET, text, address) != 1)
        return NULL;
    return rf_format("\"%s\" has no prefix length; write for example \"%s/24\"", text, text);
}

static char *check_ports(const char *text)
{
    const char *slash = strchr(text, '/'), *dash = strchr(text, '-');
    unsigned long first = slash ? strtoul(slash + 1, NULL, 10) : 1, last = dash ? strtoul(dash + 1, NULL, 10) : first;
    if (first > 65535 || last > 65535)
        return rf_format("\"%s\": ports end at 65535", text);
    return first > last ? rf_format("\"%s\": the smaller port comes first", text) : NULL;
}

static char *check_port(const char *text)
{
    const char *host = strstr(text, "://") + 3;
    const char *end = host + strcspn(host, "/?#");
    for (const char *at = host; at < end; at++)
        if (*at == '@')
            host = at + 1;
    const char *colon = end;
    while (colon > host && *colon != ':' && *colon != ']')
        colon--;
    unsigned long port = *colon == ':' ? strtoul(colon + 1, NULL, 10) : 1;
    return port && port <= 65535 ? NULL : rf_format("not a valid URL; the port must be 1 to 65535");
}

const struct rf_pattern rf_pattern_node_id = {
    .name = "node id",
    .regex = "^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$",
    .max = 32,
    .wants = "1 to 32 lower-case letters, digits and hyphens, the first a letter, the last no hyphen",
};

const struct rf_pattern rf_pattern_hostname = {
    .name = "host name",
    .regex = "^" LABEL "([.]" LABEL ")*$",
    .max = 64, /* HOST_NAME_MAX of Linux: sethostname(2) takes no more */
    .wants = "lower-case letters, digits and hyphens in parts joined by dots, at most 64 characters together",
    .check = check_hostname,
};

const struct rf_pattern rf_pattern_user = {
    .name = "user name",
    .regex = "^[a-z_][a-z0-9_-]*$", /* Debian's NAME_REGEX (adduser.conf(5)), without dots and capitals */
    .max = 32,                      /* useradd(8) */
    .wants = "1 to 32 lower-case letters, digits, \"_\" and \"-\", the first a letter or \"_\"",
};

const struct rf_pattern rf_pattern_ssh_key = {
    .name = "SSH public key",
    .regex = "^(ssh-|ecdsa-|sk-)[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}( [^\n\r]*)?$",
    .max = 4096,
    .wants = "one line as it stands in a .pub file, for example \"ssh-ed25519 AAAA… name@place\"",
    .secret = true, /* a private key pasted by mistake */
    .mistake = rf_ssh_key_mistake,
    .check = rf_ssh_key_check,
};

const struct rf_pattern rf_pattern_timezone = {
    .name = "time zone",
    .regex = "^[A-Za-z]+(/[A-Za-z0-9_+-]+){0,2}$",
    .max = 64,
    .wants = "a name of the tz database, for example \"Europe/Berlin\" or \"UTC\"",
    .check = check_timezone,
};

const struct rf_pattern rf_pattern_subnet = {
    .name = "IPv4 subnet",
    .regex = "^" OCTET "([.]" OCTET "){3}/(3[0-2]|[12]?[0-9])$",
    .max = 18,
    .wants = "a network address and its prefix length, for example \"10.20.0.0/24\"",
    .mistake = mistake_prefix,
};

const struct rf_pattern rf_pattern_address = {
    .name = "IPv4 address",
    .regex = "^" OCTET "([.]" OCTET "){3}$",
    .max = 15,
    .wants = "four numbers from 0 to 255, for example \"10.20.0.40\"",
};

const struct rf_pattern rf_pattern_lan_address = {
    .name = "IPv4 address with its prefix length",
    .regex = "^(dhcp|" OCTET "([.]" OCTET "){3}/([89]|[12][0-9]|30))$",
    .max = 18,
    .wants = "for example \"192.168.20.5/24\", or `dhcp`",
    .mistake = mistake_lan_prefix,
};

const struct rf_pattern rf_pattern_bridge = {
    .name = "bridge name",
    .regex = "^[a-z]([a-z0-9-]{0,9}[a-z0-9])?$",
    .max = 11, /* with "rfb-" before it an interface's name: IFNAMSIZ, netdevice(7) */
    .wants = "1 to 11 lower-case letters, digits and hyphens, the first a letter, for example \"lan\"",
};

const struct rf_pattern rf_pattern_open = {
    .name = "port",
    .regex = "^(all|(tcp|udp)/[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?)$",
    .max = 15,
    .wants = "for example \"tcp/443\", \"udp/5060-5070\" or \"all\"",
    .check = check_ports,
};

const struct rf_pattern rf_pattern_endpoint = {
    .name = "host name or IPv4 address",
    .regex = "^" LABEL "([.]" LABEL ")*$",
    .max = 253, /* RFC 1035, 2.3.4 */
    .wants = "what the peers find the node by, for example \"vpn.musterkunde.example\" or \"203.0.113.10\"",
    .check = check_endpoint,
};

const struct rf_pattern rf_pattern_email = {
    .name = "e-mail address",
    .regex = "^[A-Za-z0-9._%+-]{1,64}@" LABEL "([.]" LABEL ")+$",
    .max = 254, /* RFC 5321, 4.5.3.1.3 */
    .wants = "for example \"ops@msp.example\"",
};

const struct rf_pattern rf_pattern_vpn_key = {
    .name = "WireGuard public key",
    .regex = "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$", /* 32 bytes: the last two bits of the last digit are zero */
    .max = 44,
    .wants = "the 44 characters that `wg pubkey` prints",
    .secret = true, /* a private key looks the same */
};

const struct rf_pattern rf_pattern_mac = {
    .name = "MAC address",
    .regex = "^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$",
    .max = 17,
    .wants = "six pairs of hexadecimal digits, for example \"52:54:00:12:34:56\"",
};

const struct rf_pattern rf_pattern_url = {
    .name = "URL",
    .regex = "^https?://([!-.0-;=A-~]+@)?([A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?([/?#][!-~]*)?$",
    .max = 2048,
    .wants = "a whole http or https address, for example \"https://hooks.msp.example/richtfest\"",
    .secret = true, /* hooks carry their token in the path */
    .check = check_port,
};

const struct rf_pattern rf_pattern_glob = {
    .name = "text",
    .regex = "^[^*]+[*]?$",
    .max = 128,
    .wants = "the exact text; a \"*\" may stand at the end for any rest",
};

/* Who consents to lose data says of which disks, one by one. */
static char *mistake_disk(const char *text)
{
    if (!strchr(text, '*'))
        return NULL;
    rf_autofree char *shown = rf_shown(text);
    return rf_format("\"%s\" may mean several disks; write the whole serial number of each disk", shown);
}

const struct rf_pattern rf_pattern_disk = {
    .name = "serial number or WWN",
    .regex =
        "^[!-)+-~]([ -)+-~]*[!-)+-~])?$", /* printable ASCII but "*", as raid/sysfs.c cleans what the hardware says */
    .max = 256,
    .wants = "what `richtfest inventory` shows as the disk's serial, or wwn, for example \"S4EVNF0M123456\"",
    .mistake = mistake_disk,
};

const struct rf_pattern rf_pattern_guest = {
    .name = "guest name",
    .regex = "^" LABEL "$",
    .max = 63,
    .wants = "one part of a host name: lower-case letters, digits and hyphens, at most 63",
    .check = check_hostname,
};

const struct rf_pattern rf_pattern_guest_reference = {
    .name = "name of another guest",
    .regex = "^" LABEL "$",
    .max = 63,
    .wants = "the `name` of a guest in this profile",
};

const struct rf_pattern rf_pattern_peer = {
    .name = "peer name",
    .regex = "^" LABEL "$",
    .max = 63,
    .wants = "lower-case letters, digits and hyphens, at most 63, for example \"laptop-anna\"",
};

const struct rf_pattern rf_pattern_recipe = {
    .name = "recipe name",
    .regex = "^[a-z][a-z0-9-]*$",
    .max = 63,
    .wants = "lower-case letters, digits and hyphens, for example \"active-directory\"",
};

const struct rf_pattern rf_pattern_size = {.name = "size", .regex = "^" SIZE "$", .max = 32};

const struct rf_pattern rf_pattern_band = {
    .name = "size band",
    .regex = "^((>=|<=) ?)?" SIZE "$|^" SIZE " ?[.][.] ?" SIZE "$",
    .max = 64,
};

static bool matches(const char *regex, const char *text)
{
    regex_t compiled;
    if (regcomp(&compiled, regex, REG_EXTENDED | REG_NOSUB))
        abort(); /* a mistake in the tables above; every row is tried by the tests */
    bool match = !regexec(&compiled, text, 0, NULL, 0);
    regfree(&compiled);
    return match;
}

char *rf_pattern_check(const struct rf_pattern *pattern, const char *text)
{
    char *mistake = pattern->mistake ? pattern->mistake(text) : NULL;
    if (mistake)
        return mistake;
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F) /* double quotes let one write "\e" or "\n" */
            return rf_format("not a valid %s: it holds a control character", pattern->name);
    if (strlen(text) <= pattern->max && matches(pattern->regex, text))
        return pattern->check ? pattern->check(text) : NULL;
    if (pattern->secret)
        return rf_format("not a valid %s; write %s", pattern->name, pattern->wants);
    rf_autofree char *shown = rf_shown(text);
    return rf_format("\"%s\" is not a valid %s; write %s", shown, pattern->name, pattern->wants);
}
