/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A recipe's folder as a whole: what its recipe.yaml names must be there, and be usable. */
#include "base/file.h"
#include "base/memory.h"
#include "postinstall/recipe.h"
#include "profiles/patterns.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define PROGRAMS "/usr/lib/richtfest/" /* a recipe's own programs; "guest…" there belongs to the base image */
#define UNITS "/etc/systemd/system/"
#define JINJA                                                                                                          \
    "## template: jinja\n" /* cloud-init's documentation, "Instance-data": what makes it fill the template in */

struct folder {
    const rf_recipe *recipe;
    rf_problems *problems;
};

static char *path_of(const struct folder *folder, const char *file)
{
    return rf_format("%s%s%s", folder->recipe->directory, *file == '/' ? "/files" : "/", file);
}

static void check_template(const struct folder *folder)
{
    rf_autofree char *path = path_of(folder, "user-data.j2"), *text = NULL;
    rf_autoerror rf_error *why = NULL;
    if (rf_read_file(path, RF_RECIPE_MAX, &text, NULL, &why) < 0) {
        rf_autofree char *line = rf_error_text(why);
        rf_problem_at(folder->problems, path, 0, 0, NULL, "%s", line);
        return;
    }
    if (strncmp(text, JINJA, strlen(JINJA)) != 0)
        rf_problem_at(folder->problems, path, 1, 1, NULL, "the first line must be '## template: jinja'");
    else if (strncmp(text + strlen(JINJA), "#cloud-config\n", 14) != 0)
        rf_problem_at(folder->problems, path, 2, 1, NULL, "the second line must be '#cloud-config'");
    if (!strstr(text, "ds.meta_data.richtfest"))
        rf_problem_at(folder->problems, path, 0, 0, NULL,
                      "it never uses ds.meta_data.richtfest, so the guest would not learn who it is");
}

static void check_program(const struct folder *folder, const char *program, const char *key)
{
    struct stat status;
    rf_autofree char *path = path_of(folder, program);
    if (strncmp(program, PROGRAMS, strlen(PROGRAMS)) != 0 || strncmp(program + strlen(PROGRAMS), "guest", 5) == 0)
        return;
    if (stat(path, &status) < 0)
        rf_problem_at(folder->problems, path, 0, 0, NULL, "this program is named by %s and is not there", key);
    else if (!S_ISREG(status.st_mode) || !(status.st_mode & S_IXUSR))
        rf_problem_at(folder->problems, path, 0, 0, NULL, "this program is named by %s and can't be executed; chmod +x",
                      key);
}

static void check_argv(const struct folder *folder, const json_t *argv, const char *key)
{
    const char *program = json_string_value(json_array_get(argv, 0));
    if (program)
        check_program(folder, program, key);
}

static void check_programs(const struct folder *folder)
{
    const rf_recipe *recipe = folder->recipe;
    check_argv(folder, recipe->configure, "configure");
    check_argv(folder, recipe->image_build, "image.build");
    check_argv(folder, recipe->backup.quiesce, "backup.quiesce");
    check_argv(folder, recipe->backup.thaw, "backup.thaw");
    for (size_t i = 0; i < recipe->probes_count; i++)
        check_argv(folder, recipe->probes[i].argv, recipe->probes[i].name);
    if (recipe->serves_directory)
        check_program(folder, PROGRAMS "enrol", "'serves: directory'");
}

/* Units of the recipe's own; those of packages are not known here. */
static void check_units(const struct folder *folder)
{
    static const char own[] = "richtfest-";
    size_t index;
    json_t *unit;
    json_array_foreach(folder->recipe->image_enable, index, unit)
    {
        const char *name = json_string_value(unit);
        rf_autofree char *file = rf_format(UNITS "%s", name), *path = path_of(folder, file);
        if (strncmp(name, own, strlen(own)) == 0 && !rf_exists(path))
            rf_problem_at(folder->problems, path, 0, 0, NULL, "this unit is named by image.enable and is not there");
    }
}

/* The modes of files/ become those of the guest's own files. */
static void check_modes(const struct folder *folder, int directory, const char *where)
{
    rf_autodir DIR *entries = fdopendir(directory);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        struct stat status;
        rf_autofree char *path = rf_format("%s/%s", where, entry->d_name);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            fstatat(dirfd(entries), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 || S_ISLNK(status.st_mode))
            continue;
        bool sticky = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX);
        if ((status.st_mode & S_IWOTH) && !sticky)
            rf_problem_at(folder->problems, path, 0, 0, NULL, "everybody may write it; chmod o-w");
        if (!S_ISDIR(status.st_mode))
            continue;
        int below = openat(dirfd(entries), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below >= 0)
            check_modes(folder, below, path);
    }
}

static void check_name(const struct folder *folder)
{
    rf_autofree char *wrong = rf_pattern_check(&rf_pattern_recipe, folder->recipe->name);
    if (wrong)
        rf_problem_at(folder->problems, folder->recipe->directory, 0, 0, NULL, "the folder's name: %s", wrong);
}

/* "." and "x/" are folders too: the name is that of the real one. */
static char *name_of(const char *path)
{
    rf_autofree char *real = realpath(path, NULL);
    const char *slash = strrchr(real ? real : path, '/');
    return rf_strdup(slash ? slash + 1 : path);
}

rf_recipe *rf_recipe_check_folder(const char *path, rf_problems *problems)
{
    rf_autofree char *trimmed = rf_strdup(path), *name = name_of(path);
    for (size_t length = strlen(trimmed); length > 1 && trimmed[length - 1] == '/'; length--)
        trimmed[length - 1] = '\0';
    rf_autorecipe rf_recipe *recipe = rf_recipe_load_folder(trimmed, name, problems);
    if (!recipe)
        return NULL;
    const struct folder folder = {recipe, problems};
    rf_autofree char *files = rf_format("%s/files", trimmed);
    int directory = open(files, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    check_name(&folder);
    check_template(&folder);
    check_programs(&folder);
    check_units(&folder);
    if (directory >= 0)
        check_modes(&folder, directory, files);
    return RF_STEAL(recipe);
}
