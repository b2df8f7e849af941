/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/ruleset.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/memory.h"

#include <libgen.h>
#include <string.h>

enum { TEXT_MAX = 1 << 20, MARK = 16 };

/* Of all tables' insides: what a person adds to the file by hand shows in the file, what is added in the kernel only does not. */
static void mark_of(const struct rf_ruleset *ruleset, const rf_node_model *model, char ret_mark[MARK + 1])
{
    char hex[RF_SHA256_HEX];
    rf_autofree char *all = rf_strdup("");
    for (size_t i = 0; ruleset->tables[i]; i++) {
        rf_autofree char *body = ruleset->body(model, i);
        rf_append(&all, "%s\n%s", ruleset->tables[i], body);
    }
    rf_sha256(all, strlen(all), hex);
    memcpy(ret_mark, hex, MARK);
    ret_mark[MARK] = '\0';
}

/* "table; delete table" makes the replacement one transaction, whether the table was there or not. */
char *rf_ruleset_text(const struct rf_ruleset *ruleset, const rf_node_model *model)
{
    char mark[MARK + 1];
    char *text =
        rf_strdup("#!/usr/sbin/nft -f\n"
                  "# Written by richtfest. Rules of your own belong into another table: these are replaced.\n");
    mark_of(ruleset, model, mark);
    for (size_t i = 0; ruleset->tables[i]; i++) {
        const char *table = ruleset->tables[i];
        rf_autofree char *body = ruleset->body(model, i);
        rf_append(&text, "%stable %s\ndelete table %s\ntable %s {\n    comment \"richtfest %s\"\n\n%s}\n",
                  i ? "\n" : "", table, table, table, mark, body);
    }
    rf_append(&text, "%s", ruleset->tail ? ruleset->tail : "");
    return text;
}

/* 1 it carries the mark, 0 it does not or is not there, -1 and *err. */
static int loaded(struct rf_step_env *env, const char *table, const char *mark, rf_error **err)
{
    rf_autofree char *family = rf_format("%.*s", (int)strcspn(table, " "), table);
    struct rf_command command = {.argv = RF_ARGV("nft", "list", "table", family, table + strlen(family) + 1)};
    rf_autoresult struct rf_result result = {0};
    if (rf_run_status(env->runner, &command, &result, err) < 0)
        return -1;
    return result.status == 0 && strstr(result.out, mark);
}

enum rf_probe rf_ruleset_probe(const struct rf_ruleset *ruleset, const rf_node_model *model, struct rf_step_env *env,
                               rf_error **err)
{
    char mark[MARK + 1];
    rf_autofree char *path = rf_node_path(model, "%s", ruleset->path), *wanted = rf_ruleset_text(ruleset, model);
    rf_autofree char *text = NULL;
    if (!rf_exists(path) || rf_read_file(path, TEXT_MAX, &text, NULL, NULL) < 0 || strcmp(text, wanted) != 0)
        return RF_PROBE_TODO;
    mark_of(ruleset, model, mark);
    for (size_t i = 0; ruleset->tables[i]; i++) {
        int there = loaded(env, ruleset->tables[i], mark, err);
        if (there <= 0)
            return there < 0 ? RF_PROBE_ERROR : RF_PROBE_TODO;
    }
    return RF_PROBE_DONE;
}

int rf_ruleset_apply(const struct rf_ruleset *ruleset, const rf_node_model *model, struct rf_step_env *env,
                     rf_error **err)
{
    rf_autofree char *path = rf_node_path(model, "%s", ruleset->path), *text = rf_ruleset_text(ruleset, model);
    rf_autofree char *directory = rf_strdup(path);
    if (rf_make_dirs(dirname(directory), 0755, err) < 0 || rf_write_file(path, text, strlen(text), 0755, err) < 0)
        return -1;
    return rf_run_argv(env->runner, RF_ARGV("nft", "-f", path), err);
}
