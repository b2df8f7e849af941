# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest's scripts as modules, and guest.py with places of its own."""
import importlib.machinery
import importlib.util
import os
import pathlib
import re
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
RECIPES = TOP / "postinstall/recipes"
SHARED = TOP / "image/data/guest-root/usr/lib/richtfest"


def load(path, name):
    """A script as a module; its last lines, which do the work, are left out."""
    text = re.split(r"^(?:main\(\)|sys\.exit\(main\(\)\)|guest\.health\()", path.read_text(), flags=re.M)[0]
    module = importlib.util.module_from_spec(importlib.machinery.ModuleSpec(name, None))
    sys.path[:0] = [str(SHARED), str(path.parent)]
    try:
        exec(compile(text, str(path), "exec"), module.__dict__)
    finally:
        del sys.path[:2]
    return module


@pytest.fixture
def guest(tmp_path, monkeypatch):
    module = load(SHARED / "guest.py", "guest")
    for name in ("SEED", "PUBLIC", "DONE", "LAN", "CA_SOURCE", "CA_BUNDLE", "OWED", "ANSWERS", "SUDOERS", "FIRST_SUDOERS", "LOCKED", "LOCALTIME",
                 "TIMEZONE"):
        monkeypatch.setattr(module, name, str(tmp_path / name))
    monkeypatch.setattr(module, "TLS", str(tmp_path / "tls"))
    monkeypatch.setattr(os, "fchown", lambda *_: None)
    before = os.umask(0o022)
    yield module
    os.umask(before)  # the scripts set their own, and other tests come after
