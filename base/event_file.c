/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON lines, appended to a file or a descriptor. */
#include "base/event.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct file_sink {
    rf_sink sink;
    int fd;
    bool owned;
};

/* Two lines a second of each transfer: for who looks on, not for who looks back. */
static bool only_counts(const struct rf_event *event)
{
    return event->state == RF_PROGRESS && event->unit && !event->message;
}

static void file_emit(rf_sink *sink, const struct rf_event *event, const char *line)
{
    struct file_sink *self = (struct file_sink *)sink;
    if (self->owned && only_counts(event))
        return;
    rf_autofree char *text = rf_format("%s\n", line);
    /* One write per line, so that two writers never mix; a full disk loses a log line, not the run. */
    if (write(self->fd, text, strlen(text)) < 0)
        return;
}

static void file_release(rf_sink *sink)
{
    struct file_sink *self = (struct file_sink *)sink;
    if (self->owned)
        rf_guard_fd(&self->fd);
    free(self);
}

static rf_sink *make(int fd, bool owned)
{
    static const struct rf_sink_ops ops = {"file", file_emit, file_release};
    struct file_sink *self = rf_alloc(sizeof(*self));
    *self = (struct file_sink){{&ops}, fd, owned};
    return &self->sink;
}

/* The one before it stays beside it. Another program that has the file open goes on writing there: nothing is lost. */
static void turn(const char *path)
{
    struct stat status;
    rf_autofree char *former = rf_format("%s.1", path);
    if (stat(path, &status) == 0 && status.st_size >= RF_EVENT_FILE_MAX)
        (void)!rename(path, former);
}

rf_sink *rf_sink_file(const char *path, rf_error **err)
{
    turn(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) {
        rf_fail_errno(err, RF_FAILED, errno, "the event log %s can't be opened", path);
        return NULL;
    }
    return make(fd, true);
}

rf_sink *rf_sink_fd(int fd)
{
    return make(fd, false);
}
