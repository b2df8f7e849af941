/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A guest's lane up to its definition, killed at each of its points: what comes behind needs a libvirt that outlives the kill, and is
 * tried on a node (tests/lab/test_seeding_kills.py). */
#include "base/paths.h"
#include "postinstall/ca.h"
#include "postinstall/certificate.h"
#include "postinstall/guest_tls.h"
#include "postinstall/plan_guest.h"
#include "postinstall/secret.h"
#include "tests/unit/postinstall/fixture.h"

#include <fts.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { MAKING = 3 }; /* disk, secret, seed: the steps before libvirt is asked to do anything */

static bool open_with_base(struct fixture *fixture)
{
    struct rf_command command = {.argv = RF_ARGV("qemu-img", "--version")};
    rf_autoresult struct rf_result result = {0};
    fixture_open(fixture, NULL, rf_runner_real());
    if (rf_run_status(fixture->runner, &command, &result, NULL) < 0) {
        print_message("skipped: qemu-img is not installed\n");
        fixture_close(fixture);
        return false;
    }
    fixture_write(fixture, RF_BASE_IMAGES "/.made", "", 0644);
    rf_autofree char *base = rf_format("%s" RF_BASE_IMAGES "/active-directory.qcow2", fixture->root);
    const char *const *create = RF_ARGV("qemu-img", "create", "-q", "-f", "qcow2", base, "1M");
    assert_int_equal(rf_run_argv(fixture->runner, create, NULL), 0);
    assert_int_equal(rf_step_ca.apply(&fixture->env, fixture->model, NULL), 0);
    fixture->model->guests[0].disk = 8 << 20;
    return true;
}

static int walk(struct fixture *fixture, const char *kill_at)
{
    rf_autoplan rf_plan *plan = rf_plan_new();
    rf_guest_plan_add(&fixture->model->guests[0], NULL, plan);
    size_t all = plan->count;
    plan->count = MAKING;
    const struct rf_apply_options options = {.phase = RF_PHASE_NODE, .kill_at = kill_at};
    int result = rf_plan_apply(plan, &fixture->env, &options, NULL, NULL);
    plan->count = all;
    return result;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* One line for each file: path, mode. The caller frees it. */
static char *files_below(char *root)
{
    char *text = NULL;
    FTS *tree = fts_open((char *const[]){root, NULL}, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    for (FTSENT *entry; tree && (entry = fts_read(tree));)
        if (entry->fts_info == FTS_F && strcmp(entry->fts_name, "events.jsonl") != 0)
            rf_append(&text, "%s %o\n", entry->fts_path + strlen(root), entry->fts_statp->st_mode & 07777);
    if (tree)
        fts_close(tree);
    return text ? text : rf_strdup("");
}

static void assert_whole(struct fixture *fixture, const char *expected, const char *killed_at)
{
    const struct rf_node_guest *guest = &fixture->model->guests[0];
    rf_autofree char *files = files_below(fixture->root), *certificate = rf_guest_certificate(guest);
    rf_autofree char *generated = fixture_read(fixture, RF_STATE_GUESTS "/dc1/generated.json");
    rf_autojson json_t *secrets = rf_secret_load(guest);
    if (strcmp(files, expected) != 0)
        fail_msg("killed at %s:\n%s\ninstead of\n%s", killed_at, files, expected);
    assert_true(rf_certificate_matches(certificate, rf_json_string(secrets, RF_SECRET_TLS_KEY)));
    assert_non_null(rf_json_string(secrets, "administrator"));
    rf_autojson json_t *keys = json_loads(generated, 0, NULL);
    assert_int_equal(json_array_size(keys), json_object_size(secrets) - 1); /* each once; the TLS key is no password */
}

static void killed_at_any_point_it_converges(void **state)
{
    (void)state;
    static const char *const steps[MAKING] = {"disk/dc1", "secret/dc1", "seed/dc1"};
    static const char *const points[] = {"before", "probed", "applied", "after"};
    rf_autofree char *expected = NULL;
    for (size_t i = 0; i <= MAKING * RF_COUNT(points); i++) {
        struct fixture fixture;
        int status = 0;
        rf_autofree char *kill_at =
            i ? rf_format("%s:%s", steps[(i - 1) / RF_COUNT(points)], points[(i - 1) % RF_COUNT(points)]) : NULL;
        if (!open_with_base(&fixture))
            skip();
        pid_t child = kill_at ? fork() : 0;
        if (kill_at && child == 0) {
            walk(&fixture, kill_at);
            _exit(0);
        }
        if (kill_at) {
            assert_int_equal(waitpid(child, &status, 0), child);
            assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        }
        assert_int_equal(walk(&fixture, NULL), 0);
        if (!expected)
            expected = files_below(fixture.root); /* undisturbed */
        assert_whole(&fixture, expected, kill_at ? kill_at : "nothing");
        fixture_close(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(killed_at_any_point_it_converges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
