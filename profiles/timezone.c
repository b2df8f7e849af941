/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "profiles/timezone.h"

#include "base/file.h"
#include "base/memory.h"
#include "profiles/suggest.h"
#include "profiles/text.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

enum { PLACES_MAX = 1024 }; /* the largest area has some 170 */

/* tzdata's areas. Old names outside of them (US/Eastern) are in tzdata-legacy, which a node does not have. */
static const char *const areas[] = {"Africa", "America",   "Antarctica", "Arctic", "Asia",   "Atlantic",
                                    "Etc",    "Australia", "Europe",     "Indian", "Pacific"};

static char *wrong_area(const char *area, const char *name)
{
    const char *place = strchr(name, '/');
    const char *meant = place ? rf_suggest(area, areas, RF_COUNT(areas)) : NULL;
    rf_autofree char *shown = rf_shown(name);
    if (meant)
        return rf_format("\"%s\" is not a time zone; did you mean \"%s%s\"?", shown, meant, place);
    return rf_format("\"%s\" is not a time zone; write for example \"Europe/Berlin\" or \"UTC\"", shown);
}

static bool is_zone(const char *directory, const char *name)
{
    rf_autofree char *path = rf_format("%s/%s", directory, name);
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static void free_places(char ***places)
{
    for (size_t i = 0; (*places)[i]; i++)
        free((*places)[i]);
    free(*places);
}

/* The name beside it that was probably meant: "Europe/Berlin" for "Europe/Berlni". NULL: none is near. */
static char *nearest(const char *directory, const char *name)
{
    const int above = (int)(strrchr(name, '/') - name);
    rf_autofree char *folder = rf_format("%s/%.*s", directory, above, name);
    rf_autodir DIR *dir = opendir(folder);
    RF_CLEANUP(free_places) char **places = rf_alloc((PLACES_MAX + 1) * sizeof(*places));
    size_t count = 0;
    for (struct dirent *entry; dir && count < PLACES_MAX && (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            places[count++] = rf_strdup(entry->d_name);
    const char *meant = rf_suggest(name + above + 1, (const char *const *)places, count);
    return meant ? rf_format("%.*s/%s", above, name, meant) : NULL;
}

static char *wrong_place(const char *directory, const char *name)
{
    rf_autofree char *shown = rf_shown(name), *meant = nearest(directory, name);
    if (meant && is_zone(directory, meant))
        return rf_format("\"%s\" is not a time zone; did you mean \"%s\"?", shown, meant);
    return rf_format("\"%s\" is not in the tz database; write for example \"Europe/Berlin\" or \"UTC\"", shown);
}

char *rf_timezone_mistake(const char *directory, const char *name)
{
    if (strcmp(name, "UTC") == 0)
        return NULL;
    rf_autofree char *area = rf_format("%.*s", (int)strcspn(name, "/"), name);
    bool known = false;
    for (size_t i = 0; i < RF_COUNT(areas); i++)
        known |= strcmp(area, areas[i]) == 0;
    if (!known || !strchr(name, '/'))
        return wrong_area(area, name);
    if (!is_zone(directory, "UTC") || is_zone(directory, name))
        return NULL;
    return wrong_place(directory, name);
}
