# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real GRUB makes of the file that says which root is booted: GRUB's own emulator, with disks that have an ESP and a system volume as a
node's have. It counts, writes the count onto the ESPs, and falls back. (grub-emu; nothing is booted.)"""
import os
import pathlib
import pty
import select
import shutil
import subprocess
import time

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = TOP / "tests/golden/installer"
GRUB = os.environ.get("RF_GRUB_EMU") or shutil.which("grub-emu")
UUID = "11111111-2222-5333-8444-555555555555"
TRIAL = "0f8fad5b-d9cb-469f-a165-70867728950e"
MIB = 1 << 20
ESP, SYSTEM = (2, 40), (42, 20)  # first MiB, MiB
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
NEEDED = ("sfdisk", "mkfs.vfat", "mke2fs", "mmd", "mcopy", "mtype")
pytestmark = pytest.mark.skipif(not GRUB or not all(shutil.which(tool, path=PATH) for tool in NEEDED),
                                reason="needs grub-emu, fdisk, dosfstools, e2fsprogs and mtools")


def root_config(number, broken):
    """As a root's own configuration: two entries. It says what it was given where a kernel would be started."""
    boot = "linux /nowhere/vmlinuz" if broken else f'echo "BOOTED {number} <$rf_words>"\n  halt'
    return (f"set default=0\nset timeout=0\nsearch --no-floppy --fs-uuid --set=root {UUID}\n"
            f"menuentry Node {{\n  {boot}\n}}\nmenuentry Before {{\n  echo BEFORE {number}\n  halt\n}}\n")


def block(**variables):
    """GRUB's environment block."""
    text = "# GRUB Environment Block\n" + "".join(f"{name}={value}\n" for name, value in variables.items())
    return text.ljust(1024, "#")


class Disks:
    """Two disks (or one) with ESPs; the system volume is on the first one."""

    def __init__(self, folder, choice, roots, counts):
        self.folder = folder
        tree = folder / "tree"
        for number, broken in roots.items():
            (tree / f"roots/{number}/boot/grub").mkdir(parents=True)
            (tree / f"roots/{number}/boot/grub/grub.cfg").write_text(root_config(number, broken))
        (tree / "richtfest").mkdir()
        (tree / "richtfest/grub.cfg").write_text((GOLDEN / f"boot-choice-{choice}.cfg").read_text())
        self.run("mke2fs", "-q", "-t", "ext2", "-U", UUID, "-d", tree, folder / "system.img", f"{SYSTEM[1] - 4}M")
        self.paths = [self.make(place, count) for place, count in enumerate(counts)]
        (folder / "stub").mkdir()
        stub = (GOLDEN / "grub-stub.cfg").read_text()
        (folder / "stub/grub.cfg").write_text(stub)
        (folder / "map").write_text("".join(f"(hd{place}) {path}\n" for place, path in enumerate(self.paths)))

    def run(self, *command, **options):
        """A tool that must succeed."""
        return subprocess.run([str(word) for word in command], check=True, env=dict(os.environ, PATH=PATH), **options)

    def make(self, place, count):
        """A disk; `count` is what its ESP holds, or None."""
        path, esp = self.folder / f"hd{place}.img", self.folder / f"esp{place}.img"
        for image, size in ((path, 96), (esp, ESP[1])):
            with open(image, "wb") as file:
                file.truncate(size * MIB)
        self.run("sfdisk", "-q", path, input=f"label: gpt\nsize=1MiB\nsize={ESP[1]}MiB\nsize={SYSTEM[1]}MiB\n", text=True)
        self.run("mkfs.vfat", "-F", "32", esp, stdout=subprocess.DEVNULL)
        self.run("mmd", "-i", esp, "::/EFI", "::/EFI/richtfest")
        if count:
            (self.folder / "trial.env").write_text(block(**count))
            self.run("mcopy", "-i", esp, self.folder / "trial.env", "::/EFI/richtfest/trial.env")
        parts = [(esp, ESP[0])] + ([(self.folder / "system.img", SYSTEM[0])] if place == 0 else [])
        with open(path, "r+b") as disk:
            for part, start in parts:
                disk.seek(start * MIB)
                disk.write(part.read_bytes())
        return path

    def tries(self, place):
        """What an ESP counts now."""
        esp = self.folder / "look.img"
        with open(self.paths[place], "rb") as disk:
            disk.seek(ESP[0] * MIB)
            esp.write_bytes(disk.read(ESP[1] * MIB))
        text = self.run("mtype", "-i", esp, "::/EFI/richtfest/trial.env", capture_output=True, text=True).stdout
        assert len(text) == 1024, text
        return int(next(line for line in text.splitlines() if line.startswith("rf_tries=")).partition("=")[2])

    def boot(self, seconds=90):
        """Which root GRUB would boot, and with which word for its kernel."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ["TERM"] = "vt100"
            os.execv(GRUB, [GRUB, "-m", str(self.folder / "map"), "-d", str(self.folder / "stub"), "-r", "host"])
        said, deadline = b"", time.monotonic() + seconds
        while time.monotonic() < deadline:
            if select.select([terminal], [], [], 0.5)[0]:
                try:
                    said += os.read(terminal, 4096)
                except OSError:  # it has ended
                    break
        else:
            os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)
        text = said.decode("utf-8", "replace")
        assert "BOOTED " in text, text
        number, _, words = text.partition("BOOTED ")[2].partition(">")[0].partition(" <")
        return int(number), words


def fresh():
    """The count of a trial that begins."""
    return {"rf_trial": TRIAL, "rf_tries": 3}


def test_three_boots_and_then_the_root_before(tmp_path):
    disks = Disks(tmp_path, "trial", {1: False, 2: False}, [fresh(), fresh()])
    for left in (2, 1, 0):
        assert disks.boot() == (2, "richtfest.trial=2")
        assert (disks.tries(0), disks.tries(1)) == (left, left)
    for _ in range(2):
        assert disks.boot() == (1, "richtfest.fallback=2")
        assert (disks.tries(0), disks.tries(1)) == (0, 0)


def test_a_kernel_that_cannot_be_loaded_falls_back_at_once(tmp_path):
    disks = Disks(tmp_path, "trial", {1: False, 2: True}, [fresh(), fresh()])
    assert disks.boot() == (1, "richtfest.fallback=2")


@pytest.mark.parametrize("counts, booted", [
    ([None, fresh()], 2),  # any ESP that counts will do
    ([fresh()], 2),  # one disk is left
    ([None, None], 1),  # nothing counts
    ([{"rf_trial": "another", "rf_tries": 3}, None], 1),  # of an earlier trial
    ([fresh(), {"rf_trial": TRIAL, "rf_tries": 0}], 1),  # the one that has counted to the end is believed
])
def test_which_esps_count(tmp_path, counts, booted):
    word = "richtfest.trial=2" if booted == 2 else "richtfest.fallback=2"
    assert Disks(tmp_path, "trial", {1: False, 2: False}, counts).boot() == (booted, word)


def test_a_root_on_trial_that_is_gone(tmp_path):
    assert Disks(tmp_path, "trial", {1: False}, [fresh()]).boot() == (1, "richtfest.fallback=2")


@pytest.mark.parametrize("choice, roots, booted", [("first", (1,), 1), ("good", (1, 2), 2), ("good", (1,), 1)])
def test_without_a_trial(tmp_path, choice, roots, booted):
    assert Disks(tmp_path, choice, {number: False for number in roots}, [None]).boot() == (booted, "")
