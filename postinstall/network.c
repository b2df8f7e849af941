/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The libvirt network `guests`. */
#include "postinstall/network.h"

#include "base/memory.h"

#include <string.h>

static void add_zones(xmlNode *dns, const rf_node_model *model)
{
    for (size_t i = 0; i < model->guests_count; i++) {
        const struct rf_node_guest *guest = &model->guests[i];
        if (guest->zone)
            rf_xml_add(dns, "forwarder", "domain", guest->zone, "addr", guest->address, NULL);
    }
}

/* The full name comes first: it is what the address is turned back into, and Kerberos asks for a service of that very name (adcli, and
 * whoever else looks an address up first). A name that is published leads to the node, though. */
static void add_names(xmlNode *dns, const rf_node_model *model)
{
    for (size_t i = 0; i < model->guests_count; i++) {
        const struct rf_node_guest *guest = &model->guests[i];
        xmlNode *host = rf_xml_add(dns, "host", "ip", guest->address, NULL);
        bool published = guest->published && strcmp(guest->published, guest->fqdn) == 0;
        if (!published && strcmp(guest->fqdn, guest->asked->name) != 0)
            rf_xml_add_text(host, "hostname", guest->fqdn);
        rf_xml_add_text(host, "hostname", guest->asked->name);
    }
}

/* Published names lead guests to the node's proxy, as they lead everybody else. */
static void add_published(xmlNode *dns, const rf_node_model *model)
{
    rf_autofree char *node = rf_subnet_node(&model->subnet);
    xmlNode *host = NULL;
    for (size_t i = 0; i < model->guests_count; i++) {
        if (!model->guests[i].published)
            continue;
        host = host ? host : rf_xml_add(dns, "host", "ip", node, NULL);
        rf_xml_add_text(host, "hostname", model->guests[i].published);
    }
}

static void add_addresses(xmlNode *root, const rf_node_model *model)
{
    rf_autofree char *node = rf_subnet_node(&model->subnet);
    rf_autofree char *first = rf_subnet_dhcp_first(&model->subnet), *last = rf_subnet_dhcp_last(&model->subnet);
    rf_autofree char *prefix = rf_format("%u", model->subnet.prefix);
    xmlNode *ip = rf_xml_add(root, "ip", "address", node, "prefix", prefix, NULL);
    xmlNode *dhcp = rf_xml_add(ip, "dhcp", NULL);
    rf_xml_add(dhcp, "range", "start", first, "end", last, NULL);
    for (size_t i = 0; i < model->guests_count; i++) {
        const struct rf_node_guest *guest = &model->guests[i];
        rf_xml_add(dhcp, "host", "mac", guest->mac, "name", guest->asked->name, "ip", guest->address, NULL);
    }
}

xmlDoc *rf_network_xml(const rf_node_model *model)
{
    char uuid[RF_UUID_TEXT], mac[18];
    rf_uuid(model->profile->node.id, "network/guests", uuid);
    rf_mac(model->profile->node.id, "network/guests", mac);
    xmlDoc *document = rf_xml_new("network");
    xmlNode *root = rf_xml_root(document);
    rf_xml_add_text(root, "name", RF_NETWORK_NAME);
    rf_xml_add_text(root, "uuid", uuid);
    rf_xml_add(root, "forward", "mode", "open", NULL); /* what may pass is ours to say (postinstall/isolation.c) */
    rf_xml_add(root, "bridge", "name", RF_NETWORK_BRIDGE, "stp", "on", "delay", "0", NULL);
    rf_xml_add(root, "mac", "address", mac, NULL);
    rf_xml_add(root, "port", "isolated", "yes", NULL);
    if (model->guests_count) {
        xmlNode *dns = rf_xml_add(root, "dns", NULL);
        add_zones(dns, model);
        add_names(dns, model);
        add_published(dns, model);
    }
    add_addresses(root, model);
    return document;
}

static bool same(const xmlDoc *actual, const xmlDoc *wanted)
{
    const xmlNode *a = rf_xml_root(actual), *w = rf_xml_root(wanted);
    return rf_xml_contains(a, w) && rf_xml_count(a, "host") == rf_xml_count(w, "host") &&
           rf_xml_count(a, "hostname") == rf_xml_count(w, "hostname") &&
           rf_xml_count(a, "forwarder") == rf_xml_count(w, "forwarder");
}

bool rf_network_same(const rf_node_model *model, const char *actual_xml)
{
    rf_autoxml xmlDoc *wanted = rf_network_xml(model);
    rf_autoxml xmlDoc *actual = rf_xml_parse("network", actual_xml, NULL);
    return actual && same(actual, wanted);
}

static bool says_the_same(virNetworkPtr network, const rf_node_model *model, unsigned flags)
{
    char *asked = virNetworkGetXMLDesc(network, flags);
    rf_autofree char *text = asked ? asked : virNetworkGetXMLDesc(network, 0); /* libvirt's mock has no inactive one */
    return text && rf_network_same(model, text);
}

static enum rf_probe network_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    const rf_node_model *model = arg;
    virConnectPtr connection = rf_libvirt_connect(model->libvirt, err);
    if (!connection)
        return RF_PROBE_ERROR;
    rf_autonetwork virNetworkPtr network = virNetworkLookupByName(connection, RF_NETWORK_NAME);
    int autostart = 0;
    bool done = network && virNetworkIsActive(network) == 1 && virNetworkGetAutostart(network, &autostart) == 0 &&
                autostart && says_the_same(network, model, 0) &&
                says_the_same(network, model, VIR_NETWORK_XML_INACTIVE);
    return done ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static void update(virNetworkPtr network, unsigned command, unsigned section, const xmlDoc *document,
                   const xmlNode *node)
{
    rf_autofree char *text = rf_xml_node_text(document, node);
    virNetworkUpdate(network, command, section, -1, text, VIR_NETWORK_UPDATE_AFFECT_LIVE);
}

static bool is_host(const xmlNode *node)
{
    return node->type == XML_ELEMENT_NODE && xmlStrEqual(node->name, (const xmlChar *)"host");
}

static bool has_host(const xmlNode *parent, const xmlNode *host)
{
    for (xmlNode *child = parent ? parent->children : NULL; child; child = child->next)
        if (is_host(child) && rf_xml_contains(child, host) && rf_xml_contains(host, child))
            return true;
    return false;
}

/* Gives the running network the hosts that it lacks and takes away those that it should not have. What does not work shows when both are
 * compared afterwards. */
static void update_hosts(virNetworkPtr network, const xmlDoc *live, const xmlDoc *wanted)
{
    const xmlNode *live_root = rf_xml_root(live), *root = rf_xml_root(wanted);
    const struct {
        const xmlNode *live, *wanted;
        unsigned section;
    } places[] = {{rf_xml_child(live_root, "dns"), rf_xml_child(root, "dns"), VIR_NETWORK_SECTION_DNS_HOST},
                  {rf_xml_child(rf_xml_child(live_root, "ip"), "dhcp"), rf_xml_child(rf_xml_child(root, "ip"), "dhcp"),
                   VIR_NETWORK_SECTION_IP_DHCP_HOST}};
    for (size_t i = 0; i < RF_COUNT(places); i++) {
        for (xmlNode *host = places[i].live ? places[i].live->children : NULL; host; host = host->next)
            if (is_host(host) && !has_host(places[i].wanted, host))
                update(network, VIR_NETWORK_UPDATE_COMMAND_DELETE, places[i].section, live, host);
        for (xmlNode *host = places[i].wanted ? places[i].wanted->children : NULL; host; host = host->next)
            if (is_host(host) && !has_host(places[i].live, host))
                update(network, VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, places[i].section, wanted, host);
    }
}

/* Its bridge goes away with it. libvirt puts running guests' interfaces back into the new one when it starts itself. */
static int restart(struct rf_step_env *env, virConnectPtr connection, virNetworkPtr network, rf_error **err)
{
    bool guests = virConnectNumOfDomains(connection) > 0;
    if (guests)
        rf_emit(env->events,
                &(struct rf_event){.step = env->step ? env->step->id : NULL,
                                   .title = env->step ? env->step->title : NULL,
                                   .state = RF_PROGRESS,
                                   .seconds = -1,
                                   .message =
                                       "the guests are without their network for a few seconds: it is started anew"});
    if (virNetworkDestroy(network) < 0 || virNetworkCreate(network) < 0)
        return rf_libvirt_fail(err, "restarting the network '%s'", RF_NETWORK_NAME);
    return guests ? rf_run_argv(env->runner, RF_ARGV("systemctl", "try-restart", "libvirtd.service"), err) : 0;
}

static int refresh_running(struct rf_step_env *env, virConnectPtr connection, virNetworkPtr network,
                           const rf_node_model *model, rf_error **err)
{
    if (says_the_same(network, model, 0))
        return 0;
    rf_autofree char *text = virNetworkGetXMLDesc(network, 0);
    rf_autoxml xmlDoc *live = text ? rf_xml_parse("network", text, err) : NULL;
    rf_autoxml xmlDoc *wanted = rf_network_xml(model);
    if (!live)
        return -1;
    update_hosts(network, live, wanted);
    return says_the_same(network, model, 0) ? 0 : restart(env, connection, network, err);
}

static int network_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_node_model *model = arg;
    virConnectPtr connection = rf_libvirt_connect(model->libvirt, err);
    if (!connection)
        return -1;
    rf_autoxml xmlDoc *document = rf_network_xml(model);
    rf_autofree char *text = rf_xml_text(document);
    rf_autonetwork virNetworkPtr network = virNetworkDefineXML(connection, text);
    if (!network)
        return rf_libvirt_fail(err, "defining the network '%s'", RF_NETWORK_NAME);
    if (virNetworkSetAutostart(network, 1) < 0)
        return rf_libvirt_fail(err, "setting the network '%s' to start by itself", RF_NETWORK_NAME);
    if (virNetworkIsActive(network) == 1)
        return refresh_running(env, connection, network, model, err);
    if (virNetworkCreate(network) < 0)
        return rf_libvirt_fail(err, "starting the network '%s'", RF_NETWORK_NAME);
    return 0;
}

const struct rf_step_ops rf_step_network = {"network", network_probe, network_apply, NULL};
