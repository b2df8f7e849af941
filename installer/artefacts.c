/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/artefacts.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "image/medium.h"
#include "postinstall/artefact.h"

#include <string.h>

/* NULL where the medium has none, or is none. */
static json_t *of_medium(const char *medium)
{
    rf_autofree char *path = rf_format("%s" RF_MEDIUM_MANIFEST_FILE, medium);
    rf_autojson json_t *manifest = rf_exists(path) ? rf_json_load(path, RF_MANIFEST_MAX, NULL) : NULL;
    return json_incref(json_object_get(manifest, "artefacts"));
}

json_t *rf_artefacts_here(const char *medium)
{
    json_t *known = rf_artefacts_known("");
    return known ? known : of_medium(medium);
}

char *rf_artefacts_waiting_text(const rf_profile *profile, const json_t *artefacts, const json_t *facts)
{
    rf_autojson json_t *notes = artefacts ? rf_artefact_notes(profile, artefacts, facts) : NULL;
    char *text = rf_strdup("");
    for (size_t i = 0; i < json_array_size(notes); i++)
        rf_append(&text, "%s\n", json_string_value(json_array_get(notes, i)));
    return text;
}

/* NULL where the medium has no list. */
static char *text_of(const char *medium)
{
    rf_autojson json_t *list = of_medium(medium);
    if (!json_is_array(list))
        return NULL;
    rf_autojson json_t *json = json_pack("{s:O}", "artefacts", list);
    return rf_json_text(json);
}

int rf_artefacts_leave(const char *medium, const char *file, rf_error **err)
{
    rf_autofree char *text = text_of(medium);
    return text ? rf_write_file(file, text, strlen(text), 0644, err) : 0;
}

bool rf_artefacts_left(const char *medium, const char *file)
{
    rf_autofree char *text = text_of(medium), *is = NULL;
    return !text || (rf_read_file(file, RF_MANIFEST_MAX, &is, NULL, NULL) == 0 && strcmp(text, is) == 0);
}
