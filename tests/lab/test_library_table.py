# SPDX-License-Identifier: GPL-3.0-or-later
"""What long tests have shown must neither be forgotten nor believed of another ISO."""

import os

import pytest

from richtfest_lab.table import Table

pytestmark = pytest.mark.core

COLUMNS = {"state": "state", "seconds": "done in"}


@pytest.fixture
def iso(tmp_path):
    path = tmp_path / "a.iso"
    path.write_bytes(b"first")
    return str(path)


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "shown.jsonl")


def test_what_was_shown_is_known_later(path, iso):
    Table(path, iso, COLUMNS).add({"state": "mdadm", "sector": 512, "seconds": 3.14159})
    again = Table(path, iso, COLUMNS)
    assert again.has(state="mdadm", sector=512) and not again.has(state="mdadm", sector=4096)
    assert again.rows(state="mdadm")[0]["seconds"] == 3.14159


def test_another_iso_has_shown_nothing(path, iso):
    Table(path, iso, COLUMNS).add({"state": "mdadm"})
    os.utime(iso, ns=(1, 1))
    assert Table(path, iso, COLUMNS).has(state="mdadm")
    with open(iso, "wb") as file:
        file.write(b"second")
    assert not Table(path, iso, COLUMNS).has(state="mdadm")


def test_another_program_in_the_isos_place_has_shown_nothing(path, iso, tmp_path):
    program = tmp_path / "program"
    program.write_bytes(b"1")
    Table(path, iso, COLUMNS, str(program)).add({"state": "mdadm"})
    assert Table(path, iso, COLUMNS, str(program)).has(state="mdadm") and not Table(path, iso, COLUMNS).has(state="mdadm")


def test_a_line_that_was_cut_off_is_none_and_spoils_no_other(path, iso):
    Table(path, iso, COLUMNS).add({"state": "a"}, {"state": "b"})
    with open(path, "r+", encoding="utf-8") as file:
        text = file.read()
        file.truncate(len(text) - 5)
    again = Table(path, iso, COLUMNS)
    assert again.has(state="a") and not again.has(state="b")
    again.add({"state": "c"})
    third = Table(path, iso, COLUMNS)
    assert third.has(state="a") and third.has(state="c") and len(third.rows()) == 2


def test_as_a_table(path, iso):
    table = Table(path, iso, COLUMNS)
    table.add({"state": "luks1", "seconds": 2.25}, {"state": "a long one", "seconds": None, "other": 1}, {"kept": "for the test"})
    assert str(table) == "state       done in\nluks1       2.2\na long one"
