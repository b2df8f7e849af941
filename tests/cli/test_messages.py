# SPDX-License-Identifier: GPL-3.0-or-later
"""What messages and pages tell people to type must be a command line that the program takes: `richtfest apply` alone is a usage error."""
import pathlib
import re

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
ROOMS = ["base", "profiles", "raid", "postinstall", "image", "installer"]
SOURCES = sorted(path for room in ROOMS for path in (TOP / room).glob("*.c"))
PAGES = sorted([TOP / "README.md", *(TOP / "docs").glob("*.md"), *(TOP / "docs/how-to").glob("*.md")])
SCRIPTS = sorted(path for folder in ("postinstall/recipes", "image/data/guest-root") for path in (TOP / folder).glob("**/usr/lib/richtfest/*")
                 if path.is_file() and "guest." in path.read_text())
BARE = re.compile(r"richtfest apply(?! (?:--node|--live|[A-Z]{2,}\b|\S+\.yaml))")
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')


def literals(text):
    """Its string literals, those that follow each other as one; comments are no messages."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return [match.group(1) for match in LITERAL.finditer(re.sub(r'"\s*\n\s*"', "", text))]


def test_literals_are_found_whole():
    assert literals('/* "no" */ f("run richtfest "\n    "apply", "b\\"c");') == ["run richtfest apply", 'b\\"c']


@pytest.mark.parametrize("path", [p for p in SOURCES if "richtfest" in p.read_text()], ids=lambda p: p.name)
def test_messages_name_whole_commands(path):
    wrong = [text for text in literals(path.read_text()) if text != "richtfest apply" and BARE.search(text)]  # alone: the command's name
    assert not wrong


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.name)
def test_guests_scripts_name_whole_commands(path):
    assert not BARE.search(re.sub(r'"\s*\n\s*f?"', "", path.read_text()))


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_pages_name_whole_commands(path):
    wrong = [line for line in path.read_text().splitlines() if BARE.search(line)]
    assert not wrong
