# SPDX-License-Identifier: GPL-3.0-or-later
"""What apt runs before it changes packages: a snapshot of the root on a node, nothing elsewhere, and never a reason to stop."""
import os
import pathlib
import re
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
HOOK = TOP / "image/data/root/etc/apt/apt.conf.d/90richtfest-roots"
PROFILE, PROGRAM = "/var/lib/richtfest/profile.yaml", "/usr/bin/richtfest"


@pytest.fixture
def hook(tmp_path):
    """Runs it as apt does, by sh, with a program of our own: `hook(exit code of that, is this a node)` → (exit code, its words, what is said)."""
    def run(code, node=True):
        command = re.search(r'DPkg::Pre-Invoke \{\s*"(.*)";\s*\};', HOOK.read_text()).group(1)
        assert PROFILE in command and PROGRAM in command
        profile, program, said = tmp_path / "profile.yaml", tmp_path / "richtfest", tmp_path / "said"
        said.write_text("")
        program.write_text(f'#!/bin/sh\necho "$*" >>{said}\necho wrong >&2\nexit {code}\n')
        program.chmod(0o755)
        profile.unlink(missing_ok=True)
        if node:
            profile.write_text("")
        command = command.replace(PROFILE, str(profile)).replace(PROGRAM, str(program))
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
        return done.returncode, said.read_text(), done.stderr
    return run


def test_it_takes_a_snapshot_for_its_run(hook):
    assert hook(0) == (0, f"root snapshot --before-apt {os.getpid()}\n", "wrong\n")


@pytest.mark.parametrize("code", [1, 2, 3, 64, 127])
def test_a_failure_is_said_and_stops_nothing(hook, code):
    exit_code, _, said = hook(code)
    assert exit_code == 0
    assert "no snapshot of the root was taken; apt goes on" in said and "wrong" in said


def test_elsewhere_it_does_nothing(hook):
    assert hook(3, node=False) == (0, "", "")
