/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands of the QEMU guest agent protocol: guest-ping, guest-exec, guest-exec-status. */
#include "postinstall/agent.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/units.h"

#include <libvirt/libvirt-qemu.h>
#include <openssl/evp.h>
#include <string.h>

enum { COMMAND_SECONDS = 10, POLL_MS = 500 };

struct libvirt_agent {
    rf_agent agent;
    rf_libvirt *libvirt;
    char *domain;
};

static int libvirt_command(rf_agent *agent, const char *json, unsigned seconds, char **ret_answer, rf_error **err)
{
    struct libvirt_agent *self = (struct libvirt_agent *)agent;
    virConnectPtr connection = rf_libvirt_connect(self->libvirt, err);
    if (!connection)
        return -1;
    rf_autodomain virDomainPtr domain = NULL;
    if (rf_domain_find(connection, self->domain, &domain, err) < 0)
        return -1;
    char *answer = domain ? virDomainQemuAgentCommand(domain, json, (int)seconds, 0) : NULL;
    if (!answer)
        return rf_libvirt_fail(err, "the guest agent of %s does not answer", self->domain);
    *ret_answer = answer;
    return 0;
}

static void libvirt_release(rf_agent *agent)
{
    struct libvirt_agent *self = (struct libvirt_agent *)agent;
    free(self->domain);
    free(self);
}

rf_agent *rf_agent_libvirt(rf_libvirt *libvirt, const char *domain)
{
    static const struct rf_agent_ops ops = {libvirt_command, libvirt_release};
    struct libvirt_agent *self = rf_alloc(sizeof(*self));
    self->agent.ops = &ops;
    self->libvirt = libvirt;
    self->domain = rf_strdup(domain);
    return &self->agent;
}

void rf_agent_free(rf_agent *agent)
{
    if (agent)
        agent->ops->release(agent);
}

/* Sends {"execute": name, "arguments": …} (the arguments are taken over) and returns the member "return". */
static json_t *ask(rf_agent *agent, const char *name, json_t *arguments, unsigned seconds, rf_error **err)
{
    rf_autojson json_t *command = json_pack("{s:s}", "execute", name);
    if (arguments)
        json_object_set_new(command, "arguments", arguments);
    rf_autosecret char *text = json_dumps(command, JSON_COMPACT);
    rf_autofree char *answer = NULL;
    if (agent->ops->command(agent, text, seconds, &answer, err) < 0)
        return NULL;
    rf_autojson json_t *parsed = json_loads(answer, 0, NULL);
    json_t *value = json_object_get(parsed, "return");
    if (!value)
        rf_fail(err, RF_FAILED, "the guest agent answered %s with something else than a result", name);
    return json_incref(value);
}

int rf_agent_ping(rf_agent *agent, unsigned seconds, rf_error **err)
{
    rf_autojson json_t *answer = ask(agent, "guest-ping", NULL, seconds, err);
    return answer ? 0 : -1;
}

void rf_agent_result_clear(struct rf_agent_result *result)
{
    free(result->out);
    free(result->err);
    *result = (struct rf_agent_result){0};
}

static char *decode(const json_t *status, const char *key)
{
    const char *text = rf_json_string(status, key);
    size_t size = text ? strlen(text) : 0;
    if (size == 0 || size > RF_AGENT_OUTPUT_MAX || size % 4)
        return rf_strdup("");
    unsigned char *plain = rf_alloc(size / 4 * 3 + 1);
    int length = EVP_DecodeBlock(plain, (const unsigned char *)text, (int)size);
    if (length < 0)
        length = 0;
    plain[length] = '\0'; /* padding decodes to NULs, which end the text as well */
    return (char *)plain;
}

static char *encode(const char *input)
{
    size_t size = strlen(input);
    unsigned char *text = rf_alloc((size + 2) / 3 * 4 + 1);
    EVP_EncodeBlock(text, (const unsigned char *)input, (int)size);
    return (char *)text;
}

static json_t *exec_arguments(const json_t *argv, const char *input)
{
    rf_autojson json_t *rest = json_array();
    for (size_t i = 1; i < json_array_size(argv); i++)
        json_array_append(rest, json_array_get(argv, i));
    json_t *arguments = json_pack("{s:O,s:O,s:b}", "path", json_array_get(argv, 0), "arg", rest, "capture-output", 1);
    if (input) {
        rf_autosecret char *encoded = encode(input);
        json_object_set_new(arguments, "input-data", json_string(encoded));
    }
    return arguments;
}

/* 1 when the program has ended, 0 while it runs. */
static int exec_ended(rf_agent *agent, json_int_t pid, struct rf_agent_result *ret_result, rf_error **err)
{
    rf_autojson json_t *status = ask(agent, "guest-exec-status", json_pack("{s:I}", "pid", pid), COMMAND_SECONDS, err);
    if (!status)
        return -1;
    if (!json_is_true(json_object_get(status, "exited")))
        return 0;
    json_int_t on_signal = 128 + rf_json_integer(status, "signal", 0);
    *ret_result = (struct rf_agent_result){.status = (int)rf_json_integer(status, "exitcode", on_signal),
                                           .out = decode(status, "out-data"),
                                           .err = decode(status, "err-data")};
    return 1;
}

int rf_agent_exec(rf_agent *agent, const json_t *argv, const char *input, unsigned seconds,
                  struct rf_agent_result *ret_result, rf_error **err)
{
    const char *program = json_string_value(json_array_get(argv, 0));
    double deadline = rf_now() + seconds;
    rf_autojson json_t *started = ask(agent, "guest-exec", exec_arguments(argv, input), COMMAND_SECONDS, err);
    if (!started)
        return rf_wrap(err, "starting %s in the guest", program);
    json_int_t pid = rf_json_integer(started, "pid", 0);
    for (;;) {
        int ended = exec_ended(agent, pid, ret_result, err);
        if (ended < 0)
            return rf_wrap(err, "waiting for %s in the guest", program);
        if (ended)
            return 0;
        if (rf_now() > deadline)
            return rf_fail(err, RF_FAILED, "%s did not end within %u s in the guest", program, seconds);
        usleep(POLL_MS * 1000);
    }
}
