/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a guest's image lacks: waited for, brought, put on a drive. The publisher is a web server of our own. */
#include "base/digest.h"
#include "base/paths.h"
#include "postinstall/artefact.h"
#include "postinstall/domain_xml.h"
#include "postinstall/plan_guest.h"
#include "postinstall/status.h"
#include "tests/unit/base/receiver.h"
#include "tests/unit/postinstall/fixture.h"

#define CONTENT "an archive"
#define OK(body) "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\n" body
#define NOT_FOUND "HTTP/1.1 404 x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
#define ANSWERS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define GUESTS                                                                                                         \
    "  - {name: box, recipe: box}\n"                                                                                   \
    "  - {name: x, recipe: plain}\n"
#define KEY "28806A878AE423A28372792ED75899B9A724937A"

struct desk {
    struct fixture fixture;
    struct receiver server;
    struct rf_node_guest *guest;
    char sha256[RF_SHA256_HEX];
};

static json_t *one(const struct desk *desk, const char *name, const char *state, bool pinned)
{
    rf_autofree char *url =
        rf_format("http://user:secret@127.0.0.1:%u/%s.tar.gz?token=secret", desk->server.port, name);
    rf_autofree char *file = rf_format("%s-1.0.tar.gz", name);
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:[],s:s?,s:i,s:s,s:i}", "name", name, "version", "1.0", "state", state,
                     "file", file, "url", url, "mirrors", "sha256", pinned ? desk->sha256 : NULL, "size", 100, "format",
                     "tar.gz", "strip", 1);
}

static void open_desk(struct desk *desk, const char *const *answers, const char *theme, bool pinned)
{
    rf_sha256(CONTENT, strlen(CONTENT), desk->sha256);
    receiver_answer(&desk->server, answers);
    rf_autojson json_t *facts =
        json_pack("{s:[o,o]}", "artefacts", one(desk, "app", "waiting", pinned), one(desk, "theme", theme, true));
    fixture_open_with(&desk->fixture, GUESTS, facts, rf_runner_dry());
    desk->guest = &desk->fixture.model->guests[0];
}

static void close_desk(struct desk *desk)
{
    fixture_close(&desk->fixture);
    receiver_close(&desk->server);
}

#define autodesk RF_CLEANUP(close_desk)

static enum rf_probe probe(struct desk *desk)
{
    return rf_step_artefact.probe(&desk->fixture.env, desk->guest, NULL);
}

static int apply(struct desk *desk, rf_error **err)
{
    return rf_step_artefact.apply(&desk->fixture.env, desk->guest, err);
}

/* What the guest waits for, as one text. The caller frees it. */
static char *waiting(const struct desk *desk)
{
    rf_autojson json_t *texts = rf_artefact_waiting(desk->guest);
    char *text = rf_strdup("");
    for (size_t i = 0; i < json_array_size(texts); i++)
        rf_append(&text, "%s\n", json_string_value(json_array_get(texts, i)));
    return text;
}

static void what_it_waits_for_is_said(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, ANSWERS(NOT_FOUND), "waiting", true);
    rf_autofree char *text = waiting(&desk), *lacking = rf_artefact_lacking(desk.guest),
                     *other = rf_artefact_lacking(desk.guest + 1);
    rf_autofree char *expected = rf_format("waiting for artefact app 1.0 (http://127.0.0.1:%u/app.tar.gz, or place "
                                           "app-1.0.tar.gz in /var/lib/libvirt/images/artefacts)\n",
                                           desk.server.port);
    assert_string_equal(text, expected); /* not for the theme: it can be without */
    assert_string_equal(lacking, "app 1.0, theme 1.0");
    assert_null(other);
    fixture_write(&desk.fixture, RF_ARTEFACTS_HAND "/app-1.0.tar.gz", CONTENT, 0600);
    rf_autofree char *at_hand = waiting(&desk);
    assert_string_equal(at_hand,
                        "artefact app 1.0 is here; the next run takes it if its checksum is right (richtfest apply "
                        "--node)\n");
    assert_int_equal(apply(&desk, NULL), 0);
    rf_autofree char *on_its_way = waiting(&desk);
    assert_string_equal(on_its_way, "");
}

static void a_guest_that_works_waits_for_nothing(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, ANSWERS(NOT_FOUND), "waiting", true);
    fixture_write(&desk.fixture, RF_STATE_GUESTS "/box/settled.json", "{}", 0600);
    assert_int_equal(probe(&desk), RF_PROBE_ERROR); /* its disk is gone, and is never made anew by itself */
    assert_int_equal(apply(&desk, NULL), -1);
    fixture_write(&desk.fixture, RF_POOL_DIR "/box.qcow2", "x", 0600);
    rf_autofree char *text = waiting(&desk);
    assert_string_equal(text, "");
    assert_int_equal(probe(&desk), RF_PROBE_DONE);
}

static void a_drive_of_another_list_is_written_anew(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, ANSWERS(OK(CONTENT)), "included", true);
    assert_int_equal(apply(&desk, NULL), 0);
    assert_int_equal(probe(&desk), RF_PROBE_DONE);
    json_object_set_new(json_array_get(desk.fixture.model->artefacts, 0), "version", json_string("1.1"));
    assert_int_equal(probe(&desk), RF_PROBE_TODO);
    assert_int_equal(apply(&desk, NULL), 0);
    assert_int_equal(probe(&desk), RF_PROBE_DONE);
}

static void what_nobody_has_confirmed_is_never_fetched(void **state)
{
    (void)state;
    autodesk struct desk desk;
    rf_error *error = NULL;
    open_desk(&desk, ANSWERS(OK(CONTENT)), "included", false);
    assert_int_equal(apply(&desk, &error), -1);
    assert_error_has(error, "box: waiting for artefact app 1.0: it has no confirmed checksum");
    assert_int_equal(desk.server.count, 0);
}

static bool drive_holds(const struct desk *desk, const char *bytes)
{
    rf_autofree char *path = rf_guest_artefacts_path(desk->guest), *text = NULL;
    size_t size = 0;
    return rf_read_file(path, 8 << 20, &text, &size, NULL) == 0 && memmem(text, size, bytes, strlen(bytes));
}

static void it_is_brought_and_put_on_a_drive(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, ANSWERS(OK(CONTENT)), "included", true);
    assert_int_equal(probe(&desk), RF_PROBE_TODO);
    assert_int_equal(apply(&desk, NULL), 0);
    assert_int_equal(probe(&desk), RF_PROBE_DONE);
    assert_true(drive_holds(&desk, CONTENT));
    assert_true(drive_holds(&desk, "\"name\": \"app\""));
    assert_false(drive_holds(&desk, "\"name\": \"theme\"")); /* its image has that */
    rf_autofree char *path = rf_guest_artefacts_path(desk.guest);
    assert_int_equal(unit_mode(path), 0600);
    rf_autoxml xmlDoc *first = rf_domain_xml(desk.guest, true), *later = rf_domain_xml(desk.guest, false);
    rf_autofree char *with = rf_xml_text(first), *without = rf_xml_text(later);
    assert_non_null(strstr(with, path));
    assert_non_null(strstr(with, "<target dev=\"vdc\" bus=\"virtio\"/>"));
    assert_null(strstr(without, path));
}

static void by_hand_without_a_network(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, ANSWERS(NOT_FOUND, NOT_FOUND), "waiting", true);
    fixture_write(&desk.fixture, RF_ARTEFACTS_HAND "/app-1.0.tar.gz", CONTENT, 0644);
    assert_int_equal(apply(&desk, NULL), 0);
    assert_true(drive_holds(&desk, CONTENT));
    rf_autofree char *events = fixture_read(&desk.fixture, "/events.jsonl");
    assert_non_null(strstr(events, "waiting for artefact theme 1.0")); /* said, and done without */
    assert_null(strstr(events, "secret"));
}

static void what_can_not_be_had_ends_this_guest(void **state)
{
    (void)state;
    autodesk struct desk desk;
    rf_error *error = NULL;
    open_desk(&desk, ANSWERS(NOT_FOUND), "waiting", true);
    fixture_write(&desk.fixture, RF_ARTEFACTS_HAND "/app-1.0.tar.gz", "other bytes", 0644);
    assert_int_equal(apply(&desk, &error), -1);
    assert_int_equal(rf_error_code(error), RF_FAILED);
    rf_autofree char *text = rf_error_text(error);
    assert_null(strstr(text, "secret"));
    assert_non_null(strstr(text, "box: waiting for artefact app 1.0 (http://127.0.0.1:"));
    assert_non_null(strstr(text, "/artefacts/app-1.0.tar.gz is wrong: not used"));
    assert_error_has(error, "status 404");
    assert_int_equal(probe(&desk), RF_PROBE_TODO);
    assert_int_equal(desk.server.count, 1); /* where what it needs is not to be had, the rest is not asked for */
}

/* sqv says that somebody else has signed it. */
static int wrong_key(rf_runner *runner, const struct rf_command *command, struct rf_result *result, rf_error **err)
{
    (void)runner;
    (void)command;
    (void)err;
    *result = (struct rf_result){.out = rf_strdup("0000\n"), .err = rf_strdup("")};
    return 0;
}

#define ARMOUR "-----BEGIN PGP SIGNATURE-----\n"
#define SIGNATURE "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 30\r\n\r\n" ARMOUR
#define PORTAL "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 17\r\n\r\n<html>pay!</html>"

/* A file that lies there by hand, its list's signature at the server, and the key on this node. */
static void sign(struct desk *desk, rf_runner *runner)
{
    json_t *artefact = json_array_get(desk->fixture.model->artefacts, 0);
    rf_autofree char *url = rf_format("http://127.0.0.1:%u/app.asc", desk->server.port);
    json_object_set_new(artefact, "signature", json_pack("{s:s,s:s}", "url", url, "key", KEY));
    fixture_write(&desk->fixture, RF_ARTEFACTS_HAND "/app-1.0.tar.gz", CONTENT, 0644);
    fixture_write(&desk->fixture, RF_KEYS_DIR "/" KEY ".asc", "a key", 0644);
    desk->fixture.env.runner = runner;
}

static void a_wrong_signature_is_not_used(void **state)
{
    (void)state;
    static const struct rf_runner_ops ops = {"fake", wrong_key, NULL};
    autodesk struct desk desk;
    rf_runner fake = {&ops};
    rf_error *error = NULL;
    open_desk(&desk, ANSWERS(SIGNATURE), "included", true);
    sign(&desk, &fake);
    assert_int_equal(apply(&desk, &error), -1);
    assert_error_has(error, "is signed, but not by the key " KEY ": not used");
    rf_autofree char *hand = rf_format("%s" RF_ARTEFACTS_HAND "/app-1.0.tar.gz", desk.fixture.root);
    rf_autofree char *beside = rf_format("%s.asc", hand);
    assert_true(rf_exists(hand)); /* a person's file is a person's to remove */
    assert_false(rf_exists(beside));
}

/* What came instead of a signature is said, and does not stand in the way of the next one. */
static void a_portals_page_is_no_signature(void **state)
{
    (void)state;
    static const struct rf_runner_ops ops = {"fake", wrong_key, NULL};
    autodesk struct desk desk;
    rf_runner fake = {&ops};
    rf_error *error = NULL;
    open_desk(&desk, ANSWERS(PORTAL, SIGNATURE), "included", true);
    sign(&desk, &fake);
    assert_int_equal(apply(&desk, &error), 0);
    rf_autofree char *events = fixture_read(&desk.fixture, "/events.jsonl");
    assert_non_null(strstr(events, "box: the signature of app-1.0.tar.gz was not checked (what http://127.0.0.1:"));
    assert_non_null(strstr(events, "/app.asc answers is no signature); its checksum is right"));
    rf_autofree char *drive = rf_guest_artefacts_path(desk.guest);
    assert_int_equal(unlink(drive), 0);
    assert_int_equal(apply(&desk, &error),
                     -1); /* the server gives a signature now: it is asked again, and that one counts */
    assert_error_has(error, "is signed, but not by the key");
}

/* A signature that a person brought along is theirs: it counts, is not fetched anew, and stays. */
static void a_signature_by_hand_is_kept(void **state)
{
    (void)state;
    static const struct rf_runner_ops ops = {"fake", wrong_key, NULL};
    autodesk struct desk desk;
    rf_runner fake = {&ops};
    rf_error *error = NULL;
    open_desk(&desk, ANSWERS(NOT_FOUND), "included", true);
    sign(&desk, &fake);
    fixture_write(&desk.fixture, RF_ARTEFACTS_HAND "/app-1.0.tar.gz.asc", "theirs", 0644);
    assert_int_equal(apply(&desk, &error), -1);
    assert_error_has(error, "is signed, but not by the key");
    rf_autofree char *kept = fixture_read(&desk.fixture, RF_ARTEFACTS_HAND "/app-1.0.tar.gz.asc");
    assert_string_equal(kept, "theirs");
    assert_int_equal(desk.server.count, 0);
}

static void the_step_comes_first(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, ANSWERS(NOT_FOUND), "waiting", true);
    rf_autoplan rf_plan *plan = rf_plan_new();
    rf_guest_plan_add(desk.guest, NULL, plan);
    assert_string_equal(plan->steps[0].id, "artefact/box");
    assert_string_equal(plan->steps[0].title, "Fetch what the image of box lacks: app 1.0, theme 1.0");
    assert_true(plan->steps[0].independent);
    assert_string_equal(plan->steps[1].id, "disk/box");
}

/* The list that the installer has left, and what is made of it. */
static void the_list_of_a_node(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, ANSWERS(NOT_FOUND), "waiting", true);
    rf_autojson json_t *none = rf_artefacts_known(desk.fixture.root);
    assert_null(none);
    rf_autojson json_t *json = json_pack("{s:O}", "artefacts", desk.fixture.model->artefacts);
    rf_autofree char *text = rf_json_text(json);
    fixture_write(&desk.fixture, RF_ARTEFACTS_FILE, text, 0644);
    rf_autojson json_t *known = rf_artefacts_known(desk.fixture.root);
    assert_true(json_equal(known, desk.fixture.model->artefacts));
    const struct rf_node_options options = {
        .recipes_dir = RECIPES, .root = desk.fixture.root, .uri = "test:///default"};
    rf_autojson json_t *status = rf_node_status_json(desk.fixture.profile, &options, NULL);
    rf_autofree char *said = rf_node_status_text(status);
    assert_non_null(strstr(said, "  waiting for artefact app 1.0 (http://127.0.0.1:"));
    const json_t *box = json_array_get(json_object_get(status, "guests"), 0);
    assert_false(json_is_true(json_object_get(box, "healthy")));
    fixture_write(&desk.fixture, RF_ARTEFACTS_FILE, "{\"artefacts\": 1}", 0644);
    rf_autojson json_t *odd = rf_artefacts_known(desk.fixture.root);
    assert_null(odd);
}

/* A list from a medium is data from elsewhere. */
static void a_list_that_is_odd(void **state)
{
    static const struct {
        const char *key, *value;
    } rows[] = {{"file", "../../etc/cron.d/x"}, {"file", ".x"}, {"file", ""}, {"sha256", "0011"}, {"url", NULL}};
    (void)state;
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        autodesk struct desk desk;
        rf_error *error = NULL;
        open_desk(&desk, ANSWERS(OK(CONTENT)), "included", true);
        json_t *artefact = json_array_get(desk.fixture.model->artefacts, 0);
        json_object_set_new(artefact, rows[i].key, rows[i].value ? json_string(rows[i].value) : json_null());
        assert_int_equal(apply(&desk, &error), -1);
        assert_error_has(error, "no node fetches it");
        assert_int_equal(desk.server.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_waits_for_is_said),
        cmocka_unit_test(a_guest_that_works_waits_for_nothing),
        cmocka_unit_test(a_drive_of_another_list_is_written_anew),
        cmocka_unit_test(what_nobody_has_confirmed_is_never_fetched),
        cmocka_unit_test(it_is_brought_and_put_on_a_drive),
        cmocka_unit_test(by_hand_without_a_network),
        cmocka_unit_test(what_can_not_be_had_ends_this_guest),
        cmocka_unit_test(a_wrong_signature_is_not_used),
        cmocka_unit_test(a_portals_page_is_no_signature),
        cmocka_unit_test(a_signature_by_hand_is_kept),
        cmocka_unit_test(the_step_comes_first),
        cmocka_unit_test(the_list_of_a_node),
        cmocka_unit_test(a_list_that_is_odd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
