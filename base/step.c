/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plan: a list that can be made, counted and printed. Walking it is base/step_apply.c. */
#include "base/step.h"

#include "base/json.h"
#include "base/memory.h"

#include <stdarg.h>
#include <string.h>

rf_plan *rf_plan_new(void)
{
    return rf_alloc(sizeof(rf_plan));
}

void rf_plan_free(rf_plan *plan)
{
    if (!plan)
        return;
    for (size_t i = 0; i < plan->count; i++) {
        free(plan->steps[i].id);
        free(plan->steps[i].title);
        free(plan->steps[i].destroys);
        free(plan->steps[i].after);
    }
    free(plan->steps);
    free(plan);
}

struct rf_step *rf_plan_add(rf_plan *plan, const struct rf_step_ops *ops, const void *arg, enum rf_phase phase,
                            const char *id, const char *format, ...)
{
    struct rf_step *step = rf_array_add(&plan->steps, &plan->count, sizeof(*step));
    *step = (struct rf_step){.ops = ops, .arg = arg, .phase = phase, .id = rf_strdup(id)};
    va_list args;
    va_start(args, format);
    step->title = rf_format_list(format, args);
    va_end(args);
    return step;
}

void rf_plan_to_end(rf_plan *plan, size_t index)
{
    const struct rf_step step = plan->steps[index];
    const size_t behind = plan->count - index - 1;
    memmove(&plan->steps[index], &plan->steps[index + 1], behind * sizeof(step));
    plan->steps[plan->count - 1] = step;
}

void rf_step_after(struct rf_step *step, const char *id, bool any)
{
    free(step->after);
    step->after = rf_strdup(id);
    step->after_any = any;
}

size_t rf_plan_todo(const rf_plan *plan, enum rf_phase phase)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->count; i++)
        count += plan->steps[i].phase == phase && !plan->steps[i].done;
    return count;
}

static const struct {
    enum rf_phase phase;
    const char *name, *heading;
} phases[] = {
    {RF_PHASE_BUILD, "build", "On this workstation:"},
    {RF_PHASE_INSTALL, "install", "On this machine:"},
    {RF_PHASE_NODE, "node", "On the node, after its first boot:"},
};

static void append_phase(char **text, const rf_plan *plan, size_t index, unsigned *number)
{
    rf_append(text, "%s%s\n", *number ? "\n" : "", phases[index].heading);
    for (size_t i = 0; i < plan->count; i++) {
        const struct rf_step *step = &plan->steps[i];
        if (step->phase != phases[index].phase || step->done)
            continue;
        rf_append(text, "%4u  %s\n", ++*number, step->title);
        if (step->destroys)
            rf_append(text, "      destroys: %s\n", step->destroys);
    }
}

char *rf_plan_text(const rf_plan *plan)
{
    char *text = NULL;
    unsigned number = 0;
    for (size_t i = 0; i < RF_COUNT(phases); i++)
        if (rf_plan_todo(plan, phases[i].phase))
            append_phase(&text, plan, i, &number);
    return text ? text : rf_strdup("Nothing to do.\n");
}

static const char *phase_name(enum rf_phase phase)
{
    for (size_t i = 0; i < RF_COUNT(phases); i++)
        if (phases[i].phase == phase)
            return phases[i].name;
    return "";
}

json_t *rf_plan_json(const rf_plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->count; i++) {
        const struct rf_step *step = &plan->steps[i];
        json_array_append_new(list,
                              json_pack("{s:s,s:s,s:s,s:s?,s:b}", "id", step->id, "phase", phase_name(step->phase),
                                        "title", step->title, "destroys", step->destroys, "done", step->done));
    }
    return list;
}
