/* SPDX-License-Identifier: GPL-3.0-or-later */
/* networkd's files for bridges, and networkd. */
#include "postinstall/bridge.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/units.h"
#include "postinstall/card.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

enum { TEXT_MAX = 65536, APPEAR_SECONDS = 20, POLL_MS = 200 };

/* Before 20-uplink.network, which matches every card: networkd takes the first file that matches (systemd.network(5)). */
#define OWN_PREFIX "15-richtfest-bridge-"
#define CARD_PREFIX                                                                                                    \
    "16-richtfest-card-" /* behind the bridge's own file: the bridge has the card's address, and must not match first */
/* Behind those: a bridge that comes back over that card has it. */
#define LEFT_PREFIX "17-richtfest-left-"
#define WRITTEN "# Written by richtfest; changes are overwritten.\n"
#define UPLINK_WRITTEN "# Written by Richtfest from network.uplink.\n"
#define UPLINK "uplink"

const struct rf_bridge *rf_bridge_uplink(const rf_profile *profile)
{
    for (size_t i = 0; i < profile->network.bridges_count; i++)
        if (profile->network.bridges[i].uplink)
            return &profile->network.bridges[i];
    return NULL;
}

/* No spanning tree: guests can't make loops (their filter lets IP and ARP through only), and the first packets would wait half a
 * minute. The hardware address is the card's: DHCP knows the node by it, and a provider's switch accepts no other. */
static char *netdev_text(const char *written, const struct rf_bridge *bridge, const char *mac)
{
    char device[16];
    rf_bridge_device(bridge, device);
    return rf_format("%s[NetDev]\nName=%s\nKind=bridge\nMACAddress=%s\n\n"
                     "[Bridge]\nSTP=no\nForwardDelaySec=0\nVLANFiltering=yes\nDefaultPVID=1\n",
                     written, device, mac);
}

/* Untagged frames are the bridge's VLAN 1; every other one passes with its tag. "ether" is no bridge: that one has the same address. */
static char *port_text(const char *written, const struct rf_bridge *bridge, const char *mac)
{
    char device[16];
    rf_bridge_device(bridge, device);
    return rf_format("%s[Match]\nType=ether\nPermanentMACAddress=%s\n\n"
                     "[Network]\nBridge=%s\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n\n"
                     "[BridgeVLAN]\nPVID=1\nEgressUntagged=1\nVLAN=1-4094\n",
                     written, mac, device);
}

static char *card_match(const rf_profile *profile)
{
    /* Matched by kind, not by name or address, so that a swapped card comes up too; by MAC only where the profile says so. */
    return profile->network.uplink.match_mac ? rf_format("PermanentMACAddress=%s", profile->network.uplink.match_mac)
                                             : rf_strdup("Type=ether\nName=en* eth*");
}

static char *dhcp_text(const char *match)
{
    return rf_format(UPLINK_WRITTEN "[Match]\n%s\n\n"
                                    "[Network]\nDHCP=yes\n\n"
                                    "[DHCPv4]\nClientIdentifier=mac\nUseDomains=yes\n",
                     match);
}

char *rf_uplink_network(const rf_profile *profile)
{
    const struct rf_bridge *bridge = rf_bridge_uplink(profile);
    rf_autofree char *match = card_match(profile);
    return bridge ? port_text(UPLINK_WRITTEN, bridge, profile->network.uplink.match_mac) : dhcp_text(match);
}

char *rf_uplink_netdev(const rf_profile *profile)
{
    const struct rf_bridge *bridge = rf_bridge_uplink(profile);
    return bridge ? netdev_text(UPLINK_WRITTEN, bridge, profile->network.uplink.match_mac) : NULL;
}

char *rf_uplink_bridge(const rf_profile *profile)
{
    const struct rf_bridge *bridge = rf_bridge_uplink(profile);
    char device[16];
    if (!bridge)
        return NULL;
    rf_bridge_device(bridge, device);
    rf_autofree char *match = rf_format("Name=%s", device);
    return dhcp_text(match);
}

/* The node has no address there: it neither asks for one nor makes one. */
static char *silent_text(const struct rf_bridge *bridge)
{
    char device[16];
    rf_bridge_device(bridge, device);
    return rf_format(WRITTEN
                     "[Match]\nName=%s\n\n"
                     "[Link]\nRequiredForOnline=no\n\n"
                     "[Network]\nDHCP=no\nLinkLocalAddressing=no\nIPv6AcceptRA=no\nConfigureWithoutCarrier=yes\n",
                     device);
}

void rf_bridge_files(const struct rf_bridge *bridge, const rf_profile *profile,
                     struct rf_bridge_file ret_files[RF_BRIDGE_FILES])
{
    if (bridge->uplink) {
        ret_files[0] = (struct rf_bridge_file){rf_strdup(RF_UPLINK_NETDEV), rf_uplink_netdev(profile)};
        ret_files[1] = (struct rf_bridge_file){rf_strdup(RF_UPLINK_BRIDGE), rf_uplink_bridge(profile)};
        ret_files[2] = (struct rf_bridge_file){rf_strdup(RF_UPLINK_NETWORK), rf_uplink_network(profile)};
        return;
    }
    static const char base[] = RF_NETWORKD_DIR "/" OWN_PREFIX;
    ret_files[0] = (struct rf_bridge_file){rf_format("%s%s.netdev", base, bridge->name),
                                           netdev_text(WRITTEN, bridge, bridge->mac)};
    ret_files[1] = (struct rf_bridge_file){rf_format("%s%s.network", base, bridge->name), silent_text(bridge)};
    ret_files[2] = (struct rf_bridge_file){rf_format(RF_NETWORKD_DIR "/" CARD_PREFIX "%s.network", bridge->name),
                                           port_text(WRITTEN, bridge, bridge->mac)};
}

void rf_bridge_files_clear(struct rf_bridge_file files[RF_BRIDGE_FILES])
{
    for (size_t i = 0; i < RF_BRIDGE_FILES; i++) {
        free(files[i].path);
        free(files[i].text);
    }
}

void rf_bridge_digest(const struct rf_bridge *bridge, const rf_profile *profile, char ret_hex[RF_SHA256_HEX])
{
    struct rf_bridge_file files[RF_BRIDGE_FILES];
    rf_autofree char *all = NULL;
    rf_bridge_files(bridge, profile, files);
    for (size_t i = 0; i < RF_BRIDGE_FILES; i++)
        rf_append(&all, "%s", files[i].text);
    rf_bridge_files_clear(files);
    rf_sha256(all, strlen(all), ret_hex);
}

/* Files that are there, one behind the other; the digest of a bridge of which one is missing is another one. */
static json_t *digest_of_files(const char *root, const char *const paths[RF_BRIDGE_FILES])
{
    rf_autofree char *all = rf_strdup("");
    char hex[RF_SHA256_HEX];
    for (size_t i = 0; i < RF_BRIDGE_FILES; i++) {
        rf_autofree char *path = rf_format("%s%s", root, paths[i]), *text = NULL;
        if (rf_exists(path) && rf_read_file(path, TEXT_MAX, &text, NULL, NULL) == 0)
            rf_append(&all, "%s", text);
    }
    rf_sha256(all, strlen(all), hex);
    return json_string(hex);
}

/* "lan" of "15-richtfest-bridge-lan.netdev"; NULL: not one of ours. The caller frees it. */
static char *name_of(const char *file)
{
    const char *suffix = strrchr(file, '.');
    size_t prefix = strlen(OWN_PREFIX);
    if (strncmp(file, OWN_PREFIX, prefix) != 0 || !suffix || strcmp(suffix, ".netdev") != 0)
        return NULL;
    return rf_format("%.*s", (int)(suffix - file - (long)prefix), file + prefix);
}

json_t *rf_bridge_facts(const char *root)
{
    json_t *facts = json_object();
    rf_autofree char *directory = rf_format("%s" RF_NETWORKD_DIR, root), *netdev = NULL;
    rf_autodir DIR *entries = opendir(directory);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        rf_autofree char *name = name_of(entry->d_name);
        if (!name)
            continue;
        rf_autofree char *base = rf_format(RF_NETWORKD_DIR "/" OWN_PREFIX "%s", name);
        rf_autofree char *first = rf_format("%s.netdev", base), *second = rf_format("%s.network", base),
                         *third = rf_format(RF_NETWORKD_DIR "/" CARD_PREFIX "%s.network", name);
        json_object_set_new(facts, name,
                            digest_of_files(root, (const char *const[RF_BRIDGE_FILES]){first, second, third}));
    }
    netdev = rf_format("%s" RF_UPLINK_NETDEV, root);
    if (rf_exists(netdev))
        json_object_set_new(facts, UPLINK,
                            digest_of_files(root, (const char *const[RF_BRIDGE_FILES]){
                                                      RF_UPLINK_NETDEV, RF_UPLINK_BRIDGE, RF_UPLINK_NETWORK}));
    return facts;
}

static bool written(const struct rf_node_bridge *bridge)
{
    struct rf_bridge_file files[RF_BRIDGE_FILES];
    bool all = true;
    rf_bridge_files(bridge->asked, bridge->node->profile, files);
    for (size_t i = 0; i < RF_BRIDGE_FILES; i++) {
        rf_autofree char *path = rf_node_path(bridge->node, "%s", files[i].path), *text = NULL;
        all = all && rf_exists(path) && rf_read_file(path, TEXT_MAX, &text, NULL, NULL) == 0 &&
              strcmp(text, files[i].text) == 0;
    }
    rf_bridge_files_clear(files);
    return all;
}

static bool interface_there(const rf_node_model *model, const char *device)
{
    rf_autofree char *path = rf_node_path(model, "/sys/class/net/%s/bridge", device);
    return rf_exists(path);
}

/* Is the card in it? A card that is not in the machine can't be: then the bridge is there without it, and the apply says so. */
static bool complete(const struct rf_node_bridge *bridge)
{
    const char *mac = bridge->asked->uplink ? bridge->node->profile->network.uplink.match_mac : bridge->asked->mac;
    rf_autofree char *card = rf_card_named(bridge->node, mac);
    rf_autofree char *port = rf_node_path(bridge->node, "/sys/class/net/%s/brif/%s", bridge->device, card ? card : "-");
    return card && interface_there(bridge->node, bridge->device) && rf_exists(port);
}

static const struct rf_node_guest *guest_at(const rf_node_model *model, const char *port)
{
    for (size_t i = 0; i < model->guests_count; i++)
        if (strcmp(model->guests[i].lan_port, port) == 0)
            return &model->guests[i];
    return NULL;
}

/* "web, app": who runs with a card at that bridge, by name or, where it has left the profile, by port; NULL: nobody. The caller frees it. */
static char *guests_at(const rf_node_model *model, const char *device)
{
    rf_autofree char *directory = rf_node_path(model, "/sys/class/net/%s/brif", device), *names = NULL;
    rf_autodir DIR *ports = opendir(directory);
    for (struct dirent *port; ports && (port = readdir(ports));) {
        const struct rf_node_guest *guest = guest_at(model, port->d_name);
        if (strncmp(port->d_name, RF_LAN_PORT_PREFIX, strlen(RF_LAN_PORT_PREFIX)) == 0)
            rf_append(&names, "%s%s", names ? ", " : "", guest ? guest->asked->name : port->d_name);
    }
    return RF_STEAL(names);
}

/* A bridge that goes takes the network from under those that run, for as long as nobody starts them anew. */
static int refuse_in_use(const rf_node_model *model, const char *device, rf_error **err)
{
    rf_autofree char *names = guests_at(model, device);
    if (!names)
        return 0;
    return rf_fail(err, RF_FAILED,
                   "the bridge %s is kept, because guests run with a card at it: %s; shut them down (virsh shutdown "
                   "NAME), then `richtfest apply --node` changes the bridge and starts them",
                   device, names);
}

/* The card is in another bridge of ours until the profile's change is done: not while guests are at that one. */
static int refuse_moving(const struct rf_node_bridge *bridge, const char *card, rf_error **err)
{
    rf_autofree char *directory = rf_node_path(bridge->node, "/sys/class/net");
    rf_autodir DIR *entries = opendir(directory);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        rf_autofree char *port = rf_node_path(bridge->node, "/sys/class/net/%s/brif/%s", entry->d_name, card);
        if (strcmp(entry->d_name, bridge->device) != 0 && rf_exists(port) &&
            refuse_in_use(bridge->node, entry->d_name, err) < 0)
            return -1;
    }
    return 0;
}

static enum rf_probe bridge_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    return written(arg) && complete(arg) ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static int refuse_uplink(const struct rf_node_bridge *bridge, rf_error **err)
{
    if (!written(bridge))
        return rf_fail(
            err, RF_BAD_MACHINE,
            "the bridge %s over the uplink is made at the installation only, because a mistake would cut the "
            "node off; nothing is changed. docs/how-to/bridge-guests.md tells how to do it by hand, from the "
            "provider's console",
            bridge->asked->name);
    return rf_fail(err, RF_FAILED,
                   "the bridge %s is not there, or the card %s is not in it (see: networkctl status %s)",
                   bridge->asked->name, bridge->node->profile->network.uplink.match_mac, bridge->device);
}

static int remove_files(const struct rf_node_bridge *bridge, rf_error **err)
{
    struct rf_bridge_file files[RF_BRIDGE_FILES];
    int result = 0;
    rf_bridge_files(bridge->asked, bridge->node->profile, files);
    for (size_t i = RF_BRIDGE_FILES; i-- > 0 && result == 0;) {
        rf_autofree char *path = rf_node_path(bridge->node, "%s", files[i].path);
        if (unlink(path) < 0 && errno != ENOENT)
            result = rf_fail_errno(err, RF_FAILED, errno, "removing %s", path);
    }
    rf_bridge_files_clear(files);
    return result;
}

/* "52:54:00:…" of a card's file; NULL: it is not there. The caller frees it. */
static char *card_of(const rf_node_model *model, const char *name)
{
    static const char key[] = "\nPermanentMACAddress=";
    rf_autofree char *path = rf_node_path(model, RF_NETWORKD_DIR "/" CARD_PREFIX "%s.network", name), *text = NULL;
    if (!rf_exists(path) || rf_read_file(path, TEXT_MAX, &text, NULL, NULL) < 0)
        return NULL;
    const char *at = strstr(text, key);
    return at ? rf_format("%.*s", (int)strcspn(at + strlen(key), "\n"), at + strlen(key)) : NULL;
}

char *rf_bridge_left_text(const char *mac)
{
    return rf_format(WRITTEN "# The card of a bridge that is no more: without this file it would be one more uplink.\n"
                             "[Match]\nType=ether\nPermanentMACAddress=%s\n\n"
                             "[Link]\nRequiredForOnline=no\n\n"
                             "[Network]\nDHCP=no\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n",
                     mac);
}

/* Before the bridge goes. Without the card's file it has been written: that one is the first that goes. */
static int leave_card(const struct rf_node_bridge *bridge, rf_error **err)
{
    const char *name = bridge->asked->name;
    rf_autofree char *mac = card_of(bridge->node, name), *text = mac ? rf_bridge_left_text(mac) : NULL;
    rf_autofree char *path = rf_node_path(bridge->node, RF_NETWORKD_DIR "/" LEFT_PREFIX "%s.network", name);
    return text ? rf_write_file(path, text, strlen(text), 0644, err) : 0;
}

static int write_files(const struct rf_node_bridge *bridge, rf_error **err)
{
    struct rf_bridge_file files[RF_BRIDGE_FILES];
    int result = 0;
    rf_bridge_files(bridge->asked, bridge->node->profile, files);
    for (size_t i = 0; i < RF_BRIDGE_FILES && result == 0; i++) {
        rf_autofree char *path = rf_node_path(bridge->node, "%s", files[i].path);
        result = rf_write_file(path, files[i].text, strlen(files[i].text), 0644, err);
    }
    rf_bridge_files_clear(files);
    return result;
}

static int delete_interface(struct rf_step_env *env, const rf_node_model *model, const char *device, rf_error **err)
{
    rf_autoresult struct rf_result ignored = {0};
    struct rf_command away = {.argv = RF_ARGV("networkctl", "delete", device)};
    if (interface_there(model, device) && rf_run(env->runner, &away, &ignored, err) < 0)
        return -1;
    return rf_run_argv(env->runner, RF_ARGV("networkctl", "reload"), err);
}

static int wait_for(const struct rf_node_bridge *bridge, rf_error **err)
{
    double deadline = rf_now() + APPEAR_SECONDS;
    while (!complete(bridge)) {
        if (rf_now() > deadline)
            return rf_fail(err, RF_FAILED, "the bridge %s does not appear (see: journalctl -u systemd-networkd)",
                           bridge->device);
        usleep(POLL_MS * 1000);
    }
    return 0;
}

/* The files away, and networkd as it was before. */
static int take_back(struct rf_step_env *env, const struct rf_node_bridge *bridge, rf_error *why, rf_error **err)
{
    rf_autoerror rf_error *also = NULL, *first = why;
    rf_autofree char *text = rf_error_text(first);
    bool back = remove_files(bridge, &also) == 0 && delete_interface(env, bridge->node, bridge->device, &also) == 0;
    rf_autofree char *more = back ? NULL : rf_error_text(also);
    return rf_fail(err, RF_FAILED, "%s; %s%s", text,
                   back ? "it was taken back" : "taking it back failed: ", more ? more : "");
}

static int make(struct rf_step_env *env, const struct rf_node_bridge *bridge, rf_error **err)
{
    rf_error *why = NULL;
    bool out = rf_way_out(bridge->node, NULL);
    if (write_files(bridge, err) < 0)
        return -1;
    int made = rf_run_argv(env->runner, RF_ARGV("networkctl", "reload"), &why);
    if (made == 0)
        made = wait_for(bridge, &why);
    if (made == 0 && out && !rf_way_out(bridge->node, NULL))
        made = rf_fail(&why, RF_FAILED, "with the bridge %s the node has lost its way out", bridge->device);
    return made == 0 ? 0 : take_back(env, bridge, why, err);
}

static int bridge_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_node_bridge *bridge = arg;
    if (bridge->asked->uplink)
        return refuse_uplink(bridge, err);
    rf_autofree char *card = rf_card_named(bridge->node, bridge->asked->mac);
    if (!card) {
        rf_autofree char *all = rf_cards_text(bridge->node);
        return rf_fail(err, RF_BAD_MACHINE, "no network card has the address %s of the bridge %s; there are: %s",
                       bridge->asked->mac, bridge->asked->name, all);
    }
    if (rf_way_out(bridge->node, card))
        return rf_fail(
            err, RF_BAD_MACHINE,
            "the card %s (%s) of the bridge %s is the node's way out, and the bridge would cut it off; write "
            "another card's `mac`, or install the node with `uplink: true`",
            card, bridge->asked->mac, bridge->asked->name);
    if (refuse_moving(bridge, card, err) < 0)
        return -1;
    return make(env, bridge, err);
}

const struct rf_step_ops rf_step_bridge = {"bridge", bridge_probe, bridge_apply, NULL};

static bool asked_for(const rf_node_model *model, const char *name)
{
    for (size_t i = 0; i < model->bridges_count; i++)
        if (!model->bridges[i].asked->uplink && strcmp(model->bridges[i].asked->name, name) == 0)
            return true;
    return false;
}

/* The first one that is there and should not be; NULL: none. The caller frees it. */
static char *old_one(const rf_node_model *model)
{
    const char *name;
    json_t *digest;
    rf_autojson json_t *facts = rf_bridge_facts(model->root);
    json_object_foreach(facts, name, digest)
    {
        if (strcmp(name, UPLINK) != 0 && !asked_for(model, name))
            return rf_strdup(name);
    }
    return NULL;
}

static enum rf_probe old_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    rf_autofree char *name = old_one(arg);
    return name ? RF_PROBE_TODO : RF_PROBE_DONE;
}

static int old_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_node_model *model = arg;
    for (char *name; (name = old_one(model));) {
        rf_autofree char *held = name;
        struct rf_bridge asked = {.name = held, .mac = (char *)""};
        struct rf_node_bridge bridge = {.node = model, .asked = &asked};
        rf_bridge_device(&asked, bridge.device);
        if (refuse_in_use(model, bridge.device, err) < 0 || leave_card(&bridge, err) < 0 ||
            remove_files(&bridge, err) < 0 || delete_interface(env, model, bridge.device, err) < 0)
            return -1;
    }
    return 0;
}

const struct rf_step_ops rf_step_bridges_old = {"bridges-old", old_probe, old_apply, NULL};
