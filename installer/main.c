/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program: finds the command in the table and runs it. */
#include "base/file.h"
#include "base/memory.h"
#include "installer/subcommand.h"
#include "profiles/suggest.h"

#include <string.h>
#include <sys/stat.h>

static const struct rf_subcommand *const commands[] = {
    &rf_cmd_check,           &rf_cmd_inventory,      &rf_cmd_plan,          &rf_cmd_apply,
    &rf_cmd_status,          &rf_cmd_verify_boot,    &rf_cmd_image_build,   &rf_cmd_image_customize,
    &rf_cmd_image_inspect,   &rf_cmd_recipe_check,   &rf_cmd_recipe_list,   &rf_cmd_recipe_seed,
    &rf_cmd_secrets_show,    &rf_cmd_vpn_show,       &rf_cmd_guest_list,    &rf_cmd_guest_console,
    &rf_cmd_guest_snapshot,  &rf_cmd_guest_rollback, &rf_cmd_guest_export,  &rf_cmd_guest_import,
    &rf_cmd_guest_resize,    &rf_cmd_guest_delete,   &rf_cmd_artefact_list, &rf_cmd_artefact_fetch,
    &rf_cmd_artefact_verify, &rf_cmd_root_list,      &rf_cmd_root_deploy,   &rf_cmd_root_rollback,
    &rf_cmd_root_snapshot,   &rf_cmd_root_prune,     &rf_cmd_root_good,     &rf_cmd_docs,
    &rf_cmd_md_event,
};

static const char exit_codes[] =
    "Exit codes: 0 done, 1 the profile is wrong, 2 this machine does not fit or foreign data\n"
    "is in the way, 3 it failed while working, 64 usage.\n";

char *rf_help_text(void)
{
    char *text = rf_format("Richtfest %s: from bare disks to a working customer environment.\n\n"
                           "usage: richtfest COMMAND …\n\n",
                           RF_VERSION);
    for (size_t i = 0; i < RF_COUNT(commands); i++)
        if (!commands[i]->hidden)
            rf_append(&text, "  %-16s %s\n", commands[i]->name, commands[i]->summary);
    rf_append(&text, "  %-16s %s\n  %-16s %s\n\n%s", "help [COMMAND]", "this, or a command's options", "--version",
              "prints the version", exit_codes);
    return text;
}

/* How many of argv's words the command's name takes (1 or 2), 0 where it is another. */
static int name_matches(const struct rf_subcommand *command, int argc, char **argv)
{
    const char *blank = strchr(command->name, ' ');
    if (!blank)
        return strcmp(argv[0], command->name) == 0;
    size_t first = (size_t)(blank - command->name);
    return argc > 1 && strncmp(argv[0], command->name, first) == 0 && argv[0][first] == '\0' &&
                   strcmp(argv[1], blank + 1) == 0
               ? 2
               : 0;
}

static const struct rf_subcommand *find(int argc, char **argv, int *ret_words)
{
    for (size_t i = 0; i < RF_COUNT(commands); i++) {
        int words = name_matches(commands[i], argc, argv);
        if (words) {
            *ret_words = words;
            return commands[i];
        }
    }
    return NULL;
}

/* The first word of commands that have two. */
static bool is_group(const char *word)
{
    size_t length = strlen(word);
    for (size_t i = 0; i < RF_COUNT(commands); i++)
        if (strncmp(commands[i]->name, word, length) == 0 && commands[i]->name[length] == ' ')
            return true;
    return false;
}

static int unknown(int argc, char **argv)
{
    const char *names[RF_COUNT(commands)];
    for (size_t i = 0; i < RF_COUNT(commands); i++)
        names[i] = commands[i]->name;
    rf_autofree char *typed = argc > 1 && is_group(argv[0]) ? rf_format("%s %s", argv[0], argv[1]) : rf_strdup(argv[0]);
    const char *near = rf_suggest(typed, names, RF_COUNT(names));
    fprintf(stderr, "richtfest: error: unknown command `%s`", typed);
    fprintf(stderr, near ? "; did you mean `%s`?\n" : "; `richtfest help` lists them\n", near);
    return RF_USAGE;
}

/* The commands of one group: asked for by `help GROUP` and `GROUP --help`, or met by `GROUP` alone. */
static int group(FILE *out, char *word)
{
    size_t length = strlen(word);
    if (!is_group(word))
        return unknown(1, &word);
    fprintf(out, "usage: richtfest %s COMMAND …\n\n", word);
    for (size_t i = 0; i < RF_COUNT(commands); i++)
        if (strncmp(commands[i]->name, word, length) == 0 && commands[i]->name[length] == ' ')
            fprintf(out, "  %-16s %s\n", commands[i]->name, commands[i]->summary);
    return out == stdout ? RF_OK : RF_USAGE;
}

static bool asks_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int help(int argc, char **argv)
{
    int words;
    if (argc == 0) {
        rf_autofree char *text = rf_help_text();
        fputs(text, stdout);
        return RF_OK;
    }
    const struct rf_subcommand *command = find(argc, argv, &words);
    if (!command)
        return argc == 1 ? group(stdout, argv[0]) : unknown(argc, argv);
    rf_autofree char *options = rf_options_text(command->options);
    printf("usage: richtfest %s %s\n\n%s\n%s%s%s", command->name, command->usage, command->summary,
           *options || command->help ? "\n" : "", options, command->help ? command->help : "");
    return RF_OK;
}

static int dispatch(int argc, char **argv)
{
    if (argc == 0) {
        rf_autofree char *text = rf_help_text();
        fputs(text, stderr);
        return RF_USAGE;
    }
    if (strcmp(argv[0], "help") == 0 || asks_help(argv[0]))
        return help(argc - 1, argv + 1);
    if (strcmp(argv[0], "--version") == 0)
        return printf("richtfest %s\n", RF_VERSION) < 0 ? RF_FAILED : RF_OK;
    int words;
    const struct rf_subcommand *command = find(argc, argv, &words);
    if (!command && (argc == 1 || asks_help(argv[1])))
        return group(argc == 1 ? stderr : stdout, argv[0]);
    if (!command)
        return unknown(argc, argv);
    for (int i = words; i < argc; i++)
        if (asks_help(argv[i]))
            return help(words, argv);
    return command->run(command, argc - words + 1, argv + words - 1);
}

/* A program that was built in a checkout and not installed uses that checkout's recipes. */
static void find_recipes(void)
{
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    program[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (!slash)
        return;
    *slash = '\0';
    rf_autofree char *recipes = rf_format("%s/../postinstall/recipes", program);
    if (rf_exists(recipes))
        setenv("RICHTFEST_RECIPES", recipes, 0);
}

/* `su` without a dash leaves a PATH without the tools that an administrator needs. */
static void complete_path(void)
{
    const char *path = getenv("PATH");
    rf_autofree char *longer =
        rf_format("%s%s/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin", path ? path : "", path ? ":" : "");
    setenv("PATH", longer, 1);
}

int main(int argc, char **argv)
{
    complete_path();
    find_recipes();
    umask(077); /* what is meant for others says so */
    int code = dispatch(argc - 1, argv + 1);
    if (fflush(stdout) != 0 && code == RF_OK)
        code = RF_FAILED; /* "plan >full-disk" must not look like an empty plan */
    return code;
}
