/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is said of each state that disks come with, on disks with sectors of 512 bytes and of 4 KiB (tests/golden/raid/kinds-*.txt). */
#include "raid/foreign.h"
#include "raid/kind.h"
#include "tests/unit/raid/states.h"

static char *findings_of(const struct fixture *self)
{
    rf_autofd int fd = open(self->device, O_RDONLY | O_CLOEXEC);
    rf_autodisk struct rf_disk disk = {.size = end_of(fd), .logical_sector = self->sector};
    assert_int_equal(rf_disk_probe(fd, &disk, NULL), 0);
    return rf_foreign_findings("loop-1", &disk, 4);
}

/* Without where each magic stands: of several, versions of libblkid name another one. */
static void cut_offsets(char *text)
{
    for (char *at = text; (at = strstr(at, ", at byte "));) {
        char *end = at + strcspn(at, "\n");
        memmove(at, end, strlen(end) + 1);
    }
}

static void append_state(char **text, const struct fixture *self, const struct disk_state *row)
{
    rf_autofd int fd = open(self->device, O_RDWR | O_CLOEXEC);
    row->make(self, fd);
    fsync(fd);
    rf_autofree char *found = findings_of(self);
    if (!found)
        fail_msg("%s looks blank", row->name);
    cut_offsets(found);
    rf_append(text, "%s:%s\n", row->name, found);
}

static void all_states(const char *sector, const char *golden)
{
    rf_autofree char *text = NULL;
    for (size_t i = 0; i < RF_COUNT(disk_states); i++) {
        void **state = NULL;
        FIXTURE(self, sector);
        append_state(&text, &self, &disk_states[i]);
    }
    unit_golden(golden, text);
}

static void states_512(void **state)
{
    (void)state;
    all_states("512", "tests/golden/raid/kinds-512.txt");
}

static void states_4096(void **state)
{
    (void)state;
    all_states("4096", "tests/golden/raid/kinds-4096.txt");
}

static void rows_are_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < rf_kinds_count; i++) {
        assert_true(*rf_kinds[i].type && *rf_kinds[i].title);
        assert_ptr_equal(rf_kind_of(rf_kinds[i].type), &rf_kinds[i]); /* no type twice */
        for (size_t j = 0; j < RF_WIPE_SPOTS; j++)
            assert_int_equal(rf_kinds[i].spots[j] % RF_WIPE_SPOT, 0);
    }
}

/* docs/how-to/dirty-disks.md promises to be complete. */
static void the_page_names_every_kind(void **state)
{
    (void)state;
    rf_autofree char *page = NULL;
    assert_int_equal(rf_read_file("docs/how-to/dirty-disks.md", RF_MIB, &page, NULL, NULL), 0);
    for (size_t i = 0; i < rf_kinds_count; i++) {
        rf_autofree char *word = rf_format("`%s`", rf_kinds[i].type);
        if (!strstr(page, word))
            fail_msg("the page does not name %s", word);
    }
}

/* A kind that nobody has thought of is named as libblkid names it, and is as foreign as any other. */
static void unknown_kinds_are_named(void **state)
{
    (void)state;
    const struct rf_signature signature = {.type = (char *)"newfs", .usage = (char *)"filesystem", .offset = 7};
    rf_autofree char *text = rf_kind_text(&signature);
    assert_string_equal(text, "newfs, at byte 7");
    assert_null(rf_kind_of("newfs")->release);
}

/* Disks hold anything: whatever stands where a detail is read from, the reader ends, within what was read, with a short line of text. */
static void garbage_has_no_details(void **state)
{
    (void)state;
    static const char *const types[] = {"linux_raid_member", "LVM2_member", "btrfs", "bcache", "crypto_LUKS"};
    static const char label[] = "LABELONE";
    unsigned seed = 20261121;
    rf_autofree char *directory = unit_directory();
    rf_autofree char *path = rf_format("%s/garbage", directory);
    for (int round = 0; round < 2000; round++) {
        unsigned char bytes[4096];
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (unsigned char)(rand_r(&seed) % 4 ? 0 : rand_r(&seed));
        memcpy(bytes + 512, label, 8);
        bytes[512 + 20] = (unsigned char)(round % 64); /* where LVM's areas are, in most rounds */
        bytes[512 + 21] = (unsigned char)(round % 3);
        memset(bytes + 512 + 22, round % 5 ? 0 : 0xff, 2);
        rf_autofd int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        put(fd, 0, bytes, sizeof(bytes));
        for (size_t i = 0; i < RF_COUNT(types); i++) {
            const struct rf_signature signature = {.type = (char *)types[i], .offset = 536};
            rf_autofree char *text = rf_signature_detail(fd, 0, &signature, "1.2");
            assert_true(!text || strlen(text) < 200);
        }
    }
    rf_remove_tree(directory, NULL);
}

/* `btrfs device scan --forget` for each device that holds some; its failure is none. */
static void btrfs_is_forgotten(void **state)
{
    (void)state;
    rf_autorunner rf_runner *runner = rf_runner_fault(rf_runner_dry(), 1, 1);
    struct rf_step_env env = {.runner = runner};
    const struct rf_signature signature = {.type = (char *)"btrfs"};
    assert_int_equal(rf_kind_of("btrfs")->release(&env, "/dev/sda2", &signature, NULL), 0);
    rf_autorunner rf_runner *dry = rf_runner_dry();
    env.runner = dry;
    assert_int_equal(rf_kind_of("btrfs")->release(&env, "/dev/sda2", &signature, NULL), 0);
    assert_string_equal(rf_runner_dry_text(dry), "btrfs device scan --forget /dev/sda2\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_512),
        cmocka_unit_test(states_4096),
        cmocka_unit_test(rows_are_whole),
        cmocka_unit_test(the_page_names_every_kind),
        cmocka_unit_test(garbage_has_no_details),
        cmocka_unit_test(unknown_kinds_are_named),
        cmocka_unit_test(btrfs_is_forgotten),
    };
    return cmocka_run_group_tests_name("raid/kind", tests, NULL, NULL);
}
