/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"
#include "base/paths.h"
#include "postinstall/disk.h"
#include "postinstall/grow.h"
#include "postinstall/snapshot.h"
#include "tests/unit/postinstall/fixture.h"

#include <sched.h>
#include <sys/mount.h>

#define BASE RF_BASE_IMAGES "/active-directory.qcow2"
#define DISK RF_POOL_DIR "/dc1.qcow2"

static bool have_qemu_img(rf_runner *runner)
{
    struct rf_command command = {.argv = RF_ARGV("qemu-img", "--version")};
    rf_autoresult struct rf_result result = {0};
    return rf_run_status(runner, &command, &result, NULL) == 0 && result.status == 0;
}

static void write_base(struct fixture *fixture)
{
    fixture_write(fixture, RF_BASE_IMAGES "/.made", "", 0644);
    rf_autofree char *base = rf_format("%s%s", fixture->root, BASE);
    const char *const *create = RF_ARGV("qemu-img", "create", "-q", "-f", "qcow2", base, "1M");
    assert_int_equal(rf_run_argv(fixture->runner, create, NULL), 0);
}

/* false, with the reason printed, where there is no qemu-img */
static bool open_with_base(struct fixture *fixture)
{
    fixture_open(fixture, NULL, rf_runner_real());
    if (!have_qemu_img(fixture->runner)) {
        print_message("skipped: qemu-img is not installed\n");
        fixture_close(fixture);
        return false;
    }
    write_base(fixture);
    return true;
}

static void a_disk_is_cloned_and_grown(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    if (!open_with_base(&fixture))
        skip();
    struct rf_node_guest *guest = &fixture.model->guests[0];
    guest->disk = 8 << 20;
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/secrets.json", "{}", 0600);
    fixture_write(&fixture, RF_POOL_DIR "/.dc1.qcow2.new", "left by a kill", 0600);
    assert_int_equal(rf_step_disk.probe(&fixture.env, guest, &error), RF_PROBE_TODO);
    assert_int_equal(rf_step_disk.apply(&fixture.env, guest, &error), 0);
    assert_int_equal(rf_step_disk.probe(&fixture.env, guest, &error), RF_PROBE_DONE);
    rf_autofree char *secrets = fixture_read(&fixture, RF_STATE_GUESTS "/dc1/secrets.json");
    assert_null(secrets);   /* a new disk is a new guest */
    guest->disk = 16 << 20; /* the profile asks for more */
    assert_int_equal(rf_step_disk.probe(&fixture.env, guest, &error), RF_PROBE_TODO);
    assert_int_equal(rf_step_disk.apply(&fixture.env, guest, &error), 0);
    assert_int_equal(rf_step_disk.probe(&fixture.env, guest, &error), RF_PROBE_DONE);
    guest->disk = 4 << 20; /* less: kept */
    assert_int_equal(rf_step_disk.probe(&fixture.env, guest, &error), RF_PROBE_DONE);
    fixture_close(&fixture);
}

/* Of a guest that is in use: first a snapshot, which libvirt's mock keeps in its memory. */
static void a_disk_in_use_grows_after_a_snapshot(void **state)
{
    (void)state;
    struct fixture fixture;
    if (!open_with_base(&fixture))
        skip();
    struct rf_node_guest *guest = &fixture.model->guests[0];
    guest->disk = 8 << 20;
    assert_int_equal(rf_step_disk.apply(&fixture.env, guest, NULL), 0);
    rf_autodomain virDomainPtr domain = virDomainDefineXML(
        rf_libvirt_connect(fixture.model->libvirt, NULL),
        "<domain type='test'><name>dc1</name><memory>4096</memory><os><type>hvm</type></os></domain>");
    assert_non_null(domain);
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/settled.json", "{}", 0600);
    guest->disk = 16 << 20;
    assert_int_equal(rf_grow_remember(guest, guest->disk, NULL), 0); /* and was brought back since */
    assert_int_equal(rf_step_disk.apply(&fixture.env, guest, NULL), 0);
    assert_int_equal(rf_step_disk.probe(&fixture.env, guest, NULL), RF_PROBE_DONE);
    assert_int_equal(rf_step_grow.probe(&fixture.env, guest, NULL), RF_PROBE_TODO);
    rf_autojson json_t *list = rf_snapshot_list(domain, NULL);
    assert_int_equal(json_array_size(list), 1);
    const char *name = rf_json_string(json_array_get(list, 0), "name");
    assert_non_null(strstr(name, "Z-grow"));
    assert_int_equal(rf_snapshot_delete(domain, name, NULL), 0);
    virDomainUndefine(domain);
    fixture_close(&fixture);
}

/* What fails is tried again every hour: that must not cost a restore point each time. */
static void a_growth_that_fails_costs_one_snapshot(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_real());
    if (!have_qemu_img(fixture.runner)) {
        fixture_close(&fixture);
        skip();
    }
    struct rf_node_guest *guest = &fixture.model->guests[0];
    rf_autodomain virDomainPtr domain = virDomainDefineXML(
        rf_libvirt_connect(fixture.model->libvirt, NULL),
        "<domain type='test'><name>dc1</name><memory>4096</memory><os><type>hvm</type></os></domain>");
    assert_non_null(domain);
    fixture_write(&fixture, DISK, "no image at all", 0600);
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/settled.json", "{}", 0600);
    for (size_t i = 0; i < 2; i++) {
        rf_error *error = NULL;
        assert_int_equal(rf_step_disk.apply(&fixture.env, guest, &error), -1);
        rf_error_free(error);
        sleep(i == 0); /* the names hold the second */
    }
    assert_int_equal(virDomainSnapshotNum(domain, 0), 1);
    guest->disk += 1 << 20; /* another change, another restore point */
    assert_int_equal(rf_step_disk.apply(&fixture.env, guest, NULL), -1);
    assert_int_equal(virDomainSnapshotNum(domain, 0), 2);
    virDomainUndefineFlags(domain, VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA);
    fixture_close(&fixture);
}

/* The recipe's image becomes an overlay of `named`; the file that it was moves to "base-1.qcow2" beside it. */
static void make_overlay(struct fixture *fixture, const char *named)
{
    rf_autofree char *image = rf_format("%s%s", fixture->root, BASE);
    rf_autofree char *below = rf_format("%s" RF_BASE_IMAGES "/base-1.qcow2", fixture->root);
    assert_int_equal(rename(image, below), 0);
    const char *const *create =
        RF_ARGV("qemu-img", "create", "-q", "-u", "-f", "qcow2", "-F", "qcow2", "-b", named, image, "2M");
    assert_int_equal(rf_run_argv(fixture->runner, create, NULL), 0);
    fixture->model->guests[0].disk = 8 << 20;
}

static void an_overlay_is_written_out(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    if (!open_with_base(&fixture))
        skip();
    make_overlay(&fixture, "base-1.qcow2");
    assert_int_equal(rf_step_disk.apply(&fixture.env, &fixture.model->guests[0], &error), 0);
    rf_autofree char *disk = rf_format("%s%s", fixture.root, DISK), *info = NULL;
    const char *const *ask = RF_ARGV("qemu-img", "info", "--output=json", disk);
    assert_int_equal(rf_run_output(fixture.runner, ask, &info, NULL), 0);
    assert_null(strstr(info, "backing-filename"));
    fixture_close(&fixture);
}

static void an_overlay_without_its_base_is_said(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    if (!open_with_base(&fixture))
        skip();
    make_overlay(&fixture, "base-2.qcow2");
    assert_int_equal(rf_step_disk.apply(&fixture.env, &fixture.model->guests[0], &error), -1);
    assert_error_has(error, "/base-2.qcow2, which is not on this node; copy both from the ISO");
    fixture_close(&fixture);
}

static void an_image_gets_no_file_of_the_node(void **state)
{
    (void)state;
    static const char *const named[] = {"/etc/shadow", "../../secret.qcow2", "json:{\"driver\":\"raw\"}"};
    for (size_t i = 0; i < RF_COUNT(named); i++) {
        struct fixture fixture;
        rf_error *error = NULL;
        if (!open_with_base(&fixture))
            skip();
        make_overlay(&fixture, named[i]);
        assert_int_equal(rf_step_disk.apply(&fixture.env, &fixture.model->guests[0], &error), -1);
        assert_error_has(error, "which is no file beside it: not used");
        rf_autofree char *disk = rf_format("%s%s", fixture.root, DISK);
        assert_false(rf_exists(disk));
        fixture_close(&fixture);
    }
}

static int small_pool(const struct fixture *fixture)
{
    rf_autofree char *pool = rf_format("%s" RF_POOL_DIR, fixture->root);
    assert_int_equal(rf_make_dirs(pool, 0755, NULL), 0);
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -1;
    return mount("tmpfs", pool, "tmpfs", 0, "size=3m");
}

static void a_full_pool_is_said_and_not_kept_full(void **state)
{
    (void)state;
    for (int overlay = 0; overlay < 2; overlay++) {
        struct fixture fixture;
        rf_error *error = NULL;
        fixture_open(&fixture, NULL, rf_runner_real());
        if (!have_qemu_img(fixture.runner) || small_pool(&fixture) < 0) {
            print_message("skipped: no qemu-img, or no mounts without being root\n");
            fixture_close(&fixture);
            skip();
        }
        write_base(&fixture);
        if (overlay)
            make_overlay(&fixture, "base-1.qcow2");
        fixture_write(&fixture, RF_POOL_DIR "/.dc1.qcow2.new", "left by a kill", 0600);
        assert_int_equal(rf_step_disk.apply(&fixture.env, &fixture.model->guests[0], &error), -1);
        rf_autofree char *text = rf_error_text(error), *pool = rf_format("%s" RF_POOL_DIR, fixture.root);
        rf_autofree char *unfinished = rf_format("%s/.dc1.qcow2.new", pool);
        rf_autofree char *disk = rf_format("%s%s", fixture.root, DISK);
        rf_error_free(error);
        assert_non_null(strstr(text, "the disk of dc1: it takes "));
        assert_non_null(strstr(text, " left beside what is kept free for the guests that run; make room there"));
        assert_false(rf_exists(unfinished));
        assert_false(rf_exists(disk));
        assert_int_equal(umount(pool), 0);
        fixture_close(&fixture);
    }
}

static void assert_refused(struct fixture *fixture, const char *says)
{
    const struct rf_node_guest *guest = &fixture->model->guests[0];
    rf_error *error = NULL;
    assert_int_equal(rf_step_disk.probe(&fixture->env, guest, &error), RF_PROBE_ERROR);
    assert_error_has(error, says);
    assert_int_equal(rf_step_disk.apply(&fixture->env, guest, &error), -1);
    assert_error_has(error, says);
    rf_autofree char *disk = rf_guest_disk_path(guest);
    rf_autofree char *kept = fixture_read(fixture, RF_STATE_GUESTS "/dc1/kept.json");
    assert_false(rf_exists(disk));
    assert_string_equal(kept, "{}");
}

/* A file that was moved aside for an hour cost the guest its passwords, and an empty machine came up under its name. */
static void a_lost_disk_is_not_made_anew(void **state)
{
    (void)state;
    struct fixture fixture;
    if (!open_with_base(&fixture))
        skip();
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/settled.json", "{}", 0600);
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/kept.json", "{}", 0600);
    assert_refused(&fixture, "the disk of dc1 is gone (");
    fixture_close(&fixture);
}

/* A volume that did not come up at boot made all guests look new. */
static void nothing_is_made_on_a_volume_that_is_not_mounted(void **state)
{
    (void)state;
    struct fixture fixture;
    if (!open_with_base(&fixture))
        skip();
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/kept.json", "{}", 0600);
    fixture_write(&fixture, "/etc/fstab",
                  "# made by hand\nUUID=1 / btrfs subvol=root 0 0\nUUID=2 " RF_POOL_DIR " xfs noatime,nofail 0 0\n",
                  0644);
    assert_refused(&fixture, "the guests' volume is not mounted at " RF_POOL_DIR);
    if (small_pool(&fixture) < 0) {
        fixture_close(&fixture);
        skip();
    }
    assert_int_equal(rf_step_disk.probe(&fixture.env, &fixture.model->guests[0], NULL), RF_PROBE_TODO);
    rf_autofree char *pool = rf_format("%s" RF_POOL_DIR, fixture.root);
    assert_int_equal(umount(pool), 0);
    fixture_close(&fixture);
}

static void an_absent_base_is_said(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_dry());
    assert_int_equal(rf_step_disk.apply(&fixture.env, &fixture.model->guests[0], &error), -1);
    assert_error_has(error, "the base image of recipe 'active-directory' is not on this node");
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disk_is_cloned_and_grown),
        cmocka_unit_test(a_disk_in_use_grows_after_a_snapshot),
        cmocka_unit_test(a_growth_that_fails_costs_one_snapshot),
        cmocka_unit_test(an_overlay_is_written_out),
        cmocka_unit_test(an_overlay_without_its_base_is_said),
        cmocka_unit_test(an_image_gets_no_file_of_the_node),
        cmocka_unit_test(a_full_pool_is_said_and_not_kept_full),
        cmocka_unit_test(a_lost_disk_is_not_made_anew),
        cmocka_unit_test(nothing_is_made_on_a_volume_that_is_not_mounted),
        cmocka_unit_test(an_absent_base_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
