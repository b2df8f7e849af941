/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the profile comes from: a medium in a folder, and a web server of our own. */
#include "base/ident.h"
#include "image/region.h"
#include "installer/source.h"
#include "tests/unit/base/receiver.h"
#include "tests/unit/unit.h"

#define TEXT "richtfest: 1\n"
#define OK "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 13\r\n\r\n" TEXT
#define BUSY "HTTP/1.1 503 x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
#define NOT_FOUND "HTTP/1.1 404 x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
#define ANSWERS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* A medium whose region holds this. The caller removes it and frees its path. */
static char *medium_with(const struct rf_region *region)
{
    rf_autofree char *bytes = NULL;
    char *medium = unit_directory();
    rf_autofree char *path = rf_format("%s" RF_REGION_FILE, medium), *above = rf_format("%s/richtfest", medium);
    assert_int_equal(rf_region_format(region, &bytes, NULL), 0);
    assert_int_equal(rf_make_dirs(above, 0755, NULL), 0);
    assert_int_equal(rf_write_file(path, bytes, RF_REGION_SIZE, 0644, NULL), 0);
    return medium;
}

/* What is found there; the kernel that runs these tests names no profile. */
static int found(const struct rf_region *region, struct rf_source *ret_source, rf_error **err)
{
    rf_autofree char *medium = medium_with(region);
    const int result = rf_source_find(medium, ret_source, err);
    rf_remove_tree(medium, NULL);
    return result;
}

static void a_url_on_the_medium(void **state)
{
    (void)state;
    char url[] = "https://user:secret@host.example/p.yaml?token=secret", id[RF_UUID_TEXT];
    rf_autosource struct rf_source source = {0};
    assert_int_equal(found(&(struct rf_region){.profile_url = url}, &source, NULL), 0);
    rf_source_id_url(url, id);
    assert_string_equal(source.url, url);
    assert_string_equal(source.name, "https://host.example/p.yaml"); /* what messages say holds no secret */
    assert_string_equal(source.id, id);
    assert_null(source.text);
    rf_source_identify(&source, "node-1"); /* it has one: that of the ISO's region */
    assert_string_equal(source.id, id);
}

static void a_profile_on_the_medium(void **state)
{
    (void)state;
    char text[] = TEXT, name[] = "musterkunde.yaml", id[RF_UUID_TEXT];
    const struct rf_region regions[] = {{.profile = text, .profile_size = strlen(text)},
                                        {.profile = text, .profile_size = strlen(text), .name = name}};
    static const char *const names[] = {"profile on the medium", "musterkunde.yaml"};
    rf_source_id_node("node-1", id);
    for (size_t i = 0; i < RF_COUNT(regions); i++) {
        rf_autosource struct rf_source source = {0};
        assert_int_equal(found(&regions[i], &source, NULL), 0);
        assert_string_equal(source.name, names[i]);
        assert_string_equal(source.text, TEXT);
        assert_int_equal(source.size, strlen(TEXT));
        assert_null(source.url);
        assert_null(source.id); /* only the profile itself names its node */
        rf_source_identify(&source, "node-1");
        assert_string_equal(source.id, id);
        assert_int_equal(rf_source_fetch(&source, "/nonexistent", NULL, NULL), 0); /* it is here: nobody is asked */
    }
}

static void none_is_an_error_that_says_what_to_do(void **state)
{
    (void)state;
    char url[] = "ftp://user:secret@host.example/p.yaml";
    struct rf_source source = {0};
    rf_error *error = NULL;
    assert_int_equal(found(&(struct rf_region){0}, &source, &error), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_PROFILE);
    assert_error_has(error, "no profile: restart this machine, press the key e in the boot menu");
    assert_int_equal(found(&(struct rf_region){.profile_url = url}, &source, &error), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_PROFILE);
    rf_autofree char *text = rf_error_text(error);
    assert_null(strstr(text, "secret"));
    assert_error_has(error, "the profile URL on the medium: ");
    assert_int_equal(rf_source_find("/nonexistent", &source, &error), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_PROFILE);
    rf_error_free(error);
}

/* A customising that was interrupted: half a URL would lead elsewhere. */
static void a_damaged_region_is_not_believed(void **state)
{
    (void)state;
    char url[] = "https://host.example/p.yaml";
    rf_autofree char *medium = medium_with(&(struct rf_region){.profile_url = url});
    rf_autofree char *path = rf_format("%s" RF_REGION_FILE, medium);
    struct rf_source source = {0};
    rf_error *error = NULL;
    FILE *file = fopen(path, "r+");
    assert_int_equal(fseek(file, RF_REGION_HEADER + 20, SEEK_SET), 0);
    assert_int_equal(fputc('X', file), 'X');
    fclose(file);
    assert_int_equal(rf_source_find(medium, &source, &error), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_PROFILE);
    rf_error_free(error);
    rf_remove_tree(medium, NULL);
}

/* A source of that server; what is told while it is waited for goes to a file. */
struct desk {
    struct receiver server;
    struct rf_session session;
    struct rf_source source;
    char *directory, *said;
};

static void open_desk(struct desk *desk, const char *const *answers)
{
    *desk = (struct desk){.directory = unit_directory()};
    receiver_answer(&desk->server, answers);
    desk->said = rf_format("%s/events.jsonl", desk->directory);
    desk->session.events = rf_events_new("test");
    rf_events_add(desk->session.events, rf_sink_file(desk->said, NULL));
    desk->source.url = rf_format("http://user:secret@127.0.0.1:%u/p.yaml?token=secret", desk->server.port);
    desk->source.name = rf_format("http://127.0.0.1:%u/p.yaml", desk->server.port);
}

static void close_desk(struct desk *desk)
{
    rf_source_clear(&desk->source);
    rf_events_free(desk->session.events);
    receiver_close(&desk->server);
    rf_remove_tree(desk->directory, NULL);
    free(desk->directory);
    free(desk->said);
}

#define autodesk RF_CLEANUP(close_desk)

static void a_server_that_is_busy_is_asked_again(void **state)
{
    (void)state;
    autodesk struct desk desk;
    rf_autofree char *said = NULL;
    open_desk(&desk, ANSWERS(BUSY, OK));
    assert_int_equal(rf_source_fetch(&desk.source, desk.directory, &desk.session, NULL), 0);
    assert_string_equal(desk.source.text, TEXT);
    assert_int_equal(desk.source.size, strlen(TEXT));
    assert_int_equal(rf_read_file(desk.said, 1 << 20, &said, NULL, NULL), 0);
    assert_non_null(strstr(said, "\"waiting\""));
    assert_non_null(strstr(said, "status 503 (attempt 1, next in 1 s; this machine: "));
    assert_null(strstr(said, "secret"));
}

/* Nobody would ever see it: the run says so, and a person acts. */
static void waiting_for_what_is_not_there_does_not_help(void **state)
{
    (void)state;
    autodesk struct desk desk;
    rf_error *error = NULL;
    open_desk(&desk, ANSWERS(NOT_FOUND));
    assert_int_equal(rf_source_fetch(&desk.source, desk.directory, &desk.session, &error), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_PROFILE);
    rf_autofree char *text = rf_error_text(error);
    assert_null(strstr(text, "secret"));
    assert_error_has(error, "status 404");
    assert_null(desk.source.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_on_the_medium),
        cmocka_unit_test(a_profile_on_the_medium),
        cmocka_unit_test(none_is_an_error_that_says_what_to_do),
        cmocka_unit_test(a_damaged_region_is_not_believed),
        cmocka_unit_test(a_server_that_is_busy_is_asked_again),
        cmocka_unit_test(waiting_for_what_is_not_there_does_not_help),
    };
    return cmocka_run_group_tests_name("installer/source", tests, NULL, NULL);
}
