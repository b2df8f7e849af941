/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The authority's files. */
#include "postinstall/ca.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"

#include <string.h>
#include <sys/stat.h>

enum {
    YEARS = 20, /* longer than a server lives; what it signs is short */
    PEM_MAX = 65536,
};

static char *path_of(const rf_node_model *model, const char *file)
{
    return rf_node_path(model, "%s/%s", RF_STATE_CA, file);
}

static char *read_text(const rf_node_model *model, const char *file)
{
    rf_autofree char *path = path_of(model, file);
    char *text = NULL;
    return rf_exists(path) && rf_read_file(path, PEM_MAX, &text, NULL, NULL) == 0 ? text : NULL;
}

char *rf_ca_certificate_path(const rf_node_model *model)
{
    return path_of(model, "ca.pem");
}

char *rf_ca_certificate(const rf_node_model *model)
{
    return read_text(model, "ca.pem");
}

static char *name_of(const rf_node_model *model)
{
    return rf_format("Richtfest CA of %s", model->profile->node.id);
}

static bool private_key(const rf_node_model *model)
{
    rf_autofree char *path = path_of(model, "key.pem");
    struct stat status;
    return stat(path, &status) == 0 && (status.st_mode & 0777) == 0600;
}

static enum rf_probe ca_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    const rf_node_model *model = arg;
    rf_autofree char *name = name_of(model), *certificate = rf_ca_certificate(model);
    rf_autosecret char *key = read_text(model, "key.pem");
    const struct rf_certificate_request request = {.kind = RF_CERTIFICATE_ROOT, .name = name};
    bool done = private_key(model) && rf_certificate_matches(certificate, key) &&
                rf_certificate_good(certificate, &request, NULL);
    return done ? RF_PROBE_DONE : RF_PROBE_TODO;
}

/* The key that is there, or a new one that is kept before anything is signed with it. One that can't be read is replaced: nothing
 * could ever be signed with it. */
static int ready_key(const rf_node_model *model, char **ret_key, rf_error **err)
{
    rf_autofree char *directory = path_of(model, ""), *path = path_of(model, "key.pem"), *certificate = NULL;
    rf_autosecret char *key = read_text(model, "key.pem");
    const struct rf_certificate_request trial = {.kind = RF_CERTIFICATE_ROOT, .name = "trial", .days = 1};
    bool usable = key && rf_certificate_make(&trial, key, NULL, NULL, &certificate, NULL) == 0;
    if (!usable) {
        rf_free_secret(RF_STEAL(key));
        if (rf_certificate_key(&key, err) < 0)
            return -1;
    }
    if (rf_make_dirs(directory, 0700, err) < 0 || rf_write_file(path, key, strlen(key), 0600, err) < 0)
        return -1;
    *ret_key = RF_STEAL(key);
    return 0;
}

static int ca_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    const rf_node_model *model = arg;
    rf_autofree char *name = name_of(model), *path = rf_ca_certificate_path(model), *certificate = NULL;
    rf_autosecret char *key = NULL;
    const struct rf_certificate_request request = {.kind = RF_CERTIFICATE_ROOT, .name = name, .days = YEARS * 365};
    if (ready_key(model, &key, err) < 0 || rf_certificate_make(&request, key, NULL, NULL, &certificate, err) < 0)
        return -1;
    return rf_write_file(path, certificate, strlen(certificate), 0644, err);
}

const struct rf_step_ops rf_step_ca = {"ca", ca_probe, ca_apply, NULL};

int rf_ca_issue(const rf_node_model *model, const struct rf_certificate_request *request, char **ret_key,
                char **ret_certificate, rf_error **err)
{
    rf_autofree char *authority = rf_ca_certificate(model), *certificate = NULL;
    rf_autosecret char *authority_key = read_text(model, "key.pem"), *key = NULL;
    if (!authority || !authority_key)
        return rf_fail(err, RF_FAILED, "the node's own CA is not there (%s)", RF_STATE_CA);
    if (rf_certificate_key(&key, err) < 0 ||
        rf_certificate_make(request, key, authority, authority_key, &certificate, err) < 0)
        return -1;
    *ret_key = RF_STEAL(key);
    *ret_certificate = RF_STEAL(certificate);
    return 0;
}

bool rf_ca_good(const rf_node_model *model, const char *certificate, const struct rf_certificate_request *request)
{
    rf_autofree char *authority = rf_ca_certificate(model);
    return authority && rf_certificate_good(certificate, request, authority);
}
