/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The roots for people and for programs. */
#include "base/memory.h"
#include "installer/roots.h"

#include <string.h>
#include <time.h>

/* As everywhere in times for people: UTC. */
static char *time_text(json_int_t seconds)
{
    char text[32];
    const time_t when = (time_t)seconds;
    struct tm utc;
    if (!seconds)
        return rf_strdup("-");
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", gmtime_r(&when, &utc));
    return rf_strdup(text);
}

static char *origin(const struct rf_root *root)
{
    if (!root->how)
        return rf_strdup("-");
    if (strcmp(root->how, RF_ROOT_SNAPSHOT) == 0)
        return rf_format("snapshot of %u%s", root->of, root->run ? ", before apt" : "");
    return rf_format("%s%s%s", root->how, root->version ? ", Richtfest " : "", root->version ? root->version : "");
}

static void add_word(char **text, const char *word)
{
    rf_append(text, "%s%s", *text ? ", " : "", word);
}

/* What it is to the node now; NULL: nothing. */
static char *part_of(const rf_roots *roots, const struct rf_root *root)
{
    char *text = NULL;
    const bool chosen = root->number == roots->choice.root, on_trial = chosen && *roots->choice.trial;
    if (root->number == roots->running)
        add_word(&text, "runs");
    if (chosen)
        add_word(&text, on_trial ? "booted next, on trial" : "booted by default");
    if (root->number == roots->choice.before)
        add_word(&text, "the one before");
    if (root->failed)
        add_word(&text, "failed its trial");
    else if (root->good && !on_trial)
        add_word(&text, "good");
    return text;
}

char *rf_roots_text(const rf_roots *roots)
{
    char *text = rf_format("%-5s %-21s %-34s %s\n", "ROOT", "MADE", "ORIGIN", "STATE");
    for (size_t i = 0; i < roots->count; i++) {
        rf_autofree char *made = time_text(roots->list[i].made), *from = origin(&roots->list[i]);
        rf_autofree char *part = part_of(roots, &roots->list[i]);
        rf_append(&text, "%-5u %-21s %-34s %s\n", roots->list[i].number, made, from, part ? part : "-");
    }
    return text;
}

static json_t *root_json(const rf_roots *roots, const struct rf_root *root)
{
    return json_pack("{s:I,s:s?,s:s?,s:s?,s:s?,s:I,s:I,s:I,s:I,s:b,s:s?}", "number", (json_int_t)root->number, "how",
                     root->how, "version", root->version, "digest", root->digest, "run", root->run, "of",
                     (json_int_t)root->of, "made", root->made, "good", root->good, "failed", root->failed, "runs",
                     root->number == roots->running, "needed", rf_root_needed(roots, root->number));
}

json_t *rf_roots_json(const rf_roots *roots)
{
    json_t *list = json_array();
    for (size_t i = 0; i < roots->count; i++)
        json_array_append_new(list, root_json(roots, &roots->list[i]));
    return json_pack("{s:I,s:I,s:I,s:b,s:o}", "running", (json_int_t)roots->running, "default",
                     (json_int_t)roots->choice.root, "before", (json_int_t)roots->choice.before, "on_trial",
                     *roots->choice.trial != '\0', "roots", list);
}

char *rf_roots_news(const json_t *roots)
{
    char *text = rf_strdup("");
    const json_int_t running = rf_json_integer(roots, "running", 0), chosen = rf_json_integer(roots, "default", 0);
    const bool on_trial = json_is_true(json_object_get(roots, "on_trial"));
    if (on_trial && running == chosen)
        rf_append(&text, "Root %lld runs on trial; it is not good yet.\n", (long long)running);
    else if (running != chosen)
        rf_append(&text, "Root %lld runs; the next boot is of root %lld%s.\n", (long long)running, (long long)chosen,
                  on_trial ? ", on trial" : "");
    const json_t *list = json_object_get(roots, "roots");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *root = json_array_get(list, i);
        rf_autofree char *when = time_text(rf_json_integer(root, "failed", 0));
        if (rf_json_integer(root, "failed", 0))
            rf_append(&text, "Root %lld did not become healthy on its trial and was given up (%s); root %lld runs.\n",
                      (long long)rf_json_integer(root, "number", 0), when, (long long)running);
    }
    return text;
}
