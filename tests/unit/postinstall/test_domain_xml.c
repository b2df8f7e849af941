/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/domain_xml.h"
#include "tests/unit/postinstall/fixture.h"

static void assert_domain(const struct fixture *fixture, size_t index, bool with_seed, const char *golden)
{
    rf_autoxml xmlDoc *document = rf_domain_xml(&fixture->model->guests[index], with_seed);
    rf_autofree char *text = rf_xml_text(document);
    rf_autofree char *plain = without_root(fixture, text);
    char *digest = strstr(plain, " digest=\""); /* it covers the test's root, which is another one each time */
    assert_non_null(digest);
    memset(digest + strlen(" digest=\""), '0', 64);
    assert_golden(golden, plain);
}

static void domains_are_as_they_were_reviewed(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    assert_domain(&fixture, 0, true, "domain-dc1-first-boot.xml");
    assert_domain(&fixture, 1, false, "domain-dc2.xml");
    fixture.model->guests[1].recipe->uefi = fixture.model->guests[1].recipe->tpm = true;
    assert_domain(&fixture, 1, false, "domain-uefi-tpm.xml");
    fixture.model->guests[1].recipe->plain = true; /* a Windows */
    fixture.model->guests[1].cores = 2;
    assert_domain(&fixture, 1, true, "domain-plain.xml");
    fixture_close(&fixture);
}

static void a_second_card_in_the_customers_network(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, fixture_bridges, NULL, rf_runner_dry());
    assert_domain(&fixture, 3, false, "domain-bridged.xml");
    assert_domain(&fixture, 4, false, "domain-vlan.xml");
    fixture_close(&fixture);
}

static void without_kvm_the_guest_is_emulated(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_autojson json_t *facts = json_pack("{s:b,s:s}", "kvm", 0, "kvm_reason", "no svm");
    fixture_open(&fixture, facts, rf_runner_dry());
    rf_autoxml xmlDoc *document = rf_domain_xml(&fixture.model->guests[0], false);
    rf_autofree char *type = rf_xml_attribute(rf_xml_root(document), "type");
    rf_autofree char *mode = rf_xml_attribute(rf_xml_child(rf_xml_root(document), "cpu"), "mode");
    assert_string_equal(type, "qemu");
    assert_string_equal(mode, "maximum");
    fixture_close(&fixture);
}

static void the_digest_covers_the_definition_but_not_the_seed(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    char before[RF_SHA256_HEX], after[RF_SHA256_HEX];
    rf_domain_digest(&fixture.model->guests[0], before);
    rf_autoxml xmlDoc *document = rf_domain_xml(&fixture.model->guests[0], true);
    rf_autofree char *text = rf_xml_text(document);
    assert_non_null(strstr(text, before));
    fixture.model->guests[0].cores++;
    rf_domain_digest(&fixture.model->guests[0], after);
    assert_string_not_equal(before, after);
    fixture_close(&fixture);
}

static void values_are_escaped(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_recipe *recipe = fixture.model->guests[0].recipe;
    free(recipe->title);
    recipe->title = rf_strdup("A & B <c>");
    rf_autoxml xmlDoc *document = rf_domain_xml(&fixture.model->guests[0], false);
    rf_autofree char *text = rf_xml_text(document);
    assert_non_null(strstr(text, "<description>A &amp; B &lt;c&gt;</description>"));
    rf_autoxml xmlDoc *again = rf_xml_parse("again", text, NULL);
    assert_non_null(again);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(domains_are_as_they_were_reviewed),
        cmocka_unit_test(a_second_card_in_the_customers_network),
        cmocka_unit_test(without_kvm_the_guest_is_emulated),
        cmocka_unit_test(the_digest_covers_the_definition_but_not_the_seed),
        cmocka_unit_test(values_are_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
