/* SPDX-License-Identifier: GPL-3.0-or-later */
/* richtfest guest export, import, resize, delete. */
#include "base/command.h"
#include "base/memory.h"
#include "base/units.h"
#include "installer/on_node.h"
#include "installer/subcommand.h"
#include "postinstall/guest_file.h"

/* NULL where there are others than two, which was said. */
static char **two_words(const struct rf_subcommand *self, int argc, char **argv, const char *wanted)
{
    char **words;
    const int count = rf_read_options(self, argc, argv, NULL, &words);
    if (count >= 0 && count != 2)
        rf_say_usage(self, "%s", wanted);
    return count == 2 ? words : NULL;
}

static void say_waiting(void *data, const char *holder)
{
    (void)data;
    fprintf(stderr, "richtfest: waiting for %s. Ctrl-C ends the waiting\n", holder);
}

static int export_guest(const char *guest, const char *directory, rf_error **err)
{
    rf_autoonnode struct rf_on_node node = {0};
    rf_autorunner rf_runner *runner = rf_runner_real();
    if (rf_on_node_open(&node, err) < 0 || rf_guest_export(runner, node.model, guest, directory, say_waiting, err) < 0)
        return -1;
    printf("%s/%s.qcow2\n%s/%s.xml\n", directory, guest, directory, guest);
    const struct rf_node_guest *known = rf_node_guest_named(node.model, guest);
    if (known && known->recipe->uefi)
        fprintf(stderr,
                "richtfest: %s's UEFI variables%s are not part of it: where it is brought in they begin anew (the "
                "firmware finds its boot loader by itself%s)\n",
                guest, known->recipe->tpm ? " and its TPM" : "",
                known->recipe->tpm ? "; a disk that is encrypted to the TPM wants its recovery key" : "");
    return 0;
}

static int export(const struct rf_subcommand *self, int argc, char **argv)
{
    rf_error *error = NULL;
    char **words = two_words(self, argc, argv, "a guest and a directory");
    if (!words)
        return RF_USAGE;
    return export_guest(words[0], words[1], &error) < 0 ? rf_say_error(error) : RF_OK;
}

const struct rf_subcommand rf_cmd_guest_export = {
    .name = "guest export",
    .usage = "GUEST DIR",
    .summary = "on the node: writes a guest's disk and definition to a directory",
    .help =
        "A running guest stands still for about a second. Without its snapshots, and without what the node knows "
        "of its passwords; the variables of a guest's UEFI and what its TPM holds are not part of it either: have the "
        "recovery key of a disk that is encrypted to a TPM (BitLocker).\n",
    .run = export,
};

static int import_guest(const char *name, const char *file, rf_error **err)
{
    rf_autoonnode struct rf_on_node node = {0};
    rf_autorunner rf_runner *runner = rf_runner_real();
    if (rf_on_node_open_alone(&node, "richtfest guest import", err) < 0)
        return -1;
    const struct rf_node_guest *guest = rf_node_guest_named(node.model, name);
    if (!guest)
        return rf_fail(err, RF_FAILED, "the node's profile has no guest '%s'; add it there first", name);
    if (rf_guest_import(runner, guest, file, err) < 0)
        return -1;
    printf(
        "%s has its disk; 'richtfest apply --node' defines and starts it\n"
        "the packet filter lets it use %s; a system that was set up with another address has that one still: write it "
        "into the profile first (`address:`)\n",
        name, guest->address);
    if (guest->directory)
        printf("it is enrolled anew in the directory %s then\n", guest->directory->asked->name);
    if (guest->recipe->serves_directory)
        printf("its members are enrolled anew then\n");
    return 0;
}

static int import(const struct rf_subcommand *self, int argc, char **argv)
{
    rf_error *error = NULL;
    char **words = two_words(self, argc, argv, "a guest and an image");
    if (!words)
        return RF_USAGE;
    return import_guest(words[0], words[1], &error) < 0 ? rf_say_error(error) : RF_OK;
}

const struct rf_subcommand rf_cmd_guest_import = {
    .name = "guest import",
    .usage = "GUEST FILE",
    .summary = "on the node: makes an exported image the disk of a guest of the profile",
    .help =
        "FILE is qcow2 or raw, of a guest that was set up by the same recipe. The guest must not have a disk yet.\n",
    .run = import,
};

static int resize_guest(const char *guest, const char *size, rf_error **err)
{
    uint64_t bytes = 0;
    rf_autofree char *words = NULL;
    rf_autoonnode struct rf_on_node node = {0};
    rf_autorunner rf_runner *runner = rf_runner_real();
    if (rf_parse_size(size, &bytes, err) < 0 || rf_on_node_open_alone(&node, "richtfest guest resize", err) < 0 ||
        rf_guest_resize(runner, node.model, guest, bytes, &words, err) < 0)
        return -1;
    if (words)
        printf("%s\n", words);
    printf("the disk of %s has %s; write `disk: %s` into the profile too, so that it says what is there\n", guest, size,
           size);
    return 0;
}

static int resize(const struct rf_subcommand *self, int argc, char **argv)
{
    rf_error *error = NULL;
    char **words = two_words(self, argc, argv, "a guest and a size");
    if (!words)
        return RF_USAGE;
    return resize_guest(words[0], words[1], &error) < 0 ? rf_say_error(error) : RF_OK;
}

const struct rf_subcommand rf_cmd_guest_resize = {
    .name = "guest resize",
    .usage = "GUEST SIZE",
    .summary = "on the node: enlarges a guest's disk, also while it runs",
    .help =
        "SIZE has a unit: \"80 GB\". A running guest is asked to take the space at once; where it does not, that is "
        "said. Memory and cores are the profile's.\n",
    .run = resize,
};

static int delete_guest(const char *guest, rf_error **err)
{
    rf_autoonnode struct rf_on_node node = {0};
    if (rf_on_node_open_alone(&node, "richtfest guest delete", err) < 0 || rf_guest_delete(node.model, guest, err) < 0)
        return -1;
    printf("%s and its disk are gone%s\n", guest,
           rf_node_guest_named(node.model, guest) ? "; the profile has it still, so the next apply makes it anew" : "");
    return 0;
}

struct delete_options {
    bool meant;
};

static const struct rf_option delete_known[] = {
    RF_OPTION_FLAG(struct delete_options, meant, "with-its-disk", "it is meant: everything on the disk is lost"),
    {0}};

static int delete (const struct rf_subcommand *self, int argc, char **argv)
{
    struct delete_options options = {0};
    rf_error *error = NULL;
    char **words;
    const int count = rf_read_options(self, argc, argv, &options, &words);
    if (count < 0)
        return RF_USAGE;
    if (count != 1)
        return rf_say_usage(self, "which guest?");
    if (!options.meant)
        return rf_say_usage(self, "this destroys the disk of %s with everything on it; say so by --with-its-disk",
                            words[0]);
    return delete_guest(words[0], &error) < 0 ? rf_say_error(error) : RF_OK;
}

const struct rf_subcommand rf_cmd_guest_delete = {
    .name = "guest delete",
    .usage = "GUEST --with-its-disk",
    .summary = "on the node: removes a guest for good, with its disk, snapshots and passwords",
    .options = delete_known,
    .help = "It must be shut down. A guest that only leaves the profile is kept.\n",
    .run = delete,
};
