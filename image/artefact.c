/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/artefact.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/units.h"
#include "image/region.h"
#include "profiles/suggest.h"
#include "profiles/yaml.h"

#include <ctype.h>
#include <string.h>

enum { MANIFEST_MAX = 256 << 10, MIRRORS_MAX = 16, STRIP_MAX = 9 };

#define DEFAULT_SIZE (UINT64_C(512) * RF_MIB)
#define UNKNOWN "unknown"

static const char *const keys[] = {"title",  "version", "licence",   "url",    "mirrors",
                                   "sha256", "size",    "signature", "format", "strip"};
static const char *const formats[] = {"tar.bz2", "tar.gz", "tar.xz", "zip", "file"};

static void clear_artefact(struct rf_artefact *artefact)
{
    free(artefact->name);
    free(artefact->title);
    free(artefact->version);
    free(artefact->licence);
    free(artefact->file);
    free(artefact->url);
    for (size_t i = 0; artefact->mirrors && artefact->mirrors[i]; i++)
        free(artefact->mirrors[i]);
    free(artefact->mirrors);
    free(artefact->sha256);
    free(artefact->format);
    free(artefact->signature_url);
    free(artefact->signature_key);
}

void rf_artefacts_clear(struct rf_artefacts *artefacts)
{
    for (size_t i = 0; i < artefacts->count; i++)
        clear_artefact(&artefacts->items[i]);
    free(artefacts->items);
    free(artefacts->file);
    *artefacts = (struct rf_artefacts){0};
}

/* One entry of the manifest while it is read. */
struct reader {
    const char *file;
    const rf_node *node;
    rf_problems *problems;
};

static void complain(const struct reader *at, const char *key, const char *what)
{
    const rf_node *child = rf_node_child(at->node, key), *node = child ? child : at->node;
    rf_autofree char *path = rf_format("artefacts.%s.%s", at->node->key, key);
    rf_problem_at(at->problems, at->file, node->line, node->column, path, "%s", what);
}

/* The text below `key`; NULL where it is absent, or wrong (and said). */
static char *text_of(const struct reader *at, const char *key, bool needed)
{
    const rf_node *child = rf_node_child(at->node, key);
    if (child && child->kind == RF_NODE_TEXT && child->text[0])
        return rf_strdup(child->text);
    if (child || needed)
        complain(at, key, child ? "a text is wanted here" : "this is missing");
    return NULL;
}

/* Names and versions become names of files and directories. */
static bool plain(const char *text)
{
    return isalnum((unsigned char)text[0]) &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-_~")] == '\0' &&
           !strstr(text, "..");
}

static void check_url(const struct reader *at, const char *key, const char *url)
{
    rf_autoerror rf_error *error = NULL;
    if (!url || rf_url_check(url, &error) == 0)
        return;
    rf_autofree char *why = rf_error_text(error);
    complain(at, key, why);
}

static char **mirrors_of(const struct reader *at)
{
    const rf_node *list = rf_node_child(at->node, "mirrors");
    char **mirrors = rf_alloc((MIRRORS_MAX + 1) * sizeof(*mirrors));
    if (!list)
        return mirrors;
    if (list->kind != RF_NODE_LIST || list->count > MIRRORS_MAX) {
        complain(at, "mirrors", "a list of at most 16 URLs is wanted here");
        return mirrors;
    }
    size_t used = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (list->children[i].kind != RF_NODE_TEXT) {
            complain(at, "mirrors", "a list of URLs is wanted here");
            continue;
        }
        check_url(at, "mirrors", list->children[i].text);
        mirrors[used++] = rf_strdup(list->children[i].text);
    }
    return mirrors;
}

static char *sha256_of(const struct reader *at, struct rf_artefact *artefact)
{
    rf_autofree char *text = text_of(at, "sha256", true);
    const rf_node *node = rf_node_child(at->node, "sha256");
    artefact->line = node ? node->line : 0;
    artefact->column = node ? node->column : 0;
    if (!text || strcmp(text, UNKNOWN) == 0)
        return NULL;
    if (strlen(text) == RF_SHA256_HEX - 1 && strspn(text, "0123456789abcdef") == RF_SHA256_HEX - 1)
        return RF_STEAL(text);
    complain(at, "sha256", "64 hexadecimal digits in small letters are wanted, or `unknown`");
    return NULL;
}

static char *format_of(const struct reader *at)
{
    rf_autofree char *text = text_of(at, "format", true);
    for (size_t i = 0; text && i < RF_COUNT(formats); i++)
        if (strcmp(text, formats[i]) == 0)
            return RF_STEAL(text);
    if (text)
        complain(at, "format", "one of tar.bz2, tar.gz, tar.xz, zip, file is wanted here");
    return NULL;
}

static uint64_t size_of(const struct reader *at)
{
    rf_autofree char *text = text_of(at, "size", false);
    uint64_t size = DEFAULT_SIZE;
    if (text && (rf_parse_size(text, &size, NULL) < 0 || size == 0 || size > RF_ARTEFACT_MAX))
        complain(at, "size", "a size like `300 MB` is wanted, at most 2 GiB");
    return size;
}

static unsigned strip_of(const struct reader *at)
{
    rf_autofree char *text = text_of(at, "strip", false);
    if (!text)
        return 0;
    if (text[1] == '\0' && isdigit((unsigned char)text[0]))
        return (unsigned)(text[0] - '0');
    complain(at, "strip", "a number from 0 to 9 is wanted: how many leading directories are left out");
    return 0;
}

static void read_signature(const struct reader *at, struct rf_artefact *artefact)
{
    const rf_node *node = rf_node_child(at->node, "signature");
    if (!node)
        return;
    const rf_node *url = rf_node_child(node, "url"), *key = rf_node_child(node, "key");
    const bool whole = url && key && url->kind == RF_NODE_TEXT && key->kind == RF_NODE_TEXT && node->count == 2;
    if (!whole || strlen(key->text) != 40 || strspn(key->text, "0123456789ABCDEF") != 40) {
        complain(at, "signature", "{url: URL, key: FINGERPRINT} is wanted, the fingerprint as 40 digits and capitals");
        return;
    }
    check_url(at, "signature", url->text);
    artefact->signature_url = rf_strdup(url->text);
    artefact->signature_key = rf_strdup(key->text);
}

static void check_keys(const struct reader *at)
{
    for (size_t i = 0; i < at->node->count; i++) {
        const rf_node *child = &at->node->children[i];
        bool known = false;
        for (size_t j = 0; j < RF_COUNT(keys); j++)
            known |= strcmp(child->key, keys[j]) == 0;
        const char *near = known ? NULL : rf_suggest(child->key, keys, RF_COUNT(keys));
        if (!known)
            rf_problem_at(at->problems, at->file, child->key_line, child->key_column, child->key,
                          near ? "unknown key; did you mean `%s`?" : "unknown key", near);
    }
}

static void read_artefact(const struct reader *at, struct rf_artefact *artefact)
{
    check_keys(at);
    artefact->name = rf_strdup(at->node->key);
    artefact->title = text_of(at, "title", true);
    artefact->version = text_of(at, "version", true);
    artefact->licence = text_of(at, "licence", true);
    artefact->url = text_of(at, "url", true);
    artefact->mirrors = mirrors_of(at);
    artefact->sha256 = sha256_of(at, artefact);
    artefact->format = format_of(at);
    artefact->strip = strip_of(at);
    artefact->size = size_of(at);
    check_url(at, "url", artefact->url);
    read_signature(at, artefact);
    if (!plain(artefact->name) || strchr(artefact->name, '.'))
        complain(at, "name", "a name is made of letters, digits and `-`");
    if (artefact->version && !plain(artefact->version))
        complain(at, "version", "a version is made of letters, digits and `.+-_~`");
    artefact->file = rf_format("%s-%s.%s", artefact->name, artefact->version ? artefact->version : "",
                               artefact->format ? artefact->format : "");
}

void rf_artefacts_parse(const char *file, const char *text, size_t size, struct rf_artefacts *ret_artefacts,
                        rf_problems *problems)
{
    *ret_artefacts = (struct rf_artefacts){.file = rf_strdup(file)};
    rf_autonode rf_node *root = rf_yaml_read(file, text, size, problems);
    if (!root)
        return;
    const rf_node *version = rf_node_child(root, "manifest"), *list = rf_node_child(root, "artefacts");
    if (!version || version->kind != RF_NODE_TEXT || strcmp(version->text, "1") != 0)
        rf_problem_at(problems, file, root->line, root->column, "manifest", "write `manifest: 1`");
    if (!list || rf_node_empty(list))
        return;
    if (list->kind != RF_NODE_MAP) {
        rf_problem_at(problems, file, list->line, list->column, "artefacts", "a mapping of names is wanted here");
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct reader at = {.file = file, .node = &list->children[i], .problems = problems};
        if (at.node->kind != RF_NODE_MAP)
            rf_problem_at(problems, file, at.node->line, at.node->column, at.node->key, "a mapping is wanted here");
        else
            read_artefact(&at, rf_array_add(&ret_artefacts->items, &ret_artefacts->count, sizeof(struct rf_artefact)));
    }
}

void rf_artefacts_read(const char *file, struct rf_artefacts *ret_artefacts, rf_problems *problems)
{
    rf_autofree char *text = NULL;
    rf_autoerror rf_error *error = NULL;
    size_t size = 0;
    *ret_artefacts = (struct rf_artefacts){.file = rf_strdup(file)};
    if (!rf_exists(file))
        return;
    if (rf_read_file(file, MANIFEST_MAX, &text, &size, &error) < 0) {
        rf_autofree char *why = rf_error_text(error);
        rf_problem_at(problems, file, 0, 0, NULL, "%s", why);
        return;
    }
    rf_artefacts_clear(ret_artefacts);
    rf_artefacts_parse(file, text, size, ret_artefacts, problems);
}

const struct rf_artefact *rf_artefact_named(const struct rf_artefacts *artefacts, const char *name)
{
    for (size_t i = 0; i < artefacts->count; i++)
        if (strcmp(artefacts->items[i].name, name) == 0)
            return &artefacts->items[i];
    return NULL;
}

/* The value's place in the text, where "unknown" still stands; else NULL. */
static const char *place_of(const char *text, const struct rf_artefact *artefact)
{
    const char *at = text;
    for (unsigned i = 1; at && i < artefact->line; i++)
        at = (at = strchr(at, '\n')) ? at + 1 : NULL;
    if (!at || artefact->column == 0 || (size_t)(strchrnul(at, '\n') - at) < artefact->column)
        return NULL;
    at += artefact->column - 1;
    return strncmp(at, UNKNOWN, strlen(UNKNOWN)) == 0 ? at : NULL;
}

int rf_artefact_pin(const struct rf_artefacts *artefacts, const struct rf_artefact *artefact, const char *sha256,
                    rf_error **err)
{
    if (artefact->sha256)
        return rf_fail(err, RF_FAILED, "%s already has a checksum in %s; to take another one, write it there",
                       artefact->name, artefacts->file);
    rf_autofree char *text = NULL;
    if (rf_read_file(artefacts->file, MANIFEST_MAX, &text, NULL, err) < 0)
        return -1;
    const char *place = place_of(text, artefact);
    if (!place)
        return rf_fail(err, RF_FAILED, "%s: line %u no longer says `sha256: unknown`; write sha256: %s there yourself",
                       artefacts->file, artefact->line, sha256);
    rf_autofree char *new = rf_format("%.*s%s%s", (int)(place - text), text, sha256, place + strlen(UNKNOWN));
    return rf_write_file(artefacts->file, new, strlen(new), 0644, err);
}
