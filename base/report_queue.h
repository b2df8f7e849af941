/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reporter's queue: event lines not yet delivered, and the spool file that survives us. Used by base/event_report.c. */
#pragma once

#include "base/error.h"

#include <stddef.h>

/* `spool` is a file (0600) or NULL. Lines that an earlier run left there come first. A spool that can't be read is left
 * alone and the queue starts empty. */
struct rf_report_queue *rf_report_queue_new(const char *spool);
void rf_report_queue_free(struct rf_report_queue *queue);

/* Appends one event line. In a long backlog, progress that a later line supersedes is thrown away. A run's `failed` without
 * a `log` member gets one: the last lines that were seen. */
void rf_report_queue_add(struct rf_report_queue *queue, const char *line);

/* No more lines will come. Where the last run had neither `done` nor `failed`, a `failed` is added in its place. A
 * run's `failed` that is still pending moves to the head: time is short now. */
void rf_report_queue_finish(struct rf_report_queue *queue);

/* The oldest line (owned by the queue) or NULL; its removal; and how many there are. */
const char *rf_report_queue_head(const struct rf_report_queue *queue);
void rf_report_queue_drop(struct rf_report_queue *queue);
size_t rf_report_queue_count(const struct rf_report_queue *queue);

/* Writes what is left to the spool (at once and flushed, as rf_write_file does it), or removes the spool where nothing is left. Of
 * more than a reader would take (16 MiB) the oldest lines go. Without a spool nothing happens. */
int rf_report_queue_save(struct rf_report_queue *queue, rf_error **err);

/* How many events wait in a spool, and the "time" of the oldest (the caller frees it; NULL: none). No spool: 0. */
size_t rf_report_spool_count(const char *spool, char **ret_since);

/* Puts the lines of `from` behind those of `to`, and removes `from`. A kill leaves `to` as it was or as it will be; in between, `from`
 * is still there too: an event may be sent twice, but none is lost. Nothing in `from`: nothing happens. */
int rf_report_spool_move(const char *from, const char *to, rf_error **err);
