/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The artefacts of a build: fetched before its plan is made, because what can be had decides what is made. */
#include "base/fetch.h"
#include "base/memory.h"
#include "base/units.h"
#include "image/build.h"

#include <string.h>

bool rf_build_waits(const rf_build *build, const struct rf_artefact *artefact)
{
    return build->waiting[artefact - build->artefacts.items] != NULL;
}

char *rf_build_wanted_by(const rf_build *build, const struct rf_artefact *artefact)
{
    char *names = NULL;
    for (size_t i = 0; i < build->recipes_count; i++) {
        const struct rf_image_recipe *recipe = &build->recipes[i];
        for (size_t j = 0; recipe->wanted && recipe->artefacts[j]; j++)
            if (strcmp(recipe->artefacts[j], artefact->name) == 0)
                rf_append(&names, "%s%s", names ? ", " : "", recipe->name);
    }
    return names;
}

void rf_build_tell(rf_events *events, const struct rf_step *step, enum rf_state state, double seconds,
                   const char *message)
{
    rf_emit(events, &(struct rf_event){.step = step->id,
                                       .title = step->title,
                                       .state = state,
                                       .message = message,
                                       .code = state == RF_STATE_FAILED ? RF_FAILED : RF_OK,
                                       .seconds = seconds});
}

/* As a step, but one whose failure is no end. */
static void fetch(rf_build *build, const struct rf_artefact *artefact, rf_runner *runner, rf_events *events)
{
    rf_autofree char *id = rf_format("artefact/%s", artefact->name);
    rf_autofree char *title = rf_format("Fetch artefact %s %s", artefact->name, artefact->version);
    const struct rf_step step = {.id = id, .title = title};
    struct rf_step_env env = {.runner = runner, .events = events, .step = &step, .started = rf_now()};
    rf_autoerror rf_error *error = NULL;
    rf_build_tell(events, &step, RF_STARTED, -1, NULL);
    if (rf_artefact_fetch(&build->store, artefact, &env, &error) == 0) {
        rf_build_tell(events, &step, RF_DONE, rf_now() - env.started, NULL);
        return;
    }
    char *why = rf_error_text(error);
    build->waiting[artefact - build->artefacts.items] = why;
    rf_build_tell(events, &step, RF_WAITING, rf_now() - env.started, why);
}

void rf_build_fetch(rf_build *build, rf_runner *runner, rf_events *events)
{
    for (size_t i = 0; i < build->artefacts.count; i++) {
        const struct rf_artefact *artefact = &build->artefacts.items[i];
        rf_autofree char *recipes = rf_build_wanted_by(build, artefact);
        const enum rf_artefact_state state = rf_artefact_look(&build->store, artefact);
        if (!recipes || state == RF_ARTEFACT_READY)
            continue;
        if (runner)
            fetch(build, artefact, runner, events);
        else if (state == RF_ARTEFACT_UNPINNED)
            build->waiting[i] = rf_strdup("the manifest has no checksum for it");
    }
}

void rf_build_say_waiting(const rf_build *build, rf_events *events)
{
    for (size_t i = 0; i < build->artefacts.count; i++) {
        if (!build->waiting[i])
            continue;
        const struct rf_artefact *artefact = &build->artefacts.items[i];
        rf_autofree char *recipes = rf_build_wanted_by(build, artefact);
        rf_autofree char *advice = rf_artefact_advice(&build->store, artefact);
        rf_emit_message(events, RF_WAITING,
                        "waiting for artefact %s %s (%s), without which the image of %s was built: %s", artefact->name,
                        artefact->version, advice, recipes, build->waiting[i]);
    }
}

json_t *rf_build_artefact_json(const rf_build *build, const struct rf_artefact *artefact)
{
    json_t *mirrors = json_array();
    for (size_t i = 0; artefact->mirrors[i]; i++)
        json_array_append_new(mirrors, json_string(artefact->mirrors[i]));
    const bool waits = rf_build_waits(build, artefact);
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:s?,s:I,s:s,s:i}", "name", artefact->name, "version",
                     artefact->version, "state", waits ? "waiting" : "included", "licence", artefact->licence, "file",
                     artefact->file, "url", artefact->url, "mirrors", mirrors, "sha256", artefact->sha256, "size",
                     (json_int_t)artefact->size, "format", artefact->format, "strip", (int)artefact->strip);
}

json_t *rf_build_artefacts_json(const rf_build *build)
{
    json_t *list = json_array();
    for (size_t i = 0; i < build->artefacts.count; i++) {
        const struct rf_artefact *artefact = &build->artefacts.items[i];
        rf_autofree char *recipes = rf_build_wanted_by(build, artefact);
        if (!recipes)
            continue;
        json_t *json = rf_build_artefact_json(build, artefact);
        json_object_set_new(json, "recipes", json_string(recipes));
        if (artefact->signature_key)
            json_object_set_new(json, "signature",
                                json_pack("{s:s,s:s}", "url", artefact->signature_url, "key", artefact->signature_key));
        json_array_append_new(list, json);
    }
    return list;
}
