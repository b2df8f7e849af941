# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/how-to/change-a-node.md on a node that is a /run and a /var/lib of our own. `apply` is not tried here: one that did not refuse would change
this machine (tests/unit/installer/test_keep_profile.c)."""
import os
import pathlib
import shutil
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("BUILD", TOP / "build")).absolute() / "richtfest"
EXAMPLE = TOP / "profiles/examples/directory.yaml"
INSIDE = 'mount --bind "$1" /run && mount --bind "$2" /var/lib && shift 2 && exec "$@"'


@pytest.fixture
def node(tmp_path):
    if os.geteuid() or not shutil.which("unshare"):
        pytest.skip("needs root, for a mount namespace")
    run, lib = tmp_path / "run", tmp_path / "lib"
    run.mkdir()
    (lib / "richtfest").mkdir(parents=True)
    (lib / "richtfest/profile.yaml").write_text(EXAMPLE.read_text())

    def start(*words):
        return subprocess.run(["unshare", "-m", "sh", "-c", INSIDE, "sh", run, lib, PROGRAM, *words], cwd=TOP, timeout=120,
                              env=dict(os.environ, RICHTFEST_RECIPES=str(TOP / "postinstall/recipes")), capture_output=True, text=True,
                              check=False)
    return start


def test_a_plan_for_another_node_is_refused(node, tmp_path):
    other = tmp_path / "other.yaml"
    own = next(line.split()[1] for line in EXAMPLE.read_text().splitlines() if line.startswith("  id:"))
    other.write_text(EXAMPLE.read_text().replace(f"id: {own}", "id: another-n7", 1))
    done = node("plan", other)
    assert done.returncode == 2
    assert f"is the profile of the node another-n7, and this is {own}: nothing is changed" in done.stderr
    recorded = node("plan", other, "--machine", TOP / "tests/machines/musterkunde-blank.json")
    assert "this is" not in recorded.stderr  # it is not for this machine
