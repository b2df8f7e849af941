/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What mdadm's monitor says of the node's arrays, as an event of ours (mdadm(8), "MONITOR MODE"). */
#pragma once

#include "base/event.h"

/* What mdadm calls its program with, and what is known besides. */
struct rf_md_news {
    const char *event;     /* "Fail" */
    const char *array;     /* "data": the name that the node gave it */
    const char *component; /* "sdc4", with the disk's identity where that is known; or NULL */
    unsigned missing;      /* members that the profile leaves out on purpose */
};

/* An event of step "md/ARRAY": failed where something is lost, progress with a percentage while an array is rebuilt, done when it is whole
 * again. `ret_event` points into `ret_step`, `ret_title` and `ret_message`, which the caller frees. False: that it says nothing to anybody
 * (an array was started); nothing is filled. Pure. */
bool rf_md_event(const struct rf_md_news *news, struct rf_event *ret_event, char **ret_step, char **ret_title,
                 char **ret_message);

/* "sdc4 (serial S3Z1)" for "/dev/sdc4": the partition, and by what a person finds its disk. From /sys below `sysroot`; opens no device,
 * because this one may be failing. The caller frees it. */
char *rf_md_component(const char *sysroot, const char *device);
