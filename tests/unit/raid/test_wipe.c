/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every state of states.h is gone when it is cleared, all of its copies too, wherever the power went on the way. */
#include "raid/consent.h"
#include "raid/foreign.h"
#include "raid/wipe.h"
#include "tests/unit/raid/states.h"

#include <limits.h>

/* A fresh plan, which has a consent as long as there is something to clear. */
static const struct rf_consent *consent_to(struct fixture *self)
{
    self->consent = true;
    rf_autofree char *text = replan(self);
    if (!self->layout)
        fail_msg("%s", text);
    return self->layout->disks[0].consent;
}

static void inventory(const struct fixture *self, int fd, struct rf_disk *disk)
{
    *disk = (struct rf_disk){.path = rf_strdup(self->device), .serial = rf_strdup(self->serial)};
    disk->size = end_of(fd);
    disk->logical_sector = self->sector;
    assert_int_equal(rf_disk_probe(fd, disk, NULL), 0);
}

static int wipe(const struct rf_consent *consent, const struct fixture *self, int fd, unsigned writes, rf_error **err)
{
    rf_autodisk struct rf_disk disk = {0};
    inventory(self, fd, &disk);
    return rf_wipe_disk(consent, fd, &disk, writes, err);
}

/* One run that is cut after so many writes; each looks anew. False: there was nothing to do any more. */
static bool clear(const struct rf_consent *consent, const struct fixture *self, int fd, unsigned writes)
{
    rf_autodisk struct rf_disk disk = {0};
    inventory(self, fd, &disk);
    rf_autofree char *findings = rf_foreign_findings(self->node, &disk, 4);
    if (findings)
        assert_int_equal(rf_wipe_disk(consent, fd, &disk, writes, NULL), 0);
    return findings != NULL;
}

/* Reads what is allocated of the disk's file, a little more than each extent. */
static bool holds(const struct fixture *self, const char *magic)
{
    enum { PIECE = 1 << 20, OVERLAP = 64 };
    rf_autofree char *path = rf_format("%s/%s", self->directory, self->serial);
    rf_autofree char *piece = rf_alloc(PIECE + OVERLAP);
    rf_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (off_t at = 0; (at = lseek(fd, at, SEEK_DATA)) >= 0; at += PIECE) {
        ssize_t size = pread(fd, piece, PIECE + OVERLAP, at);
        if (size > 0 && memmem(piece, (size_t)size, magic, strlen(magic)))
            return true;
    }
    return false;
}

static void check(const struct rf_consent *consent, const struct fixture *self, const struct disk_state *row, int fd)
{
    fsync(fd);
    if (clear(consent, self, fd, 0))
        fail_msg("%s: something is left", row->name);
    if (row->magic && holds(self, row->magic))
        fail_msg("%s: its magic is still on the disk", row->name);
}

static void at_once(const char *sector)
{
    for (size_t i = 0; i < RF_COUNT(disk_states); i++) {
        void **state = NULL;
        FIXTURE(self, sector);
        rf_autofd int fd = open(self.device, O_RDWR | O_CLOEXEC);
        disk_states[i].make(&self, fd);
        fsync(fd);
        if (disk_states[i].magic && !holds(&self, disk_states[i].magic))
            fail_msg("%s: this test does not know its magic", disk_states[i].name);
        const struct rf_consent *consent = consent_to(&self);
        assert_true(clear(consent, &self, fd, RF_WIPE_ALL));
        check(consent, &self, &disk_states[i], fd);
    }
}

/* Killed after one write, after two, …: each run begins as the one before, so that the disk looks as after one run that was killed there. */
static void cut_everywhere(const char *sector)
{
    enum { RUNS_MAX = 200 };
    for (size_t i = 0; i < RF_COUNT(disk_states); i++) {
        void **state = NULL;
        FIXTURE(self, sector);
        rf_autofd int fd = open(self.device, O_RDWR | O_CLOEXEC);
        disk_states[i].make(&self, fd);
        fsync(fd);
        const struct rf_consent *consent = consent_to(&self);
        unsigned writes = 0;
        while (clear(consent, &self, fd, writes))
            assert_true(++writes < RUNS_MAX);
        check(consent, &self, &disk_states[i], fd);
    }
}

static void all_at_once_512(void **state)
{
    (void)state;
    at_once("512");
}

static void all_at_once_4096(void **state)
{
    (void)state;
    at_once("4096");
}

static void cut_at_every_write_512(void **state)
{
    (void)state;
    cut_everywhere("512");
}

static void cut_at_every_write_4096(void **state)
{
    (void)state;
    cut_everywhere("4096");
}

/* Between head and tail nothing is written: the contents stay, and 4 TB take no longer than 4 GB. */
static void the_middle_is_not_written(void **state)
{
    FIXTURE(self, "512");
    rf_autofd int fd = open(self.device, O_RDWR | O_CLOEXEC);
    make_gpt(&self, fd);
    put_text(fd, SECOND + 512 * RF_MIB, "still here");
    assert_true(clear(consent_to(&self), &self, fd, RF_WIPE_ALL));
    char text[11] = "";
    assert_int_equal(pread(fd, text, 10, SECOND + 512 * RF_MIB), 10);
    assert_string_equal(text, "still here");
}

/* A partition that ends behind the disk's end (a table that was made for a larger disk), and one of a sector. */
static void odd_partitions(void **state)
{
    FIXTURE(self, "512");
    rf_autofd int fd = open(self.device, O_RDWR | O_CLOEXEC);
    make_gpt(&self, fd);
    const struct rf_consent *consent = consent_to(&self);
    struct rf_partition parts[] = {{.number = 1, .start = 512, .size = 512},
                                   {.number = 2, .start = 19 * RF_GIB, .size = 2 * RF_GIB},
                                   {.number = 3, .start = 21 * RF_GIB, .size = RF_GIB}};
    const struct rf_disk disk = {
        .path = self.device, .serial = self.serial, .size = end_of(fd), .partitions = parts, .partitions_count = 3};
    assert_int_equal(rf_wipe_disk(consent, fd, &disk, RF_WIPE_ALL, NULL), 0);
    assert_int_equal(end_of(fd), 20 * RF_GIB);
}

/* A consent is for the disk that it names: another one, or one of another size, is not written with it. */
static void another_disk_is_refused(void **state)
{
    FIXTURE(self, "512");
    rf_autofd int fd = open(self.device, O_RDWR | O_CLOEXEC);
    make_gpt(&self, fd);
    const struct rf_consent *consent = consent_to(&self);
    const struct rf_disk others[] = {{.path = self.device, .serial = (char *)"OTHER", .size = end_of(fd)},
                                     {.path = self.device, .serial = self.serial, .size = end_of(fd) / 2}};
    for (size_t i = 0; i < RF_COUNT(others); i++) {
        rf_error *err = NULL;
        assert_int_equal(rf_wipe_disk(consent, fd, &others[i], RF_WIPE_ALL, &err), -1);
        assert_error_has(err, "is not the disk that the consent is about; it was not written");
    }
    assert_true(holds(&self, "EFI PART"));
}

static void failures_name_the_place(void **state)
{
    FIXTURE(self, "512");
    rf_autofd int writer = open(self.device, O_RDWR | O_CLOEXEC), fd = open(self.device, O_RDONLY | O_CLOEXEC);
    make_swap(&self, writer);
    rf_error *err = NULL;
    assert_int_equal(wipe(consent_to(&self), &self, fd, RF_WIPE_ALL, &err), -1);
    assert_error_has(err, "byte 21473787904 can't be overwritten: Bad file descriptor");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_at_once_512),           cmocka_unit_test(all_at_once_4096),
        cmocka_unit_test(cut_at_every_write_512),    cmocka_unit_test(cut_at_every_write_4096),
        cmocka_unit_test(the_middle_is_not_written), cmocka_unit_test(odd_partitions),
        cmocka_unit_test(another_disk_is_refused),   cmocka_unit_test(failures_name_the_place),
    };
    return cmocka_run_group_tests_name("raid/wipe", tests, NULL, NULL);
}
