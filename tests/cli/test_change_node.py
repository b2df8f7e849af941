# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/how-to/change-a-node.md on a node that is a /run and a /var/lib of our own. This machine's own files can't be written there and its network is
not to be seen: a run of `apply` ends at its first step, which writes below /etc."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("BUILD", TOP / "build")).absolute() / "richtfest"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSFti ops@example"
EXAMPLE = re.sub(r"ssh-ed25519 AAAA\S+ \S+", KEY, (TOP / "profiles/examples/directory.yaml").read_text())
OWN = re.search(r"^  id: (\S+)$", EXAMPLE, re.M).group(1)
INSIDE = """mount --make-rprivate / && mount --bind "$1" /run && mount --bind "$2" /var/lib && mount --bind /etc /etc &&
mount -o remount,ro,bind /etc && shift 2 && exec "$@\""""


@pytest.fixture
def node(tmp_path):
    if os.geteuid() or not shutil.which("unshare"):
        pytest.skip("needs root, for a mount namespace")
    run, lib = tmp_path / "run", tmp_path / "lib"
    run.mkdir()
    (lib / "richtfest").mkdir(parents=True)
    (lib / "richtfest/profile.yaml").write_text(EXAMPLE)

    def start(*words):
        start.state = lib / "richtfest"
        return subprocess.run(["unshare", "-m", "-n", "sh", "-c", INSIDE, "sh", run, lib, PROGRAM, *words], cwd=TOP, timeout=120,
                              env=dict(os.environ, RICHTFEST_RECIPES=str(TOP / "postinstall/recipes")), capture_output=True, text=True,
                              check=False)
    start.state = lib / "richtfest"
    return start


def changed(tmp_path, before, after):
    path = tmp_path / "customer.yaml"
    assert before in EXAMPLE
    path.write_text(EXAMPLE.replace(before, after, 1))
    return path


def test_what_is_applied_is_the_nodes_profile_from_then_on(node, tmp_path):
    mine = changed(tmp_path, "Europe/Berlin", "Europe/Vienna")
    done = node("apply", mine)
    assert done.returncode == 3, done.stdout + done.stderr  # its first step could not write
    assert (node.state / "profile.yaml").read_text() == mine.read_text()
    assert (node.state / "profile.yaml.before").read_text() == EXAMPLE
    assert f"{mine} is this node's profile from now on" in done.stdout
    again = node("apply", mine)
    assert again.returncode == 3 and "from now on" not in again.stdout
    assert (node.state / "profile.yaml.before").read_text() == EXAMPLE


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_another_nodes_profile_is_refused(node, tmp_path, command):
    other = changed(tmp_path, f"id: {OWN}", "id: another-n7")
    done = node(command, other)
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"is the profile of the node another-n7, and this is {OWN}: nothing is changed" in done.stderr
    assert sorted(path.name for path in node.state.iterdir()) == ["profile.yaml"]
    assert (node.state / "profile.yaml").read_text() == EXAMPLE


def test_a_recorded_machine_is_not_this_node(node, tmp_path):
    other = changed(tmp_path, f"id: {OWN}", "id: another-n7")
    assert "this is" not in node("plan", other, "--machine", TOP / "tests/machines/musterkunde-blank.json").stderr


def test_a_wrong_profile_is_not_kept(node, tmp_path):
    assert node("apply", changed(tmp_path, "recipe: active-directory", "recipe: nonsense")).returncode == 1
    assert (node.state / "profile.yaml").read_text() == EXAMPLE
