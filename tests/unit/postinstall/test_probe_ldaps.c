/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Against openssl's TLS server with LDAP answers written into it, and against nobody. */
#include "base/command.h"
#include "base/units.h"
#include "postinstall/probe.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* RFC 4511, BER: the answer to the bind (message 1), then to the search (message 2): an entry with one attribute, and its end. */
#define BOUND "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"
#define DONE "\x30\x0c\x02\x01\x02\x65\x07\x0a\x01\x00\x04\x00\x04\x00"
#define CONTEXT                                                                                                        \
    "\x30\x36\x02\x01\x02\x64\x31\x04\x00\x30\x2d\x30\x2b\x04\x14"                                                     \
    "defaultNamingContext"                                                                                             \
    "\x31\x13\x04\x11"                                                                                                 \
    "DC=ad,DC=example_"

/* A TCP port of the loopback. Listening, it takes connections (into its backlog) and says nothing. */
static int port_of(bool listening, unsigned *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(listening ? listen(fd, 5) : 0, 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static enum rf_health ask(unsigned port, unsigned seconds, char **ret_words)
{
    const struct rf_recipe_probe probe = {.seconds = seconds, .port = port};
    const struct rf_probe_context context = {.address = "127.0.0.1"};
    return rf_probe_ldaps.ask(&probe, &context, ret_words);
}

static void nobody_there_is_not_yet(void **state)
{
    (void)state;
    for (unsigned listening = 0; listening <= 1; listening++) {
        unsigned port;
        rf_autofd int fd = port_of(listening, &port);
        rf_autofree char *words = NULL, *begin = rf_format("127.0.0.1 port %u: ", port);
        const double before = rf_now();
        assert_int_equal(ask(port, 2, &words), RF_HEALTH_WAITING);
        assert_true(rf_now() - before < 6); /* also where it says nothing */
        assert_int_equal(strncmp(words, begin, strlen(begin)), 0);
    }
}

struct server {
    char *directory;
    unsigned port;
    pid_t tls, talk;
};

/* Waits for a request and answers it, twice, in a process of its own: the probe blocks. */
static pid_t talk(int requests, int answers, const char *second, size_t size)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails cleans nothing up */
    char request[512];
    bool goes_on = read(requests, request, sizeof(request)) > 0 && write(answers, BOUND, sizeof(BOUND) - 1) > 0 &&
                   read(requests, request, sizeof(request)) > 0 && write(answers, second, size) > 0;
    while (goes_on && read(requests, request, sizeof(request)) > 0)
        ;
    _exit(0);
}

static bool listens(unsigned port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    rf_autofd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
}

/* False where there is no openssl(1). */
static bool start(struct server *self, const char *second, size_t size)
{
    *self = (struct server){.directory = unit_directory(), .tls = -1, .talk = -1};
    rf_autorunner rf_runner *runner = rf_runner_real();
    rf_autofree char *key = rf_format("%s/key", self->directory), *certificate = rf_format("%s/cert", self->directory);
    if (rf_run_argv(runner,
                    RF_ARGV("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=dc1", "-keyout",
                            key, "-out", certificate),
                    NULL) < 0)
        return false;
    close(port_of(false, &self->port));
    rf_autofree char *accepts = rf_format("127.0.0.1:%u", self->port);
    int in[2], out[2];
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    self->tls = fork();
    if (self->tls == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 2); /* it complains of each connection that ends */
        execlp("openssl", "openssl", "s_server", "-quiet", "-accept", accepts, "-key", key, "-cert", certificate, NULL);
        _exit(127);
    }
    self->talk = talk(out[0], in[1], second, size);
    close(in[0]);
    close(in[1]);
    close(out[0]);
    close(out[1]);
    for (unsigned i = 0; i < 100 && !listens(self->port); i++)
        usleep(50000);
    return true;
}

static void finish(struct server *self)
{
    const pid_t pids[] = {self->talk, self->tls};
    for (size_t i = 0; i < RF_COUNT(pids); i++) {
        if (pids[i] <= 0)
            continue;
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
    }
    rf_remove_tree(self->directory, NULL);
    free(self->directory);
}

static void assert_says(const char *second, size_t size, enum rf_health health, const char *words)
{
    RF_CLEANUP(finish) struct server self;
    if (!start(&self, second, size)) {
        print_message("skipped: openssl is not installed\n");
        skip();
    }
    rf_autofree char *said = NULL;
    const double before = rf_now();
    const enum rf_health found = ask(self.port, 10, &said);
    if (found != health || !strstr(said, words))
        fail_msg("%s: \"%s\"", rf_health_name(found), said);
    assert_true(rf_now() - before < 8); /* the answer counts, not the end of the connection */
}

static void the_naming_context_is_the_answer(void **state)
{
    (void)state;
    static const char answer[] = CONTEXT DONE;
    assert_says(answer, sizeof(answer) - 1, RF_HEALTH_OK, "answers for DC=ad,DC=example_");
}

static void a_directory_without_one_is_not_ready(void **state)
{
    (void)state;
    assert_says(DONE, sizeof(DONE) - 1, RF_HEALTH_WAITING, "no naming context in the root DSE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_there_is_not_yet),
        cmocka_unit_test(the_naming_context_is_the_answer),
        cmocka_unit_test(a_directory_without_one_is_not_ready),
    };
    return cmocka_run_group_tests_name("postinstall/probe_ldaps", tests, NULL, NULL);
}
