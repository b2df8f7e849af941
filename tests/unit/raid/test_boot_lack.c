/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/bootable.h"
#include "tests/unit/raid/raid.h"

static const char node_id[] = "musterkunde-n1";

static struct rf_partition *part(struct rf_disk *disk, enum rf_part wanted)
{
    return &disk->partitions[wanted];
}

static void assert_lack(const struct rf_disk *disk, const char *words, bool takes_loaders)
{
    rf_autofree char *said = rf_disk_boot_lack(node_id, disk);
    if ((said == NULL) != (words == NULL) || (said && strcmp(said, words) != 0))
        fail_msg("\"%s\" instead of \"%s\"", said ? said : "nothing", words ? words : "nothing");
    assert_int_equal(rf_disk_takes_loaders(disk), takes_loaders);
}

static void what_is_missing_is_said_by_its_weight(void **state)
{
    (void)state;
    rf_automachine rf_machine *machine = recorded_machine("installed-node");
    struct rf_disk *disk = &machine->disks[1];
    assert_lack(disk, NULL, true);
    const uint64_t mark = part(disk, RF_PART_BIOS)->attributes;
    part(disk, RF_PART_BIOS)->attributes &= ~RF_ATTRIBUTE_BOOTABLE;
    assert_lack(disk, "its boot loaders were not finished; `richtfest apply --node` writes them", true);
    part(disk, RF_PART_SYSTEM)->signatures[0].type[0] = 'x'; /* what loaders can't help */
    assert_lack(disk, "its part of the system array is missing", false);
    part(disk, RF_PART_BIOS)->attributes = mark;
    assert_lack(disk, "its part of the system array is missing", false);
    part(disk, RF_PART_SYSTEM)->signatures[0].type[0] = 'l';
    part(disk, RF_PART_ESP)->signatures[0].type[0] = 'x';
    assert_lack(disk, "its ESP holds no FAT file system", false);
}

static void a_blank_or_another_disk_lacks_everything(void **state)
{
    (void)state;
    rf_automachine rf_machine *blank = recorded_machine("musterkunde-blank"),
                              *node = recorded_machine("installed-node");
    assert_lack(&blank->disks[0], "its ESP holds no FAT file system", false);
    rf_autofree char *said = rf_disk_boot_lack("another-node", &node->disks[0]);
    assert_string_equal(said, "its boot loaders were not finished; `richtfest apply --node` writes them");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_is_said_by_its_weight),
        cmocka_unit_test(a_blank_or_another_disk_lacks_everything),
    };
    return cmocka_run_group_tests_name("raid/boot_lack", tests, NULL, NULL);
}
