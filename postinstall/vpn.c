/* SPDX-License-Identifier: GPL-3.0-or-later */
/* networkd's files, and networkd. */
#include "postinstall/vpn.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/units.h"
#include "postinstall/account.h"
#include "postinstall/vpn_address.h"
#include "postinstall/vpn_key.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

enum { TEXT_MAX = 65536, APPEAR_SECONDS = 60, POLL_MS = 200, KEEPALIVE = 25 };

#define ACCOUNT "systemd-network" /* who reads the node's key (systemd.netdev(5), PrivateKeyFile=) */
#define APPLIED RF_STATE_VPN "/applied"
#define NODE_KEY RF_STATE_VPN "/node.key"
#define PEER_SUFFIX ".peer"

static char *path_of(const rf_node_model *model, const char *path)
{
    return rf_node_path(model, "%s", path);
}

static char *peer_key_path(const rf_node_model *model, const struct rf_peer *peer)
{
    return rf_node_path(model, "%s/%s" PEER_SUFFIX, RF_STATE_VPN, peer->name);
}

static struct rf_subnet subnet_of(const rf_profile *profile)
{
    return rf_subnet_read(profile->access.vpn.subnet);
}

void rf_vpn_digest(const rf_profile *profile, char ret_hex[RF_SHA256_HEX])
{
    rf_autofree char *text = rf_format("%s %u\n", profile->access.vpn.subnet, profile->access.vpn.port);
    for (size_t i = 0; i < profile->access.vpn.peers_count; i++) {
        const struct rf_peer *peer = &profile->access.vpn.peers[i];
        rf_append(&text, "%s %s\n", peer->name, peer->public_key ? peer->public_key : "-");
    }
    rf_sha256(text, strlen(text), ret_hex);
}

char *rf_vpn_applied(const char *root)
{
    rf_autofree char *path = rf_format("%s%s", root, APPLIED);
    return rf_read_line(path);
}

/* The key in a file, or a new one that is written there. */
static int ready_key(const char *path, unsigned mode, char ret_key[RF_VPN_KEY], rf_error **err)
{
    char ignored[RF_VPN_KEY];
    rf_autosecret char *kept = rf_read_line(path);
    if (kept && rf_vpn_key_public(kept, ignored, NULL) == 0) {
        memcpy(ret_key, kept, RF_VPN_KEY);
        return 0;
    }
    if (rf_vpn_key_new(ret_key, err) < 0)
        return -1;
    rf_autosecret char *line = rf_format("%s\n", ret_key);
    return rf_write_file(path, line, strlen(line), mode, err);
}

/* The public key of a peer whose keys are there already; "" where they are not. */
static void public_of(const rf_node_model *model, const struct rf_peer *peer, char ret_public[RF_VPN_KEY])
{
    rf_autofree char *path = peer_key_path(model, peer);
    rf_autosecret char *key = peer->public_key ? NULL : rf_read_line(path);
    ret_public[0] = '\0';
    if (peer->public_key)
        memcpy(ret_public, peer->public_key, RF_VPN_KEY);
    else if (key)
        rf_vpn_key_public(key, ret_public, NULL);
}

static char *netdev_text(const rf_node_model *model)
{
    const rf_profile *profile = model->profile;
    char *text = rf_format("# Written by richtfest; changes are overwritten.\n"
                           "[NetDev]\n"
                           "Name=" RF_VPN_INTERFACE "\n"
                           "Kind=wireguard\n"
                           "\n"
                           "[WireGuard]\n"
                           "PrivateKeyFile=" NODE_KEY "\n"
                           "ListenPort=%u\n",
                           profile->access.vpn.port);
    rf_autovpnaddresses char **addresses = rf_vpn_addresses(model);
    for (size_t i = 0; i < profile->access.vpn.peers_count; i++) {
        char public[RF_VPN_KEY];
        public_of(model, &profile->access.vpn.peers[i], public);
        rf_append(&text, "\n# %s\n[WireGuardPeer]\nPublicKey=%s\nAllowedIPs=%s/32\n", profile->access.vpn.peers[i].name,
                  public, addresses[i]);
    }
    return text;
}

static char *network_text(const rf_node_model *model)
{
    struct rf_subnet subnet = subnet_of(model->profile);
    rf_autofree char *address = rf_subnet_node(&subnet);
    return rf_format("# Written by richtfest; changes are overwritten.\n"
                     "[Match]\n"
                     "Name=" RF_VPN_INTERFACE "\n"
                     "\n"
                     "[Link]\n"
                     "RequiredForOnline=no\n"
                     "\n"
                     "[Network]\n"
                     "Address=%s/%u\n",
                     address, subnet.prefix);
}

static bool holds(const rf_node_model *model, const char *file, const char *wanted)
{
    rf_autofree char *path = path_of(model, file), *text = NULL;
    return rf_exists(path) && rf_read_file(path, TEXT_MAX, &text, NULL, NULL) == 0 && strcmp(text, wanted) == 0;
}

static bool interface_there(const rf_node_model *model)
{
    rf_autofree char *path = rf_node_path(model, "/sys/class/net/" RF_VPN_INTERFACE);
    return rf_exists(path);
}

static bool keys_there(const rf_node_model *model)
{
    bool all = true;
    for (size_t i = 0; i < model->profile->access.vpn.peers_count; i++) {
        char public[RF_VPN_KEY];
        public_of(model, &model->profile->access.vpn.peers[i], public);
        all = all && *public;
    }
    return all;
}

static enum rf_probe vpn_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    const rf_node_model *model = arg;
    rf_autofree char *applied = rf_vpn_applied(model->root), *path = path_of(model, RF_VPN_NETDEV);
    if (!rf_node_vpn(model))
        return rf_exists(path) || interface_there(model) ? RF_PROBE_TODO : RF_PROBE_DONE;
    char digest[RF_SHA256_HEX];
    rf_vpn_digest(model->profile, digest);
    rf_autofree char *netdev = netdev_text(model), *network = network_text(model);
    bool done = applied && strcmp(applied, digest) == 0 && keys_there(model) && rf_vpn_addresses_kept(model) &&
                holds(model, RF_VPN_NETDEV, netdev) && holds(model, RF_VPN_NETWORK, network) && interface_there(model);
    return done ? RF_PROBE_DONE : RF_PROBE_TODO;
}

/* A key or an address of a peer that the profile no longer has; peers' names have no dot. */
static bool of_former_peer(const rf_profile *profile, const char *file)
{
    const char *suffix = strrchr(file, '.');
    if (!suffix || (strcmp(suffix, PEER_SUFFIX) != 0 && strcmp(suffix, RF_VPN_ADDRESS_SUFFIX) != 0))
        return false;
    const size_t length = (size_t)(suffix - file);
    for (size_t i = 0; i < profile->access.vpn.peers_count; i++) {
        const char *name = profile->access.vpn.peers[i].name;
        if (strlen(name) == length && strncmp(name, file, length) == 0)
            return false;
    }
    return true;
}

/* Its address is another one's then. */
static int remove_old_keys(const rf_node_model *model, rf_error **err)
{
    rf_autofree char *state = path_of(model, RF_STATE_VPN);
    rf_autodir DIR *entries = opendir(state);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        if (of_former_peer(model->profile, entry->d_name) && unlinkat(dirfd(entries), entry->d_name, 0) < 0)
            return rf_fail_errno(err, RF_FAILED, errno, "removing %s/%s", state, entry->d_name);
    }
    return 0;
}

static int make_keys(const rf_node_model *model, rf_error **err)
{
    struct rf_account account;
    char key[RF_VPN_KEY];
    rf_autofree char *state = path_of(model, RF_STATE_VPN), *node_key = path_of(model, NODE_KEY);
    if (rf_account_find(model, ACCOUNT, &account, err) < 0 || rf_make_dirs(state, 0750, err) < 0 ||
        rf_account_give(state, 0, account.gid, err) < 0 || ready_key(node_key, 0640, key, err) < 0 ||
        rf_account_give(node_key, 0, account.gid, err) < 0 || remove_old_keys(model, err) < 0)
        return -1;
    for (size_t i = 0; i < model->profile->access.vpn.peers_count; i++) {
        const struct rf_peer *peer = &model->profile->access.vpn.peers[i];
        rf_autofree char *path = peer_key_path(model, peer);
        if (!peer->public_key && ready_key(path, 0600, key, err) < 0)
            return -1;
    }
    explicit_bzero(key, sizeof(key));
    return rf_vpn_addresses_keep(model, err);
}

static int remove_file(const rf_node_model *model, const char *file, rf_error **err)
{
    rf_autofree char *path = path_of(model, file);
    return unlink(path) < 0 && errno != ENOENT ? rf_fail_errno(err, RF_FAILED, errno, "removing %s", path) : 0;
}

/* networkd does not change an interface of this kind that is there: it is taken away first (networkctl(1), "reload"). */
static int renew_interface(struct rf_step_env *env, const rf_node_model *model, rf_error **err)
{
    struct rf_command away = {.argv = RF_ARGV("networkctl", "delete", RF_VPN_INTERFACE)};
    rf_autoresult struct rf_result ignored = {0};
    if (interface_there(model) && rf_run(env->runner, &away, &ignored, err) < 0)
        return -1;
    return rf_run_argv(env->runner, RF_ARGV("networkctl", "reload"), err);
}

static int write_text(const rf_node_model *model, const char *file, const char *text, unsigned mode, rf_error **err)
{
    rf_autofree char *path = path_of(model, file);
    return rf_write_file(path, text, strlen(text), mode, err);
}

static int take_away(struct rf_step_env *env, const rf_node_model *model, rf_error **err)
{
    if (remove_old_keys(model, err) < 0 || remove_file(model, APPLIED, err) < 0 ||
        remove_file(model, RF_VPN_NETDEV, err) < 0 || remove_file(model, RF_VPN_NETWORK, err) < 0)
        return -1;
    return renew_interface(env, model, err);
}

static int wait_for_interface(const rf_node_model *model, rf_error **err)
{
    double deadline = rf_now() + APPEAR_SECONDS;
    while (!interface_there(model)) {
        if (rf_now() > deadline)
            return rf_fail(err, RF_FAILED, "the interface %s does not appear (see: journalctl -u systemd-networkd)",
                           RF_VPN_INTERFACE);
        usleep(POLL_MS * 1000);
    }
    return 0;
}

static int vpn_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_node_model *model = arg;
    char digest[RF_SHA256_HEX];
    if (!rf_node_vpn(model))
        return take_away(env, model, err);
    if (make_keys(model, err) < 0 || remove_file(model, APPLIED, err) < 0)
        return -1;
    rf_autofree char *netdev = netdev_text(model), *network = network_text(model);
    rf_vpn_digest(model->profile, digest);
    if (write_text(model, RF_VPN_NETDEV, netdev, 0644, err) < 0 ||
        write_text(model, RF_VPN_NETWORK, network, 0644, err) < 0 || renew_interface(env, model, err) < 0 ||
        wait_for_interface(model, err) < 0)
        return -1;
    return write_text(model, APPLIED, digest, 0600, err);
}

const struct rf_step_ops rf_step_vpn = {"vpn", vpn_probe, vpn_apply, NULL};

/* The resolver for peers: a directory that answers them; it forwards what it does not know. NULL: none does. */
static const struct rf_node_guest *resolver(const rf_node_model *model)
{
    for (size_t i = 0; i < model->guests_count; i++) {
        const struct rf_node_guest *guest = &model->guests[i];
        for (size_t k = 0; guest->zone && k < guest->recipe->ports_count; k++)
            if (guest->recipe->ports[k].port == 53 && (guest->recipe->ports[k].to & RF_TO_VPN))
                return guest;
    }
    return NULL;
}

static char *peer_text(const rf_node_model *model, size_t index, const char *private_key, const char *node_public)
{
    const rf_profile *profile = model->profile;
    struct rf_subnet subnet = subnet_of(profile);
    rf_autofree char *node = rf_subnet_node(&subnet);
    rf_autovpnaddresses char **addresses = rf_vpn_addresses(model);
    const struct rf_node_guest *dns = resolver(model);
    const char *endpoint = profile->access.vpn.endpoint ? profile->access.vpn.endpoint : profile->node.hostname;
    char *text = rf_format("[Interface]\n# %s at %s\n", profile->access.vpn.peers[index].name, profile->node.id);
    if (private_key)
        rf_append(&text, "PrivateKey = %s\n", private_key);
    else
        rf_append(&text, "# PrivateKey = the one that belongs to %s\n", profile->access.vpn.peers[index].public_key);
    rf_append(&text, "Address = %s/32\n", addresses[index]);
    if (dns)
        rf_append(&text, "DNS = %s, %s\n", dns->address, dns->zone);
    rf_append(&text, "\n[Peer]\nPublicKey = %s\nEndpoint = %s:%u\nAllowedIPs = %s, %s/32\nPersistentKeepalive = %d\n",
              node_public, endpoint, profile->access.vpn.port, profile->network.guests.subnet, node, KEEPALIVE);
    return text;
}

int rf_vpn_peer_text(const rf_node_model *model, const char *name, char **ret_text, rf_error **err)
{
    const rf_profile *profile = model->profile;
    rf_autofree char *node_key = path_of(model, NODE_KEY), *known = NULL;
    char node_public[RF_VPN_KEY];
    size_t i = 0;
    for (; i < profile->access.vpn.peers_count && strcmp(profile->access.vpn.peers[i].name, name) != 0; i++)
        rf_append(&known, "%s%s", known ? ", " : "", profile->access.vpn.peers[i].name);
    if (i == profile->access.vpn.peers_count)
        return rf_fail(err, RF_USAGE, "there is no peer '%s'; the profile has %s", name, known ? known : "none");
    const struct rf_peer *peer = &profile->access.vpn.peers[i];
    rf_autofree char *path = peer_key_path(model, peer);
    rf_autosecret char *node_private = rf_read_line(node_key), *key = peer->public_key ? NULL : rf_read_line(path);
    if (!node_private || (!key && !peer->public_key))
        return rf_fail(err, RF_FAILED,
                       "the keys of %s are not there; run 'richtfest apply --node' first (and this as root)", name);
    if (rf_vpn_key_public(node_private, node_public, err) < 0)
        return rf_wrap(err, "%s", node_key);
    *ret_text = peer_text(model, i, key, node_public);
    return 0;
}
