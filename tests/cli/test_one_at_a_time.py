# SPDX-License-Identifier: GPL-3.0-or-later
"""Who changes a node waits for whoever else does; who only looks does not. A node is a /run and a /var/lib of our own. `apply` is not among
them: one that did not wait would change this machine."""
import fcntl
import os
import pathlib
import shutil
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("RF_PROGRAM", TOP / "build/richtfest"))
ENV = dict(os.environ, RICHTFEST_RECIPES=str(TOP / "postinstall/recipes"))
INSIDE = 'mount --bind "$1" /run && mount --bind "$2" /var/lib && shift 2 && exec "$@"'
CHANGING = [["guest", "snapshot", "dc1"], ["guest", "snapshot", "--delete", "dc1", "x"], ["guest", "rollback", "dc1"],
            ["guest", "import", "dc1", "/x"], ["guest", "resize", "dc1", "90 GB"], ["guest", "delete", "dc1", "--with-its-disk"]]
LOOKING = [["status"], ["guest", "list"], ["guest", "snapshot", "--list", "dc1"], ["guest", "export", "dc1", "/x"]]


@pytest.fixture
def node(tmp_path):
    """Starts a command on a node whose lock another one has: `node("guest", "list")`."""
    if os.geteuid() or not shutil.which("unshare"):
        pytest.skip("needs root, for a mount namespace")
    run, lib, started = tmp_path / "run", tmp_path / "lib", []
    (run / "richtfest").mkdir(parents=True)
    (lib / "richtfest").mkdir(parents=True)
    (lib / "richtfest/profile.yaml").write_text((TOP / "profiles/examples/directory.yaml").read_text())
    with open(run / "richtfest/lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("another one (process 1)\n")
        lock.flush()

        def start(*words):
            started.append(subprocess.Popen(["unshare", "-m", "sh", "-c", INSIDE, "sh", run, lib, PROGRAM, *words], cwd=TOP, env=ENV,
                                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
            return started[-1]
        yield start
        for process in started:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("words", CHANGING, ids=" ".join)
def test_what_changes_the_node_waits(node, words):
    process = node(*words)
    assert process.stderr.readline().startswith("richtfest: waiting for another one (process 1): one at a time changes this node.")
    assert process.poll() is None


@pytest.mark.parametrize("words", LOOKING, ids=" ".join)
def test_what_only_looks_does_not(node, words):
    out, err = node(*words).communicate(timeout=60)
    assert "waiting" not in out + err
    assert "no connection to libvirt" in out + err  # it has come as far as its work
