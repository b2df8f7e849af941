/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/apt.h"

#include "base/file.h"
#include "base/memory.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { SOURCES_MAX = 1 << 20 };

void rf_mirrors_clear(struct rf_mirrors *mirrors)
{
    free(mirrors->main);
    free(mirrors->security);
    *mirrors = (struct rf_mirrors){0};
}

static bool has_word(const char *list, const char *word)
{
    const size_t length = strlen(word);
    for (const char *at = list; at && *at;) {
        at += strspn(at, " \t\n");
        const size_t size = strcspn(at, " \t\n");
        if (size == length && memcmp(at, word, size) == 0)
            return true;
        at += size;
    }
    return false;
}

static char *first_word(const char *list)
{
    const char *start = list + strspn(list, " \t\n");
    size_t length = strcspn(start, " \t\n");
    while (length > 0 && start[length - 1] == '/')
        length--;
    return length ? strndup(start, length) : NULL;
}

/* One source: every one of `uris` offers every one of `suites`. */
static void note(struct rf_mirrors *mirrors, const char *codename, const char *uris, const char *suites,
                 const char *components)
{
    if (!uris || !suites || !has_word(components, "main"))
        return;
    rf_autofree char *security = rf_format("%s-security", codename);
    rf_autofree char *old_security = rf_format("%s/updates", codename); /* until Debian 10 */
    if (!mirrors->main && has_word(suites, codename))
        mirrors->main = first_word(uris);
    if (!mirrors->security && (has_word(suites, security) || has_word(suites, old_security)))
        mirrors->security = first_word(uris);
}

/* "deb [options] URI SUITE COMPONENT …" */
static void parse_line(char *line, const char *codename, struct rf_mirrors *mirrors)
{
    line[strcspn(line, "#")] = '\0';
    char *rest = line;
    char *type = strtok_r(rest, " \t", &rest);
    if (!type || strcmp(type, "deb") != 0)
        return;
    rest += strspn(rest, " \t");
    if (*rest == '[') {
        rest += strcspn(rest, "]");
        rest += *rest == ']';
    }
    char *uri = strtok_r(rest, " \t", &rest);
    char *suite = strtok_r(rest, " \t", &rest);
    if (uri && suite)
        note(mirrors, codename, uri, suite, rest);
}

void rf_apt_parse_list(const char *text, const char *codename, struct rf_mirrors *mirrors)
{
    rf_autofree char *copy = rf_strdup(text);
    for (char *rest = copy, *line; (line = strsep(&rest, "\n"));)
        parse_line(line, codename, mirrors);
}

struct stanza {
    char *types, *uris, *suites, *components, *enabled;
};

static void end_stanza(struct stanza *stanza, const char *codename, struct rf_mirrors *mirrors)
{
    const bool off = stanza->enabled && (has_word(stanza->enabled, "no") || has_word(stanza->enabled, "false"));
    if (stanza->types && has_word(stanza->types, "deb") && !off)
        note(mirrors, codename, stanza->uris, stanza->suites, stanza->components);
    free(stanza->types);
    free(stanza->uris);
    free(stanza->suites);
    free(stanza->components);
    free(stanza->enabled);
    *stanza = (struct stanza){0};
}

static char **field_of(struct stanza *stanza, const char *name)
{
    const struct {
        const char *name;
        char **field;
    } fields[] = {{"Types", &stanza->types},
                  {"URIs", &stanza->uris},
                  {"Suites", &stanza->suites},
                  {"Components", &stanza->components},
                  {"Enabled", &stanza->enabled}};
    for (size_t i = 0; i < RF_COUNT(fields); i++)
        if (strcasecmp(fields[i].name, name) == 0)
            return fields[i].field;
    return NULL;
}

static bool blank(const char *line)
{
    return line[strspn(line, " \t\r")] == '\0';
}

void rf_apt_parse_deb822(const char *text, const char *codename, struct rf_mirrors *mirrors)
{
    struct stanza stanza = {0};
    char **field = NULL;
    rf_autofree char *copy = rf_strdup(text);
    for (char *rest = copy, *line; (line = strsep(&rest, "\n"));) {
        if (line[0] == '#')
            continue;
        if (blank(line)) {
            end_stanza(&stanza, codename, mirrors);
            field = NULL;
            continue;
        }
        if (!isblank((unsigned char)line[0])) { /* else the field above goes on */
            char *value = strchr(line, ':');
            if (!value)
                continue;
            *value++ = '\0';
            field = field_of(&stanza, line);
            line = value;
        }
        if (field)
            rf_append(field, "%s ", line);
    }
    end_stanza(&stanza, codename, mirrors);
}

static char *machine_codename(const char *sysroot)
{
    rf_autofree char *path = rf_format("%s/etc/os-release", sysroot);
    rf_autofree char *text = NULL;
    if (rf_read_file(path, SOURCES_MAX, &text, NULL, NULL) < 0)
        return NULL;
    for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
        static const char name[] = "VERSION_CODENAME=";
        if (strncmp(line, name, sizeof(name) - 1) == 0) {
            char *value = line + sizeof(name) - 1;
            value += strspn(value, "\"'");
            return strndup(value, strcspn(value, "\"'"));
        }
    }
    return NULL;
}

static void read_source(const char *path, const char *codename, struct rf_mirrors *mirrors)
{
    rf_autofree char *text = NULL;
    if (rf_read_file(path, SOURCES_MAX, &text, NULL, NULL) < 0)
        return;
    const char *end = strrchr(path, '.');
    if (end && strcmp(end, ".sources") == 0)
        rf_apt_parse_deb822(text, codename, mirrors);
    else
        rf_apt_parse_list(text, codename, mirrors);
}

static int is_source(const struct dirent *entry)
{
    const char *end = strrchr(entry->d_name, '.');
    return end && (strcmp(end, ".sources") == 0 || strcmp(end, ".list") == 0);
}

static void read_directory(const char *directory, const char *codename, struct rf_mirrors *mirrors)
{
    struct dirent **names = NULL;
    int count = scandir(directory, &names, is_source, alphasort);
    for (int i = 0; i < count; i++) {
        rf_autofree char *path = rf_format("%s/%s", directory, names[i]->d_name);
        read_source(path, codename, mirrors);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
}

int rf_apt_mirrors(const char *sysroot, struct rf_mirrors *ret_mirrors, rf_error **err)
{
    rf_autofree char *codename = machine_codename(sysroot);
    if (!codename)
        return rf_fail(err, RF_BAD_MACHINE,
                       "this is no Debian system (no VERSION_CODENAME in /etc/os-release): "
                       "name the archive with --mirror URL");
    rf_automirrors struct rf_mirrors found = {0};
    rf_autofree char *list = rf_format("%s/etc/apt/sources.list", sysroot);
    rf_autofree char *directory = rf_format("%s/etc/apt/sources.list.d", sysroot);
    read_source(list, codename, &found);
    read_directory(directory, codename, &found);
    if (!found.main)
        return rf_fail(err, RF_BAD_MACHINE,
                       "apt's sources name no mirror of %s main: name the archive with --mirror URL", codename);
    *ret_mirrors = found;
    found = (struct rf_mirrors){0};
    return 0;
}
