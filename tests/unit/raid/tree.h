/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A /sys of files with running devices in it, and a runner whose mdadm, dmsetup and multipath take them away again. */
#pragma once

#include "tests/unit/raid/raid.h"

#include <libgen.h>

struct tree {
    char *root;
    rf_runner *runner;
    char *commands; /* all that ran, a line each */
    bool stubborn;  /* the commands do nothing, and say that they did */
    int fail_at;    /* this one (from 1) fails; 0: none */
    int count;
};

struct tree_runner {
    rf_runner base;
    struct tree *tree;
};

static inline void put_in(struct tree *tree, const char *path, const char *text)
{
    rf_autofree char *full = rf_format("%s%s", tree->root, path);
    rf_autofree char *directory = rf_strdup(full);
    assert_int_equal(rf_make_dirs(dirname(directory), 0755, NULL), 0);
    assert_int_equal(rf_write_file(full, text, strlen(text), 0644, NULL), 0);
}

static inline void put_attribute(struct tree *tree, const char *name, const char *attribute, const char *text)
{
    rf_autofree char *path = rf_format("/sys/block/%s/%s", name, attribute);
    if (text)
        put_in(tree, path, text);
}

/* A disk as virtio shows it. */
static inline void put_whole_disk(struct tree *tree, const char *name, const char *serial, uint64_t size)
{
    rf_autofree char *sectors = rf_format("%llu\n", (unsigned long long)(size / 512));
    put_attribute(tree, name, "size", sectors);
    put_attribute(tree, name, "serial", serial);
}

/* `on`: blanks between. A mapping's name is its kernel name. */
static inline void put_volume(struct tree *tree, const char *name, const char *kind, const char *uuid, const char *on)
{
    put_attribute(tree, name, "size", "2097152\n");
    if (strcmp(kind, "dm") == 0) {
        put_attribute(tree, name, "dm/name", name);
        put_attribute(tree, name, "dm/uuid", uuid);
    }
    if (strcmp(kind, "md") == 0)
        put_attribute(tree, name, "md/array_state", "clean\n");
    rf_autofree char *names = rf_strdup(on);
    char *rest = NULL;
    for (char *word = strtok_r(names, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        rf_autofree char *slave = rf_format("slaves/%s", word);
        put_attribute(tree, name, slave, "");
    }
}

static inline int tree_run(rf_runner *runner, const struct rf_command *command, struct rf_result *result,
                           rf_error **err)
{
    (void)err;
    struct tree *tree = ((struct tree_runner *)runner)->tree;
    const char *last = "";
    for (const char *const *word = command->argv; *word; word++) {
        rf_append(&tree->commands, "%s%s", word == command->argv ? "" : " ", *word);
        last = *word;
    }
    rf_append(&tree->commands, "\n");
    bool fails = ++tree->count == tree->fail_at;
    const char *slash = strrchr(last, '/');
    rf_autofree char *gone = rf_format("%s/sys/block/%s", tree->root, slash ? slash + 1 : last);
    if (!fails && !tree->stubborn)
        rf_remove_tree(gone, NULL);
    *result = (struct rf_result){
        .status = fails, .out = rf_strdup(""), .err = rf_strdup(fails ? "Device or resource busy" : "")};
    return 0;
}

static inline void tree_release(rf_runner *runner)
{
    free(runner);
}

static const struct rf_runner_ops tree_runner_ops = {.name = "tree", .run = tree_run, .release = tree_release};

static inline void tree_start(struct tree *tree)
{
    *tree = (struct tree){.root = unit_directory(), .commands = rf_strdup("")};
    put_in(tree, "/sys/block/.keep", "");
    put_in(tree, "/proc/.keep", "");
    struct tree_runner *runner = rf_alloc(sizeof(*runner));
    *runner = (struct tree_runner){{&tree_runner_ops}, tree};
    tree->runner = &runner->base;
}

static inline void tree_finish(struct tree *tree)
{
    rf_remove_tree(tree->root, NULL);
    rf_runner_free(tree->runner);
    free(tree->commands);
    free(tree->root);
}

#define TREE(tree)                                                                                                     \
    (void)state;                                                                                                       \
    RF_CLEANUP(tree_finish) struct tree tree;                                                                          \
    tree_start(&tree)
