/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/debstrap.h"

#include "base/command.h"
#include "base/memory.h"

#include <string.h>

enum { SECONDS = 1800 };

/* mmdebstrap says "I: running apt-get update..." and the like, one line at the beginning of each of its stages. */
struct stages {
    struct rf_step_env *env;
    uint64_t seen;
};

enum { STAGES = 9 };

static void count_stages(void *data, const char *text, size_t size)
{
    struct stages *self = data;
    for (const char *at = text, *end = text + size; at && at + 3 <= end; at = memchr(at, '\n', (size_t)(end - at))) {
        at += *at == '\n';
        self->seen += at + 3 <= end && memcmp(at, "I: ", 3) == 0;
    }
    rf_step_progress(self->env, self->seen < STAGES ? self->seen : STAGES, STAGES, "stages");
}

static char *joined(const struct rf_debstrap *wanted)
{
    char *text = rf_strdup("--include=");
    for (size_t i = 0; wanted->packages[i]; i++)
        rf_append(&text, "%s%s", i ? "," : "", wanted->packages[i]);
    return text;
}

static void add(const char ***argv, size_t *count, const char *word)
{
    *(const char **)rf_array_add(argv, count, sizeof(**argv)) = word;
}

/*
 * Its output ends with its own "E: mmdebstrap failed to run"; what apt and dpkg have to say stands further up. Worth showing are
 * errors, what belongs to them (indented below; a maintainer script's own words above dpkg's error) and the last lines.
 */
enum { LINES_MAX = 12, LAST_LINES = 3, WORDS_BEFORE = 2, LINE_LENGTH = 300 };

static bool begins(const char *line, const char *start)
{
    return strncmp(line, start, strlen(start)) == 0;
}

static bool about_a_key(const char *line)
{
    return strstr(line, "NO_PUBKEY") || strstr(line, "Missing key") || strstr(line, "public key is not available");
}

static bool is_error(const char *line)
{
    return begins(line, "E: ") || begins(line, "dpkg: error") || begins(line, "The following packages have unmet") ||
           (begins(line, "W: ") && about_a_key(line));
}

struct said {
    char **lines;
    size_t count;
};

static bool repeated(const struct said *said, const char *line)
{
    for (size_t i = 0; i < said->count; i++)
        if (strcmp(said->lines[i], line) == 0)
            return true;
    return false;
}

/* Lines that say something, without mmdebstrap's own progress. They point into `text`, which is cut up. */
static struct said said_in(char *text)
{
    struct said said = {0};
    for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
        line[strcspn(line, "\r")] = '\0';
        if (line[strspn(line, " \t")] && !begins(line, "I: ") && !repeated(&said, line))
            *(char **)rf_array_add(&said.lines, &said.count, sizeof(*said.lines)) = line;
    }
    return said;
}

static void mark(const struct said *said, bool *worth)
{
    bool inside = false;
    for (size_t i = 0; i < said->count; i++) {
        const char *line = said->lines[i];
        inside = is_error(line) || (inside && line[0] == ' ');
        worth[i] = inside || i + LAST_LINES >= said->count;
        for (size_t before = 1; begins(line, "dpkg: error") && before <= WORDS_BEFORE && before <= i; before++)
            worth[i - before] = true;
    }
}

/* Whole characters only, and no control sequences: this ends on consoles and in reports. */
static void append_line(char **text, const char *line)
{
    size_t length = strnlen(line, LINE_LENGTH);
    while (line[length] && length > 0 && (line[length] & 0xc0) == 0x80)
        length--;
    rf_autofree char *copy = rf_format("%.*s", (int)length, line);
    for (char *c = copy; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    rf_append(text, "\n  %s%s", copy, line[length] ? "…" : "");
}

/* Of too many the middle goes: the first error is the cause, the last lines are the end. */
static char *telling_lines(const char *output)
{
    rf_autofree char *copy = rf_strdup(output);
    struct said said = said_in(copy);
    rf_autofree char **lines = said.lines;
    rf_autofree bool *worth = rf_alloc(said.count * sizeof(*worth));
    mark(&said, worth);
    size_t total = 0, number = 0;
    for (size_t i = 0; i < said.count; i++)
        total += worth[i];
    char *text = rf_strdup("");
    for (size_t i = 0; i < said.count; i++) {
        if (!worth[i])
            continue;
        number++;
        if (total > LINES_MAX && number == LINES_MAX - LAST_LINES)
            rf_append(&text, "\n  (%zu more lines)", total - LINES_MAX + 1);
        else if (total <= LINES_MAX || number < LINES_MAX - LAST_LINES || number + LAST_LINES > total)
            append_line(&text, lines[i]);
    }
    return text;
}

static int fail_run(const struct rf_debstrap *wanted, const struct rf_result *result, rf_error **err)
{
    const char *output = result->err[strspn(result->err, " \n")] ? result->err : result->out;
    rf_autofree char *lines = telling_lines(output);
    rf_error *error = NULL;
    rf_fail(&error, RF_FAILED, "mmdebstrap ended with status %d%s%s", result->status,
            *lines ? ":" : " and said nothing", lines);
    if (about_a_key(output))
        rf_fail(&error, RF_BAD_MACHINE,
                "%s lacks the key that signs suite %s: apt-get update && apt-get install debian-archive-keyring (the "
                "newest there is for this machine), or name another keyring by --keyring",
                wanted->keyring, wanted->suite);
    if (err)
        *err = RF_STEAL(error);
    rf_error_free(error);
    return -1;
}

static int run_debstrap(struct rf_step_env *env, const struct rf_debstrap *wanted, const char *const *argv,
                        rf_error **err)
{
    rf_autofree char *date = rf_format("SOURCE_DATE_EPOCH=%lld", (long long)wanted->date);
    struct stages stages = {.env = env};
    /* INITRD=No: neither dracut's nor initramfs-tools' hook runs; the initrd is a piece of its own. */
    const char *const envs[] = {date, wanted->early ? NULL : "INITRD=No", NULL};
    const struct rf_command command = {.argv = argv,
                                       .seconds = SECONDS,
                                       .env = envs,
                                       .on_output = count_stages,
                                       .data = &stages,
                                       .input = wanted->sources,
                                       .input_size = strlen(wanted->sources)};
    rf_autoresult struct rf_result result = {0};
    if (rf_run_status(env->runner, &command, &result, err) < 0)
        return -1;
    return result.status == 0 ? 0 : fail_run(wanted, &result, err);
}

int rf_debstrap(struct rf_step_env *env, const struct rf_debstrap *wanted, rf_error **err)
{
    static const char *const fixed[] = {"mmdebstrap",
                                        "--mode=root",
                                        "--variant=minbase",
                                        "--format=directory",
                                        "--skip=check/qemu",
                                        "--aptopt=Apt::Install-Recommends \"false\"",
                                        "--aptopt=Acquire::Languages \"none\"",
                                        "--aptopt=DPkg::Use-Pty \"false\"",
                                        "--dpkgopt=force-unsafe-io"};
    rf_autofree char *dpkg = rf_format("--dpkgopt=%s", wanted->dpkg_options);
    rf_autofree char *include = joined(wanted);
    rf_autofree char *early = wanted->early ? rf_format("--essential-hook=sync-in %s /", wanted->early) : NULL;
    rf_autofree const char **argv = NULL;
    size_t count = 0;
    for (size_t i = 0; i < RF_COUNT(fixed); i++)
        add(&argv, &count, fixed[i]);
    add(&argv, &count, dpkg);
    add(&argv, &count, include);
    if (early)
        add(&argv, &count, early);
    if (wanted->keep_lists)
        add(&argv, &count, "--skip=cleanup/apt/lists");
    add(&argv, &count, wanted->suite);
    add(&argv, &count, wanted->root);
    add(&argv, &count, "-"); /* sources.list on standard input */
    add(&argv, &count, NULL);
    return run_debstrap(env, wanted, argv, err);
}
