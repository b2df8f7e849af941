/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/inputs.h"

#include "base/command.h"
#include "base/file.h"
#include "base/kvm.h"
#include "base/memory.h"
#include "base/paths.h"
#include "postinstall/facts.h"
#include "postinstall/handover.h"
#include "postinstall/recipe.h"
#include "profiles/yaml.h"

#include <string.h>

/* What the schema can't know: recipes and who can read what is handed over. */
static void check_beyond_schema(const rf_profile *profile, rf_problems *problems)
{
    rf_guests_check(profile, rf_recipes_dir(), problems);
    rf_handover_check(profile, problems);
}

int rf_read_profile(const char *path, rf_profile **ret_profile, rf_problems *problems, rf_error **err)
{
    rf_autoprofile rf_profile *profile = NULL;
    if (rf_profile_load(path, &profile, problems, err) < 0)
        return -1;
    if (profile)
        check_beyond_schema(profile, problems);
    if (problems->count == 0)
        *ret_profile = RF_STEAL(profile);
    return 0;
}

rf_profile *rf_check_profile(const char *name, const char *text, size_t size, rf_problems *problems)
{
    rf_autoprofile rf_profile *profile = rf_profile_parse(name, text, size, problems);
    if (profile)
        check_beyond_schema(profile, problems);
    return problems->count == 0 ? RF_STEAL(profile) : NULL;
}

void rf_check_example_key(const rf_profile *profile, rf_problems *problems)
{
    const struct rf_admin *admin = rf_profile_example_admin(profile);
    if (admin)
        rf_profile_problem(profile, problems, "node.admins",
                           "%s still has the example key, whose private half nobody has; put your own public key there",
                           admin->name);
}

char *rf_report_url(const char *text, size_t size)
{
    rf_autoproblems rf_problems ignored = {0};
    rf_autonode rf_node *root = rf_yaml_read("", text, size, &ignored);
    const rf_node *report = root ? rf_node_child(root, "report") : NULL;
    const rf_node *url = report ? rf_node_child(report, "url") : NULL;
    bool usable = url && url->kind == RF_NODE_TEXT && strncmp(url->text, "http", 4) == 0;
    return usable ? rf_strdup(url->text) : NULL;
}

/* Whether a machine can run guests shows only when its processor's module is there. The live system's udev leaves it out, and
 * a node's may be late. Where it does not load, the inventory says why. */
static void load_kvm(void)
{
    rf_autorunner rf_runner *runner = rf_runner_real();
    const char *module = rf_kvm_module("");
    if (module)
        rf_run_argv(runner, RF_ARGV("modprobe", "--quiet", module), NULL);
}

int rf_read_machine(const char *path, rf_machine **ret_machine, rf_error **err)
{
    rf_automachine rf_machine *machine = NULL;
    if (path)
        return rf_machine_load(path, ret_machine, err);
    if (geteuid() == 0)
        load_kvm();
    if (rf_machine_probe("", &machine, err) < 0)
        return -1;
    if (machine->environment == RF_ENV_NODE && !machine->node)
        machine->node = rf_node_facts(NULL);
    *ret_machine = RF_STEAL(machine);
    return 0;
}
