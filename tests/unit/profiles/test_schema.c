/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table itself: what every row must have, so that a new one can't be half there. */
#include "profiles/schema.h"
#include "profiles/unsupported.h"
#include "tests/unit/unit.h"

/* Calls `visit` for every row, those of lists' elements too. */
static void each_row(const struct rf_table *table, void (*visit)(const struct rf_table *, const struct rf_field *))
{
    for (size_t i = 0; i < table->count; i++) {
        visit(table, &table->rows[i]);
        if (table->rows[i].element)
            each_row(table->rows[i].element, visit);
    }
}

static void check_row(const struct rf_table *table, const struct rf_field *row)
{
    bool group = row->type == &rf_type_group;
    bool text = row->type == &rf_type_text || row->type == &rf_type_texts || row->type == &rf_type_consent;
    bool word = row->type == &rf_type_word || row->type == &rf_type_choice;
    size_t length = row->help ? strlen(row->help) : 0;
    if (!length || row->help[length - 1] != '.')
        fail_msg("%s: its help is no sentence", row->name);
    if (!group && !row->example)
        fail_msg("%s: no example", row->name);
    if (text != (row->pattern != NULL) || word != (row->choices != NULL))
        fail_msg("%s: its type and its pattern or choices do not fit", row->name);
    if ((row->type == &rf_type_objects) != (row->element != NULL))
        fail_msg("%s: a list of objects needs a table, and nothing else does", row->name);
    if (row->required && (row->fallback || row->fallback_note))
        fail_msg("%s: required, and has a default", row->name);
    if (!group && row->offset >= table->size)
        fail_msg("%s: outside of its struct", row->name);
    if ((row->type == &rf_type_size || row->type == &rf_type_integer) && (!row->max || row->max < row->min))
        fail_msg("%s: no range", row->name);
}

static void rows_are_whole(void **state)
{
    (void)state;
    each_row(&rf_profile_table, check_row);
}

static void check_parent(const struct rf_table *table, const struct rf_field *row)
{
    const char *dot = strrchr(row->name, '.');
    if (!dot)
        return;
    for (size_t i = 0; i < table->count; i++)
        if (strlen(table->rows[i].name) == (size_t)(dot - row->name) &&
            !strncmp(table->rows[i].name, row->name, (size_t)(dot - row->name)))
            return;
    fail_msg("%s: the mapping that holds it has no row", row->name);
}

static void groups_have_rows(void **state)
{
    (void)state;
    each_row(&rf_profile_table, check_parent);
}

static void check_example(const struct rf_table *table, const struct rf_field *row)
{
    bool listed = row->type == &rf_type_texts || row->type == &rf_type_objects || row->type == &rf_type_consent;
    if (!row->example || listed || row->type == &rf_type_free)
        return;
    rf_autoproblems rf_problems problems = {0};
    struct rf_parse parse = {.file = "example", .problems = &problems};
    rf_autofree char *object = rf_alloc(table->size);
    struct rf_place place = {&parse, table, row, object, row->name};
    rf_autofree char *text = rf_strdup(row->example);
    bool quoted = *text == '"';
    if (quoted)
        text[strlen(text) - 1] = '\0';
    rf_node node = {.kind = RF_NODE_TEXT, .text = text + quoted, .plain = !quoted};
    row->type->parse(&place, &node);
    rf_autofree char *said = rf_problems_text(&problems);
    if (problems.count)
        fail_msg("%s: its own example is refused: %s", row->name, said);
    if (row->type->release)
        row->type->release(row, object);
}

static void examples_are_valid(void **state)
{
    (void)state;
    each_row(&rf_profile_table, check_example);
}

static void children_come_in_order(void **state)
{
    (void)state;
    const struct rf_field *row = rf_field_next(&rf_profile_table, NULL, NULL);
    assert_string_equal(row->name, "richtfest");
    row = rf_field_next(&rf_profile_table, NULL, row);
    assert_string_equal(row->name, "node");
    const struct rf_field *child = rf_field_next(&rf_profile_table, row, NULL);
    assert_string_equal(child->name, "node.id");
    row = rf_field_next(&rf_profile_table, NULL, row); /* skips node's own children */
    assert_string_equal(row->name, "requires");
}

/* A row of what is not supported must leave when its field enters the table. */
static void unsupported_is_not_in_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < rf_unsupported_count; i++)
        for (size_t j = 0; j < rf_profile_table.count && !rf_unsupported_table[i].value; j++)
            assert_string_not_equal(rf_unsupported_table[i].key, rf_profile_table.rows[j].name);
}

/* The expressions serve this parser and editors: both must read them. */
static void patterns(void **state)
{
    (void)state;
    static const struct {
        const struct rf_pattern *pattern;
        const char *yes[5], *no[12];
    } samples[] = {
        {&rf_pattern_node_id,
         {"a", "musterkunde-n1"},
         {"", "-a", "a-", "A", "1a", "a_b", "a.b", "a234567890123456789012345678901234"}},
        {&rf_pattern_hostname,
         {"n1.a.example", "1and1.example", "n1"},
         {"", ".", "a.", ".a", "a..b", "a_b.c", "A.b", "-a.b", "10.0.0.1", "a b"}},
        {&rf_pattern_user, {"jiku", "_a", "a-b_c9"}, {"", "9a", "-a", "Jiku", "a b", "j\xC3\xBCrgen"}},
        {&rf_pattern_timezone,
         {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+1"},
         {"", "Berlin", "Europe", "US/Eastern", "../etc/passwd", "Europe/../../etc/passwd", "Europe/ Berlin", "/UTC"}},
        {&rf_pattern_subnet,
         {"10.20.0.0/24", "0.0.0.0/0"},
         {"10.20.0.0", "10.20.0.0/33", "10.20.0/24", "256.0.0.0/8", "10.020.0.0/24", "a/8", "10.0.0.0/08"}},
        {&rf_pattern_address,
         {"10.20.0.40", "255.255.255.255"},
         {"", "10.20.0", "10.20.0.256", "10.20.0.040", "a.b.c.d", "10.20.0.0/24", "10.20.0.40 "}},
        {&rf_pattern_endpoint,
         {"vpn.musterkunde.example", "203.0.113.10", "vpn"},
         {"", "203.0.113.256", "a_b", "vpn:51820", "https://vpn", "-a.b", "10.1"}},
        {&rf_pattern_email, {"ops@msp.example"}, {"", "ops", "ops@msp", "@msp.example", "a b@msp.example", "a@b..c"}},
        {&rf_pattern_vpn_key,
         {"jq8zTqbTJvGGcTJbWfTjpVtEWSHSkmoQvZNEXAMPLEA="},
         {"", "jq8z", "jq8zTqbTJvGGcTJbWfTjpVtEWSHSkmoQvZNEXAMPLEB=", "jq8zTqbTJvGGcTJbWfTjpVtEWSHSkmoQvZNEXAMPLEAA",
          "jq8zTqbTJvGGcTJbWfTjpVtEWSHSkmoQvZNEXAMP-EA="}},
        {&rf_pattern_mac,
         {"52:54:00:12:34:56", "AA:bb:CC:dd:EE:ff"},
         {"", "52-54-00-12-34-56", "52:54:00:12:34", "52:54:00:12:34:5g"}},
        {&rf_pattern_url,
         {"https://a", "http://a.b:8080/c?d=e#f", "https://u:p@a.b/c", "http://[2001:db8::1]:80/"},
         {"", "ftp://a", "https://", "https:///a", "https://a b", "https://a:0/", "https://a:65536",
          "https://a/\xC3\xA4", "HTTP://a", "javascript:1"}},
        {&rf_pattern_glob, {"S4EV", "SAMSUNG MZ*"}, {"", "*", "a*b", "a**"}},
        {&rf_pattern_disk,
         {"S4EVNF0M123456", "WD-WX 1", "0x5000c500a1b2c3d4", "pci-0000:00:05.0"},
         {"", "*", "S4EV*", " S4EV", "S4EV ", "S4\xC3\xA4"}},
        {&rf_pattern_guest, {"dc1", "a"}, {"", "dc1.a", "DC1", "-a", "a-", "../x", "12"}},
        {&rf_pattern_recipe, {"active-directory"}, {"", "../x", "a/b", "A", "a.b"}},
        {&rf_pattern_size, {"24 GB", "1.5TiB", "5 kB"}, {"24", "GB", "1,5 TB", "-1 GB", "1 gb"}},
        {&rf_pattern_band, {">= 1 TB", "<=1TB", "1 TB .. 5 TB", "4 TB"}, {"> 1 TB", ">= 1", "1 .. 5 TB"}},
    };
    for (size_t i = 0; i < RF_COUNT(samples); i++) {
        for (const char *const *yes = samples[i].yes; *yes; yes++) {
            rf_autofree char *wrong = rf_pattern_check(samples[i].pattern, *yes);
            if (wrong)
                fail_msg("%s", wrong);
        }
        for (const char *const *no = samples[i].no; *no; no++) {
            rf_autofree char *wrong = rf_pattern_check(samples[i].pattern, *no);
            if (!wrong)
                fail_msg("\"%s\" passes as %s", *no, samples[i].pattern->name);
        }
    }
}

static void secrets_are_not_shown(void **state)
{
    (void)state;
    rf_autofree char *url = rf_pattern_check(&rf_pattern_url, "https://hooks.example/TOKEN with blank");
    assert_null(strstr(url, "TOKEN"));
    rf_autofree char *port = rf_pattern_check(&rf_pattern_url, "https://hooks.example:99999/TOKEN");
    assert_null(strstr(port, "TOKEN"));
    rf_autofree char *key = rf_pattern_check(&rf_pattern_ssh_key, "-----BEGIN OPENSSH PRIVATE KEY----- TOKEN");
    assert_null(strstr(key, "TOKEN"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_whole),
        cmocka_unit_test(groups_have_rows),
        cmocka_unit_test(examples_are_valid),
        cmocka_unit_test(children_come_in_order),
        cmocka_unit_test(unsupported_is_not_in_the_table),
        cmocka_unit_test(patterns),
        cmocka_unit_test(secrets_are_not_shown),
    };
    return cmocka_run_group_tests_name("profiles/schema", tests, NULL, NULL);
}
