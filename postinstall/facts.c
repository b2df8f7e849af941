/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recording what is there. */
#include "postinstall/facts.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/kvm.h"
#include "base/memory.h"
#include "base/paths.h"
#include "postinstall/admins.h"
#include "postinstall/artefact.h"
#include "postinstall/bridge.h"
#include "postinstall/ca.h"
#include "postinstall/configure.h"
#include "postinstall/domain.h"
#include "postinstall/firewall.h"
#include "postinstall/guest_address.h"
#include "postinstall/guest_past.h"
#include "postinstall/isolation.h"
#include "postinstall/proxy.h"
#include "postinstall/vpn.h"

#include <dirent.h>

const char *rf_domain_state_name(int state)
{
    static const char *const names[] = {"no state",      "running",  "blocked", "paused",
                                        "shutting down", "shut off", "crashed", "suspended"};
    return state >= 0 && (size_t)state < RF_COUNT(names) ? names[state] : "unknown";
}

static json_t *digest_of(const char *root, const char *path)
{
    rf_autofree char *full = rf_format("%s%s", root, path);
    char hex[RF_SHA256_HEX];
    if (!rf_exists(full) || rf_sha256_file(full, hex, NULL, NULL, NULL) < 0)
        return NULL;
    return json_string(hex);
}

static json_t *files_json(const char *root)
{
    static const char *const paths[] = {RF_FIREWALL_FILE, RF_ISOLATION_FILE, RF_PROXY_FILE, RF_SSHD_CONFIG};
    json_t *files = json_object();
    for (size_t i = 0; i < RF_COUNT(paths); i++) {
        json_t *digest = digest_of(root, paths[i]);
        if (digest)
            json_object_set_new(files, paths[i], digest);
    }
    return files;
}

static json_t *admins_json(const char *root)
{
    json_t *admins = json_object();
    rf_autofree char *directory = rf_format("%s%s", root, RF_SSH_KEYS_DIR);
    rf_autodir DIR *entries = opendir(directory);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        if (entry->d_name[0] == '.')
            continue;
        rf_autofree char *keys = rf_format("%s/%s", RF_SSH_KEYS_DIR, entry->d_name);
        rf_autofree char *age = rf_format("%s%s/admins/%s.age", root, RF_STATE_HANDOVER, entry->d_name);
        json_t *digest = digest_of(root, keys);
        if (digest)
            json_object_set_new(admins, entry->d_name,
                                json_pack("{s:o,s:b,s:b}", "keys", digest, "handed_over", rf_exists(age), "ours",
                                          rf_admin_keys_ours(keys)));
    }
    return admins;
}

static json_t *network_json(virConnectPtr connection)
{
    rf_autonetwork virNetworkPtr network = virNetworkLookupByName(connection, RF_NETWORK_NAME);
    rf_autofree char *xml = network ? virNetworkGetXMLDesc(network, VIR_NETWORK_XML_INACTIVE) : NULL;
    int autostart = 0;
    if (!xml || virNetworkGetAutostart(network, &autostart) < 0)
        return NULL;
    return json_pack("{s:s,s:b,s:b}", "xml", xml, "active", virNetworkIsActive(network) == 1, "autostart", autostart);
}

static json_t *pool_json(const char *root, virConnectPtr connection)
{
    rf_autofree char *path = rf_format("%s%s", root, RF_POOL_DIR);
    rf_autopool virStoragePoolPtr pool = virStoragePoolLookupByTargetPath(connection, path);
    int autostart = 0;
    if (!pool || virStoragePoolGetAutostart(pool, &autostart) < 0)
        return NULL;
    return json_pack("{s:b,s:b}", "active", virStoragePoolIsActive(pool) == 1, "autostart", autostart);
}

static bool state_file(const char *root, const char *guest, const char *file)
{
    rf_autofree char *path = rf_format("%s%s/%s/%s", root, RF_STATE_GUESTS, guest, file);
    return rf_exists(path);
}

static json_t *guest_json(const char *root, virDomainPtr domain)
{
    const char *name = virDomainGetName(domain);
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    int state = VIR_DOMAIN_NOSTATE, autostart = 0;
    virDomainBlockInfo disk = {0};
    virDomainGetUUIDString(domain, uuid);
    virDomainGetState(domain, &state, NULL, 0);
    virDomainGetAutostart(domain, &autostart);
    if (virDomainGetBlockInfo(domain, "vda", &disk, 0) < 0)
        virDomainGetBlockInfo(domain, "sda", &disk, 0); /* plain devices */
    rf_autofree char *digest = rf_domain_digest_of(domain);
    bool healthy = state == VIR_DOMAIN_RUNNING && state_file(root, name, "health.json");
    json_t *guest = json_pack("{s:s,s:s,s:I,s:b,s:b,s:b}", "uuid", uuid, "state", rf_domain_state_name(state), "disk",
                              (json_int_t)disk.capacity, "autostart", autostart, "settled",
                              state_file(root, name, "settled.json"), "healthy", healthy);
    rf_autofree char *tuning = digest ? rf_domain_tuning_given(domain) : NULL;
    if (digest)
        json_object_set_new(guest, "digest", json_string(digest));
    if (tuning && *tuning)
        json_object_set_new(guest, "tuning", json_string(tuning));
    rf_autofree char *path = rf_format("%s%s/%s/" RF_CONFIGURED_FILE, root, RF_STATE_GUESTS, name);
    rf_autofree char *configured = rf_configure_recorded(path);
    if (configured && !state_file(root, name, "secrets.json"))
        json_object_set_new(guest, "configured", json_string(configured));
    return guest;
}

static json_t *guests_json(const char *root, virConnectPtr connection)
{
    json_t *guests = json_object();
    virDomainPtr *domains = NULL;
    int count = virConnectListAllDomains(connection, &domains, 0);
    for (int i = 0; i < count; i++) {
        json_object_set_new(guests, virDomainGetName(domains[i]), guest_json(root, domains[i]));
        virDomainFree(domains[i]);
    }
    free(domains);
    return guests;
}

static void add_libvirt(json_t *facts, const char *root, const struct rf_node_options *options)
{
    rf_autoerror rf_error *why = NULL;
    rf_autolibvirt rf_libvirt *libvirt =
        rf_libvirt_new(options->uri ? options->uri : RF_LIBVIRT_URI, options->patience);
    virConnectPtr connection = rf_libvirt_connect(libvirt, &why);
    if (!connection) {
        rf_autofree char *text = rf_error_text(why);
        json_object_set_new(facts, "libvirt", json_string(text));
        return;
    }
    json_t *network = network_json(connection), *pool = pool_json(root, connection);
    if (network)
        json_object_set_new(facts, "network", network);
    if (pool)
        json_object_set_new(facts, "pool", pool);
    json_object_set_new(facts, "guests", guests_json(root, connection));
}

json_t *rf_node_facts(const struct rf_node_options *options)
{
    static const struct rf_node_options none;
    options = options ? options : &none;
    const char *root = options->root ? options->root : "";
    rf_autofree char *reason = rf_kvm_problem(root);
    json_t *facts = json_object();
    json_object_set_new(facts, "kvm", json_boolean(!reason));
    if (reason)
        json_object_set_new(facts, "kvm_reason", json_string(reason));
    rf_autofree char *ca = rf_format("%s%s/ca.pem", root, RF_STATE_CA);
    json_object_set_new(facts, "files", files_json(root));
    json_object_set_new(facts, "ca", json_boolean(rf_exists(ca)));
    rf_autofree char *vpn = rf_vpn_applied(root);
    if (vpn)
        json_object_set_new(facts, "vpn", json_string(vpn));
    json_object_set_new(facts, "admins", admins_json(root));
    json_t *artefacts = rf_artefacts_known(root);
    if (artefacts)
        json_object_set_new(facts, "artefacts", artefacts);
    json_object_set_new(facts, "bridges", rf_bridge_facts(root));
    json_object_set_new(facts, "addresses", rf_guest_addresses(root));
    json_object_set_new(facts, "past", rf_guest_pasts(root));
    add_libvirt(facts, root, options);
    return facts;
}
