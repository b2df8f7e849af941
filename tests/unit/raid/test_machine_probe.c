/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inventory of trees that look like /sys, /proc and /run of machines we do not have here. */
#include "tests/unit/raid/raid.h"

#include <libgen.h>

struct tree {
    char *root;
    rf_machine *machine;
};

static void put_bytes(struct tree *tree, const char *path, const void *data, size_t size)
{
    rf_autofree char *full = rf_format("%s%s", tree->root, path);
    rf_autofree char *directory = rf_strdup(full);
    assert_int_equal(rf_make_dirs(dirname(directory), 0755, NULL), 0);
    assert_int_equal(rf_write_file(full, data, size, 0644, NULL), 0);
}

static void put(struct tree *tree, const char *path, const char *text)
{
    put_bytes(tree, path, text, strlen(text));
}

static void link_to(struct tree *tree, const char *path, const char *target)
{
    rf_autofree char *full = rf_format("%s%s", tree->root, path);
    rf_autofree char *directory = rf_strdup(full);
    assert_int_equal(rf_make_dirs(dirname(directory), 0755, NULL), 0);
    assert_int_equal(symlink(target, full), 0);
}

/* A disk below its bus path, linked from /sys/block and /sys/class/block as the kernel does it. */
static void put_disk(struct tree *tree, const char *name, const char *bus, const char *number, const char *sectors)
{
    rf_autofree char *target = rf_format("../devices/%s/block/%s", bus, name);
    rf_autofree char *class_target = rf_format("../../devices/%s/block/%s", bus, name);
    rf_autofree char *home = rf_format("/sys/devices/%s/block/%s", bus, name);
    const struct {
        const char *attribute, *value;
    } rows[] = {{"dev", number}, {"size", sectors}, {"queue/rotational", "0\n"}, {"ro", "0\n"}, {"removable", "0\n"}};
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        rf_autofree char *path = rf_format("%s/%s", home, rows[i].attribute);
        put(tree, path, rows[i].value);
    }
    rf_autofree char *block = rf_format("/sys/block/%s", name);
    rf_autofree char *class_block = rf_format("/sys/class/block/%s", name);
    link_to(tree, block, target);
    link_to(tree, class_block, class_target);
}

static void start(struct tree *tree)
{
    *tree = (struct tree){.root = unit_directory()};
    put(tree, "/proc/meminfo", "MemTotal:       24000000 kB\n");
    put(tree, "/proc/cmdline", "quiet root=live:CDLABEL=RICHTFEST rd.live.image\n");
    put(tree, "/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu svm nx\n");
    put(tree, "/sys/devices/system/cpu/online", "0-3,6,8-9\n");
    put(tree, "/sys/block/.keep", "");
}

static void finish(struct tree *tree)
{
    rf_machine_free(tree->machine);
    rf_remove_tree(tree->root, NULL);
    free(tree->root);
}

#define TREE(tree)                                                                                                     \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct tree tree;                                                                               \
    start(&tree)

static void probe(struct tree *tree)
{
    rf_machine_free(tree->machine);
    tree->machine = NULL;
    assert_int_equal(rf_machine_probe(tree->root, &tree->machine, NULL), 0);
}

static void system_facts(void **state)
{
    TREE(tree);
    put(&tree, "/sys/class/dmi/id/sys_vendor", "Dell Inc.\n");
    put(&tree, "/sys/class/dmi/id/product_serial", "To Be Filled By O.E.M.\n");
    put_bytes(&tree, "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", "\6\0\0\0\1", 5);
    probe(&tree);
    assert_int_equal(tree.machine->environment, RF_ENV_LIVE);
    assert_string_equal(tree.machine->dmi_vendor, "Dell Inc.");
    assert_null(tree.machine->dmi_serial);
    assert_string_equal(tree.machine->firmware, "uefi");
    assert_true(tree.machine->secure_boot);
    assert_int_equal(tree.machine->cores, 7);
}

static void environments(void **state)
{
    TREE(tree);
    put(&tree, "/proc/cmdline", "root=/dev/sda ord.live.image\n");
    probe(&tree);
    assert_int_equal(tree.machine->environment, RF_ENV_OTHER);
    put(&tree, "/var/lib/richtfest/profile.yaml", "x");
    probe(&tree);
    assert_int_equal(tree.machine->environment, RF_ENV_NODE);
}

static void memory_sources(void **state)
{
    TREE(tree);
    probe(&tree);
    assert_string_equal(tree.machine->memory_source, "meminfo");
    assert_int_equal(tree.machine->memory, UINT64_C(24000000) * 1024);
    put(&tree, "/sys/devices/system/memory/block_size_bytes", "80000000\n");
    for (int i = 0; i < 12; i++) {
        rf_autofree char *path = rf_format("/sys/devices/system/memory/memory%d/online", i);
        put(&tree, path, "1\n");
    }
    probe(&tree);
    assert_string_equal(tree.machine->memory_source, "blocks");
    assert_int_equal(tree.machine->memory, 24 * RF_GIB);
    /* two modules of 12 GiB; one empty slot; one in the extended field: 0x7fff */
    unsigned char module[0x20] = {17, 0x20, 0, 0, [0x0c] = 0x00, [0x0d] = 0x30};
    put_bytes(&tree, "/sys/firmware/dmi/entries/17-0/raw", module, sizeof(module));
    unsigned char extended[0x20] = {17, 0x20, [0x0c] = 0xff, [0x0d] = 0x7f, [0x1d] = 0x30};
    put_bytes(&tree, "/sys/firmware/dmi/entries/17-1/raw", extended, sizeof(extended));
    unsigned char empty[0x20] = {17, 0x20};
    put_bytes(&tree, "/sys/firmware/dmi/entries/17-2/raw", empty, sizeof(empty));
    put_bytes(&tree, "/sys/firmware/dmi/entries/17-3/raw", "\21", 1); /* cut off */
    probe(&tree);
    assert_string_equal(tree.machine->memory_source, "dmi");
    assert_int_equal(tree.machine->memory, 24 * RF_GIB);
    extended[0x1f] = 1; /* 16 TiB: nobody believes that beside 24 GB of MemTotal */
    put_bytes(&tree, "/sys/firmware/dmi/entries/17-1/raw", extended, sizeof(extended));
    probe(&tree);
    assert_string_equal(tree.machine->memory_source, "blocks");
}

static void kvm_reasons(void **state)
{
    TREE(tree);
    probe(&tree);
    assert_false(tree.machine->kvm);
    assert_non_null(strstr(tree.machine->kvm_reason, "modprobe kvm_amd"));
    put(&tree, "/sys/module/kvm_amd/version", "");
    probe(&tree);
    assert_non_null(strstr(tree.machine->kvm_reason, "/dev/kvm is missing"));
    put(&tree, "/dev/kvm", "");
    probe(&tree);
    assert_true(tree.machine->kvm);
    put(&tree, "/proc/cpuinfo", "flags\t: fpu svm_lock vmxx\nvmx flags : vnmi\n"); /* words that only begin alike */
    probe(&tree);
    assert_false(tree.machine->kvm);
    assert_non_null(strstr(tree.machine->kvm_reason, "neither svm nor vmx"));
}

static const struct rf_disk *disk_named(const rf_machine *machine, const char *name)
{
    for (size_t i = 0; i < machine->disks_count; i++)
        if (strcmp(machine->disks[i].name, name) == 0)
            return &machine->disks[i];
    return NULL;
}

static void disks(void **state)
{
    TREE(tree);
    put_disk(&tree, "sda", "pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0", "8:0\n", "7814037168\n");
    put_bytes(&tree, "/sys/block/sda/device/vpd_pg80", "\0\x80\0\10  WX1234", 12);
    put(&tree, "/sys/block/sda/device/wwid", "naa.50014ee2b1234567\n");
    put(&tree, "/sys/block/sda/device/model", "WDC WD40EFRX    \n");
    put(&tree, "/run/udev/data/b8:0", "S:disk/by-id/x\nE:ID_PATH=pci-0000:00:1f.2-ata-1\nE:ID_SERIAL_SHORT=other\n");
    put_disk(&tree, "vda", "pci0000:00/0000:00:05.0/virtio1", "254:0\n", "100\n");
    put(&tree, "/sys/block/vda/serial", "RF-DISK-1");
    put_disk(&tree, "nvme0n1", "pci0000:00/0000:01:00.0/nvme/nvme0", "259:0\n", "100\n");
    put(&tree, "/sys/block/nvme0n1/wwid", "eui.0025385b71b0a1c2\n");
    put(&tree, "/sys/block/nvme0n1/device/serial", "S4EV\001\377 \n");
    put_disk(&tree, "sdb", "pci0000:00/usb1/1-1/host6/target6:0:0/6:0:0:0", "8:16\n", "100\n");
    put(&tree, "/run/udev/data/b8:16", "E:ID_SERIAL_SHORT=4C53\n");
    const char *const left_out[] = {"sr0", "loop0", "ram1", "zram0", "fd0", "md0", "dm-0", "nbd0"};
    for (size_t i = 0; i < RF_COUNT(left_out); i++)
        put_disk(&tree, left_out[i], "virtual", "7:0\n", "100\n");
    put_disk(&tree, "sdc", "pci0000:00/usb1/1-2/host7", "8:32\n", "0\n"); /* a card reader without a card */
    unsetenv("RICHTFEST_LOOP");
    probe(&tree);
    assert_int_equal(tree.machine->disks_count, 4);
    const struct rf_disk *sda = disk_named(tree.machine, "sda");
    assert_string_equal(sda->serial, "WX1234");
    assert_string_equal(sda->wwn, "0x50014ee2b1234567");
    assert_string_equal(sda->model, "WDC WD40EFRX");
    assert_string_equal(sda->transport, "sata");
    assert_string_equal(sda->by_path, "pci-0000:00:1f.2-ata-1");
    assert_int_equal(sda->size, UINT64_C(4000787030016));
    assert_string_equal(disk_named(tree.machine, "vda")->transport, "virtio");
    assert_string_equal(disk_named(tree.machine, "vda")->serial, "RF-DISK-1");
    assert_string_equal(disk_named(tree.machine, "nvme0n1")->transport, "nvme");
    assert_string_equal(disk_named(tree.machine, "nvme0n1")->serial, "S4EV??");
    assert_string_equal(disk_named(tree.machine, "nvme0n1")->wwn, "eui.0025385b71b0a1c2");
    assert_string_equal(disk_named(tree.machine, "sdb")->transport, "usb");
    assert_string_equal(disk_named(tree.machine, "sdb")->serial, "4C53");
}

static void put_partition(struct tree *tree, const char *disk, const char *name, const char *number)
{
    rf_autofree char *flag = rf_format("/sys/block/%s/%s/partition", disk, name);
    rf_autofree char *dev = rf_format("/sys/block/%s/%s/dev", disk, name);
    put(tree, flag, "1\n");
    put(tree, dev, number);
    rf_autofree char *class_block = rf_format("/sys/class/block/%s", name);
    rf_autofree char *target = rf_format("../../block/%s/%s", disk, name);
    link_to(tree, class_block, target);
}

static void usage(void **state)
{
    TREE(tree);
    put_disk(&tree, "vda", "pci0/virtio1", "254:0\n", "100\n");
    put_partition(&tree, "vda", "vda1", "254:1\n");
    put_partition(&tree, "vda", "vda2", "254:2\n");
    put_disk(&tree, "md127", "virtual", "9:127\n", "100\n");
    probe(&tree);
    assert_null(disk_named(tree.machine, "vda")->in_use);
    put(&tree, "/sys/block/vda/vda2/holders/md127", "");
    probe(&tree);
    assert_string_equal(disk_named(tree.machine, "vda")->in_use, "holder md127");
    assert_int_equal(tree.machine->volumes_count, 1);
    put(&tree, "/proc/swaps", "Filename Type Size\n/dev/vda1   partition 1 0 -2\n");
    probe(&tree);
    assert_string_equal(disk_named(tree.machine, "vda")->in_use, "swap");
    /* btrfs shows an anonymous device number: the source tells, also through the array */
    put(&tree, "/proc/self/mountinfo", "30 1 0:31 / /srv rw shared:1 - btrfs /dev/md127 rw\n");
    probe(&tree);
    assert_string_equal(disk_named(tree.machine, "vda")->in_use, "mounted at /srv");
    put(&tree, "/proc/self/mountinfo", "30 1 254:1 / /run/initramfs/live ro - iso9660 /dev/vda1 ro\n");
    probe(&tree);
    assert_string_equal(disk_named(tree.machine, "vda")->in_use, "install medium");
}

/* A device of a stack, linked where the kernel links it. */
static void put_stacked(struct tree *tree, const char *name, const char *number, const char *below)
{
    put_disk(tree, name, "virtual", number, "100\n");
    rf_autofree char *holder = rf_format("/sys/class/block/%s/holders/%s", below, name);
    rf_autofree char *slave = rf_format("/sys/block/%s/slaves/%s", name, below);
    put(tree, holder, "");
    put(tree, slave, "");
}

/* However high the stack is on which something is mounted, the disk at its foot can't be chosen. */
static void usage_of_high_stacks(void **state)
{
    TREE(tree);
    put_disk(&tree, "vda", "pci0/virtio1", "254:0\n", "100\n");
    put_partition(&tree, "vda", "vda1", "254:1\n");
    static const char *const stack[] = {"vda1", "md127", "dm-0", "dm-1", "dm-2", "dm-3", "dm-4", "dm-5"};
    for (size_t i = 1; i < RF_COUNT(stack); i++) {
        rf_autofree char *number = rf_format("253:%zu\n", i);
        put_stacked(&tree, stack[i], number, stack[i - 1]);
    }
    probe(&tree);
    assert_string_equal(disk_named(tree.machine, "vda")->in_use, "holder md127");
    put(&tree, "/proc/self/mountinfo", "30 1 253:7 / /srv rw - ext4 /dev/mapper/top rw\n");
    probe(&tree);
    assert_string_equal(disk_named(tree.machine, "vda")->in_use, "mounted at /srv");
}

/* Firmware RAID is partitioned as a whole: a mount of md126p1 is a mount on its disks. */
static void usage_of_arrays_with_partitions(void **state)
{
    TREE(tree);
    put_disk(&tree, "vda", "pci0/virtio1", "254:0\n", "100\n");
    put_stacked(&tree, "md126", "9:126\n", "vda");
    put_partition(&tree, "md126", "md126p1", "259:0\n");
    put(&tree, "/proc/swaps", "Filename Type Size\n/dev/md126p1   partition 1 0 -2\n");
    probe(&tree);
    assert_string_equal(disk_named(tree.machine, "vda")->in_use, "swap");
}

/* mountinfo names one device of a btrfs; the others are as mounted as that one. */
static void usage_of_btrfs_over_several(void **state)
{
    TREE(tree);
    put_disk(&tree, "vda", "pci0/virtio1", "254:0\n", "100\n");
    put_disk(&tree, "vdb", "pci0/virtio2", "254:16\n", "100\n");
    put_partition(&tree, "vdb", "vdb2", "254:18\n");
    put(&tree, "/sys/fs/btrfs/features/mixed_groups", "0\n");
    put(&tree, "/sys/fs/btrfs/7d2f/devices/vda", "");
    put(&tree, "/sys/fs/btrfs/7d2f/devices/vdb2", "");
    probe(&tree);
    assert_string_equal(disk_named(tree.machine, "vdb")->in_use, "mounted at (btrfs 7d2f)");
    put(&tree, "/proc/self/mountinfo", "30 1 0:31 / /srv rw shared:1 - btrfs /dev/vda rw\n");
    probe(&tree);
    assert_string_equal(disk_named(tree.machine, "vdb")->in_use, "mounted at /srv");
}

/* The kernel lists no holder for a loop device over a disk. */
static void usage_by_a_loop_device(void **state)
{
    TREE(tree);
    put_disk(&tree, "vda", "pci0/virtio1", "254:0\n", "100\n");
    put_partition(&tree, "vda", "vda1", "254:1\n");
    put_disk(&tree, "loop3", "virtual", "7:3\n", "100\n");
    put(&tree, "/sys/block/loop3/loop/backing_file", "/dev/vda1\n");
    probe(&tree);
    assert_string_equal(disk_named(tree.machine, "vda")->in_use, "attached to loop3");
}

/* An array that does not run has no size, and holds its disks all the same. */
static void volumes(void **state)
{
    TREE(tree);
    put_disk(&tree, "vda", "pci0/virtio1", "254:0\n", "100\n");
    put_disk(&tree, "vdb", "pci0/virtio2", "254:16\n", "100\n");
    put_stacked(&tree, "bcache0", "252:0\n", "vda");
    put_disk(&tree, "md126", "virtual", "9:126\n", "0\n"); /* left over: no members */
    put_disk(&tree, "md127", "virtual", "9:127\n", "0\n");
    put(&tree, "/sys/block/md127/slaves/vda", "");
    put(&tree, "/sys/block/md127/slaves/vdb", "");
    put(&tree, "/sys/block/md127/md/array_state", "inactive\n");
    put(&tree, "/sys/block/md127/md/degraded", "0\n");
    probe(&tree);
    assert_int_equal(tree.machine->disks_count, 2); /* bcache0 is none */
    assert_int_equal(tree.machine->volumes_count, 2);
    assert_string_equal(tree.machine->volumes[0].kind, "bcache");
    assert_string_equal(tree.machine->volumes[0].on, "vda");
    assert_string_equal(tree.machine->volumes[1].on, "vda vdb");
    assert_string_equal(tree.machine->volumes[1].state, "inactive");
    assert_int_equal(tree.machine->volumes[1].size, 0);
    put(&tree, "/sys/block/md127/md/array_state", "clean\n");
    put(&tree, "/sys/block/md127/md/degraded", "1\n");
    probe(&tree);
    assert_string_equal(tree.machine->volumes[1].state, "clean, 1 missing");
}

static void nics(void **state)
{
    TREE(tree);
    put(&tree, "/sys/class/net/lo/address", "00:00:00:00:00:00\n");
    put(&tree, "/sys/class/net/enp1s0/address", "52:54:00:12:34:56\n");
    put(&tree, "/sys/class/net/enp1s0/carrier", "1\n");
    put(&tree, "/sys/class/net/enp1s0/speed", "-1\n");
    put(&tree, "/sys/class/net/enp1s0/device/vendor", "0x1af4\n");
    link_to(&tree, "/sys/class/net/enp1s0/device/driver", "../../bus/virtio/drivers/virtio_net");
    probe(&tree);
    assert_int_equal(tree.machine->nics_count, 1);
    assert_string_equal(tree.machine->nics[0].name, "enp1s0");
    assert_string_equal(tree.machine->nics[0].driver, "virtio_net");
    assert_true(tree.machine->nics[0].carrier);
    assert_int_equal(tree.machine->nics[0].speed, 0);
}

static void without_sysfs(void **state)
{
    (void)state;
    rf_machine *machine = NULL;
    rf_error *err = NULL;
    assert_int_equal(rf_machine_probe("/nonexistent", &machine, &err), -1);
    assert_error_has(err, "mount sysfs and procfs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(system_facts),
        cmocka_unit_test(environments),
        cmocka_unit_test(memory_sources),
        cmocka_unit_test(kvm_reasons),
        cmocka_unit_test(disks),
        cmocka_unit_test(usage),
        cmocka_unit_test(nics),
        cmocka_unit_test(without_sysfs),
        cmocka_unit_test(usage_of_high_stacks),
        cmocka_unit_test(usage_of_arrays_with_partitions),
        cmocka_unit_test(usage_of_btrfs_over_several),
        cmocka_unit_test(usage_by_a_loop_device),
        cmocka_unit_test(volumes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
