/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"
#include "installer/system_files.h"
#include "tests/unit/unit.h"

static const struct rf_system_ids ids = {
    .root = "roots/1",
    .system_uuid = "11111111-2222-5333-8444-555555555555",
    .system_md = "aaaaaaaa-bbbb-5ccc-8ddd-eeeeeeeeeeee",
    .data_md = "01234567-89ab-5cde-8f01-23456789abcd",
    .images_uuid = "99999999-8888-5777-8666-555555555555",
};

static void golden(const char *name, const char *text)
{
    rf_autofree char *path = rf_format("tests/golden/installer/%s", name);
    unit_golden(path, text);
}

static void test_files(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0};
    rf_autoprofile rf_profile *profile = NULL;
    assert_int_equal(rf_profile_load("profiles/musterkunde.yaml", &profile, &problems, NULL), 0);
    assert_non_null(profile);
    size_t count;
    struct rf_system_file *files = rf_system_files(profile, &ids, &count);
    rf_autofree char *all = NULL;
    for (size_t i = 0; i < count; i++)
        rf_append(&all, "--- %s %04o\n%s", files[i].path, files[i].mode, files[i].text);
    golden("system-files.txt", all);
    rf_system_files_free(files, count);
}

static void test_uplink_by_mac(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0};
    rf_autoprofile rf_profile *profile = NULL;
    rf_profile_load("profiles/musterkunde.yaml", &profile, &problems, NULL);
    profile->network.uplink.match_mac = rf_strdup("52:54:00:12:34:56");
    size_t count;
    struct rf_system_file *files = rf_system_files(profile, &ids, &count);
    for (size_t i = 0; i < count; i++)
        if (strstr(files[i].path, "uplink"))
            assert_non_null(strstr(files[i].text, "PermanentMACAddress=52:54:00:12:34:56\n"));
    rf_system_files_free(files, count);
}

/* The node's address is the bridge's from the first boot on. */
static void test_a_bridge_over_the_uplink(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0};
    rf_autoprofile rf_profile *profile = NULL;
    rf_profile_load("profiles/musterkunde.yaml", &profile, &problems, NULL);
    profile->network.uplink.match_mac = rf_strdup("52:54:00:12:34:56");
    profile->network.bridges = rf_alloc(sizeof(*profile->network.bridges));
    profile->network.bridges[0] = (struct rf_bridge){.name = rf_strdup("lan"), .uplink = true};
    profile->network.bridges_count = 1;
    size_t count;
    struct rf_system_file *files = rf_system_files(profile, &ids, &count);
    rf_autofree char *all = NULL;
    for (size_t i = 0; i < count; i++)
        if (strstr(files[i].path, "/network/"))
            rf_append(&all, "--- %s %04o\n%s", files[i].path, files[i].mode, files[i].text);
    golden("system-files-bridge.txt", all);
    rf_system_files_free(files, count);
}

static void test_kernel_arguments(void **state)
{
    (void)state;
    struct rf_system_ids more = ids;
    more.arguments = "console=ttyS1,115200";
    rf_autofree char *plain = rf_node_cmdline(&ids), *cmdline = rf_node_cmdline(&more);
    rf_autofree char *wanted = rf_format("%s console=ttyS1,115200", plain);
    assert_string_equal(cmdline, wanted);
}

static void test_boot_texts(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0};
    rf_autoprofile rf_profile *profile = NULL;
    rf_profile_load("profiles/musterkunde.yaml", &profile, &problems, NULL);
    rf_autofree char *config = rf_node_grub_config(profile, &ids);
    golden("grub.cfg", config);
    rf_autofree char *stub = rf_grub_stub(&ids);
    golden("grub-stub.cfg", stub);
}

static void test_md_uuid(void **state)
{
    (void)state;
    char text[36];
    rf_md_uuid(ids.system_md, text);
    assert_string_equal(text, "aaaaaaaa:bbbb5ccc:8dddeeee:eeeeeeee");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_files),
                                       cmocka_unit_test(test_uplink_by_mac),
                                       cmocka_unit_test(test_a_bridge_over_the_uplink),
                                       cmocka_unit_test(test_kernel_arguments),
                                       cmocka_unit_test(test_boot_texts),
                                       cmocka_unit_test(test_md_uuid)};
    return cmocka_run_group_tests_name("installer/system_files", tests, NULL, NULL);
}
