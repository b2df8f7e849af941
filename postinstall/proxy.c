/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Caddy's configuration, and Caddy. */
#include "postinstall/proxy.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/units.h"
#include "postinstall/account.h"
#include "postinstall/ca.h"
#include "postinstall/certificate.h"
#include "postinstall/http.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum {
    TEXT_MAX = 1 << 20,
    DAYS = 825,
    ACME_SECONDS = 45,    /* an order takes some seconds where all is well; a slow resolver or line takes more */
    ANSWER_SECONDS = 150, /* ACME that can't be reached takes two such attempts before the node's CA is asked */
    ATTEMPT_SECONDS = 10,
    PAUSE_MS = 1000,
};

#define UNIT "caddy.service"
#define ACCOUNT "caddy"
#define DROP_IN "/etc/systemd/system/caddy.service.d/richtfest.conf"
#define AUTHORITY_ID "richtfest" /* for Caddy; also a folder's name in its storage */
#define AUTHORITY RF_PROXY_DIR "/authority.pem"
#define KEY RF_PROXY_DIR "/authority.key"
#define ROOT RF_PROXY_DIR "/root.pem"

static char *read_text(const rf_node_model *model, const char *file)
{
    rf_autofree char *path = rf_node_path(model, "%s", file);
    char *text = NULL;
    return rf_exists(path) && rf_read_file(path, TEXT_MAX, &text, NULL, NULL) == 0 ? text : NULL;
}

/* caddy(8) and https://caddyserver.com/docs/caddyfile/options. The root's key stays with the node: Caddy 2.6 wants some key in that place and
 * uses it only to make authorities of its own, which it does not do as long as it is given one. */
static void append_options(char **text, const rf_profile *profile)
{
    rf_append(text, "# Written by richtfest; changes are overwritten.\n"
                    "{\n"
                    "\tadmin unix//run/caddy/admin.sock\n"
                    "\tskip_install_trust\n"
                    "\tstorage file_system " RF_PROXY_STATE "\n");
    if (profile->access.email && profile->access.tls == RF_TLS_ACME)
        rf_append(text, "\temail %s\n", profile->access.email);
    rf_append(text, "\tservers {\n"
                    "\t\tprotocols h1 h2\n"
                    "\t}\n"
                    "\tpki {\n"
                    "\t\tca " AUTHORITY_ID " {\n"
                    "\t\t\troot {\n"
                    "\t\t\t\tcert " ROOT "\n"
                    "\t\t\t\tkey " KEY "\n"
                    "\t\t\t}\n"
                    "\t\t\tintermediate {\n"
                    "\t\t\t\tcert " AUTHORITY "\n"
                    "\t\t\t\tkey " KEY "\n"
                    "\t\t\t}\n"
                    "\t\t}\n"
                    "\t}\n"
                    "}\n");
}

/* Caddy's storage: certificates/ISSUER/NAME/NAME.crt, where the internal issuer's folder has the name of its authority. */
static bool by_acme(const char *issuer)
{
    return issuer[0] != '.' && strcmp(issuer, AUTHORITY_ID) != 0 && strcmp(issuer, "local") != 0;
}

static bool issued(const struct rf_node_guest *guest, const char *issuer)
{
    rf_autofree char *file = rf_format(RF_PROXY_STATE "/certificates/%s/%s/%s.crt", issuer, guest->published,
                                       guest->published),
                     *certificate = read_text(guest->node, file);
    return rf_certificate_in_force(certificate);
}

bool rf_proxy_has_acme(const struct rf_node_guest *guest)
{
    rf_autofree char *path = rf_node_path(guest->node, RF_PROXY_STATE "/certificates");
    rf_autodir DIR *issuers = guest->published ? opendir(path) : NULL;
    for (const struct dirent *entry; issuers && (entry = readdir(issuers));)
        if (by_acme(entry->d_name) && issued(guest, entry->d_name))
            return true;
    return false;
}

/* Caddy asks its issuers in this order, at each renewal too, and takes what it gets first. So the node's own CA is one of them only until
 * there is a certificate that everybody trusts: one failed renewal, weeks before that ends, would put the node's own in its place. */
static char *issuers_text(const struct rf_node_guest *guest)
{
    static const char own[] = "\t\tissuer internal {\n\t\t\tca " AUTHORITY_ID "\n\t\t}\n";
    if (guest->node->profile->access.tls != RF_TLS_ACME)
        return rf_strdup(own);
    if (rf_proxy_has_acme(guest))
        return rf_strdup("\t\tissuer acme\n");
    return rf_format("\t\tissuer acme {\n\t\t\ttimeout %us\n\t\t}\n%s", ACME_SECONDS, own);
}

static void append_site(char **text, const struct rf_node_guest *guest)
{
    const struct rf_recipe_publish *publish = &guest->recipe->publish;
    rf_autofree char *issuers = issuers_text(guest);
    rf_append(text,
              "\n# %s\n"
              "%s {\n"
              "\ttls {\n"
              "%s"
              "\t}\n"
              "\theader ?Strict-Transport-Security \"max-age=31536000\"\n"
              "\theader -Server\n"
              "\trequest_body {\n"
              "\t\tmax_size %" PRIu64 "\n"
              "\t}\n"
              "\treverse_proxy %s:%u\n"
              "}\n",
              guest->asked->name, guest->published, issuers, publish->body, guest->address, publish->port);
}

char *rf_proxy_text(const rf_node_model *model)
{
    char *text = NULL;
    append_options(&text, model->profile);
    for (size_t i = 0; i < model->guests_count; i++)
        if (model->guests[i].published)
            append_site(&text, &model->guests[i]);
    return text;
}

/* The package's unit with our configuration, and a place for its socket. */
static const char drop_in[] = "# Written by richtfest.\n"
                              "[Service]\n"
                              "RuntimeDirectory=caddy\n"
                              "RuntimeDirectoryMode=0700\n"
                              "ExecStart=\n"
                              "ExecStart=/usr/bin/caddy run --config " RF_PROXY_FILE "\n"
                              "ExecReload=\n"
                              "ExecReload=/usr/bin/caddy reload --config " RF_PROXY_FILE " --force\n";

struct authority { /* what is asked of the authority that Caddy holds; clear after use */
    const char **hosts;
    char *name;
    struct rf_certificate_request request;
};

static void clear_authority(struct authority *authority)
{
    free(authority->hosts);
    free(authority->name);
}

static struct authority authority_of(const rf_node_model *model)
{
    struct authority authority = {.hosts = rf_alloc((model->guests_count + 1) * sizeof(char *)),
                                  .name = rf_format("Richtfest proxy of %s", model->profile->node.id)};
    size_t count = 0;
    for (size_t i = 0; i < model->guests_count; i++)
        if (model->guests[i].published)
            authority.hosts[count++] = model->guests[i].published;
    authority.request = (struct rf_certificate_request){
        .kind = RF_CERTIFICATE_AUTHORITY, .name = authority.name, .hosts = authority.hosts, .days = DAYS};
    return authority;
}

#define autoauthority RF_CLEANUP(clear_authority)

static bool holds(const rf_node_model *model, const char *file, const char *wanted)
{
    rf_autofree char *text = read_text(model, file);
    return text && wanted && strcmp(text, wanted) == 0;
}

static bool authority_good(const rf_node_model *model)
{
    autoauthority struct authority wanted = authority_of(model);
    rf_autofree char *certificate = read_text(model, AUTHORITY), *root = rf_ca_certificate(model);
    rf_autosecret char *key = read_text(model, KEY);
    return holds(model, ROOT, root) && rf_ca_good(model, certificate, &wanted.request) &&
           rf_certificate_matches(certificate, key);
}

static int active(struct rf_step_env *env, rf_error **err)
{
    struct rf_command command = {.argv = RF_ARGV("systemctl", "is-active", "--quiet", UNIT)};
    rf_autoresult struct rf_result result = {0};
    return rf_run_status(env->runner, &command, &result, err) < 0 ? -1 : result.status == 0;
}

static enum rf_probe proxy_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_node_model *model = arg;
    rf_autofree char *wanted = rf_proxy_text(model), *path = rf_node_path(model, "%s", RF_PROXY_FILE);
    if (!rf_node_published(model))
        return rf_exists(path) ? RF_PROBE_TODO : RF_PROBE_DONE;
    if (!holds(model, RF_PROXY_FILE, wanted) || !holds(model, DROP_IN, drop_in) || !authority_good(model))
        return RF_PROBE_TODO;
    int running = active(env, err);
    return running < 0 ? RF_PROBE_ERROR : running ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static int write_text(const rf_node_model *model, const char *file, const char *text, unsigned mode, rf_error **err)
{
    rf_autofree char *path = rf_node_path(model, "%s", file);
    return rf_write_file(path, text, strlen(text), mode, err);
}

static int give_authority(const rf_node_model *model, gid_t group, rf_error **err)
{
    autoauthority struct authority wanted = authority_of(model);
    rf_autofree char *certificate = NULL, *root = rf_ca_certificate(model), *path = rf_node_path(model, "%s", KEY);
    rf_autosecret char *key = NULL;
    if (authority_good(model))
        return 0;
    if (rf_ca_issue(model, &wanted.request, &key, &certificate, err) < 0 ||
        write_text(model, ROOT, root, 0644, err) < 0 || write_text(model, KEY, key, 0640, err) < 0 ||
        rf_account_give(path, geteuid(), group, err) < 0)
        return -1;
    return write_text(model, AUTHORITY, certificate, 0644, err);
}

/* As its own user: what it makes on the way must be its own. */
static int validate(struct rf_step_env *env, const char *path, rf_error **err)
{
    struct rf_command command = {.argv = RF_ARGV("runuser", "-u", ACCOUNT, "--", "caddy", "validate", "--adapter",
                                                 "caddyfile", "--config", path),
                                 .env = (const char *const[]){"HOME=/var/lib/caddy", NULL}};
    rf_autoresult struct rf_result result = {0};
    return rf_run(env->runner, &command, &result, err);
}

static int write_configuration(struct rf_step_env *env, const rf_node_model *model, rf_error **err)
{
    rf_autofree char *text = rf_proxy_text(model), *path = rf_node_path(model, "%s", RF_PROXY_FILE);
    rf_autofree char *new = rf_format("%s.new", path),
                     *directory = rf_node_path(model, "/etc/systemd/system/caddy.service.d");
    if (rf_write_file(new, text, strlen(text), 0644, err) < 0)
        return -1;
    if (validate(env, new, err) < 0)
        return rf_wrap(err, "the proxy's configuration is not taken over");
    if (rename(new, path) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "renaming %s to %s", new, path);
    return rf_make_dirs(directory, 0755, err) < 0 ? -1 : write_text(model, DROP_IN, drop_in, 0644, err);
}

static int make_places(const rf_node_model *model, const struct rf_account *account, rf_error **err)
{
    rf_autofree char *directory = rf_node_path(model, "%s", RF_PROXY_DIR),
                     *state = rf_node_path(model, "%s", RF_PROXY_STATE);
    if (rf_make_dirs(directory, 0755, err) < 0 || rf_make_dirs(state, 0700, err) < 0)
        return -1;
    return rf_account_give(state, account->uid, account->gid, err);
}

/* The image has the unit masked, because nothing is published until somebody says so. */
static int take_over(struct rf_step_env *env, rf_error **err)
{
    static const char *const words[][4] = {{"unmask", "--quiet", UNIT, NULL},
                                           {"daemon-reload", NULL},
                                           {"enable", "--quiet", UNIT, NULL},
                                           {"reload-or-restart", UNIT, NULL}};
    for (size_t i = 0; i < RF_COUNT(words); i++)
        if (rf_run_argv(env->runner, RF_ARGV("systemctl", words[i][0], words[i][1], words[i][2]), err) < 0)
            return -1;
    return 0;
}

static int stop(struct rf_step_env *env, const rf_node_model *model, rf_error **err)
{
    rf_autofree char *directory = rf_node_path(model, "%s", RF_PROXY_DIR);
    if (rf_run_argv(env->runner, RF_ARGV("systemctl", "disable", "--quiet", "--now", UNIT), err) < 0 ||
        rf_run_argv(env->runner, RF_ARGV("systemctl", "mask", "--quiet", UNIT), err) < 0)
        return -1;
    return rf_remove_tree(directory, err);
}

static int proxy_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_node_model *model = arg;
    struct rf_account account;
    if (!rf_node_published(model))
        return stop(env, model, err);
    if (rf_account_find(model, ACCOUNT, &account, err) < 0 || make_places(model, &account, err) < 0 ||
        give_authority(model, account.gid, err) < 0 || write_configuration(env, model, err) < 0)
        return -1;
    return take_over(env, err);
}

int rf_proxy_write(const rf_node_model *model, rf_error **err)
{
    rf_autofree char *text = rf_proxy_text(model), *directory = rf_node_path(model, "%s", RF_PROXY_DIR);
    if (rf_make_dirs(directory, 0755, err) < 0 || give_authority(model, getegid(), err) < 0)
        return -1;
    return write_text(model, RF_PROXY_FILE, text, 0644, err);
}

static int wait_for(const rf_node_model *model, const char *host, rf_error **err)
{
    rf_autofree char *url = rf_format("https://%s/", host), *ca_file = rf_ca_certificate_path(model);
    const struct rf_http request = {
        .url = url, .address = "127.0.0.1:443", .ca_file = ca_file, .seconds = ATTEMPT_SECONDS};
    double deadline = rf_now() + ANSWER_SECONDS;
    for (;;) {
        rf_autoerror rf_error *why = NULL;
        rf_autohttp struct rf_http_answer answer = {0};
        if (rf_http_get(&request, &answer, &why) == 0)
            return 0;
        if (rf_now() > deadline) {
            rf_autofree char *text = rf_error_text(why);
            return rf_fail(err, RF_FAILED, "the proxy does not answer for %s: %s (see: journalctl -u caddy)", host,
                           text);
        }
        usleep(PAUSE_MS * 1000);
    }
}

static int proxy_verify(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_node_model *model = arg;
    enum rf_probe found = proxy_probe(env, arg, err);
    if (found != RF_PROBE_DONE)
        return found == RF_PROBE_ERROR ? -1
                                       : rf_fail(err, RF_FAILED, "the proxy was set up, but looking again it is not");
    for (size_t i = 0; i < model->guests_count; i++)
        if (model->guests[i].published && wait_for(model, model->guests[i].published, err) < 0)
            return -1;
    return 0;
}

const struct rf_step_ops rf_step_proxy = {"proxy", proxy_probe, proxy_apply, proxy_verify};
