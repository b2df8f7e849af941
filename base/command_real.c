/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The runner that really runs: fork, exec, poll. */
#include "base/command.h"
#include "base/memory.h"
#include "base/units.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

struct stream { /* one of the child's standard streams, our end */
    int fd;
    char *text;
    size_t size;
};

struct child {
    pid_t pid;
    int in;
    struct stream out, err;
    int exec_error; /* pipe: errno of a failed exec, or end of file */
};

static void release_child(struct child *child)
{
    rf_guard_fd(&child->in);
    rf_guard_fd(&child->out.fd);
    rf_guard_fd(&child->err.fd);
    rf_guard_fd(&child->exec_error);
    free(child->out.text);
    free(child->err.text);
    if (child->pid > 0) { /* only where nobody waited for it: we are on a failure path */
        kill(-child->pid, SIGKILL);
        waitpid(child->pid, NULL, 0);
    }
}

static void redirect(int from, int to)
{
    if (dup2(from, to) < 0)
        _exit(127);
}

/* Between fork and exec, where other threads may hold any lock: only async-signal-safe calls (signal-safety(7)). */
__attribute__((noreturn)) static void become(const struct rf_command *command, char **env, int in, int out, int err,
                                             int report, pid_t parent)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    signal(SIGPIPE, SIG_DFL);
    redirect(in, 0);
    redirect(out, 1);
    redirect(err, 2);
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC); /* also what a library or our own parent left open */
    if (!command->cwd || chdir(command->cwd) == 0)
        execvpe(command->argv[0], (char *const *)command->argv, env);
    int why = errno;
    if (write(report, &why, sizeof(why)) < 0)
        _exit(126);
    _exit(127);
}

static bool same_name(const char *a, const char *b)
{
    size_t length = strcspn(a, "=");
    return length == strcspn(b, "=") && strncmp(a, b, length) == 0;
}

static void put(char ***env, size_t *count, const char *entry)
{
    for (size_t i = 0; i < *count; i++) {
        if (same_name((*env)[i], entry)) {
            (*env)[i] = (char *)entry;
            return;
        }
    }
    *(char **)rf_array_add(env, count, sizeof(**env)) = (char *)entry;
}

/* Ours, LC_ALL (messages are parsed and shown: English), and the command's own additions. The strings are borrowed. */
static char **environment(const struct rf_command *command)
{
    char **env = NULL;
    size_t count = 0;
    for (char **entry = environ; *entry; entry++)
        put(&env, &count, *entry);
    put(&env, &count, "LC_ALL=C.UTF-8");
    for (size_t i = 0; command->env && command->env[i]; i++)
        put(&env, &count, command->env[i]);
    rf_array_add(&env, &count, sizeof(*env));
    return env;
}

static int make_pipe(int ends[2], rf_error **err)
{
    if (pipe2(ends, O_CLOEXEC) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "no pipe");
    return 0;
}

static int start(const struct rf_command *command, struct child *child, rf_error **err)
{
    rf_autofd int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    rf_autofd int out = -1;
    rf_autofd int error = -1;
    rf_autofd int report = -1;
    int ends[2];
    if (command->input) {
        if (make_pipe(ends, err) < 0)
            return -1;
        rf_guard_fd(&in);
        in = ends[0];
        child->in = ends[1];
    }
    if (make_pipe(ends, err) < 0)
        return -1;
    child->out.fd = ends[0];
    out = ends[1];
    if (make_pipe(ends, err) < 0)
        return -1;
    child->err.fd = ends[0];
    error = ends[1];
    if (make_pipe(ends, err) < 0)
        return -1;
    child->exec_error = ends[0];
    report = ends[1];
    rf_autofree char **env = environment(command);
    pid_t parent = getpid();
    child->pid = fork();
    if (child->pid == 0)
        become(command, env, in, out, error, report, parent);
    if (child->pid < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be started", command->argv[0]);
    setpgid(child->pid, child->pid);
    return 0;
}

static void keep(struct stream *stream, const char *text, size_t size)
{
    if (stream->size + size > RF_COMMAND_OUTPUT_MAX) { /* the front goes, the end explains */
        size_t half = RF_COMMAND_OUTPUT_MAX / 2;
        if (stream->size > half) {
            memmove(stream->text, stream->text + stream->size - half, half);
            stream->size = half;
        }
    }
    char *longer = realloc(stream->text, stream->size + size + 1);
    if (!longer)
        abort();
    memcpy(longer + stream->size, text, size);
    stream->text = longer;
    stream->size += size;
    stream->text[stream->size] = '\0';
}

static void drain(const struct rf_command *command, struct stream *stream)
{
    char buffer[64 << 10];
    ssize_t got = read(stream->fd, buffer, sizeof(buffer));
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got <= 0) {
        close(stream->fd);
        stream->fd = -1;
        return;
    }
    if (command->on_output)
        command->on_output(command->data, buffer, (size_t)got);
    keep(stream, buffer, (size_t)got);
}

static void feed(const struct rf_command *command, struct child *child, size_t *sent)
{
    ssize_t wrote =
        *sent < command->input_size ? write(child->in, command->input + *sent, command->input_size - *sent) : 0;
    if (wrote > 0)
        *sent += (size_t)wrote;
    bool broken = wrote < 0 && errno != EINTR && errno != EAGAIN; /* it does not want more: its status will tell */
    if (broken || *sent >= command->input_size) {
        close(child->in);
        child->in = -1;
    }
}

/* Until both streams have ended, which a daemon that inherits them can delay; then the time limit ends it. */
static int converse(const struct rf_command *command, struct child *child, rf_error **err)
{
    unsigned limit = command->seconds ? command->seconds : RF_COMMAND_SECONDS;
    double deadline = rf_now() + limit;
    size_t sent = 0;
    if (child->in >= 0)
        fcntl(child->in, F_SETFL, O_NONBLOCK);
    while (child->out.fd >= 0 || child->err.fd >= 0) {
        double left = deadline - rf_now();
        if (left <= 0)
            return rf_fail(err, RF_FAILED, "%s did not end within %u s and was killed", command->argv[0], limit);
        struct pollfd fds[] = {{child->out.fd, POLLIN, 0}, {child->err.fd, POLLIN, 0}, {child->in, POLLOUT, 0}};
        if (poll(fds, RF_COUNT(fds), (int)(left * 1000) + 1) < 0 && errno != EINTR)
            return rf_fail_errno(err, RF_FAILED, errno, "waiting for %s", command->argv[0]);
        if (fds[0].revents)
            drain(command, &child->out);
        if (fds[1].revents)
            drain(command, &child->err);
        if (fds[2].revents)
            feed(command, child, &sent);
    }
    return 0;
}

static int reap(const struct rf_command *command, struct child *child, int *ret_status, rf_error **err)
{
    int status;
    while (waitpid(child->pid, &status, 0) < 0)
        if (errno != EINTR)
            return rf_fail_errno(err, RF_FAILED, errno, "waiting for %s", command->argv[0]);
    child->pid = -1;
    *ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return 0;
}

static int real_run(rf_runner *runner, const struct rf_command *command, struct rf_result *result, rf_error **err)
{
    (void)runner;
    RF_CLEANUP(release_child) struct child child = {.pid = -1, .in = -1, .out.fd = -1, .err.fd = -1, .exec_error = -1};
    if (start(command, &child, err) < 0)
        return -1;
    int why;
    if (read(child.exec_error, &why, sizeof(why)) == sizeof(why))
        return rf_fail_errno(err, RF_FAILED, why, "%s can't be started", command->argv[0]);
    int status = 0;
    if (converse(command, &child, err) < 0 || reap(command, &child, &status, err) < 0)
        return -1;
    result->status = status;
    result->out_size = child.out.size;
    result->out = child.out.text ? RF_STEAL(child.out.text) : rf_strdup("");
    result->err = child.err.text ? RF_STEAL(child.err.text) : rf_strdup("");
    return 0;
}

static void real_release(rf_runner *runner)
{
    free(runner);
}

static const struct rf_runner_ops ops = {"real", real_run, real_release};

rf_runner *rf_runner_real(void)
{
    signal(SIGPIPE, SIG_IGN); /* a command that closes its input early is told by its status */
    rf_runner *runner = rf_alloc(sizeof(*runner));
    runner->ops = &ops;
    return runner;
}
