/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one stream: what stands in an event's line, and who gets it. */
#include "base/event.h"
#include "base/file.h"
#include "base/ident.h"
#include "base/json.h"
#include "tests/unit/unit.h"

#include <regex.h>
#include <sys/stat.h>

/* Keeps the last line, and how many there were. */
struct keeper {
    rf_sink sink;
    char *line;
    size_t count;
    char **order; /* shared: each sink adds its letter */
    char letter;
    bool *released;
};

static void keep(rf_sink *sink, const struct rf_event *event, const char *line)
{
    (void)event;
    struct keeper *self = (struct keeper *)sink;
    free(self->line);
    self->line = rf_strdup(line);
    self->count++;
    if (self->order)
        rf_append(self->order, "%c", self->letter);
}

static void release(rf_sink *sink)
{
    struct keeper *self = (struct keeper *)sink;
    free(self->line);
    if (self->released)
        *self->released = true;
}

static const struct rf_sink_ops ops = {"keeper", keep, release};

static void assert_matches(const char *text, const char *pattern)
{
    regex_t regex;
    assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    if (regexec(&regex, text, 0, NULL, 0) != 0)
        fail_msg("\"%s\" is not like \"%s\"", text, pattern);
    regfree(&regex);
}

#define UUID4 "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
#define HEAD                                                                                                           \
    "^\\{\"time\":\"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z\",\"machine\":\"n1\",\"run\":" \
    "\"" UUID4 "\","

static void a_line_has_what_was_said_and_no_more(void **state)
{
    (void)state;
    struct keeper keeper = {.sink = {&ops}};
    rf_autoevents rf_events *events = rf_events_new("n1");
    rf_events_add(events, &keeper.sink);
    rf_emit(events, &(struct rf_event){.state = RF_STARTED, .seconds = -1});
    assert_matches(keeper.line, HEAD "\"state\":\"started\"\\}$");
    rf_emit(events, &(struct rf_event){.step = "root",
                                       .title = "Unpack",
                                       .state = RF_PROGRESS,
                                       .seconds = 12.34567,
                                       .done = 5,
                                       .total = 10,
                                       .unit = "files",
                                       .code = RF_FAILED});
    assert_matches(keeper.line,
                   HEAD "\"step\":\"root\",\"state\":\"progress\",\"title\":\"Unpack\",\"seconds\":12.346,\"done\":5,"
                        "\"total\":10,\"unit\":\"files\"\\}$");
    rf_emit(events, &(struct rf_event){.step = "root", .state = RF_PROGRESS, .seconds = 0, .done = 7, .unit = "bytes"});
    assert_matches(keeper.line,
                   HEAD "\"step\":\"root\",\"state\":\"progress\",\"seconds\":0.0,\"done\":7,\"unit\":\"bytes\"\\}$");
    rf_autojson json_t *extra = json_pack("{s:s}", "url", "x");
    rf_emit(events, &(struct rf_event){.state = RF_STATE_FAILED,
                                       .seconds = -1,
                                       .message = "no \"luck\"\n",
                                       .code = RF_BAD_MACHINE,
                                       .extra = extra});
    assert_matches(keeper.line,
                   HEAD "\"state\":\"failed\",\"message\":\"no .{2}luck.{2}.{2}\",\"code\":2,\"url\":\"x\"\\}$");
    rf_emit_message(events, RF_WAITING, "%d of %s", 3, "four");
    assert_matches(keeper.line, HEAD "\"state\":\"waiting\",\"message\":\"3 of four\"\\}$");
    assert_null(strchr(keeper.line, '\n'));
}

static void every_state_has_its_word(void **state)
{
    (void)state;
    static const char *const words[] = {"started", "progress", "done", "skipped", "failed", "waiting"};
    for (size_t i = 0; i < RF_COUNT(words); i++)
        assert_string_equal(rf_state_name((enum rf_state)i), words[i]);
}

/* A device's serial number or a tool's words may be anything. */
static void words_that_are_no_utf8_are_still_said(void **state)
{
    (void)state;
    struct keeper keeper = {.sink = {&ops}};
    rf_autoevents rf_events *events = rf_events_new("n1");
    rf_events_add(events, &keeper.sink);
    rf_emit_message(events, RF_PROGRESS, "disk \xff\xfe of Jürgen");
    rf_autojson json_t *json = json_loads(keeper.line, 0, NULL);
    assert_string_equal(rf_json_string(json, "message"), "disk ?? of J??rgen");
    rf_emit_message(events, RF_PROGRESS, "Jürgen");
    rf_autojson json_t *whole = json_loads(keeper.line, 0, NULL);
    assert_string_equal(rf_json_string(whole, "message"), "Jürgen");
}

static void all_sinks_get_it_in_their_order(void **state)
{
    (void)state;
    rf_autofree char *order = NULL;
    bool released[2] = {false, false};
    struct keeper first = {.sink = {&ops}, .order = &order, .letter = 'a', .released = &released[0]};
    struct keeper second = {.sink = {&ops}, .order = &order, .letter = 'b', .released = &released[1]};
    rf_events *events = rf_events_new("serial-1");
    rf_emit_message(events, RF_STARTED, "nobody hears it");
    rf_events_add(events, &first.sink);
    rf_events_add(events, &second.sink);
    rf_emit_message(events, RF_STARTED, "one");
    rf_autofree char *line = rf_strdup(first.line);
    assert_string_equal(line, second.line);
    rf_events_machine(events, "n1");
    rf_emit_message(events, RF_STARTED, "two");
    assert_string_equal(order, "abab");
    rf_autojson json_t *before = json_loads(line, 0, NULL), *after = json_loads(first.line, 0, NULL);
    assert_string_equal(rf_json_string(before, "machine"), "serial-1");
    assert_string_equal(rf_json_string(after, "machine"), "n1");
    assert_string_equal(rf_json_string(before, "run"), rf_json_string(after, "run"));
    rf_events_free(events);
    assert_true(released[0] && released[1]);
    rf_emit(NULL, &(struct rf_event){.state = RF_DONE}); /* nobody is told, and nothing breaks */
    rf_emit_message(NULL, RF_DONE, "x");
    rf_events_free(NULL);
}

static void a_file_gets_a_line_each_and_is_kept(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory(), *path = rf_format("%s/events.jsonl", directory), *text = NULL;
    for (unsigned run = 1; run <= 2; run++) {
        rf_autoevents rf_events *events = rf_events_new("n1");
        rf_events_add(events, rf_sink_file(path, NULL));
        rf_emit_message(events, RF_STARTED, "run %u", run);
        rf_emit_message(events, RF_DONE, "run %u", run);
    }
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(rf_read_file(path, 1 << 16, &text, NULL, NULL), 0);
    static const char *const messages[] = {"run 1", "run 1", "run 2", "run 2"};
    size_t count = 0;
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) && *line; count++) {
        rf_autojson json_t *json = json_loads(line, 0, NULL);
        assert_string_equal(rf_json_string(json, "message"), messages[count]);
    }
    assert_int_equal(count, 4);
    rf_remove_tree(directory, NULL);
    rf_error *error = NULL;
    assert_null(rf_sink_file("/no/such/events.jsonl", &error));
    assert_error(error, "the event log /no/such/events.jsonl can't be opened: No such file or directory");
}

static off_t size_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? status.st_size : -1;
}

/* Two lines a second of each transfer would fill the disk in which every run's events lie. */
static void a_file_does_not_grow_without_bounds(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory(), *path = rf_format("%s/events.jsonl", directory);
    rf_autofree char *former = rf_format("%s.1", path);
    rf_events *events = rf_events_new("n1");
    rf_events_add(events, rf_sink_file(path, NULL));
    const struct rf_event counting = {.step = "fetch/web", .state = RF_PROGRESS, .done = 5, .unit = "bytes"};
    rf_emit(events, &counting);
    assert_int_equal(size_of(path), 0);
    struct rf_event saying = counting;
    saying.message = "dns: no answer (waiting)";
    rf_emit(events, &saying);
    const off_t line = size_of(path);
    assert_true(line > 0);
    rf_events_free(events);
    assert_int_equal(truncate(path, RF_EVENT_FILE_MAX - 1), 0);
    for (unsigned i = 0; i < 2; i++) { /* not yet; then it is */
        rf_autoevents rf_events *next = rf_events_new("n1");
        rf_events_add(next, rf_sink_file(path, NULL));
        rf_emit(next, &saying);
        assert_int_equal(rf_exists(former), i == 1);
    }
    assert_true(size_of(former) > RF_EVENT_FILE_MAX);
    assert_int_equal(size_of(path), line);
    rf_remove_tree(directory, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_what_was_said_and_no_more),  cmocka_unit_test(every_state_has_its_word),
        cmocka_unit_test(words_that_are_no_utf8_are_still_said), cmocka_unit_test(all_sinks_get_it_in_their_order),
        cmocka_unit_test(a_file_gets_a_line_each_and_is_kept),   cmocka_unit_test(a_file_does_not_grow_without_bounds),
    };
    return cmocka_run_group_tests_name("base/event", tests, NULL, NULL);
}
