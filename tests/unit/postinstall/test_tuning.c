/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/domain_xml.h"
#include "postinstall/plan.h"
#include "postinstall/tuning.h"
#include "tests/unit/postinstall/domains.h"

#include <libxml/relaxng.h>

#define SCHEMA "/usr/share/libvirt/schemas/domain.rng" /* of libvirt0, or libvirt-common */

static const char guests[] = "  - {name: a, recipe: plain}\n"
                             "  - {name: b, recipe: plain, weight: 200, io: {iops: 500, bandwidth: 10 MB}}\n";

static void the_definition_says_it_but_its_digest_does_not(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, guests, NULL, rf_runner_dry());
    struct rf_guest *asked = (struct rf_guest *)fixture.model->guests[1].asked;
    char before[RF_SHA256_HEX], after[RF_SHA256_HEX];
    rf_domain_digest(&fixture.model->guests[1], before);
    rf_autoxml xmlDoc *document = rf_domain_xml(&fixture.model->guests[1], false);
    rf_autofree char *text = rf_xml_text(document), *plain = without_root(&fixture, text);
    memset(strstr(plain, " digest=\"") + strlen(" digest=\""), '0', 64);
    assert_golden("domain-tuned.xml", plain);
    asked->weight = 100;
    asked->io.iops = 0;
    asked->io.bandwidth = 0;
    rf_domain_digest(&fixture.model->guests[1], after);
    assert_string_equal(before, after);
    rf_autoxml xmlDoc *without = rf_domain_xml(&fixture.model->guests[1], false);
    rf_autofree char *nothing = rf_xml_text(without);
    assert_null(strstr(nothing, "tun"));
    fixture_close(&fixture);
}

static bool valid(xmlRelaxNG *schema, xmlDoc *document)
{
    rf_autofree char *text = rf_xml_text(document); /* with its name space, as libvirt reads it */
    rf_autoxml xmlDoc *again = xmlReadMemory(text, (int)strlen(text), "domain.xml", NULL, 0);
    xmlRelaxNGValidCtxt *context = xmlRelaxNGNewValidCtxt(schema);
    bool good = again && xmlRelaxNGValidateDoc(context, again) == 0;
    xmlRelaxNGFreeValidCtxt(context);
    return good;
}

/* libvirt is asked to compare with its schema, so every weight that the profile may have has to be in it. */
static void libvirts_schema_takes_every_weight(void **state)
{
    (void)state;
    static const unsigned weights[] = {10, 11, 99, 100, 101, 1000};
    struct fixture fixture;
    xmlRelaxNGParserCtxt *parser = rf_exists(SCHEMA) ? xmlRelaxNGNewParserCtxt(SCHEMA) : NULL;
    if (!parser) {
        print_message("skipped: libvirt's schemas are not installed\n");
        skip();
    }
    xmlRelaxNG *schema = xmlRelaxNGParse(parser);
    xmlRelaxNGFreeParserCtxt(parser);
    assert_non_null(schema);
    fixture_open_with(&fixture, guests, NULL, rf_runner_dry());
    struct rf_guest *asked = (struct rf_guest *)fixture.model->guests[1].asked;
    for (size_t i = 0; i < RF_COUNT(weights); i++) {
        asked->weight = weights[i];
        rf_autoxml xmlDoc *document = rf_domain_xml(&fixture.model->guests[1], false);
        rf_autofree char *text = rf_xml_text(document), *shares = rf_format("<shares>%u<", weights[i]);
        if (!valid(schema, document))
            fail_msg("weight %u: libvirt's schema refuses it", weights[i]);
        assert_true(weights[i] == 100 || strstr(text, shares));
    }
    xmlRelaxNGFree(schema);
    fixture_close(&fixture);
}

static void in_words(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, guests, NULL, rf_runner_dry());
    rf_autofree char *none = rf_tuning_text(&fixture.model->guests[0]),
                     *all = rf_tuning_text(&fixture.model->guests[1]);
    rf_autofree char *plain = rf_tuning_words(&fixture.model->guests[0]),
                     *words = rf_tuning_words(&fixture.model->guests[1]);
    assert_string_equal(none, "");
    assert_string_equal(all, "weight=200 iops=500 bandwidth=10000000");
    assert_string_equal(plain, "weight 100, its disk without limits");
    assert_string_equal(words, "weight 200, at most 500 requests and 10.0 MB a second");
    fixture_close(&fixture);
}

static char *title_with(const struct fixture *fixture, const char *tuning, bool running)
{
    char digest[RF_SHA256_HEX];
    rf_domain_digest(&fixture->model->guests[1], digest);
    rf_autojson json_t *facts = json_pack("{s:{s:{s:s,s:s,s:s}}}", "guests", "b", "digest", digest, "state",
                                          running ? "running" : "shut off", "tuning", tuning);
    rf_autoplan rf_plan *plan = rf_plan_new();
    rf_node_plan_add(fixture->model, facts, plan);
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->steps[i].id, "domain/b") == 0)
            return plan->steps[i].done ? rf_strdup("done") : rf_strdup(plan->steps[i].title);
    return NULL;
}

static void the_plan_says_that_it_goes_on_running(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, guests, NULL, rf_runner_dry());
    rf_autofree char *running = title_with(&fixture, "weight=50", true), *off = title_with(&fixture, "", false);
    rf_autofree char *done = title_with(&fixture, "weight=200 iops=500 bandwidth=10000000", true);
    assert_string_equal(running, "Give b weight 200, at most 500 requests and 10.0 MB a second, while it runs");
    assert_string_equal(off, "Give b weight 200, at most 500 requests and 10.0 MB a second");
    assert_string_equal(done, "done");
    fixture_close(&fixture);
}

/* Runs with its first definition, which has this limit. The caller frees it. NULL where libvirt's mock does not take it: all is closed then. */
static virDomainPtr started(struct fixture *fixture, unsigned iops)
{
    fixture_open_emulated(fixture, guests);
    const struct rf_node_guest *guest = &fixture->model->guests[0];
    ((struct rf_guest *)guest->asked)->io.iops = iops;
    if (!domain_defined(fixture, guest)) {
        fixture_close(fixture);
        return NULL;
    }
    virDomainPtr domain = domain_of(fixture, guest->asked->name);
    assert_int_equal(virDomainCreate(domain), 0);
    return domain;
}

static void assert_runs_with(virDomainPtr domain, const char *shown, const char *given, bool refused)
{
    rf_autofree char *known = rf_domain_tuning_of(domain), *tried = rf_domain_tuning_given(domain);
    assert_string_equal(known, shown);
    assert_string_equal(tried, given);
    assert_int_equal(rf_domain_tuning_refused(domain), refused);
}

static void change(struct fixture *fixture, unsigned weight, unsigned iops)
{
    struct rf_node_guest *guest = &fixture->model->guests[0];
    struct rf_guest *asked = (struct rf_guest *)guest->asked;
    asked->weight = weight;
    asked->io.iops = iops;
    assert_int_equal(rf_step_domain.probe(&fixture->env, guest, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_domain.apply(&fixture->env, guest, NULL), 0);
    assert_int_equal(rf_step_domain.probe(&fixture->env, guest, NULL), RF_PROBE_DONE);
}

#define REFUSED " (the machine refuses the change until the next start)"

static unsigned long long live_iops(virDomainPtr domain)
{
    virTypedParameter limits[32];
    int count = 32;
    unsigned long long iops = 0;
    assert_int_equal(virDomainGetBlockIoTune(domain, "vda", limits, &count, VIR_DOMAIN_AFFECT_LIVE), 0);
    assert_int_equal(virTypedParamsGetULLong(limits, count, VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_IOPS_SEC, &iops), 1);
    virTypedParamsClear(limits, count);
    return iops;
}

/* libvirt's mock knows no weights, as a machine whose disks have no scheduler for them, and of a running domain's limits takes nothing but
 * their end. */
static void what_is_refused_is_no_reason_to_leave_the_rest_out(void **state)
{
    (void)state;
    autodomains struct fixture fixture;
    rf_autodomain virDomainPtr domain = started(&fixture, 1000);
    if (!domain)
        skip();
    assert_runs_with(domain, "iops=1000", "iops=1000", false);
    change(&fixture, 300, 0);
    assert_runs_with(domain, "weight=300, but running with: none" REFUSED, "weight=300", true);
    assert_int_equal(live_iops(domain), 0);
    assert_false(rf_domain_restart_needed(domain));
    change(&fixture, 0, 0); /* back: what was refused may have been taken by halves, so it is asked again */
    assert_runs_with(domain, "none, but running with: none" REFUSED, "", true);
    virDomainDestroy(domain);
    assert_int_equal(virDomainCreate(domain), 0);
    assert_runs_with(domain, "", "", false);
    rf_autofree char *events = fixture_read(&fixture, "/events.jsonl");
    assert_non_null(strstr(events, "a runs on with its former weight or limits (none)"));
    assert_null(strstr(events, "snapshot"));
    assert_null(strstr(events, "former definition"));
}

/* A machine that knows no weights is not asked for any where only the limits change. */
static void a_weight_that_is_as_it_was_is_not_asked_for(void **state)
{
    (void)state;
    autodomains struct fixture fixture;
    rf_autodomain virDomainPtr domain = started(&fixture, 1000);
    if (!domain)
        skip();
    change(&fixture, 0, 0);
    assert_runs_with(domain, "", "", false);
    change(&fixture, 0, 2000);
    assert_runs_with(domain, "iops=2000, but running with: none" REFUSED, "iops=2000", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_definition_says_it_but_its_digest_does_not),
        cmocka_unit_test(libvirts_schema_takes_every_weight),
        cmocka_unit_test(in_words),
        cmocka_unit_test(the_plan_says_that_it_goes_on_running),
        cmocka_unit_test(what_is_refused_is_no_reason_to_leave_the_rest_out),
        cmocka_unit_test(a_weight_that_is_as_it_was_is_not_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
