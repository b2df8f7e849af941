/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which artefacts a guest waits for. Bringing them is artefact_bring.c. */
#include "postinstall/artefact.h"

#include "base/digest.h"
#include "base/fetch.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"
#include "postinstall/artefact_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { LIST_MAX = 1 << 20, SHA256_DIGITS = 64 };

json_t *rf_artefacts_known(const char *root)
{
    rf_autofree char *path = rf_format("%s%s", root, RF_ARTEFACTS_FILE);
    rf_autojson json_t *json = rf_exists(path) ? rf_json_load(path, LIST_MAX, NULL) : NULL;
    const json_t *list = json_object_get(json, "artefacts");
    return json_is_array(list) ? json_incref((json_t *)list) : NULL;
}

/* Names become names of files. */
static bool plain(const char *text)
{
    return text && *text && text[0] != '.' && !strchr(text, '/');
}

bool rf_artefact_sound(const json_t *artefact)
{
    const char *sha256 = rf_json_string(artefact, "sha256");
    return plain(rf_json_string(artefact, "name")) && plain(rf_json_string(artefact, "file")) &&
           rf_json_string(artefact, "url") && rf_json_string(artefact, "version") &&
           rf_json_string(artefact, "format") && sha256 && strlen(sha256) == SHA256_DIGITS &&
           strspn(sha256, "0123456789abcdef") == SHA256_DIGITS;
}

/* The one of that name that the images lack; NULL where they hold it, or nobody knows of it. */
static const json_t *lacking(const rf_node_model *model, const char *name)
{
    size_t index;
    json_t *artefact;
    json_array_foreach(model->artefacts, index, artefact)
    {
        const char *is = rf_json_string(artefact, "name"), *state = rf_json_string(artefact, "state");
        if (is && state && strcmp(is, name) == 0)
            return strcmp(state, "waiting") == 0 ? artefact : NULL;
    }
    return NULL;
}

json_t *rf_artefacts_lacking(const struct rf_node_guest *guest, const json_t *names, bool had)
{
    json_t *found = json_array(), *name;
    size_t index;
    json_array_foreach(names, index, name)
    {
        const json_t *artefact = lacking(guest->node, json_string_value(name));
        if (artefact && (!had || rf_artefact_sound(artefact)))
            json_array_append(found, (json_t *)artefact);
    }
    return found;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

char *rf_artefact_lacking(const struct rf_node_guest *guest)
{
    char *text = NULL;
    rf_autojson json_t *all = rf_artefacts_lacking(guest, guest->recipe->artefacts, false),
                       *more = rf_artefacts_lacking(guest, guest->recipe->more_artefacts, true);
    size_t index;
    json_t *artefact;
    json_array_extend(all, more);
    json_array_foreach(all, index, artefact)
    {
        rf_append(&text, "%s%s %s", text ? ", " : "", rf_json_string(artefact, "name"),
                  or_empty(rf_json_string(artefact, "version")));
    }
    return text;
}

/* Of everything that the drive is to hold, as the list has it. */
static void wanted_digest(const struct rf_node_guest *guest, char ret_hex[RF_SHA256_HEX])
{
    rf_autojson json_t *all = rf_artefacts_lacking(guest, guest->recipe->artefacts, false),
                       *more = rf_artefacts_lacking(guest, guest->recipe->more_artefacts, true);
    json_array_extend(all, more);
    rf_autofree char *text = rf_json_text(all);
    rf_sha256(text, strlen(text), ret_hex);
}

static char *note_path(const struct rf_node_guest *guest)
{
    rf_autofree char *drive = rf_guest_artefacts_path(guest);
    return rf_format("%s.wanted", drive);
}

bool rf_artefact_ready(const struct rf_node_guest *guest)
{
    rf_autofree char *disk = rf_guest_disk_path(guest), *drive = rf_guest_artefacts_path(guest);
    rf_autofree char *path = note_path(guest), *noted = rf_read_line(path);
    char wanted[RF_SHA256_HEX];
    if (rf_guest_settled(guest) && rf_exists(disk))
        return true;
    wanted_digest(guest, wanted);
    return rf_exists(drive) && noted && strcmp(noted, wanted) == 0;
}

int rf_artefact_note_drive(const struct rf_node_guest *guest, bool written, rf_error **err)
{
    rf_autofree char *path = note_path(guest);
    char wanted[RF_SHA256_HEX];
    if (written) {
        wanted_digest(guest, wanted);
        return rf_write_file(path, wanted, strlen(wanted), 0600, err);
    }
    if (unlink(path) < 0 && errno != ENOENT)
        return rf_fail_errno(err, RF_FAILED, errno, "removing %s", path);
    return 0;
}

char *rf_artefact_hand_path(const rf_node_model *model, const json_t *artefact)
{
    return rf_node_path(model, "%s/%s", RF_ARTEFACTS_HAND, rf_json_string(artefact, "file"));
}

char *rf_artefact_fetched_path(const rf_node_model *model, const json_t *artefact)
{
    return rf_node_path(model, "%s/%s.art", RF_FETCHED_DIR, rf_json_string(artefact, "sha256"));
}

static bool at_hand(const rf_node_model *model, const json_t *artefact)
{
    rf_autofree char *hand = rf_artefact_hand_path(model, artefact),
                     *fetched = rf_artefact_fetched_path(model, artefact);
    return rf_exists(hand) || rf_exists(fetched);
}

/* One that nobody has confirmed a checksum of: no run will ever bring it. */
static char *unpinned_text(const json_t *artefact)
{
    const char *name = rf_json_string(artefact, "name");
    return rf_format("waiting for artefact %s %s: it has no confirmed checksum, so no node fetches it; pin it "
                     "(richtfest artefact fetch --pin %s) and build the ISO again",
                     name, or_empty(rf_json_string(artefact, "version")), name);
}

char *rf_artefact_text(const json_t *artefact)
{
    if (!rf_artefact_sound(artefact))
        return unpinned_text(artefact);
    rf_autofree char *url = rf_url_public(rf_json_string(artefact, "url"));
    return rf_format("waiting for artefact %s %s (%s, or place %s in %s)", rf_json_string(artefact, "name"),
                     rf_json_string(artefact, "version"), url, rf_json_string(artefact, "file"), RF_ARTEFACTS_HAND);
}

/* Whether it is the right one that run will see: here nobody waits for a checksum. */
static char *at_hand_text(const json_t *artefact)
{
    return rf_format("artefact %s %s is here; the next run takes it if its checksum is right (richtfest apply --node)",
                     rf_json_string(artefact, "name"), rf_json_string(artefact, "version"));
}

json_t *rf_artefact_waiting(const struct rf_node_guest *guest)
{
    json_t *texts = json_array(), *artefact;
    rf_autojson json_t *lack = rf_artefacts_lacking(guest, guest->recipe->artefacts, false);
    size_t index;
    if (rf_artefact_ready(guest))
        return texts;
    json_array_foreach(lack, index, artefact)
    {
        const bool here = rf_artefact_sound(artefact) && at_hand(guest->node, artefact);
        rf_autofree char *text = here ? at_hand_text(artefact) : rf_artefact_text(artefact);
        json_array_append_new(texts, json_string(text));
    }
    return texts;
}

static bool settled_there(const json_t *facts, const char *guest)
{
    return json_is_true(json_object_get(json_object_get(json_object_get(facts, "guests"), guest), "settled"));
}

json_t *rf_artefact_notes(const rf_profile *profile, const json_t *artefacts, const json_t *facts)
{
    json_t *notes = json_array(), *text;
    rf_autoproblems rf_problems problems = {0};
    rf_autojson json_t *known = json_pack("{s:O*}", "artefacts", artefacts);
    rf_autonodemodel rf_node_model *model = rf_node_model_new(profile, known, NULL, &problems);
    for (size_t i = 0; model && i < model->guests_count; i++) {
        if (settled_there(facts, model->guests[i].asked->name))
            continue;
        rf_autojson json_t *waiting = rf_artefact_waiting(&model->guests[i]);
        size_t index;
        json_array_foreach(waiting, index, text)
        {
            rf_autofree char *note = rf_format("%s: %s", model->guests[i].asked->name, json_string_value(text));
            json_array_append_new(notes, json_string(note));
        }
    }
    return notes;
}
