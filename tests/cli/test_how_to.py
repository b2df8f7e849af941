# SPDX-License-Identifier: GPL-3.0-or-later
"""The recipe of docs/how-to/write-a-recipe.md is put together from the page and checked."""
import os
import pathlib
import re
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("BUILD", TOP / "build")).absolute() / "richtfest"
PAGE = TOP / "docs/how-to/write-a-recipe.md"


def files_of(page):
    return {path: text for path, text in re.findall(r"^```\w+ (\S+)\n(.*?)^```$", page.read_text(), re.M | re.S)}


def test_the_page_makes_a_valid_recipe(tmp_path):
    files = files_of(PAGE)
    assert len(files) == 4
    for path, text in files.items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(0o755 if text.startswith("#!") else 0o644)
    done = subprocess.run([PROGRAM, "recipe", "check", tmp_path / "website"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    script = files["website/files/usr/lib/richtfest/website-provision"]
    compile(script, "website-provision", "exec")


def test_its_user_data_is_that_of_our_own():
    assert files_of(PAGE)["website/user-data.j2"] == (TOP / "postinstall/recipes/debian/user-data.j2").read_text()


def test_the_german_quick_start_knows_the_sample_customers_guests():
    quick, profile = (TOP / "docs/schnellstart.md").read_text(), (TOP / "profiles/musterkunde.yaml").read_text()
    recipes = re.findall(r"^\s*#?\s*recipe: (\S+)$", profile, re.M)
    assert len(recipes) == 4
    assert [recipe for recipe in recipes if f"`{recipe}`" not in quick] == []


def test_the_page_on_telephones_says_that_its_address_is_no_secret():
    """The handler of tel: links works as the user who clicks, and put() writes 0644 where it is not told otherwise."""
    guest = (TOP / "image/data/guest-root/usr/lib/richtfest/guest.py").read_text()
    assert re.search(r"put\(PUBLIC, .*\+ \"\\n\"\)$", guest, re.M)
    assert "No password belongs into this address" in (TOP / "docs/how-to/click-to-dial.md").read_text()
