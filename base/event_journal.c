/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The journal's native protocol: datagrams of NAME=value lines (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/). Spoken
 * directly, because it is one sendto(2) and would otherwise be one more library in the image.
 */
#include "base/event.h"
#include "base/memory.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

struct journal_sink {
    rf_sink sink;
    int fd;
};

static const char *readable(const struct rf_event *event)
{
    return event->message ? event->message : event->title ? event->title : "run";
}

/* syslog(3)'s numbers. */
static int priority_of(enum rf_state state)
{
    enum { ERROR = 3, WARNING = 4, INFO = 6 };
    return state == RF_STATE_FAILED ? ERROR : state == RF_WAITING ? WARNING : INFO;
}

static void journal_emit(rf_sink *sink, const struct rf_event *event, const char *line)
{
    struct journal_sink *self = (struct journal_sink *)sink;
    static const struct sockaddr_un journal = {AF_UNIX, "/run/systemd/journal/socket"};
    if (self->fd < 0 || event->state == RF_PROGRESS)
        return;
    rf_autofree char *text = rf_strdup(readable(event));
    for (char *newline = text; (newline = strchr(newline, '\n'));)
        *newline = ' '; /* a newline would end the field */
    rf_autofree char *datagram = rf_format(
        "SYSLOG_IDENTIFIER=richtfest\nPRIORITY=%d\nMESSAGE=%s%s%s: %s\nRICHTFEST_EVENT=%s\n", priority_of(event->state),
        event->step ? event->step : "", event->step ? " " : "", rf_state_name(event->state), text, line);
    sendto(self->fd, datagram, strlen(datagram), MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&journal,
           sizeof(journal));
}

static void journal_release(rf_sink *sink)
{
    struct journal_sink *self = (struct journal_sink *)sink;
    rf_guard_fd(&self->fd);
    free(self);
}

rf_sink *rf_sink_journal(void)
{
    static const struct rf_sink_ops ops = {"journal", journal_emit, journal_release};
    struct journal_sink *self = rf_alloc(sizeof(*self));
    *self = (struct journal_sink){{&ops}, socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    return &self->sink;
}
