/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/command.h"

#include "base/memory.h"

#include <string.h>

void rf_result_clear(struct rf_result *result)
{
    free(result->out);
    free(result->err);
    *result = (struct rf_result){0};
}

void rf_runner_free(rf_runner *runner)
{
    if (runner)
        runner->ops->release(runner);
}

int rf_run_status(rf_runner *runner, const struct rf_command *command, struct rf_result *result, rf_error **err)
{
    return runner->ops->run(runner, command, result, err);
}

/* A command's own last words: the last line that says something, from its errors, else from its output. */
static char *last_words(const struct rf_result *result)
{
    const char *source = result->err && result->err[strspn(result->err, " \n")] ? result->err : result->out;
    rf_autofree char *copy = rf_strdup(source ? source : "");
    const char *last = "";
    char *rest = copy, *line;
    while ((line = strsep(&rest, "\n")))
        if (line[strspn(line, " \t\r")])
            last = line;
    return rf_strdup(last);
}

int rf_run(rf_runner *runner, const struct rf_command *command, struct rf_result *result, rf_error **err)
{
    RF_CLEANUP(rf_result_clear) struct rf_result run = {0};
    if (rf_run_status(runner, command, &run, err) < 0)
        return -1;
    if (run.status != 0) {
        rf_autofree char *words = last_words(&run);
        if (*words == '\0')
            return rf_fail(err, RF_FAILED, "%s ended with status %d and said nothing", command->argv[0], run.status);
        return rf_fail(err, RF_FAILED, "%s ended with status %d: %s", command->argv[0], run.status, words);
    }
    *result = run;
    run = (struct rf_result){0};
    return 0;
}

int rf_run_argv(rf_runner *runner, const char *const *argv, rf_error **err)
{
    rf_autoresult struct rf_result result = {0};
    return rf_run(runner, &(struct rf_command){.argv = argv}, &result, err);
}

int rf_run_output(rf_runner *runner, const char *const *argv, char **ret_out, rf_error **err)
{
    rf_autoresult struct rf_result result = {0};
    if (rf_run(runner, &(struct rf_command){.argv = argv}, &result, err) < 0)
        return -1;
    *ret_out = RF_STEAL(result.out);
    return 0;
}
