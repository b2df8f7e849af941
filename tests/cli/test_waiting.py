# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests whose ISO was built without what they need: `check` and `plan` say what they wait for."""
import json
import os
import pathlib
import re
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("RF_PROGRAM", TOP / "build/richtfest"))
EXAMPLE = TOP / "profiles/examples/directory.yaml"
MACHINE = TOP / "tests/machines/musterkunde-blank.json"
ENV = dict(os.environ, RICHTFEST_RECIPES=str(TOP / "postinstall/recipes"))
GUESTS = """guests:
  - {name: cloud, recipe: nextcloud, settings: {host: cloud.firma.example}}
  - {name: plain, recipe: debian}
"""
WAITING = ("cloud: waiting for artefact nextcloud 34.0.4 (https://x.example/nextcloud.tar.bz2, or place nextcloud-34.0.4.tar.bz2 in "
           "/var/lib/libvirt/images/artefacts)\n")


def run(*words):
    profile = re.split(r"^guests:", EXAMPLE.read_text(), flags=re.M)[0] + GUESTS
    return subprocess.run([PROGRAM, *map(str, words)], cwd=TOP, input=profile, env=ENV, capture_output=True, text=True, timeout=60)


@pytest.fixture
def medium(tmp_path):
    """A mounted ISO: `medium("waiting")`."""
    def make(state, **more):
        one = {"name": "nextcloud", "version": "34.0.4", "state": state, "file": "nextcloud-34.0.4.tar.bz2", "format": "tar.bz2",
               "url": "https://user:secret@x.example/nextcloud.tar.bz2?token=secret", "mirrors": [], "sha256": "0" * 64, "strip": 1}
        other = {**one, "name": "nextcloud-tasks", "state": "waiting"}
        (tmp_path / "richtfest").mkdir(exist_ok=True)
        (tmp_path / "richtfest/manifest.json").write_text(json.dumps({"richtfest": 1, "artefacts": [one | more, other]}))
        return tmp_path
    return make


def test_check_says_what_a_guest_waits_for(medium):
    done = run("check", "-", "--medium", medium("waiting"))
    assert done.returncode == 0, done.stderr  # the profile is right
    assert done.stdout.endswith(WAITING) and done.stdout.count("waiting") == 1  # not for what it can be without


def test_check_of_an_iso_that_has_all(medium):
    assert "waiting" not in run("check", "-", "--medium", medium("included")).stdout


def test_check_without_an_iso_knows_nothing(tmp_path):
    done = run("check", "-", "--medium", tmp_path)
    assert done.returncode == 0 and "waiting" not in done.stdout + done.stderr


def test_one_without_a_checksum_says_what_to_do(medium):
    done = run("check", "-", "--medium", medium("waiting", sha256=None))
    assert "cloud: waiting for artefact nextcloud 34.0.4: it has no confirmed checksum" in done.stdout
    assert "richtfest artefact fetch --pin nextcloud" in done.stdout


def test_plan_has_the_step_and_the_reason(medium):
    done = run("plan", "-", "--machine", MACHINE, "--medium", medium("waiting"))
    assert done.returncode == 0, done.stderr
    assert "  Fetch what the image of cloud lacks: nextcloud 34.0.4, nextcloud-tasks 34.0.4\n" in done.stdout
    assert done.stdout.endswith("\nNot to be had yet:\n" + WAITING)
    assert "secret" not in done.stdout
    steps = json.loads(run("plan", "-", "--machine", MACHINE, "--medium", medium("waiting"), "--json").stdout)
    assert [step["phase"] for step in steps if step["id"] == "artefact/cloud"] == ["node"]


def test_a_recorded_machine_is_planned_without_this_ones_medium():
    done = run("plan", "-", "--machine", MACHINE)
    assert done.returncode == 0 and "lacks" not in done.stdout and "Not to be had" not in done.stdout


def test_a_recorded_node_knows_itself(tmp_path):
    machine = json.loads((TOP / "tests/machines/installed-node.json").read_text())
    machine.setdefault("node", {})["artefacts"] = [
        {"name": "nextcloud", "version": "34.0.4", "state": "waiting", "file": "nextcloud-34.0.4.tar.bz2", "format": "tar.bz2",
         "url": "https://x.example/nextcloud.tar.bz2", "mirrors": [], "sha256": "0" * 64, "strip": 1}]
    path = tmp_path / "machine.json"
    path.write_text(json.dumps(machine))
    done = run("plan", "-", "--machine", path)
    assert "Fetch what the image of cloud lacks: nextcloud 34.0.4" in done.stdout and done.stdout.endswith(WAITING)
    machine["node"].setdefault("guests", {})["cloud"] = {"settled": True, "disk": 200 * 10**9}
    path.write_text(json.dumps(machine))
    text = run("plan", "-", "--machine", path).stdout  # it has come up without
    assert "lacks" not in text and "Not to be had" not in text
