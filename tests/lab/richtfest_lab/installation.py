# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole installation on the workbench, from blank disks to the commit point, and the picture of what it has made: all that must be the same
whatever came between, and nothing that is random or tells the time."""

import difflib
import json

from . import disks
from .disks import GB, Disk
from .workbench import APPLY_SECONDS, THIN_MEDIUM, Workbench

HEAD = """richtfest: 1
node:
  id: bench-n1
  hostname: n1.bench.example
  timezone: Europe/Berlin
  admins:
    - name: jiku
      ssh_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSFti ops@bench]
network:
  uplink: {match: {carrier: true}, address: dhcp}
"""
SHAPES = {"single": ("single", 1), "raid1x2": ("raid1", 2), "raid5x3": ("raid5", 3)}
SIZE = 24 * GB
OTHER = "other"  # a disk that no profile means: too small, and full of somebody's data
KILLED = 137  # 128 + SIGKILL
PICTURE_SECONDS = 900


def profile_of(level, count, more=None, size=0):
    """A profile's text: the storage part, and nothing that needs it. `more` has further keys of `storage`; disks are `size` bytes at least."""
    more = more or {}
    match = f"match: {{size: '>= {size // GB} GB'}}, " if size else ""
    counts = f"{{{match}count: {count}" + (f", spares: {more['spares']}" if "spares" in more else "") + "}"
    lines = [f"  disks: {counts}", f"  level: {level}"]
    lines += [f"  {key}: {more[key]}" for key in ("layout", "missing") if key in more]
    return HEAD + "storage:\n" + "\n".join(lines) + "\n"


def text_of(shape):
    """The profile of a shape, for members()."""
    return profile_of(*SHAPES[shape], size=SIZE)


def members(shape, folder, bus="virtio-scsi"):
    """Its disks, blank, and the one that must stay as it is."""
    made = [Disk(f"d{place}", SIZE, bus=bus) for place in range(SHAPES[shape][1])]
    other = Disk(OTHER, SIZE // 3, bus=bus).create(folder)
    disks.put_gpt(other.path, "somebodys")
    return [*made, other]


PRELUDE = r"""
set -eu
udevadm settle --timeout=60
part() { printf '/dev/disk/by-partuuid/%s\n' "$1"; }
labelled() { lsblk -nro PARTLABEL,PARTUUID | sed -n "s/^$1 //p" | sort -u; }
members() { lsblk -dnro NAME,SERIAL | sort -k2 | sed -n 's/ \(RF-D[0-9]\)$/ \1/p' | grep "${ONLY:-.}"; } # NAME SERIAL
list() { find "$@" -printf '%p %y %m %U %G %s %l\n' | sed -E 's/^(\S+ d \S+ \S+ \S+) \S+/\1/' | sort; }
mkdir -p /run/look
"""
# What a picture has. A line says which disk, array or file it is about by what does not change between two boots. A file system that can't
# be read or is not whole ends the script.
SECTIONS = {
    "signatures": r"""
blkid -o export | awk 'BEGIN { RS = ""; FS = "\n" }
    { line = ""; for (i = 1; i <= NF; i++) if ($i !~ /^(DEVNAME|UUID_SUB)=/ && !(/TYPE=LVM2_member/ && $i ~ /^UUID=/)) line = line " " $i
      if (line ~ /TYPE=|PARTLABEL=rf-/ && line !~ /TYPE=(iso9660|squashfs)|LABEL=RF-EFI/) print line }' | sort
""",
    "partitions": r"""
lsblk -bnro PARTUUID,PARTLABEL,PARTTYPE,PARTFLAGS,START,SIZE,TYPE | sed -n 's/ part$//p' | grep ' rf-' | sort
""",
    "arrays": r"""
for name in system data; do
    mdadm --wait "/dev/md/$name" || true # 1: there is nothing to wait for
    mdadm --detail --export "/dev/md/$name" | grep -E '^MD_(LEVEL|DEVICES|METADATA|UUID)='
    cat "/sys/class/block/$(basename "$(readlink -f "/dev/md/$name")")/md/degraded"
done
""",
    "volumes": "lvs --noheadings --units b -o vg_name,lv_name,lv_size",
    "boot": r"""
members | while read -r name serial; do
    echo "$serial sector $(head -c 440 "/dev/$name" | sha256sum)"
    echo "$serial core $(lsblk -nro PARTLABEL,NAME "/dev/$name" | sed -n 's/^rf-bios //p' | while read -r core; do sha256sum <"/dev/$core"; done)"
    esp=$(lsblk -nro PARTLABEL,NAME "/dev/$name" | sed -n 's/^rf-esp //p')
    fsck.fat -n "/dev/$esp" >/run/fsck 2>&1 || { cat /run/fsck; exit 1; }
    mount -t vfat -o ro "/dev/$esp" /run/look
    (cd /run/look && find . -type f -exec sha256sum {} + | sort -k2 | sed "s/^/$serial esp /")
    umount /run/look
done
""",
    "system": r"""
mount -t btrfs -o ro,subvolid=5 /dev/disk/by-label/rf-system /run/look
btrfs scrub start -B -r /run/look >/run/scrub 2>&1 && grep -q 'no errors found' /run/scrub || { cat /run/scrub; dmesg | tail; exit 1; }
btrfs subvolume list /run/look | sed 's/.* path //' | sort
cd /run/look
for folder in roots/1/*; do echo "$folder $(list "$folder" | sha256sum)"; done
list roots/1/etc
find roots/1/etc roots/1/boot -type f ! -name machine-id -exec sha256sum {} + | sort -k2
list state | sed -E 's/^(state\/(machine.json|ssh\/\S+) f \S+ \S+ \S+) .*/\1/'
sha256sum state/profile.yaml
test "$(cat state/machine-id)" = "$(cat roots/1/etc/machine-id)"
ls -A | sort
cd /
umount /run/look
""",
    "images": r"""
images=$(lvs --noheadings -o lv_path | tr -d ' ')
xfs_repair -n "$images" >/run/fsck 2>&1 || { cat /run/fsck; exit 1; }
mount -t xfs -o ro "$images" /run/look
(cd /run/look && list .)
umount /run/look
""",
}

# Blank disks again, however they are used.
BLANK = PRELUDE + r"""
awk '$2 ~ "^/run/richtfest/" { print $2 }' /proc/mounts | sort -r | while read -r where; do umount "$where"; done
vgchange -an >/dev/null 2>&1 || true
mdadm --stop --scan >/dev/null 2>&1 || true
udevadm settle --timeout=60
members | while read -r name serial; do blkdiscard -f "/dev/$name"; partx -d "/dev/$name" 2>/dev/null || true; done
udevadm settle --timeout=60
test -z "$(lsblk -nro PARTLABEL | grep ^rf-)"
"""

# As if the power had gone right before the commit point: no mark, no loaders, on no disk.
UNCOMMIT = PRELUDE + r"""
members | while read -r name serial; do
    parted -s "/dev/$name" set 1 legacy_boot off
    dd if=/dev/zero of="/dev/$name" bs=440 count=1 conv=notrunc,fsync status=none
    esp=$(lsblk -nro PARTLABEL,NAME "/dev/$name" | sed -n 's/^rf-esp //p')
    mount -t vfat "/dev/$esp" /run/look
    rm -rf /run/look/*
    umount /run/look
done
udevadm settle --timeout=60
mount -t btrfs -o subvolid=5 /dev/disk/by-label/rf-system /run/look
find /run/look -mindepth 1 -maxdepth 1 ! -name roots ! -name state -exec rm -rf {} +
umount /run/look
"""


class Bench(Workbench):
    """A workbench on which whole installations are made."""

    def install(self, text, stop="", seconds=APPLY_SECONDS):
        """(exit code, what it said); without the images of guests that nobody asked for. `stop`: see Workbench.apply."""
        return self.apply(text, stop, seconds, THIN_MEDIUM)

    def start(self):
        super().start()
        self.make_thin_medium()
        return self

    def steps(self, text):
        """What the plan says now of the installation: [{"id": …, "done": …}, …]."""
        self.put("/run/plan.yaml", text)
        command = f"richtfest plan --json --medium {THIN_MEDIUM} /run/plan.yaml"
        plan = json.loads(self.run(f"{command} 2>/run/plan.err || {{ cat /run/plan.err; exit 1; }}")[1])
        return [step for step in plan if step["phase"] == "install"]

    def left(self, text):
        """The steps that are still to do."""
        return [step["id"] for step in self.steps(text) if not step["done"]]

    def picture(self, *sections, only=""):
        """All of it, or some; of the disks only that with this serial number."""
        script = "".join(f"echo '[{name}]'\n{SECTIONS[name]}\n" for name in sections or SECTIONS)
        return self.run(f"ONLY={only}\n{PRELUDE}{script}", PICTURE_SECONDS)[1]

    def blank(self):
        """The members' disks as they came."""
        self.run(BLANK, PICTURE_SECONDS)

    def scrub(self):
        """btrfs keeps two copies of what it knows of files, and goes on where one can't be written: mended from the other, as an admin would
        when the disk is whole again. Nothing to do where the system's file system is not there."""
        self.run("""set -eu
            udevadm settle --timeout=60
            [ -e /dev/disk/by-label/rf-system ] || exit 0
            umount /run/richtfest/target/* 2>/dev/null || true
            mkdir -p /run/look; mount -t btrfs -o subvolid=5 /dev/disk/by-label/rf-system /run/look
            btrfs scrub start -B /run/look >/run/scrub 2>&1 || cat /run/scrub
            umount /run/look""", PICTURE_SECONDS)

    def uncommit(self):
        """What the last steps have done is undone."""
        self.run(UNCOMMIT)

    def marked(self):
        """The disks that say they boot, by their serial numbers."""
        said = self.run(PRELUDE + """members | while read -r name serial; do
            if lsblk -nro PARTLABEL,PARTFLAGS "/dev/$name" | grep -Eq '^rf-bios 0x0*4$'; then echo "$serial"; fi
        done""")[1]
        return said.split()


def section(picture, name):
    """One section of a picture."""
    text = f"\n{picture}\n["
    start = text.index(f"\n[{name}]\n")
    return text[start + 1:text.index("\n[", start + 2)]


def difference(wanted, found):
    """What is not as it should be; "" where nothing is."""
    return "\n".join(difflib.unified_diff(wanted.splitlines(), found.splitlines(), "undisturbed", "found", lineterm="", n=0))
