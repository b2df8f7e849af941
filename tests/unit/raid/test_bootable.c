/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commit mark, on a loop device. */
#include "raid/bootable.h"
#include "tests/unit/raid/loop.h"

static bool is_marked(const struct fixture *self)
{
    bool marked = false;
    rf_error *err = NULL;
    if (rf_bootable_read(&self->layout->disks[0], &marked, &err) < 0) {
        rf_autofree char *why = rf_error_text(err);
        fail_msg("%s", why);
    }
    return marked;
}

/* The attributes of the GPT's entry (UEFI 2.10, table 5.6: at byte 48 of 128), read from the disk itself. */
static uint64_t attributes_of(const struct fixture *self, unsigned number)
{
    uint64_t attributes;
    rf_autofd int fd = open(self->device, O_RDONLY | O_CLOEXEC);
    assert_int_equal(pread(fd, &attributes, 8, 2 * 512 + (number - 1) * 128 + 48), 8);
    return attributes;
}

static void the_mark_is_set_on_the_disk(void **state)
{
    FIXTURE(self, "512");
    free(replan(&self));
    assert_int_equal(apply(&self, NULL), 0);
    assert_false(is_marked(&self));
    assert_int_equal(attributes_of(&self, 1), 0);
    for (unsigned i = 0; i < 2; i++) { /* repeated */
        assert_int_equal(rf_bootable_mark(&self.layout->disks[0], NULL), 0);
        assert_true(is_marked(&self));
        assert_int_equal(attributes_of(&self, 1), RF_ATTRIBUTE_BOOTABLE);
    }
    for (unsigned number = 2; number <= RF_PARTS; number++)
        assert_int_equal(attributes_of(&self, number), 0);
    assert_int_equal(probe(&self), RF_PROBE_DONE); /* the same table otherwise */
}

/* The inventory that comes after it says the same. */
static void the_inventory_sees_it(void **state)
{
    FIXTURE(self, "512");
    free(replan(&self));
    assert_int_equal(apply(&self, NULL), 0);
    assert_int_equal(rf_bootable_mark(&self.layout->disks[0], NULL), 0);
    free(replan(&self));
    assert_true(self.layout->disks[0].committed);
}

static void without_a_table_there_is_no_mark(void **state)
{
    FIXTURE(self, "512");
    free(replan(&self));
    bool marked = true;
    rf_error *err = NULL;
    assert_int_equal(rf_bootable_read(&self.layout->disks[0], &marked, &err), -1);
    assert_error_has(err, "does not carry this node's partition table any more");
    assert_int_equal(rf_bootable_mark(&self.layout->disks[0], &err), -1);
    assert_error_has(err, "does not carry this node's partition table any more");
    self.layout->disks[0].size += 512; /* another disk */
    assert_int_equal(rf_bootable_mark(&self.layout->disks[0], &err), -1);
    assert_error_has(err, "it is not there any more");
    assert_true(marked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mark_is_set_on_the_disk),
        cmocka_unit_test(the_inventory_sees_it),
        cmocka_unit_test(without_a_table_there_is_no_mark),
    };
    return cmocka_run_group_tests_name("raid/bootable", tests, NULL, NULL);
}
