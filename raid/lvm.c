/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/lvm.h"

#include "base/memory.h"

#include <string.h>

char *rf_lvm_only(const char *physical)
{
    return rf_format("devices { use_devicesfile=0 filter=[ \"a|^%s$|\", \"r|.*|\" ] }", physical);
}

void rf_lvm_answer_clear(struct rf_lvm_answer *answer)
{
    free(answer->text);
    free(answer->words);
}

/* The first line without the blanks that LVM puts around its columns. */
static char *first_line(const char *text)
{
    text += strspn(text, " \n");
    size_t length = strcspn(text, "\n");
    while (length && text[length - 1] == ' ')
        length--;
    return rf_format("%.*s", (int)length, text);
}

int rf_lvm_report(struct rf_step_env *env, const char *const *argv, struct rf_lvm_answer *ret_answer, rf_error **err)
{
    rf_autoresult struct rf_result result = {0};
    if (rf_run_status(env->runner, &(struct rf_command){.argv = argv}, &result, err) < 0)
        return -1;
    ret_answer->text = first_line(result.status == 0 ? result.out : "");
    ret_answer->words = first_line(result.err);
    return 0;
}
