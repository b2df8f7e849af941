/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest recipe seed PROFILE GUEST: the seed as a node would write it, to boot a recipe's image without one. */
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "installer/subcommand.h"
#include "postinstall/ca.h"
#include "postinstall/enrol.h"
#include "postinstall/proxy.h"
#include "postinstall/secret.h"
#include "postinstall/seed.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

struct options {
    const char *profile, *guest, *output, *state, *enrol, *describe;
    bool proxy;
};

static const struct rf_option known[] = {
    RF_OPTION_TEXT(struct options, output, "output", "FILE",
                   "the seed: an ISO labelled cidata, readable for its owner only"),
    RF_OPTION_TEXT(struct options, state, "state", "DIR",
                   "stands for the node: keeps its CA and the guest's passwords (default: thrown away)"),
    RF_OPTION_TEXT(struct options, enrol, "enrol", "FILE",
                   "what a node would ask the guest's directory: standard input of /usr/lib/richtfest/enrol there"),
    RF_OPTION_TEXT(struct options, describe, "describe", "FILE",
                   "the machine that the seed is for, as JSON: image, cores, memory, disk, network card, address"),
    RF_OPTION_FLAG(struct options, proxy, "proxy",
                   "write the reverse proxy's configuration and authority into DIR/etc/richtfest/proxy (with --state)"),
    {0}};

/* The directory that stands for a node; one of our own is removed when it goes out of scope. */
struct place {
    char *path;
    bool ours;
};

static void leave_place(struct place *place)
{
    if (place->ours)
        rf_remove_tree(place->path, NULL);
    free(place->path);
}

static int make_place(const char *asked, struct place *place, rf_error **err)
{
    const char *base = getenv("TMPDIR");
    if (asked) {
        place->path = realpath(asked, NULL);
        return place->path ? 0 : rf_fail_errno(err, RF_FAILED, errno, "%s", asked);
    }
    place->path = rf_format("%s/richtfest-seed.XXXXXX", base ? base : "/tmp");
    place->ours = mkdtemp(place->path) != NULL;
    return place->ours ? 0 : rf_fail_errno(err, RF_FAILED, errno, "%s", place->path);
}

static int write_enrol(const struct rf_node_guest *guest, const char *path, rf_error **err)
{
    if (!guest->directory)
        return rf_fail(err, RF_USAGE, "%s has no directory to be enrolled in", guest->asked->name);
    rf_autojson json_t *secrets = rf_secret_load(guest), *request = rf_enrol_request(guest, secrets);
    rf_autosecret char *text = rf_json_text(request);
    return rf_write_file(path, text, strlen(text), 0600, err);
}

static int write_description(const struct rf_node_guest *guest, const char *path, rf_error **err)
{
    rf_autojson json_t *json =
        json_pack("{s:s,s:s,s:s*,s:s,s:s,s:i,s:I,s:I,s:b}", "name", guest->asked->name, "recipe", guest->recipe->name,
                  "image", guest->recipe->image, "uuid", guest->uuid, "mac", guest->mac, "cores", (int)guest->cores,
                  "memory", (json_int_t)guest->memory, "disk", (json_int_t)guest->disk, "uefi", guest->recipe->uefi);
    rf_autofree char *gateway = rf_subnet_node(&guest->node->subnet);
    json_object_update_new(json,
                           json_pack("{s:s,s:s,s:s,s:s,s:s*,s:s*,s:O}", "fqdn", guest->fqdn, "address", guest->address,
                                     "gateway", gateway, "subnet", guest->node->profile->network.guests.subnet, "zone",
                                     guest->zone, "directory", guest->directory ? guest->directory->asked->name : NULL,
                                     "settings", guest->settings));
    if (guest->published)
        json_object_set_new(json, "published",
                            json_pack("{s:s,s:i}", "host", guest->published, "port", (int)guest->recipe->publish.port));
    rf_autofree char *text = rf_json_text(json);
    return rf_write_file(path, text, strlen(text), 0644, err);
}

/* The node's own steps, on a directory instead of a node: what is there already is kept, as a node keeps it. */
static int make(const rf_node_model *model, const struct options *options, rf_error **err)
{
    const struct rf_node_guest *guest = rf_node_guest_named(model, options->guest);
    struct rf_step_env env = {0};
    if (!guest)
        return rf_fail(err, RF_USAGE, "the profile has no guest '%s'", options->guest);
    if (rf_step_ca.probe(&env, model, err) != RF_PROBE_DONE && rf_step_ca.apply(&env, model, err) < 0)
        return -1;
    if (rf_step_secret.apply(&env, guest, err) < 0 || rf_seed_write(guest, options->output, err) < 0)
        return -1;
    if (options->enrol && write_enrol(guest, options->enrol, err) < 0)
        return -1;
    if (options->describe && write_description(guest, options->describe, err) < 0)
        return -1;
    return options->proxy ? rf_proxy_write(model, err) : 0;
}

static int run(const struct rf_subcommand *self, int argc, char **argv)
{
    struct options options = {0};
    char **words;
    int count = rf_read_options(self, argc, argv, &options, &words);
    if (count < 0)
        return RF_USAGE;
    if (count != 2 || !options.output)
        return rf_say_usage(self, "a profile, one of its guests, and --output");
    if (options.proxy && !options.state)
        return rf_say_usage(self, "--proxy needs --state, where the files are to lie");
    options.profile = words[0];
    options.guest = words[1];
    rf_autoproblems rf_problems problems = {0};
    rf_autoprofile rf_profile *profile = NULL;
    RF_CLEANUP(leave_place) struct place place = {0};
    rf_error *error = NULL;
    int code = rf_command_profile(options.profile, false, &profile);
    if (code != RF_OK)
        return code;
    if (make_place(options.state, &place, &error) < 0)
        return rf_say_error(error);
    const struct rf_node_options where = {.root = place.path};
    rf_autonodemodel rf_node_model *model = rf_node_model_new(profile, NULL, &where, &problems);
    if (!model)
        return rf_say_problems(&problems, RF_BAD_PROFILE);
    return make(model, &options, &error) < 0 ? rf_say_error(error) : RF_OK;
}

const struct rf_subcommand rf_cmd_recipe_seed = {
    .name = "recipe seed",
    .usage = "PROFILE GUEST --output FILE [--state DIR] [--enrol FILE] [--describe FILE] [--proxy]",
    .summary = "writes a guest's seed as a node would: to boot its image without one",
    .options = known,
    .help = "Seeds that are written with the same --state DIR trust each other. The passwords are as good as a node's: "
            "what\n"
            "they open is as safe as these files are kept.\n",
    .run = run,
};
