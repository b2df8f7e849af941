/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/md_event.h"

#include "base/memory.h"
#include "raid/inventory.h"
#include "raid/match.h"

#include <limits.h>
#include <string.h>

static const struct {
    const char *event;
    enum rf_state state;
    const char *words; /* behind "array data"; %s is the component */
} rows[] = {
    {"Fail", RF_STATE_FAILED, "has lost its member %s; the others go on"},
    {"FailSpare", RF_STATE_FAILED, "has lost %s, which was taking a member's place"},
    {"DegradedArray", RF_STATE_FAILED, "runs without all of its members"},
    {"DeviceDisappeared", RF_STATE_FAILED, "does not run any more"},
    {"SparesMissing", RF_STATE_FAILED, "has fewer spares than it should"},
    {"RebuildStarted", RF_STARTED, "is being rebuilt or compared"},
    {"RebuildFinished", RF_DONE, "is rebuilt or compared"},
    {"SpareActive", RF_DONE, "has %s as a whole member now"},
};

/* "Rebuild20", "Rebuild40", …: how far it is, in percent; 0 where it is none of them. */
static unsigned percent_of(const char *event)
{
    static const char prefix[] = "Rebuild";
    const char *digits = event + strlen(prefix);
    if (strncmp(event, prefix, strlen(prefix)) != 0 || !*digits || digits[strspn(digits, "0123456789")])
        return 0;
    return (unsigned)strtoul(digits, NULL, 10);
}

/* `words` with the component in the place of its %s. */
static char *fill(const char *words, const char *component)
{
    const char *place = strstr(words, "%s");
    if (!place)
        return rf_strdup(words);
    return rf_format("%.*s%s%s", (int)(place - words), words, component ? component : "(unknown)", place + 2);
}

/* An event that is in no row is passed on by its name: a later mdadm may know more of them. */
static char *message_of(const struct rf_md_news *news, enum rf_state *ret_state)
{
    unsigned percent = percent_of(news->event);
    bool known = strcmp(news->event, "DegradedArray") == 0 && news->missing;
    *ret_state = RF_PROGRESS;
    if (percent)
        return rf_format("array %s: %u %% rebuilt or compared", news->array, percent);
    if (known)
        return rf_format("array %s runs without %u member%s, as its profile says", news->array, news->missing,
                         news->missing == 1 ? "" : "s");
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        if (strcmp(news->event, rows[i].event) != 0)
            continue;
        rf_autofree char *words = fill(rows[i].words, news->component);
        *ret_state = rows[i].state;
        return rf_format("array %s %s (`richtfest status`)", news->array, words);
    }
    return rf_format("array %s: mdadm says %s%s%s", news->array, news->event, news->component ? " of " : "",
                     news->component ? news->component : "");
}

bool rf_md_event(const struct rf_md_news *news, struct rf_event *ret_event, char **ret_step, char **ret_title,
                 char **ret_message)
{
    enum rf_state state;
    if (strcmp(news->event, "NewArray") == 0)
        return false;
    *ret_message = message_of(news, &state);
    *ret_step = rf_format("md/%s", news->array);
    *ret_title = rf_format("Array %s", news->array);
    unsigned percent = percent_of(news->event);
    *ret_event = (struct rf_event){.step = *ret_step,
                                   .title = *ret_title,
                                   .state = state,
                                   .message = *ret_message,
                                   .seconds = -1,
                                   .done = percent,
                                   .total = percent ? 100 : 0,
                                   .unit = percent ? "percent" : NULL,
                                   .code = state == RF_STATE_FAILED ? RF_FAILED : RF_OK};
    return true;
}

/* /sys/class/block/sdc4 leads to …/block/sdc/sdc4; a whole disk's to …/block/sdc. */
static char *disk_of(const char *sysroot, const char *partition)
{
    rf_autofree char *path = rf_format("%s/sys/class/block/%s", sysroot, partition);
    rf_autofree char *real = realpath(path, NULL);
    if (!real || !rf_sys_exists(sysroot, "/sys/class/block/%s/partition", partition))
        return real ? rf_strdup(partition) : NULL;
    *strrchr(real, '/') = '\0';
    return rf_strdup(strrchr(real, '/') + 1);
}

char *rf_md_component(const char *sysroot, const char *device)
{
    const char *slash = strrchr(device, '/'), *name = slash ? slash + 1 : device;
    rf_autofree char *disk_name = disk_of(sysroot, name);
    if (!disk_name)
        return rf_strdup(name);
    rf_autodisk struct rf_disk disk = {0};
    rf_disk_identify(sysroot, disk_name, &disk);
    rf_autofree char *label = rf_disk_label(&disk);
    return rf_format("%s (%s)", name, label);
}
