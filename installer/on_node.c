/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/on_node.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "installer/engine.h"
#include "installer/inputs.h"
#include "installer/node_lock.h"
#include "postinstall/guest_address.h"

static int check_node(rf_error **err)
{
    if (!rf_exists(RF_STATE_PROFILE))
        return rf_fail(err, RF_BAD_MACHINE, "this is no Richtfest node: %s is not there", RF_STATE_PROFILE);
    return 0;
}

int rf_on_node_open(struct rf_on_node *ret_node, rf_error **err)
{
    rf_autoproblems rf_problems problems = {0};
    rf_autoprofile rf_profile *profile = NULL;
    if (check_node(err) < 0)
        return -1;
    if (rf_read_profile(RF_STATE_PROFILE, &profile, &problems, err) < 0)
        return -1;
    rf_autojson json_t *facts = json_pack("{s:o}", "addresses", rf_guest_addresses(""));
    rf_node_model *model = profile ? rf_node_model_new(profile, facts, NULL, &problems) : NULL;
    if (!model)
        return rf_fail_problems(err, RF_BAD_PROFILE, &problems);
    ret_node->profile = RF_STEAL(profile);
    ret_node->model = model;
    return 0;
}

int rf_on_node_open_alone(struct rf_on_node *ret_node, const char *what, rf_error **err)
{
    if (check_node(err) < 0 || rf_node_lock(RF_RUN_DIR, what, &ret_node->lock, NULL, err) < 0)
        return -1;
    return rf_on_node_open(ret_node, err);
}

void rf_on_node_close(struct rf_on_node *node)
{
    rf_node_model_free(node->model);
    rf_profile_free(node->profile);
    rf_lock_release(&node->lock);
    *node = (struct rf_on_node){0};
}
