/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Waiting for a healthy guest. */
#include "postinstall/health.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/units.h"
#include "postinstall/ca.h"
#include "postinstall/configure.h"
#include "postinstall/domain.h"
#include "postinstall/guest_exec.h"
#include "postinstall/probe.h"
#include "postinstall/probe_record.h"
#include "postinstall/secret.h"
#include "postinstall/silence.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

enum {
    PAUSE_MS = 1000,
    TELL_SECONDS =
        15, /* an unchanged answer is told again after this; consoles show it less often (base/repetition.h) */
    TAIL_BYTES = 3000,
    RECORD_MAX = 65536,
    QUICK_SECONDS = 10,
};

static enum rf_health ask_one(const struct rf_node_guest *guest, const struct rf_recipe_probe *probe, rf_agent *agent,
                              unsigned seconds_max, char **ret_words)
{
    rf_autojson json_t *secrets = rf_secret_load(guest);
    rf_autojson json_t *directory_secrets = guest->directory ? rf_secret_kept(guest->directory) : NULL;
    rf_autofree char *ca_file = rf_ca_certificate_path(guest->node);
    struct rf_recipe_probe bounded = *probe;
    if (seconds_max && bounded.seconds > seconds_max)
        bounded.seconds = seconds_max;
    struct rf_probe_context context = {.agent = agent,
                                       .address = guest->address,
                                       .running =
                                           probe->ops == &rf_probe_running && rf_domain_running(guest, NULL) == 1,
                                       .settings = guest->settings,
                                       .secrets = secrets,
                                       .directory_secrets = directory_secrets,
                                       .proxy = "127.0.0.1",
                                       .ca_file = rf_exists(ca_file) ? ca_file : NULL};
    return probe->ops->ask(&bounded, &context, ret_words);
}

json_t *rf_health_ask(const struct rf_node_guest *guest, rf_agent *agent, unsigned seconds_max)
{
    json_t *results = json_array();
    for (size_t i = 0; i < guest->recipe->probes_count; i++) {
        const struct rf_recipe_probe *probe = &guest->recipe->probes[i];
        rf_autofree char *words = NULL;
        enum rf_health health = ask_one(guest, probe, agent, seconds_max, &words);
        json_array_append_new(
            results, json_pack("{s:s,s:s,s:s}", "probe", probe->name, "state", rf_health_name(health), "words", words));
    }
    return results;
}

bool rf_health_all_ok(const json_t *results, size_t probes)
{
    for (size_t i = 0; i < json_array_size(results); i++)
        if (strcmp(rf_json_string(json_array_get(results, i), "state"), rf_health_name(RF_HEALTH_OK)) != 0)
            return false;
    return probes > 0 && json_array_size(results) == probes; /* one that is missing says nothing */
}

json_t *rf_health_recorded(const struct rf_node_guest *guest)
{
    rf_autofree char *path = rf_guest_state_path(guest, "health.json");
    return rf_exists(path) ? rf_json_load(path, RECORD_MAX, NULL) : NULL;
}

static int record(const struct rf_node_guest *guest, json_t *results, rf_error **err)
{
    rf_autofree char *path = rf_guest_state_path(guest, "health.json"), *directory = rf_guest_state_path(guest, "");
    char now[32];
    time_t seconds = time(NULL);
    struct tm utc;
    strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
    rf_autojson json_t *health = json_pack("{s:s,s:O}", "since", now, "probes", results);
    rf_autofree char *text = rf_json_text(health);
    if (rf_make_dirs(directory, 0700, err) < 0)
        return -1;
    return rf_write_file(path, text, strlen(text), 0600, err);
}

char *rf_console_tail(const struct rf_node_guest *guest)
{
    rf_autofree char *path = rf_guest_console_path(guest);
    char buffer[TAIL_BYTES + 1];
    rf_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    ssize_t got = size < 0 ? -1 : pread(fd, buffer, TAIL_BYTES, size > TAIL_BYTES ? size - TAIL_BYTES : 0);
    if (got <= 0)
        return rf_strdup("(the console is empty)");
    size_t kept = 0;
    for (ssize_t i = 0; i < got; i++)
        if (buffer[i] == '\n' || isprint((unsigned char)buffer[i]))
            buffer[kept++] = buffer[i];
    buffer[kept] = '\0';
    return rf_strdup(buffer);
}

static void tell(struct rf_step_env *env, const struct rf_recipe_probe *probe, size_t done, size_t total,
                 enum rf_health health, const char *words)
{
    rf_autofree char *message = rf_format("%s: %s (%s)", probe->name, words, rf_health_name(health));
    rf_autojson json_t *extra =
        json_pack("{s:{s:s,s:s}}", "health", "probe", probe->name, "state", rf_health_name(health));
    rf_emit(env->events, &(struct rf_event){.step = env->step ? env->step->id : NULL,
                                            .title = env->step ? env->step->title : NULL,
                                            .state = RF_PROGRESS,
                                            .message = message,
                                            .seconds = rf_now() - env->started,
                                            .done = done,
                                            .total = total,
                                            .unit = "probes",
                                            .extra = extra});
}

/* Nobody is told to remove the disk of a guest that was in use. */
static int give_up(const struct rf_node_guest *guest, const struct rf_recipe_probe *probe, const char *words,
                   const char *why, rf_error **err)
{
    const char *name = guest->asked->name;
    rf_autofree char *tail = rf_console_tail(guest);
    rf_autofree char *anew =
        rf_guest_settled(guest)
            ? NULL
            : rf_format(" (this one has never worked: it is made anew after 'virsh destroy %s' and 'richtfest guest "
                        "delete %s --with-its-disk')",
                        name, name);
    return rf_fail(err, RF_FAILED,
                   "%s is not healthy: %s: %s (%s); 'richtfest apply --node' asks again%s; the end of its console:\n%s",
                   name, probe->name, words, why, anew ? anew : "", tail);
}

/* A reset that libvirt refuses ends no waiting: it is told, and the time goes on. */
static void listen(struct rf_step_env *env, const struct rf_node_guest *guest, const struct rf_recipe_probe *probe,
                   struct rf_silence *silence)
{
    rf_autoerror rf_error *why = NULL;
    if (probe->ops != &rf_probe_agent || rf_silence_break(silence, env, guest, rf_now(), &why) >= 0)
        return;
    rf_autofree char *text = rf_error_text(why);
    tell(env, probe, 0, guest->recipe->probes_count, RF_HEALTH_WAITING, text);
}

/* Asks one probe until it says ok. The time begins anew with each of them: a slow machine that gets on is left to its work, and one that
 * stands still is told as soon. */
static int wait_for(struct rf_step_env *env, const struct rf_node_guest *guest, rf_agent *agent, size_t index,
                    rf_error **err)
{
    double deadline = rf_now() + rf_guest_patience(guest, guest->recipe->health_seconds);
    struct rf_silence silence = {0};
    const struct rf_recipe_probe *probe = &guest->recipe->probes[index];
    rf_autofree char *last = NULL;
    double told = 0;
    for (;;) {
        rf_autofree char *words = NULL;
        enum rf_health health = ask_one(guest, probe, agent, 0, &words);
        bool changed = !last || strcmp(last, words) != 0;
        if (health == RF_HEALTH_OK || (changed && rf_now() - told > 1) || rf_now() - told > TELL_SECONDS) {
            tell(env, probe, index + (health == RF_HEALTH_OK), guest->recipe->probes_count, health, words);
            told = rf_now();
        }
        if (health == RF_HEALTH_OK)
            return 0;
        if (health == RF_HEALTH_BROKEN)
            return give_up(guest, probe, words, "waiting does not help", err);
        if (rf_now() > deadline)
            return give_up(guest, probe, words, "the time is up", err);
        if (rf_domain_running(guest, NULL) == 0)
            return give_up(guest, probe, words, "the guest has stopped", err);
        listen(env, guest, probe, &silence);
        free(last);
        last = RF_STEAL(words);
        usleep(PAUSE_MS * 1000);
    }
}

int rf_health_wait(struct rf_step_env *env, const struct rf_node_guest *guest, rf_agent *agent, rf_error **err)
{
    for (size_t i = 0; i < guest->recipe->probes_count; i++)
        if (wait_for(env, guest, agent, i, err) < 0)
            return -1;
    rf_autojson json_t *results = rf_health_ask(guest, agent, 0);
    rf_probe_record(guest, results);
    return record(guest, results, err);
}

int rf_health_come_up(struct rf_step_env *env, const struct rf_node_guest *guest, rf_agent *agent, rf_error **err)
{
    if (!rf_configure_owed(guest))
        return rf_health_wait(env, guest, agent, err);
    for (size_t i = 0; i < guest->recipe->probes_count; i++)
        if (guest->recipe->probes[i].ops == &rf_probe_agent && wait_for(env, guest, agent, i, err) < 0)
            return -1;
    return 0;
}

static enum rf_probe health_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    const struct rf_node_guest *guest = arg;
    rf_autojson json_t *recorded = rf_health_recorded(guest);
    if (!recorded)
        return RF_PROBE_TODO;
    rf_autoagent rf_agent *agent = rf_agent_libvirt(guest->node->libvirt, guest->asked->name);
    rf_autojson json_t *results = rf_health_ask(guest, agent, QUICK_SECONDS);
    return rf_health_all_ok(results, guest->recipe->probes_count) ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static int health_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_node_guest *guest = arg;
    rf_autoagent rf_agent *agent = rf_agent_libvirt(guest->node->libvirt, guest->asked->name);
    return rf_health_come_up(env, guest, agent, err);
}

/* apply has just seen every probe say ok; asking all of them again would only take time. */
static int health_verify(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    const struct rf_node_guest *guest = arg;
    int running = rf_domain_running(guest, err);
    if (running < 0)
        return -1;
    return running ? 0 : rf_fail(err, RF_FAILED, "%s has stopped right after it was healthy", guest->asked->name);
}

const struct rf_step_ops rf_step_health = {"health", health_probe, health_apply, health_verify};
