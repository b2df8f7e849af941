/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/artefact_shelf.h"

#include "base/fetch.h"
#include "base/memory.h"
#include "base/units.h"
#include "image/build.h"

struct rf_artefact_shelf {
    rf_build *build; /* its paths, recipes and manifest; no archive, no pieces */
    int lock;        /* of the cache; -1: only looked at */
};

void rf_artefact_shelf_free(rf_artefact_shelf *shelf)
{
    if (!shelf)
        return;
    rf_build_free(shelf->build);
    if (shelf->lock >= 0)
        close(shelf->lock);
    free(shelf);
}

int rf_artefact_shelf_open(const struct rf_image_options *options, bool change, rf_artefact_shelf **ret_shelf,
                           rf_error **err)
{
    rf_autoshelf rf_artefact_shelf *shelf = rf_alloc(sizeof(*shelf));
    shelf->lock = -1;
    if (rf_build_look(options, &shelf->build, err) < 0)
        return -1;
    if (change && rf_cache_open(shelf->build->cache, &shelf->lock, err) < 0)
        return -1;
    *ret_shelf = RF_STEAL(shelf);
    return 0;
}

const struct rf_artefacts *rf_artefact_shelf_manifest(const rf_artefact_shelf *shelf)
{
    return &shelf->build->artefacts;
}

struct rf_artefact_store *rf_artefact_shelf_store(rf_artefact_shelf *shelf)
{
    return &shelf->build->store;
}

json_t *rf_artefact_shelf_json(const rf_artefact_shelf *shelf, const struct rf_artefact *artefact)
{
    const enum rf_artefact_state state = rf_artefact_look(&shelf->build->store, artefact);
    rf_autofree char *recipes = rf_build_wanted_by(shelf->build, artefact);
    json_t *json = rf_build_artefact_json(shelf->build, artefact);
    json_object_set_new(json, "title", json_string(artefact->title));
    json_object_set_new(json, "state", json_string(rf_artefact_state_name(state)));
    json_object_set_new(json, "recipes", recipes ? json_string(recipes) : json_null());
    if (state == RF_ARTEFACT_READY) {
        rf_autofree char *path = rf_artefact_path(&shelf->build->store, artefact);
        json_object_set_new(json, "path", json_string(path));
    }
    return json;
}

char *rf_artefact_shelf_text(const rf_artefact_shelf *shelf, const struct rf_artefact *artefact)
{
    const struct rf_artefact_store *store = &shelf->build->store;
    const enum rf_artefact_state state = rf_artefact_look(store, artefact);
    rf_autofree char *recipes = rf_build_wanted_by(shelf->build, artefact);
    char *text = rf_format("%-24s %-10s %-9s %s, %s\n", artefact->name, artefact->version,
                           rf_artefact_state_name(state), artefact->title, artefact->licence);
    rf_append(&text, "    for %s\n", recipes ? recipes : "no recipe that is here");
    rf_autofree char *path = state == RF_ARTEFACT_READY ? rf_artefact_path(store, artefact) : NULL;
    rf_autofree char *advice = rf_artefact_advice(store, artefact);
    rf_append(&text, "    %s\n", path ? path : advice);
    if (state == RF_ARTEFACT_UNPINNED)
        rf_append(&text, "    no checksum in %s yet: `richtfest artefact fetch --pin %s`\n",
                  shelf->build->artefacts.file, artefact->name);
    return text;
}

static int fetch_and_pin(rf_artefact_shelf *shelf, const struct rf_artefact *artefact, struct rf_step_env *env,
                         char **ret_note, rf_error **err)
{
    char sha256[RF_SHA256_HEX];
    bool is_signed = false;
    if (rf_artefact_fetch_unpinned(&shelf->build->store, artefact, env, sha256, &is_signed, err) < 0 ||
        rf_artefact_pin(&shelf->build->artefacts, artefact, sha256, err) < 0)
        return -1;
    *ret_note = rf_format("%s %s is pinned to SHA-256 %s in %s: %s", artefact->name, artefact->version, sha256,
                          shelf->build->artefacts.file,
                          is_signed ? "its signature is good"
                                    : "NOTHING has confirmed it; compare it with what its publisher says");
    return 0;
}

int rf_artefact_shelf_fetch(rf_artefact_shelf *shelf, const struct rf_artefact *artefact, bool pin, rf_runner *runner,
                            rf_events *events, char **ret_note, rf_error **err)
{
    rf_autofree char *id = rf_format("artefact/%s", artefact->name);
    rf_autofree char *title = rf_format("Fetch artefact %s %s", artefact->name, artefact->version);
    const struct rf_step step = {.id = id, .title = title};
    struct rf_step_env env = {.runner = runner, .events = events, .step = &step, .started = rf_now()};
    rf_autoerror rf_error *error = NULL;
    rf_build_tell(events, &step, RF_STARTED, -1, NULL);
    int outcome = pin && !artefact->sha256 ? fetch_and_pin(shelf, artefact, &env, ret_note, &error)
                                           : rf_artefact_fetch(&shelf->build->store, artefact, &env, &error);
    rf_autofree char *why = rf_error_text(error);
    rf_build_tell(events, &step, outcome < 0 ? RF_STATE_FAILED : RF_DONE, rf_now() - env.started, why);
    if (outcome < 0 && err)
        *err = RF_STEAL(error);
    return outcome;
}
