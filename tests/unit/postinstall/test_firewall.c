/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/firewall.h"
#include "tests/unit/postinstall/fixture.h"

static void the_ruleset_is_as_it_was_reviewed(void **state)
{
    (void)state;
    rf_autofree char *text = rf_firewall_text();
    assert_golden("nftables.conf", text);
}

static void nft_takes_the_ruleset(void **state)
{
    (void)state;
    rf_autorunner rf_runner *runner = rf_runner_real();
    rf_autofree char *directory = unit_directory(), *text = rf_firewall_text();
    rf_autofree char *path = rf_format("%s/nftables.conf", directory);
    rf_autoresult struct rf_result able = {0}, result = {0};
    struct rf_command list = {.argv = RF_ARGV("nft", "list", "ruleset")};
    struct rf_command check = {.argv = RF_ARGV("nft", "--check", "--file", path)};
    if (rf_run_status(runner, &list, &able, NULL) < 0 || able.status != 0) {
        print_message("skipped: nft can't be run here (it is absent, or this is no place for it)\n");
        rf_remove_tree(directory, NULL);
        skip();
    }
    assert_int_equal(rf_write_file(path, text, strlen(text), 0644, NULL), 0);
    assert_int_equal(rf_run_status(runner, &check, &result, NULL), 0);
    rf_remove_tree(directory, NULL);
    if (result.status != 0)
        fail_msg("nft: %s", result.err);
}

static void it_is_written_and_loaded(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    fixture_write(&fixture, "/etc/keep", "", 0644);
    assert_int_equal(rf_step_firewall.probe(&fixture.env, fixture.model, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_firewall.apply(&fixture.env, fixture.model, NULL), 0);
    rf_autofree char *text = fixture_read(&fixture, RF_FIREWALL_FILE), *wanted = rf_firewall_text();
    assert_string_equal(text, wanted);
    /* the dry runner's kernel lists nothing, so the file alone does not count as done */
    assert_int_equal(rf_step_firewall.probe(&fixture.env, fixture.model, NULL), RF_PROBE_TODO);
    rf_autofree char *commands = without_root(&fixture, rf_runner_dry_text(fixture.runner));
    assert_string_equal(commands, "nft -f /etc/nftables.conf\nnft list table inet richtfest\n");
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ruleset_is_as_it_was_reviewed),
        cmocka_unit_test(nft_takes_the_ruleset),
        cmocka_unit_test(it_is_written_and_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
