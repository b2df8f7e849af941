/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/paths.h"
#include "postinstall/pool.h"
#include "tests/unit/postinstall/fixture.h"

#include <sys/stat.h>

static void the_pool_is_as_it_was_reviewed(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_autoxml xmlDoc *document = rf_pool_xml(fixture.model);
    rf_autofree char *text = rf_xml_text(document), *plain = without_root(&fixture, text);
    assert_string_equal(plain, "<pool type=\"dir\">\n"
                               "  <name>images</name>\n"
                               "  <uuid>7a1351cc-e895-5fc6-94d6-697a16a88d31</uuid>\n"
                               "  <target>\n"
                               "    <path>/var/lib/libvirt/images</path>\n"
                               "  </target>\n"
                               "</pool>\n");
    fixture_close(&fixture);
}

static virStoragePoolPtr pool_of(const struct fixture *fixture)
{
    return virStoragePoolLookupByName(rf_libvirt_connect(fixture->model->libvirt, NULL), RF_POOL_NAME);
}

static enum rf_probe probe(struct fixture *fixture)
{
    return rf_step_pool.probe(&fixture->env, fixture->model, NULL);
}

/* Whatever was taken away since, the step brings back. (libvirt's mock finds no pool by its path, so that somebody else's pool on
 * the same directory is used can't be shown here.) */
static void the_step_converges(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    assert_int_equal(probe(&fixture), RF_PROBE_TODO);
    for (unsigned round = 0; round < 3; round++) {
        assert_int_equal(rf_step_pool.apply(&fixture.env, fixture.model, NULL), 0);
        assert_int_equal(probe(&fixture), RF_PROBE_DONE);
        rf_autopool virStoragePoolPtr pool = pool_of(&fixture);
        assert_int_equal(round == 0 ? virStoragePoolSetAutostart(pool, 0) : virStoragePoolDestroy(pool), 0);
        assert_int_equal(probe(&fixture), RF_PROBE_TODO);
    }
    rf_autofree char *path = rf_node_path(fixture.model, "%s", RF_POOL_DIR);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0711); /* QEMU's own user goes through */
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pool_is_as_it_was_reviewed),
        cmocka_unit_test(the_step_converges),
    };
    return cmocka_run_group_tests_name("postinstall/pool", tests, NULL, NULL);
}
