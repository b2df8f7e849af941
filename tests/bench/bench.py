#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of docs/benchmarks.md: what building, customising and installing cost, beside the floor of the same run.

    tests/bench/bench.py [--cold] [--rows NAME,…] [--write]

--cold starts from nothing besides: the ISO with an empty cache, and `make run` in a fresh clone (minutes, downloads; a server
of `make run` that is up already is left alone and takes the ports, so stop it first). --write puts the table into docs/benchmarks.md. The
floor is the same payload unpacked by plain unsquashfs onto a fresh btrfs on a fresh RAID1 of the same kind of disks, on the node
that was just installed, so that the installer's own overhead is a ratio of one run. The guests' floor is in guests.py.
"""
import argparse
import datetime
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/lab"))

import guests  # noqa: E402
from richtfest_lab import host, profile  # noqa: E402
from richtfest_lab.disks import Disk  # noqa: E402
from richtfest_lab.errors import LabError  # noqa: E402
from richtfest_lab.httpd import Server  # noqa: E402
from richtfest_lab.iso import Iso  # noqa: E402
from richtfest_lab.keys import Key  # noqa: E402
from richtfest_lab.machine import Machine, Spec, forwards  # noqa: E402
from richtfest_lab.node import SSH, Node  # noqa: E402

BUILD = TOP / os.environ.get("BUILD", "build")
PROGRAM = BUILD / "richtfest"
ISO = BUILD / "richtfest.iso"
CACHE = TOP / (os.environ.get("CACHE") or BUILD / "cache")


class Table:
    """Rows of figure, value, goal; printed as they come."""

    def __init__(self):
        self.rows = []

    def add(self, name, value, goal=""):
        self.rows.append((name, value, goal))
        print(f"{name:<58} {value:>14}   {goal}", flush=True)

    def markdown(self):
        lines = ["| figure | value | goal |", "|---|---|---|"]
        return "\n".join(lines + [f"| {name} | {value} | {goal} |" for name, value, goal in self.rows]) + "\n"


def timed(command, **options):
    """Seconds of a command that must succeed."""
    started = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **options)
    return time.monotonic() - started


def build(source, cache, output, *options):
    return timed([PROGRAM, "image", "build", "--source", source, "--recipes", f"{source}/postinstall/recipes", "--data",
                  f"{source}/image/data", "--cache", cache, "--output", output, *options])


def changed_source(folder):
    """A copy of the sources in which one line of the program differs."""
    copy = pathlib.Path(folder) / "source"
    shutil.copytree(TOP, copy, symlinks=True, ignore=shutil.ignore_patterns("build", ".git", "run"))
    with open(copy / "installer/say.c", "a", encoding="utf-8") as file:
        file.write(f'\nextern const char rf_bench[];\nconst char rf_bench[] = "{time.time()}";\n')
    return copy


def rows_run(table, options, folder):
    """What somebody sees who has just cloned the project."""
    if not options.cold:
        return
    clone = f"{folder}/clone"
    subprocess.run(["git", "clone", "-q", TOP, clone], check=True)
    env = {key: value for key, value in os.environ.items() if key not in ("BUILD", "CACHE", "MAKEFLAGS", "MAKELEVEL")}
    try:
        seconds = timed(["make", "run"], cwd=clone, env=env)
        table.add("`make run` in a fresh clone, until its guest is healthy", f"{seconds / 60:.1f} min", "20 min")
    finally:
        subprocess.run(["make", "stop"], cwd=clone, env=env, check=False, stdout=subprocess.DEVNULL)


def rows_build(table, options, folder):
    if options.cold:
        seconds = build(TOP, f"{folder}/cold", f"{folder}/cold.iso")
        table.add("ISO build, cold (downloads included)", f"{seconds:.0f} s", "300 s")
    seconds = build(changed_source(folder), CACHE, f"{folder}/warm.iso")
    table.add("ISO build, only the program changed", f"{seconds:.1f} s", "40 s")
    table.add("ISO build, nothing changed", f"{build(TOP, CACHE, ISO):.1f} s")


def rows_iso(table, _options, folder):
    table.add("ISO with all recipes", f"{ISO.stat().st_size / 1e6:.0f} MB", "1600 MB")
    alone = pathlib.Path(f"{folder}/directory.iso")
    build(TOP, CACHE, alone, "--recipe", "active-directory")
    table.add("ISO with the AD guest alone", f"{alone.stat().st_size / 1e6:.0f} MB", "900 MB")
    copy = f"{folder}/custom.iso"
    shutil.copyfile(ISO, copy)
    seconds = min(timed([PROGRAM, "image", "customize", "--profile-url", "http://10.0.2.2/p", copy]) for _ in range(5))
    table.add("customising an ISO in place", f"{seconds * 1000:.0f} ms", "200 ms")


class Installation:
    """One unattended run, watched from outside."""

    def __init__(self, folder, memory, cores=6, guests=False):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.key = Key(self.folder)
        self.server = Server(certificate=None)
        self.memory, self.cores, self.guests = memory, cores, guests
        self.machine = None

    def start(self):
        self.server.start()
        text = profile.for_lab(TOP / "profiles/examples/directory.yaml", self.key, self.server.url("/report"))
        if not self.guests:
            text.remove("guests")
        profile.shrink(text, cores=self.cores, memory=self.memory)
        self.server.pages["/profile.yaml"] = text.text
        iso = Iso(ISO, self.folder / "bench.iso", PROGRAM).profile_url(self.server.url("/profile.yaml"))
        spec = Spec(name="bench", cores=self.cores, memory=self.memory, disks=[Disk("d0"), Disk("d1")], iso=iso.path,
                    forwards=forwards(SSH), balloon=True)
        self.machine = Machine(spec, self.folder / "machine")
        self.started = time.monotonic()
        self.machine.start()
        return self

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.machine.stop()
        self.server.stop()

    def elapsed(self):
        return time.monotonic() - self.started

    def trouble(self):
        return None if self.machine.alive() else self.machine.console.tail()

    def first_write(self):
        while not self.machine.writes("d0") and not self.machine.writes("d1"):
            if self.elapsed() > 240:
                raise LabError("no write to any disk within 240 s\n" + self.machine.console.tail())
            time.sleep(0.1)
        return self.elapsed()

    def rebooting(self):
        self.machine.wait_reboot(1, 400)
        return self.elapsed()

    def step_seconds(self, step):
        return sum(event.get("seconds", 0) for event in self.server.reports.find(step, "done"))


def floor(installation):
    """Seconds of plain unsquashfs plus sync, on fresh disks of the same kind, with the same file system."""
    node = Node(installation.machine, installation.key).wait_ssh(240).learn(installation.server.reports)
    for name in ("f0", "f1"):
        installation.machine.plug(Disk(name))
    script = """set -e
udevadm settle; sleep 2
a=/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_RF-F0; b=/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_RF-F1
[ -e $a ] || { ls /dev/disk/by-id >&2; exit 1; }
mdadm --create /dev/md/floor --run --level=1 --raid-devices=2 --size=32G --assume-clean --bitmap=internal $a $b >&2
mkfs.btrfs -q -f -K --csum xxhash -m dup -d single /dev/md/floor
mkdir -p /mnt/floor /mnt/medium; mount -o noatime /dev/md/floor /mnt/floor; mount -o ro /dev/sr0 /mnt/medium
btrfs subvolume create /mnt/floor/root >&2
t=$(date +%s%N); unsquashfs -q -n -f -d /mnt/floor/root /mnt/medium/live/root.squashfs >&2; sync
echo $(( $(date +%s%N) - t ))
"""
    done = node.sudo("bash -s", input=script, timeout=600)
    return int(done.stdout.split()[-1]) / 1e9


def rows_install(table, _options, folder):
    with Installation(f"{folder}/install", memory=24000) as run:
        write = run.first_write()
        table.add("power-on to first disk write", f"{write:.1f} s", "30 s")
        installed = run.rebooting()
        table.add("power-on to installed and rebooting", f"{installed:.1f} s", "85 s")
        unpack = run.step_seconds("root/unpack")
        run.machine.console.wait_for(r"Started .*libvirtd\.service", 300)
        table.add("reboot to the node's libvirtd", f"{run.elapsed() - installed:.1f} s", "60 s")
        run.server.reports.wait_run_end(2, 300, run.trouble)
        lowest = floor(run)
        table.add("floor: plain unsquashfs and sync onto RAID1 and btrfs", f"{lowest:.1f} s")
        table.add("unpacking by the installer / floor", f"{unpack / lowest:.2f}", "1.5, better 1.3")
        table.add("first write to reboot / floor", f"{(installed - write) / lowest:.2f}")


def rows_memory(table, _options, folder):
    for memory, goal in ((768, "must"), (512, "better")):
        try:
            with Installation(f"{folder}/memory{memory}", memory=memory, cores=2) as run:
                end = run.server.reports.wait_run_end(1, 600, run.trouble, allow_failed=True)
                verdict = f"{run.elapsed():.0f} s" if end["state"] == "done" else "failed"
        except LabError as error:
            verdict = "failed"
            print(error, file=sys.stderr)
        table.add(f"full install with {memory} MiB of memory", verdict, goal)


def rows_guests(table, _options, folder):
    guests.rows(table, folder, PROGRAM)


ROWS = {"run": rows_run, "build": rows_build, "iso": rows_iso, "install": rows_install, "memory": rows_memory, "guests": rows_guests}


def write_page(table):
    page = TOP / "docs/benchmarks.md"
    marker = "<!-- table: make bench -->\n"
    head = page.read_text(encoding="utf-8").split(marker)[0]
    note = f"Measured {datetime.date.today()}, {os.cpu_count()} cores, accelerator {host.accelerator().name}.\n\n"
    page.write_text(head + marker + note + table.markdown(), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--rows", default=",".join(ROWS))
    options = parser.parse_args()
    table = Table()
    with tempfile.TemporaryDirectory(prefix="richtfest-bench-", dir=BUILD) as folder:
        for name in options.rows.split(","):
            ROWS[name](table, options, folder)
    if options.write:
        write_page(table)


if __name__ == "__main__":
    main()
