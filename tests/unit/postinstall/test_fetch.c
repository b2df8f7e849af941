/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A guest made of an image by URL, from a web server of our own. */
#include "base/digest.h"
#include "base/paths.h"
#include "postinstall/disk.h"
#include "postinstall/fetch.h"
#include "postinstall/status.h"
#include "tests/unit/base/receiver.h"
#include "tests/unit/postinstall/fixture.h"

#define NOT_FOUND "HTTP/1.1 404 x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
#define DISK RF_POOL_DIR "/web.qcow2"

enum { SIZE = 4096 };

/* A raw disk that a PC would boot, without a zero in it: the answers of the test's server are texts. */
static void make_disk(char ret_text[SIZE + 1])
{
    memset(ret_text, 'x', SIZE);
    ret_text[510] = 0x55;
    ret_text[511] = (char)0xaa;
    ret_text[SIZE] = '\0';
}

struct desk {
    struct fixture fixture;
    struct receiver server;
    struct rf_node_guest *guest;
    char content[SIZE + 1], sha256[RF_SHA256_HEX];
    char *answer;
};

/* `answers` NULL: the disk, once. */
static void open_desk(struct desk *desk, const char *const *answers, const char *format, rf_runner *runner)
{
    make_disk(desk->content);
    rf_sha256(desk->content, SIZE, desk->sha256);
    desk->answer =
        rf_format("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", SIZE, desk->content);
    static const char *one[2];
    one[0] = desk->answer;
    receiver_answer(&desk->server, answers ? answers : one);
    rf_autofree char *guests = rf_format("  - {name: web, recipe: image, disk: 1 GiB, settings: {url: "
                                         "'http://user:secret@127.0.0.1:%u/disk.img?token=secret', "
                                         "sha256: %s, format: %s}}\n",
                                         desk->server.port, desk->sha256, format);
    fixture_open_with(&desk->fixture, guests, NULL, runner);
    desk->guest = &desk->fixture.model->guests[0];
}

static void close_desk(struct desk *desk)
{
    fixture_close(&desk->fixture);
    receiver_close(&desk->server);
    free(desk->answer);
}

#define autodesk RF_CLEANUP(close_desk)

static enum rf_probe probe(struct desk *desk)
{
    return rf_step_fetch.probe(&desk->fixture.env, desk->guest, NULL);
}

static int apply(struct desk *desk, rf_error **err)
{
    return rf_step_fetch.apply(&desk->fixture.env, desk->guest, err);
}

static void an_image_is_fetched_once(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, NULL, "raw", rf_runner_dry());
    assert_int_equal(probe(&desk), RF_PROBE_TODO);
    assert_int_equal(apply(&desk, NULL), 0);
    assert_int_equal(rf_step_fetch.verify(&desk.fixture.env, desk.guest, NULL), 0);
    assert_int_equal(probe(&desk), RF_PROBE_DONE);
    assert_int_equal(apply(&desk, NULL), 0); /* repeated: nothing is asked for */
    assert_int_equal(desk.server.count, 1);
    rf_autofree char *path = rf_guest_fetched_path(desk.guest), *name = rf_format("/%s", desk.sha256);
    assert_non_null(strstr(path, name));
    assert_int_equal(unit_mode(path), 0600);
}

static void a_bit_that_fell_over_is_noticed(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, NULL, "raw", rf_runner_dry());
    rf_autofree char *below = rf_format(RF_FETCHED_DIR "/%s", desk.sha256);
    desk.content[100] = 'y';
    fixture_write(&desk.fixture, below, desk.content, 0600);
    assert_int_equal(probe(&desk), RF_PROBE_TODO);
    assert_int_equal(apply(&desk, NULL), 0);
    assert_int_equal(probe(&desk), RF_PROBE_DONE);
}

static void assert_fails(const char *const *answers, const char *format, uint64_t disk, const char *says)
{
    autodesk struct desk desk;
    rf_error *error = NULL;
    open_desk(&desk, answers, format, rf_runner_dry());
    desk.guest->disk = disk ? disk : desk.guest->disk;
    assert_int_equal(apply(&desk, &error), -1);
    assert_int_equal(rf_error_code(error), RF_FAILED); /* the run ends with 3, whatever the server said */
    rf_autofree char *text = rf_error_text(error);
    assert_null(strstr(text, "secret"));
    assert_int_equal(strncmp(text, "web: ", 5), 0);
    assert_error_has(error, says);
    assert_int_equal(probe(&desk), RF_PROBE_TODO);
}

static void every_trouble_names_guest_key_and_what_to_do(void **state)
{
    static const char *const not_found[] = {NOT_FOUND, NULL};
    static const char *const other[] = {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nother", NULL};
    (void)state;
    assert_fails(not_found, "raw", 0, "settings.url: http://127.0.0.1:");
    assert_fails(not_found, "raw", 0, "status 404; correct the address, or let this node reach it");
    assert_fails(other, "raw", 0, "settings.sha256: the checksum of http://127.0.0.1:");
    assert_fails(other, "raw", 0, "compare with what the publisher says");
    assert_fails(NULL, "qcow2", 0, "settings.format: http://127.0.0.1:");
    assert_fails(NULL, "qcow2", 0, "it is no qcow2 image, but a raw one; write 'format: raw'");
    assert_fails(NULL, "raw", SIZE / 2, "disk: the image http://127.0.0.1:");
    assert_fails(NULL, "raw", SIZE / 2,
                 "is a disk of 4.10 kB, and the guest is given one of 2.05 kB; write 'disk: 1 MiB' or more");
}

/* More than any disk of ours has: refused by its announced size, before a byte of it is here. */
static void no_room_is_said_before_it_is_used_up(void **state)
{
    static const char *const huge[] = {
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9000000000000000\r\n\r\n", NULL};
    (void)state;
    assert_fails(huge, "raw", UINT64_C(1) << 60, "web: settings.url: there is no room for the image: ");
    assert_fails(huge, "raw", UINT64_C(1) << 60, "are left beside what the other guests need");
    assert_fails(huge, "raw", 0, "web: disk: the image is larger than the guest's disk of 1.07 GB");
}

static bool said(const struct desk *desk, const char *words)
{
    rf_autofree char *events = fixture_read(&desk->fixture, "/events.jsonl");
    return events && strstr(events, words);
}

static void a_guest_keeps_its_disk(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, NULL, "raw", rf_runner_dry());
    fixture_write(&desk.fixture, DISK, "a disk", 0600);
    assert_int_equal(probe(&desk), RF_PROBE_DONE);
    assert_false(said(&desk, "keeps its disk"));
    fixture_write(&desk.fixture, RF_STATE_GUESTS "/web/image.json", "{\"sha256\": \"00112233445566\"}", 0600);
    assert_int_equal(probe(&desk), RF_PROBE_DONE); /* never replaced */
    assert_true(said(&desk, "web keeps its disk, which was made of another image (SHA-256 001122334455…)"));
    assert_true(said(&desk, "richtfest guest delete web --with-its-disk"));
    assert_int_equal(desk.server.count, 0);
}

/* Gigabytes would be fetched onto the root, and the guest's state go. */
static void nothing_is_fetched_for_a_guest_that_lost_its_disk(void **state)
{
    (void)state;
    autodesk struct desk desk;
    rf_error *error = NULL;
    open_desk(&desk, NULL, "raw", rf_runner_dry());
    fixture_write(&desk.fixture, RF_STATE_GUESTS "/web/settled.json", "{}", 0600);
    assert_int_equal(probe(&desk), RF_PROBE_ERROR);
    assert_int_equal(apply(&desk, &error), -1);
    assert_error_has(error, "'richtfest guest import web FILE'");
    assert_int_equal(desk.server.count, 0);
}

/* A guest that is not there, and nobody says why, would be a silent failure. */
static void status_says_that_an_image_is_waited_for(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, NULL, "raw", rf_runner_dry());
    const struct rf_node_options options = {
        .recipes_dir = RECIPES, .root = desk.fixture.root, .uri = "test:///default"};
    rf_autojson json_t *before = rf_node_status_json(desk.fixture.profile, &options, NULL);
    rf_autofree char *text = rf_node_status_text(before);
    assert_non_null(strstr(text, "\n  waiting for its image (http://127.0.0.1:"));
    assert_null(strstr(text, "secret"));
    fixture_write(&desk.fixture, DISK, "a disk", 0600);
    fixture_write(&desk.fixture, RF_STATE_GUESTS "/web/image.json", "{\"sha256\": \"00112233445566\"}", 0600);
    rf_autojson json_t *after = rf_node_status_json(desk.fixture.profile, &options, NULL);
    rf_autofree char *later = rf_node_status_text(after);
    assert_null(strstr(later, "waiting for its image"));
    assert_non_null(strstr(later, "  image:                   web keeps its disk, which was made of another image"));
}

static void images_that_nobody_names_go(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, NULL, "raw", rf_runner_dry());
    fixture_write(&desk.fixture, RF_FETCHED_DIR "/0011", "an older image", 0600);
    fixture_write(&desk.fixture, RF_FETCHED_DIR "/.0011.part", "a part of it", 0600);
    assert_int_equal(apply(&desk, NULL), 0);
    rf_autofree char *image = rf_format("%s" RF_FETCHED_DIR "/0011", desk.fixture.root),
                     *part = rf_format("%s" RF_FETCHED_DIR "/.0011.part", desk.fixture.root);
    assert_false(rf_exists(image));
    assert_false(rf_exists(part));
}

/* The whole way, with the real qemu-img: a raw image becomes a disk of the size asked for, and what it was made of is known. */
static void the_disk_is_made_of_it(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, NULL, "raw", rf_runner_real());
    struct rf_step_env *env = &desk.fixture.env;
    if (rf_run_argv(env->runner, RF_ARGV("qemu-img", "--version"), NULL) < 0)
        skip();
    assert_int_equal(apply(&desk, NULL), 0);
    rf_error *error = NULL;
    assert_int_equal(rf_step_disk.apply(env, desk.guest, &error), 0);
    assert_int_equal(rf_step_disk.probe(env, desk.guest, NULL), RF_PROBE_DONE);
    rf_autofree char *path = rf_guest_disk_path(desk.guest), *info = NULL, *known = rf_fetch_remembered(desk.guest);
    assert_int_equal(rf_run_output(env->runner, RF_ARGV("qemu-img", "info", "--output=json", path), &info, NULL), 0);
    assert_non_null(strstr(info, "\"format\": \"qcow2\""));
    assert_non_null(strstr(info, "\"virtual-size\": 1073741824"));
    assert_string_equal(known, desk.sha256);
    rf_autofree char *record = fixture_read(&desk.fixture, RF_STATE_GUESTS "/web/image.json");
    assert_null(strstr(record, "secret"));
    assert_null(rf_fetch_changed(desk.guest));
}

static void a_qcow2_is_cloned(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, NULL, "qcow2", rf_runner_real());
    struct rf_step_env *env = &desk.fixture.env;
    rf_autofree char *image = rf_guest_fetched_path(desk.guest), *backed = rf_format("%s.base", image), *info = NULL;
    if (rf_run_argv(env->runner, RF_ARGV("qemu-img", "--version"), NULL) < 0)
        skip();
    assert_int_equal(rf_fetch_directory(desk.fixture.model, NULL), 0);
    assert_int_equal(rf_run_argv(env->runner,
                                 RF_ARGV("qemu-img", "create", "-q", "-f", "qcow2", "-o", "compat=0.10", image, "8M"),
                                 NULL),
                     0);
    assert_int_equal(rf_step_disk.apply(env, desk.guest, NULL), 0);
    rf_autofree char *path = rf_guest_disk_path(desk.guest);
    assert_int_equal(rf_run_output(env->runner, RF_ARGV("qemu-img", "info", "--output=json", path), &info, NULL), 0);
    assert_non_null(strstr(info, "\"virtual-size\": 1073741824"));
    assert_non_null(strstr(info, "\"compat\": \"1.1\"")); /* the former can't grow any more once it has snapshots */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rename(image, backed), 0); /* and one that names another file is not even opened */
    assert_int_equal(rf_run_argv(env->runner,
                                 RF_ARGV("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", backed, image),
                                 NULL),
                     0);
    rf_error *error = NULL;
    assert_int_equal(rf_step_disk.apply(env, desk.guest, &error), -1);
    assert_error_has(error, "only the difference to another image (its backing file); offer the whole");
    assert_false(rf_exists(path));
}

/* Of two guests one names an image that is not there: the other one gets its disk, and the run has failed. */
static void one_image_that_is_not_there_spoils_nothing(void **state)
{
    (void)state;
    RF_CLEANUP(receiver_close) struct receiver server;
    char content[SIZE + 1], sha256[RF_SHA256_HEX];
    make_disk(content);
    rf_sha256(content, SIZE, sha256);
    rf_autofree char *fine =
        rf_format("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", SIZE, content);
    unsigned nobody;
    rf_autofd int fd = receiver_port(&nobody); /* refuses whoever connects */
    receiver_answer(&server, (const char *const[]){fine, NULL});
    rf_autofree char *guests = rf_format(
        "  - {name: bad, recipe: image, disk: 1 GiB, settings: {url: 'http://127.0.0.1:%u/x', sha256: %s, format: "
        "raw}}\n"
        "  - {name: good, recipe: image, disk: 1 GiB, settings: {url: 'http://127.0.0.1:%u/x', sha256: %s, format: "
        "raw}}\n",
        nobody, sha256, server.port, sha256);
    *(strstr(guests, "sha256: ") + strlen("sha256: ")) = sha256[0] == '0' ? '1' : '0'; /* two images: two files */
    struct fixture fixture;
    fixture_open_with(&fixture, guests, NULL, rf_runner_real());
    if (rf_run_argv(fixture.runner, RF_ARGV("qemu-img", "--version"), NULL) == 0) {
        rf_autoplan rf_plan *plan = rf_plan_new();
        for (size_t i = 0; i < 2; i++) {
            const struct rf_node_guest *guest = &fixture.model->guests[i];
            rf_autofree char *fetch = rf_format("fetch/%zu", i), *disk = rf_format("disk/%zu", i);
            struct rf_step *step = rf_plan_add(plan, &rf_step_fetch, guest, RF_PHASE_NODE, fetch, "Fetch");
            step->lane = guest->lane;
            step->independent = true;
            step = rf_plan_add(plan, &rf_step_disk, guest, RF_PHASE_NODE, disk, "Make the disk");
            step->lane = guest->lane;
            step->independent = true;
        }
        rf_error *error = NULL;
        const struct rf_apply_options options = {.phase = RF_PHASE_NODE};
        assert_int_equal(rf_plan_apply(plan, &fixture.env, &options, NULL, &error), -1);
        assert_int_equal(rf_error_code(error), RF_FAILED);
        assert_error_has(error, "Fetch: bad: settings.url: http://127.0.0.1:");
        rf_autofree char *bad = rf_guest_disk_path(&fixture.model->guests[0]),
                         *good = rf_guest_disk_path(&fixture.model->guests[1]);
        assert_false(rf_exists(bad));
        assert_true(rf_exists(good));
    }
    fixture_close(&fixture);
}

static void without_an_image_there_is_no_disk(void **state)
{
    (void)state;
    autodesk struct desk desk;
    rf_error *error = NULL;
    open_desk(&desk, NULL, "raw", rf_runner_dry());
    assert_int_equal(rf_step_disk.apply(&desk.fixture.env, desk.guest, &error), -1);
    assert_error_has(error, "can't be read");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_is_fetched_once),
        cmocka_unit_test(a_bit_that_fell_over_is_noticed),
        cmocka_unit_test(every_trouble_names_guest_key_and_what_to_do),
        cmocka_unit_test(no_room_is_said_before_it_is_used_up),
        cmocka_unit_test(a_guest_keeps_its_disk),
        cmocka_unit_test(nothing_is_fetched_for_a_guest_that_lost_its_disk),
        cmocka_unit_test(status_says_that_an_image_is_waited_for),
        cmocka_unit_test(images_that_nobody_names_go),
        cmocka_unit_test(the_disk_is_made_of_it),
        cmocka_unit_test(a_qcow2_is_cloned),
        cmocka_unit_test(one_image_that_is_not_there_spoils_nothing),
        cmocka_unit_test(without_an_image_there_is_no_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
