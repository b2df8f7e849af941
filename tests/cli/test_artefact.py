# SPDX-License-Identifier: GPL-3.0-or-later
"""richtfest artefact list, fetch, verify: from a mirror of one's own, by hand, pinned by a person."""
import functools
import hashlib
import http.server
import json
import os
import pathlib
import subprocess
import threading

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("RF_PROGRAM", TOP / "build/richtfest"))
CONTENT = b"an artefact\n" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


class Desk:
    """A manifest with one artefact, one recipe that wants it, a mirror, a folder, a cache."""

    def __init__(self, top):
        self.top, self.data, self.recipes = top, top / "data", top / "recipes"
        self.mirror, self.folder, self.cache = top / "mirror", top / "hand", top / "cache"
        for directory in (self.data, self.recipes / "cloud", self.mirror, self.folder):
            directory.mkdir(parents=True)
        (self.recipes / "cloud/recipe.yaml").write_text("image: {file: cloud.qcow2}\nartefacts: [app]\n")
        self.manifest = self.data / "artefacts.yaml"
        self.pin(SHA256)

    def pin(self, sha256):
        self.manifest.write_text("manifest: 1\nartefacts:\n  app:\n    title: An app\n    version: 1.0\n    licence: MIT\n"
                                 f"    url: http://127.0.0.1:1/app.tar.gz\n    sha256: {sha256}\n    format: tar.gz\n")

    def run(self, *words):
        return subprocess.run([PROGRAM, "artefact", *map(str, words), "--source", TOP, "--data", self.data, "--recipes", self.recipes,
                               "--cache", self.cache, "--artefacts", self.folder],
                              cwd=self.top, capture_output=True, text=True, timeout=60)

    def state(self):
        return json.loads(self.run("list", "--json").stdout)[0]["state"]

    def serve(self):
        handler = functools.partial(Quiet, directory=self.mirror)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}"


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_list_says_what_to_do(desk):
    text = desk.run("list").stdout
    assert "absent" in text and "for cloud" in text
    assert f"http://127.0.0.1:1/app.tar.gz, or place app-1.0.tar.gz in {desk.folder}" in text


def test_fetch_from_a_mirror_and_verify(desk):
    (desk.mirror / "app-1.0.tar.gz").write_bytes(CONTENT)
    done = desk.run("fetch", "--artefact-mirror", desk.serve())
    assert done.returncode == 0, done.stdout + done.stderr
    assert desk.state() == "ready"
    path = pathlib.Path(json.loads(desk.run("list", "--json").stdout)[0]["path"])
    assert path.read_bytes() == CONTENT
    assert desk.run("verify", "app").returncode == 0
    path.write_bytes(CONTENT[:-1])
    done = desk.run("verify")
    assert done.returncode == 3 and "is wrong" in done.stderr


def test_wrong_bytes_on_the_mirror_are_not_used(desk):
    (desk.mirror / "app-1.0.tar.gz").write_bytes(b"something else")
    done = desk.run("fetch", "--artefact-mirror", desk.serve())
    assert done.returncode == 3
    assert "the checksum of" in done.stdout and "not used" in done.stdout
    assert desk.state() == "absent"


def test_by_hand(desk):
    (desk.folder / "app-1.0.tar.gz").write_bytes(CONTENT)
    assert desk.state() == "by hand"
    assert desk.run("fetch").returncode == 0
    assert desk.state() == "ready"


def test_one_that_is_absent(desk):
    assert desk.run("verify").returncode == 0
    assert desk.run("verify", "app").returncode == 3
    done = desk.run("fetch")
    assert done.returncode == 3
    assert "1 could not be fetched; an image that is built now waits for them" in done.stdout


def test_pinning_is_a_persons_word(desk):
    desk.pin("unknown")
    (desk.folder / "app-1.0.tar.gz").write_bytes(CONTENT)
    done = desk.run("fetch", "app")
    assert done.returncode == 3 and "fetch --pin app" in done.stdout
    assert desk.run("fetch", "--pin").returncode == 64  # never all at once
    assert "unknown" in desk.manifest.read_text()
    done = desk.run("fetch", "--pin", "app")
    assert done.returncode == 0, done.stdout
    assert "NOTHING has confirmed it" in done.stdout
    assert f"sha256: {SHA256}\n" in desk.manifest.read_text()
    assert desk.state() == "ready"


def test_unknown_names_and_manifests(desk):
    assert desk.run("fetch", "ap").returncode == 64
    assert "there is no artefact 'ap'" in desk.run("list", "ap").stderr
    desk.manifest.write_text("manifest: 1\nartefacts: {app: {titel: x}}\n")
    done = desk.run("list")
    assert done.returncode == 2 and "did you mean `title`?" in done.stderr
