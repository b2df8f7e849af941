/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last step of a root beside another: first complete, then named, then booted; and what comes before it. */
#include "image/medium.h"
#include "image/region.h"
#include "installer/root_change.h"
#include "tests/unit/installer/deploy.h"

#define TOP "target/system"
#define UUID "11111111-2222-5333-8444-555555555555"
#define MANIFEST                                                                                                       \
    "{\"richtfest\": 1, \"version\": \"0.2.0\", \"kernel\": \"6.12\", \"payloads\": [{\"path\": "                      \
    "\"/live/root.squashfs\", "                                                                                        \
    "\"size\": 1, \"unpacked\": %s, \"sha256\": \"%064d\", \"xxh3\": \"%032d\"}]}"

static void beside(struct deployed *self, const char *unpacked)
{
    const struct rf_boot_choice choice = {.root = 1};
    rf_autofree char *top = rf_format("%s/" TOP, self->top), *manifest = rf_format(MANIFEST, unpacked, 7, 8);
    deployed_put(self, TOP "/roots/1/etc/os-release", "old");
    deployed_put(self, "medium" RF_MEDIUM_MANIFEST_FILE, manifest);
    assert_int_equal(rf_roots_choose(top, "n1", UUID, &choice, NULL), 0);
    rf_deploy_make_beside(self->deploy, 2, 1);
}

static bool there(const struct deployed *self, const char *below)
{
    rf_autofree char *path = rf_format("%s/%s", self->top, below);
    return rf_exists(path);
}

static struct rf_boot_choice choice_of(const struct deployed *self)
{
    struct rf_boot_choice choice = {0};
    rf_autofree char *config = deployed_read(self, TOP RF_NODE_GRUB_CONFIG);
    assert_int_equal(rf_boot_choice_parse(config, &choice, NULL), 0);
    return choice;
}

static enum rf_probe probe(struct deployed *self)
{
    struct rf_step_env env = {.runner = self->runner};
    return rf_step_switch.probe(&env, self->deploy, NULL);
}

/* No ESP of the recorded disks is here, so the switch itself fails: then the root has its name, which is no lie, and the old one is booted. */
static void a_switch_that_fails_leaves_what_was(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    beside(&self, "1000");
    deployed_put(&self, TOP "/roots/2.new/etc/os-release", "new");
    rf_error *error = NULL;
    assert_int_equal(probe(&self), RF_PROBE_TODO);
    assert_int_equal(deployed_apply(&self, &rf_step_switch, &error), -1);
    assert_error_has(error, "the ESP of no disk could be written");
    assert_true(there(&self, TOP "/roots/2/etc/os-release") && !there(&self, TOP "/roots/2.new"));
    assert_int_equal(choice_of(&self).root, 1);
    rf_autofree char *note = deployed_read(&self, TOP RF_NODE_DIR "/roots/2.json");
    assert_true(strstr(note, "\"deployed\"") && strstr(note, "\"0.2.0\"") && strstr(note, "0000007\""));
    assert_int_equal(probe(&self), RF_PROBE_TODO);
}

/* Killed before the name: nothing that looks like a root is there. */
static void a_root_that_is_not_on_the_disk_has_no_name(void **state)
{
    DEPLOYED(self, rf_runner_fault(rf_runner_dry(), 1, 1));
    beside(&self, "1000");
    deployed_put(&self, TOP "/roots/2.new/etc/os-release", "new");
    rf_error *error = NULL;
    assert_int_equal(deployed_apply(&self, &rf_step_switch, &error), -1);
    assert_error_has(error, "btrfs");
    assert_false(there(&self, TOP "/roots/2"));
}

static void what_is_switched_to_already_is_done(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    beside(&self, "1000");
    const struct rf_boot_choice choice = {.root = 2, .before = 1, .trial = "0f8fad5b-d9cb-469f-a165-70867728950e"};
    rf_autofree char *top = rf_format("%s/" TOP, self.top);
    assert_int_equal(rf_roots_choose(top, "n1", UUID, &choice, NULL), 0);
    assert_int_equal(probe(&self), RF_PROBE_TODO); /* there is no such root */
    deployed_put(&self, TOP "/roots/2/etc/os-release", "new");
    assert_int_equal(probe(&self), RF_PROBE_DONE);
}

static void what_was_left_goes_first(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    beside(&self, "1000");
    deployed_put(&self, TOP "/roots/2.new/x", "");
    assert_int_equal(deployed_apply(&self, &rf_step_clear_roots, NULL), 0);
    assert_non_null(strstr(rf_runner_dry_text(self.runner), "btrfs subvolume delete --recursive "));
}

static void without_room_nothing_is_unpacked(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    beside(&self, "1000000000000000");
    rf_error *error = NULL;
    assert_int_equal(deployed_apply(&self, &rf_step_clear_roots, &error), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_MACHINE);
    assert_error_has(error, "'richtfest root prune' removes roots that are not needed");
}

/* On a running node both file systems stay mounted elsewhere, and unmounting would flush nothing. */
static void a_running_node_is_flushed_by_name(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    beside(&self, "1000");
    assert_int_equal(deployed_apply(&self, &rf_step_flush, NULL), 0);
    rf_autofree char *wanted =
        rf_format("btrfs filesystem sync %s/system\nsync --file-system %s/images\n", self.target, self.target);
    assert_string_equal(rf_runner_dry_text(self.runner), wanted);
}

/* Homes, definitions and keys; a folder that the root has not is none. Hashes travel by standard input alone. */
static void what_the_root_has_become_is_brought(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    beside(&self, "1000");
    deployed_put(&self, TOP "/roots/1/etc/libvirt/qemu/dc1.xml", "x");
    rf_autofree char *home = rf_format(TOP "/roots/2.new/home/%s/x", self.profile->node.admins[0].name);
    rf_autofree char *passwd =
        rf_format("root:x:0:0::/root:/bin/sh\ncaddy:x:990:989::/:/bin/sh\n%s:x:1000:1000::/home:/bin/sh\n",
                  self.profile->node.admins[0].name);
    deployed_put(&self, home, "x"); /* as cp would bring it */
    deployed_put(&self, TOP "/roots/2.new/etc/passwd", passwd);
    deployed_put(&self, TOP "/roots/2.new/var/lib/caddy/x", "x");
    deployed_put(&self, TOP "/roots/1/var/lib/caddy/x", "x");
    rf_autofree char *shadow = rf_format("root:*:1::::::\n%s:$y$secret:1::::::\nother:$y$foreign:1::::::\n",
                                         self.profile->node.admins[0].name);
    deployed_put(&self, TOP "/roots/1/etc/shadow", shadow);
    assert_int_equal(deployed_apply(&self, &rf_step_carry, NULL), 0);
    rf_autofree char *from = rf_format("%s/system/roots/1", self.target),
                     *to = rf_format("%s/system/roots/2.new", self.target);
    rf_autofree char *wanted =
        rf_format("cp --archive --reflink=auto --no-target-directory %s/etc/libvirt/qemu %s/etc/libvirt/qemu\n"
                  "cp --archive --reflink=auto --no-target-directory %s/var/lib/caddy %s/var/lib/caddy\n"
                  "chown --recursive --no-dereference 990:989 %s/var/lib/caddy\n"
                  "chown --recursive --no-dereference 1000:1000 %s/home/%s\n"
                  "chpasswd --encrypted --root %s <…\n",
                  from, to, from, to, to, to, self.profile->node.admins[0].name, to);
    assert_string_equal(rf_runner_dry_text(self.runner), wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_switch_that_fails_leaves_what_was),
        cmocka_unit_test(a_root_that_is_not_on_the_disk_has_no_name),
        cmocka_unit_test(what_is_switched_to_already_is_done),
        cmocka_unit_test(what_was_left_goes_first),
        cmocka_unit_test(without_room_nothing_is_unpacked),
        cmocka_unit_test(a_running_node_is_flushed_by_name),
        cmocka_unit_test(what_the_root_has_become_is_brought),
    };
    return cmocka_run_group_tests_name("installer/step_switch", tests, NULL, NULL);
}
