# SPDX-License-Identifier: GPL-3.0-or-later
"""What disks come with: states that a live system makes with its own tools, one row each. A state that needs a program that the image does
not have is written down as bytes; unit tests (tests/unit/raid/states.h) have the same ones on loop devices.

A row is a script for bash with -eu. It finds the two disks in $A and $B, their partitions after `tables` in $A1, $A2, $B1, $B2."""

import dataclasses

STACK_KILLS = ("clear/1:before", "clear/1:probed", "clear/1:applied", "clear/2:probed", "clear/2:applied")


@dataclasses.dataclass(frozen=True)
class State:
    """One state of two disks."""

    name: str
    script: str
    words: tuple  # regular expressions of the refusal
    kills: tuple = ()  # where the run is killed, one after the other, before it is left alone


# Finds the disks, and takes away whatever an earlier state has left: what the project does with disks is not used for it.
PRELUDE = r"""
disk() { echo "/dev/$(lsblk -dnro NAME,SERIAL | sed -n "s/ $1\$//p")"; }
part() { case $1 in *[0-9]) echo "$1p$2" ;; *) echo "$1$2" ;; esac; }
A=$(disk RF-D0) B=$(disk RF-D1)
[ -b "$A" ] && [ -b "$B" ]
A1=$(part "$A" 1) A2=$(part "$A" 2) B1=$(part "$B" 1) B2=$(part "$B" 2)
poke() { # DEVICE OFFSET BYTES: as printf writes them
    printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
size() { blockdev --getsize64 "$1"; }
settle() { udevadm settle --timeout=60; }
ends() { # zeros over the first and last 64 MiB
    for d in "$A" "$B"; do
        blkdiscard --force --zeroout --length 64MiB "$d"
        blkdiscard --force --zeroout --offset $(($(size "$d") - 67108864)) --length 64MiB "$d"
    done
}
tables() { # two partitions on both
    for d in "$A" "$B"; do
        parted -s "$d" mklabel gpt mkpart one 1MiB 1025MiB mkpart two 1025MiB 3073MiB
    done
    settle
}
"""

BLANK = r"""
for round in 1 2 3 4 5 6; do
    dmsetup remove_all --force >/dev/null 2>&1 || true
    for md in /dev/md[0-9]*; do
        [ ! -b "$md" ] || mdadm --stop "$md" >/dev/null 2>&1 || true
    done
    settle
done
for p in "$A1" "$A2" "$B1" "$B2" "$(part "$A" 3)" "$(part "$A" 4)" "$(part "$B" 3)" "$(part "$B" 4)" "$(part "$A" 5)"; do
    [ ! -b "$p" ] || wipefs --all --force --quiet "$p"
done
ends
blockdev --rereadpt "$A" "$B" 2>/dev/null || true
settle
"""

CREATE = "mdadm --create --run --homehost=any --bitmap=none"
MIRROR = f"{CREATE} --assume-clean --level=1 --raid-devices=2"

STACK = rf"""
tables
{MIRROR} --metadata=1.2 /dev/md/boot "$A1" "$B1"
{MIRROR} --metadata=1.2 /dev/md/rest "$A2" "$B2"
settle
mkfs.xfs -q -f /dev/md/boot
sectors=$(($(size /dev/md/rest) / 512))
key=$(printf '%064d' 7)
dmsetup create crypt -u CRYPT-LUKS2-00000000000000000000000000000001-crypt \
    --table "0 $sectors crypt aes-xts-plain64 $key 0 $(readlink -f /dev/md/rest) 0"
vgcreate -q -y vg0 /dev/mapper/crypt
lvcreate -q -y -L 512M -n root vg0
lvcreate -q -y -L 512M -n home vg0
mkfs.xfs -q -f /dev/vg0/root
settle
"""

STATES = (
    State("md-clean", f'tables; {MIRROR} /dev/md/old "$A1" "$B1"; mkfs.xfs -q -f /dev/md/old', (r"RAID array md\d+ .*xfs", r"member of a Linux RAID")),
    State(
        "md-inactive",
        f'tables; {MIRROR} /dev/md/old "$A1" "$B1"; settle; mdadm --stop /dev/md/old; mdadm --incremental "$A1" || true',
        (r"not running, inactive",),
    ),
    State("md-partial", f'tables; {CREATE} --level=1 --raid-devices=3 /dev/md/old "$A1" missing missing', (r"over 3 disks", r"RAID array md\d+")),
    State("md-raid0-whole-disks", f'{CREATE} --level=0 --raid-devices=2 --metadata=1.0 /dev/md/old "$A" "$B"', (r"metadata 1\.0", r"RAID array md\d+")),
    State("md-0.90", f'tables; {MIRROR} --metadata=0.90 /dev/md/old "$A1" "$B1"', (r"metadata 0\.90", r"RAID array md\d+")),
    State(
        "md-raid5-of-partitions",
        f'tables; {CREATE} --level=5 --raid-devices=4 --assume-clean /dev/md/old "$A1" "$A2" "$B1" "$B2"',
        (r"over 4 disks", r"RAID array md\d+"),
    ),
    State(
        "ddf",
        'mdadm --create --run /dev/md/ddf --metadata=ddf --raid-devices=2 "$A" "$B"; settle; '
        f"{MIRROR} --size=1G /dev/md/v0 /dev/md/ddf || true",
        (r"firmware RAID \(DDF\)", r"RAID array md\d+"),
    ),
    State(
        "imsm",
        'for d in "$A" "$B"; do poke "$d" $(($(size "$d") - 2 * $(blockdev --getss "$d"))) "Intel Raid ISM Cfg Sig. 1.1.00"; done',
        (r"Intel firmware RAID \(IMSM\)",),
    ),
    State(
        "lvm-over-both",
        'tables; vgcreate -q -y vg0 "$A1" "$B2"; lvcreate -q -y -i 2 -L 512M -n data vg0; mkfs.xfs -q -f /dev/vg0/data',
        (r"of volume group vg0", r"LVM volume dm-\d+ \"vg0-data\""),
    ),
    State(
        "lvm-not-active",
        'tables; vgcreate -q -y vg0 "$A1" "$B2"; lvcreate -q -y -L 512M -n data vg0; vgchange -q -an vg0',
        (r"of volume group vg0",),
    ),
    State("stack-of-md-crypt-lvm", STACK, (r"opened encryption dm-\d+ \"crypt\"", r"LVM volume .*vg0-root", r"RAID array md\d+"), STACK_KILLS),
    State(
        "luks1",
        r"""tables; poke "$A1" 0 'LUKS\272\276\0\1'; poke "$A1" 168 7d2f0c1e-2222-4333-8444-555566667777""",
        (r"LUKS encryption .*version 1",),
    ),
    State(
        "luks2",
        r"""tables; poke "$A1" 0 'LUKS\272\276\0\2\0\0\0\0\0\0\100\0'; poke "$A1" 168 7d2f0c1e-2222-4333-8444-555566667777
            poke "$A1" 16384 'SKUL\272\276\0\2\0\0\0\0\0\0\100\0'""",
        (r"LUKS encryption .*version 2",),
    ),
    State(
        "bcache",
        r"""poke "$A" 4104 '\10\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\306\205\163\366\116\32\105\312\202\145\365\177\110\272\155\201abcdefgh'""",
        (r"bcache",),
    ),
    State("btrfs-over-both", 'tables; mkfs.btrfs -q -f -d raid1 -m raid1 "$A2" "$B2"; btrfs device scan', (r"btrfs .*one of 2 devices",)),
    State("xfs-without-table", 'mkfs.xfs -q -f -K "$A"', (r"whole disk: xfs file system",)),
    State("vfat-and-swap", 'tables; mkfs.vfat -n KUNDE "$A1"; mkswap -q "$B1"', (r"vfat .*KUNDE", r"swap space")),
    State(
        "mbr-with-logical-ones",
        'parted -s "$A" mklabel msdos mkpart primary 1MiB 1025MiB mkpart extended 1025MiB 4097MiB; '
        'parted -s "$A" mkpart logical 1026MiB 2050MiB; settle; mkfs.xfs -q -f "$(part "$A" 5)"',
        (r"MBR partition table", r"partition 5 .*xfs"),
    ),
    State("hybrid-mbr", r"""tables; poke "$A" 462 '\0\0\2\0\7\0\2\0\0\10\0\0\0\0\40\0'""", (r"hybrid MBR",)),
    State("gpt-primary-damaged", r"""tables; poke "$A" $(($(blockdev --getss "$A") + 40)) '\377'""", (r"primary one is damaged",)),
    State(
        "gpt-backup-only",
        'tables; vgcreate -q -y vg0 "$A1"; blkdiscard --force --zeroout --length 1MiB "$A"',
        (r"GPT that is left over", r"of volume group vg0"),
    ),
    State("iso-written-to-a-disk", 'dd if=/dev/sr0 of="$A" bs=1M count=64 status=none', (r"ISO image",)),
    State("drbd", r"""poke "$A" $(($(size "$A") - 4096 + 60)) '\203\164\2\153'""", (r"DRBD replica",)),
    State("ceph", r"""poke "$A" 0 'bluestore block device\n7d2f0c1e-2222-4333-8444-555566667777\n'""", (r"Ceph OSD",)),
    State(
        "another-node",
        "RICHTFEST_KILL_AT=volume/images:after richtfest apply /root/other.yaml || true",
        (r"a Richtfest node that is not this one", r"RAID array md\d+"),
    ),
)
