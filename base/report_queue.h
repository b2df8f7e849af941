/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reporter's queue: event lines not yet delivered, and the spool file that survives us. Used by base/event_report.c. */
#pragma once

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

/* The oldest line (owned by the queue) or NULL; and its removal. */
const char *rf_report_queue_head(const struct rf_report_queue *queue);
void rf_report_queue_drop(struct rf_report_queue *queue);

/* Writes what is left to the spool, or removes the spool where nothing is left. */
void rf_report_queue_save(struct rf_report_queue *queue);
