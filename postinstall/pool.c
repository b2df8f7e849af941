/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The libvirt storage pool `images`. */
#include "postinstall/pool.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"

#include <mntent.h>
#include <string.h>
#include <sys/stat.h>

static void close_table(FILE **table)
{
    if (*table)
        endmntent(*table);
}

/* Does the installation say that the pool is a file system of its own? */
static bool is_volume(const rf_node_model *model)
{
    struct mntent entry;
    char line[4096];
    rf_autofree char *path = rf_node_path(model, "%s", "/etc/fstab");
    RF_CLEANUP(close_table) FILE *table = setmntent(path, "re");
    while (table && getmntent_r(table, &entry, line, sizeof(line)))
        if (strcmp(entry.mnt_dir, RF_POOL_DIR) == 0)
            return true;
    return false;
}

int rf_pool_there(const rf_node_model *model, rf_error **err)
{
    struct stat pool, above;
    rf_autofree char *path = rf_node_path(model, "%s", RF_POOL_DIR), *parent = rf_format("%s/..", path);
    if (!is_volume(model) || (stat(path, &pool) == 0 && stat(parent, &above) == 0 && pool.st_dev != above.st_dev))
        return 0;
    return rf_fail(err, RF_FAILED,
                   "the guests' volume is not mounted at %s, so their disks can't be seen and nothing is made there; "
                   "look at 'systemctl status var-lib-libvirt-images.mount' and 'richtfest status', then 'richtfest "
                   "apply --node'",
                   RF_POOL_DIR);
}

xmlDoc *rf_pool_xml(const rf_node_model *model)
{
    char uuid[RF_UUID_TEXT];
    rf_uuid(model->profile->node.id, "pool/images", uuid);
    rf_autofree char *path = rf_node_path(model, "%s", RF_POOL_DIR);
    xmlDoc *document = rf_xml_new("pool");
    xmlNode *root = rf_xml_root(document);
    xmlNewProp(root, (const xmlChar *)"type", (const xmlChar *)"dir");
    rf_xml_add_text(root, "name", RF_POOL_NAME);
    rf_xml_add_text(root, "uuid", uuid);
    rf_xml_add_text(rf_xml_add(root, "target", NULL), "path", path);
    return document;
}

static virStoragePoolPtr find(const rf_node_model *model, virConnectPtr connection)
{
    rf_autofree char *path = rf_node_path(model, "%s", RF_POOL_DIR);
    virStoragePoolPtr pool = virStoragePoolLookupByTargetPath(connection, path); /* active pools only */
    return pool ? pool : virStoragePoolLookupByName(connection, RF_POOL_NAME);
}

static enum rf_probe pool_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    const rf_node_model *model = arg;
    virConnectPtr connection = rf_libvirt_connect(model->libvirt, err);
    if (!connection)
        return RF_PROBE_ERROR;
    rf_autopool virStoragePoolPtr pool = find(model, connection);
    int autostart = 0;
    bool done =
        pool && virStoragePoolIsActive(pool) == 1 && virStoragePoolGetAutostart(pool, &autostart) == 0 && autostart;
    return done ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static int pool_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    const rf_node_model *model = arg;
    rf_autofree char *path = rf_node_path(model, "%s", RF_POOL_DIR);
    virConnectPtr connection = rf_libvirt_connect(model->libvirt, err);
    if (!connection || rf_make_dirs(path, 0711, err) < 0)
        return -1;
    rf_autopool virStoragePoolPtr pool = find(model, connection);
    if (!pool) {
        rf_autoxml xmlDoc *document = rf_pool_xml(model);
        rf_autofree char *text = rf_xml_text(document);
        pool = virStoragePoolDefineXML(connection, text, 0);
    }
    if (!pool)
        return rf_libvirt_fail(err, "defining the pool '%s' on %s", RF_POOL_NAME, path);
    if (virStoragePoolIsActive(pool) != 1 && virStoragePoolCreate(pool, 0) < 0)
        return rf_libvirt_fail(err, "starting the pool '%s' on %s", RF_POOL_NAME, path);
    if (virStoragePoolSetAutostart(pool, 1) < 0)
        return rf_libvirt_fail(err, "setting the pool '%s' to start by itself", RF_POOL_NAME);
    return 0;
}

const struct rf_step_ops rf_step_pool = {"pool", pool_probe, pool_apply, NULL};

void rf_pool_refresh(const rf_node_model *model)
{
    virConnectPtr connection = rf_libvirt_connect(model->libvirt, NULL);
    rf_autopool virStoragePoolPtr pool = connection ? find(model, connection) : NULL;
    if (pool)
        virStoragePoolRefresh(pool, 0);
}
