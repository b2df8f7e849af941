/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/deploy.h"

#include "base/memory.h"
#include "image/medium.h"
#include "installer/roots.h"
#include "raid/bootable.h"
#include "raid/mounts.h"

#include <string.h>

rf_deploy *rf_deploy_new(const rf_profile *profile, const rf_machine *machine, const rf_layout *layout,
                         const struct rf_site_options *options)
{
    rf_deploy *deploy = rf_alloc(sizeof(*deploy));
    *deploy = (rf_deploy){.profile = profile,
                          .machine = machine,
                          .layout = layout,
                          .medium = rf_strdup(options->medium),
                          .target = rf_strdup(options->target),
                          .check = options->check,
                          .source_id = rf_strdup(options->source_id),
                          .kernel_arguments = rf_strdup(options->kernel_arguments),
                          .ca = rf_strdup(options->ca)};
    deploy->root = rf_alloc(RF_ROOT_NAME);
    strcpy(deploy->root, RF_ROOT_FIRST);
    deploy->ids = (struct rf_system_ids){.root = deploy->root,
                                         .system_uuid = rf_layout_filesystem(layout, "system")->uuid,
                                         .system_md = layout->system.uuid,
                                         .data_md = layout->data.uuid,
                                         .images_uuid = rf_layout_filesystem(layout, "images")->uuid,
                                         .arguments = deploy->kernel_arguments};
    deploy->disks = rf_alloc(layout->disks_count * sizeof(*deploy->disks));
    for (size_t i = 0; i < layout->disks_count; i++)
        deploy->disks[i] = (struct rf_deploy_disk){deploy, &layout->disks[i]};
    return deploy;
}

void rf_deploy_need_images(rf_deploy *deploy, const rf_node_model *node)
{
    deploy->images = rf_alloc((node->guests_count + 1) * sizeof(*deploy->images));
    size_t count = 0;
    for (size_t i = 0; i < node->guests_count; i++) {
        const char *image = node->guests[i].recipe->image;
        if (image && !rf_medium_named(deploy->images, image))
            deploy->images[count++] = rf_strdup(image);
    }
}

void rf_deploy_free(rf_deploy *deploy)
{
    if (!deploy)
        return;
    for (char **image = deploy->images; image && *image; image++)
        free(*image);
    free(deploy->images);
    free(deploy->root);
    free(deploy->beside);
    free(deploy->medium);
    free(deploy->target);
    free(deploy->source_id);
    free(deploy->kernel_arguments);
    free(deploy->ca);
    free(deploy->disks);
    free(deploy);
}

/* One disk that boots proves that everything before the commit point was finished. */
static bool installed(const rf_deploy *deploy)
{
    for (size_t i = 0; i < deploy->layout->disks_count; i++)
        if (deploy->layout->disks[i].committed)
            return true;
    return false;
}

void rf_deploy_check_steps(const rf_deploy *deploy, rf_plan *plan)
{
    rf_plan_add(plan, &rf_step_medium, deploy, RF_PHASE_INSTALL, "medium", "Check the installation medium's checksums")
        ->done = installed(deploy);
}

static void add_boot(const rf_deploy *deploy, size_t index, rf_plan *plan)
{
    const struct rf_layout_disk *disk = &deploy->layout->disks[index];
    rf_autofree char *id = rf_format("boot/%u", disk->member);
    struct rf_step *step = rf_plan_add(plan, &rf_step_bootable, &deploy->disks[index], RF_PHASE_INSTALL, id,
                                       "Make disk %u bootable by BIOS and UEFI (serial %s)", disk->member,
                                       disk->serial ? disk->serial : "none");
    step->lane = disk->member;
    step->done = disk->committed;
}

void rf_deploy_steps(const rf_deploy *deploy, rf_plan *plan)
{
    static const struct {
        const struct rf_step_ops *ops;
        const char *id, *title;
    } rows[] = {
        {&rf_step_root, "root/unpack", "Unpack the root into subvolume " RF_ROOT_FIRST},
        {&rf_step_configure, "root/configure", "Write the node's configuration"},
        {&rf_step_state, "state", "Keep profile, machine record, machine-id and SSH host keys in subvolume state"},
        {&rf_step_payload, "payload", "Copy the guests' images from the medium"},
        {&rf_step_entry, "entry", "Say which root is booted"},
        {&rf_step_flush, "flush", "Flush everything to the disks"},
    };
    bool done = installed(deploy);
    for (size_t i = 0; i < RF_COUNT(rows); i++)
        rf_plan_add(plan, rows[i].ops, deploy, RF_PHASE_INSTALL, rows[i].id, "%s", rows[i].title)->done = done;
    for (size_t i = 0; i < deploy->layout->disks_count; i++)
        add_boot(deploy, i, plan);
    rf_plan_add(plan, &rf_step_mark, deploy, RF_PHASE_INSTALL, "mark",
                "Let an ISO that is left attached boot this node")
        ->done = done;
}

static char *below(const rf_deploy *deploy, const char *where, const char *path)
{
    return rf_format("%s/%s%s", deploy->target, where, path);
}

char *rf_deploy_root(const rf_deploy *deploy, const char *path)
{
    return rf_format("%s/system/%s%s", deploy->target, deploy->root, path);
}

char *rf_deploy_state(const rf_deploy *deploy, const char *path)
{
    return below(deploy, "system/state", path);
}

char *rf_deploy_images(const rf_deploy *deploy, const char *path)
{
    return below(deploy, "images", path);
}

char *rf_deploy_top(const rf_deploy *deploy, const char *path)
{
    return below(deploy, "system", path);
}

/* A kept root that is not there would be written anew by the steps: then nothing is adopted. */
static void adopt_root(const rf_deploy *deploy)
{
    rf_autofree char *top = rf_deploy_top(deploy, "");
    rf_autoroots rf_roots *roots = NULL;
    if (rf_roots_read(top, 0, &roots, NULL) == 0 && rf_roots_find(roots, roots->choice.root))
        snprintf(deploy->root, RF_ROOT_NAME, RF_ROOTS_DIR "/%u", roots->choice.root);
}

int rf_deploy_open(struct rf_step_env *env, const rf_deploy *deploy, rf_error **err)
{
    if (deploy->beside)
        return 0;
    if (rf_target_open(env, deploy->layout, deploy->target, err) < 0)
        return -1;
    adopt_root(deploy);
    return 0;
}

void rf_deploy_make_beside(rf_deploy *deploy, unsigned number, unsigned running)
{
    deploy->beside = rf_alloc(sizeof(*deploy->beside));
    *deploy->beside = (struct rf_deploy_beside){.number = number, .running = running};
    snprintf(deploy->beside->name, RF_ROOT_NAME, RF_ROOTS_DIR "/%u", number);
    snprintf(deploy->root, RF_ROOT_NAME, RF_ROOTS_DIR "/%u" RF_ROOT_NEW, number);
    deploy->ids.root = deploy->beside->name;
}

void rf_deploy_beside_steps(const rf_deploy *deploy, bool written, rf_plan *plan)
{
    static const struct {
        const struct rf_step_ops *ops;
        const char *id, *title;
    } rows[] = {
        {&rf_step_medium, "medium", "Check the installation medium's checksums"},
        {&rf_step_clear_roots, "root/clear", "Remove what an interrupted deployment left, and look for room"},
        {&rf_step_root, "root/unpack", "Unpack the root beside the others"},
        {&rf_step_configure, "root/configure", "Write the node's configuration"},
        {&rf_step_state, "state", "Give the new root the node's identity, kept in subvolume state"},
        {&rf_step_carry, "root/carry", "Bring along what the running root has become"},
        {&rf_step_payload, "payload", "Copy the guests' images from the medium"},
        {&rf_step_flush, "flush", "Flush everything to the disks"},
    };
    for (size_t i = 0; i < RF_COUNT(rows) && !written; i++)
        rf_plan_add(plan, rows[i].ops, deploy, RF_PHASE_NODE, rows[i].id, "%s", rows[i].title);
    rf_plan_add(plan, &rf_step_switch, deploy, RF_PHASE_NODE, "root/switch",
                "Boot root %u next, on trial against root %u", deploy->beside->number, deploy->beside->running);
}
