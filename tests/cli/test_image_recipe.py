# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest made of any cloud image: what `check` and `plan` say of it before anything is fetched."""
import os
import pathlib
import re
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("RF_PROGRAM", TOP / "build/richtfest"))
EXAMPLE = TOP / "profiles/examples/directory.yaml"
MACHINE = TOP / "tests/machines/musterkunde-blank.json"
SHA256 = "00112233445566778899aabbccddeeff" * 2
ENV = dict(os.environ, RICHTFEST_RECIPES=str(TOP / "postinstall/recipes"))
GOOD = {"url": "https://user:secret@images.example/web.qcow2?token=secret", "sha256": SHA256, "format": "qcow2"}


def profile(settings):
    head = re.split(r"^guests:", EXAMPLE.read_text(), flags=re.M)[0]
    lines = "".join(f"      {key}: {value}\n" for key, value in settings.items())
    return head + "guests:\n  - name: web\n    recipe: image\n    settings:\n" + lines


def run(*words, settings):
    return subprocess.run([PROGRAM, *map(str, words)], cwd=TOP, input=profile(settings), env=ENV, capture_output=True, text=True,
                          timeout=60)


def test_a_good_one_is_valid():
    done = run("check", "-", settings=GOOD)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("key, value, says", [
    ("url", "ftp://images.example/x", "is not a whole http or https address"),
    ("sha256", "deadbeef", "is not a SHA-256 of 64 lower-case hexadecimal digits"),
    ("format", "vmdk", "is not known here; write qcow2, raw"),
    ("format", "qcow", "did you mean 'qcow2'?"),
    ("firmware", "efi", "did you mean 'uefi'?"),
    ("tpm", "true", "systems that want a TPM want UEFI too; write 'firmware: uefi' beside it"),
    ("tpm", "yes please", "is neither true nor false"),
    ("drivers", "ide", "write virtio, plain"),
    ("port", "0", "0 is out of range; write 1 to 65535"),
    ("healthy", "tcp", "did you mean 'health'?"),
])
def test_each_wrong_setting_has_its_place(key, value, says):
    settings = GOOD | {key: value}
    done = run("check", "-", settings=settings)
    lines = profile(settings).splitlines()
    line = next(number for number, text in enumerate(lines, 1) if text.strip().startswith(key + ":"))
    assert done.returncode == 1
    assert f":{line}:" in done.stderr and f"guests[0].settings.{key}: " in done.stderr and says in done.stderr
    assert done.stderr.count("error:") == 1


@pytest.mark.parametrize("key", GOOD)
def test_what_is_needed(key):
    done = run("check", "-", settings={k: v for k, v in GOOD.items() if k != key})
    assert done.returncode == 1 and f"guests[0].settings.{key}: this setting is missing" in done.stderr


def test_the_plan_fetches_before_it_makes_the_disk():
    done = run("plan", "-", "--machine", MACHINE, settings=GOOD)
    assert done.returncode == 0, done.stderr
    steps = [line.split(None, 1)[1] for line in done.stdout.splitlines() if " web" in line]
    assert steps[0] == "Fetch the image of web from https://images.example/web.qcow2"  # without its secrets
    assert steps[1].startswith("Make the disk of web")
    assert "secret" not in done.stdout
    assert not any("cloud-init off" in step for step in steps)  # whose agent should do it?


def test_the_iso_has_no_image_for_it():
    done = subprocess.run([PROGRAM, "image", "build", "--recipe", "image", "--output", "/nonexistent/x.iso"], cwd=TOP,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode in (2, 64)  # 2: this machine lacks something, before recipes are looked at
    assert done.returncode == 2 or "there is no recipe 'image' with an image" in done.stdout + done.stderr
