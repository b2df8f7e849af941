# SPDX-License-Identifier: GPL-3.0-or-later
"""Per recipe: from power on with its seed to healthy, beside the floor, which is the same image booted by plain QEMU with an empty seed
until cloud-init has ended. Both without a node; members run beside their directory, as on a node."""
import json
import os
import pathlib
import subprocess
import time

from richtfest_lab import host, recipe_lab
from richtfest_lab.errors import LabError
from richtfest_lab.guest import Guest
from richtfest_lab.keys import Key

TOP = pathlib.Path(__file__).resolve().parents[2]
RECIPES = TOP / "postinstall/recipes"
FLOOR_SECONDS = 1200
EMPTY = {"meta-data": "instance-id: floor\nlocal-hostname: floor\n", "user-data": "#cloud-config\n{}\n", "network-config": "version: 2\n"}


def empty_seed(folder):
    """A seed that asks for nothing."""
    folder.mkdir(parents=True)
    for name, text in EMPTY.items():
        (folder / name).write_text(text, encoding="utf-8")
    seed = folder.with_suffix(".iso")
    command = [host.need("xorriso", "xorriso"), "-as", "mkisofs", "-quiet", "-V", "cidata", "-J", "-r", "-o", seed, folder]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return seed


def floor(about, folder, images):
    """Seconds from power on to the end of cloud-init, with nothing to be done."""
    guest = Guest(about, folder / "machine", empty_seed(folder / "seed"), images)
    started = time.monotonic()
    guest.start()
    try:
        while True:
            if guest.agent.ping() and guest.run("/usr/bin/test", "-s", "/run/cloud-init/result.json").status == 0:
                return time.monotonic() - started
            if time.monotonic() - started > FLOOR_SECONDS or not guest.machine.alive():
                raise LabError(f"the floor of {about['recipe']} was not reached\n{guest.machine.console.tail()}")
            time.sleep(1)
    finally:
        guest.stop()


def waiting_for(program, recipe):
    """The artefacts without which the recipe can't become healthy."""
    command = [program, "artefact", "list", "--json", "--cache", host.CACHE]
    rows = json.loads(subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=True).stdout)
    return [row["name"] for row in rows if row["name"] == recipe and row["state"] not in ("ready", "by hand")]


def rows(table, folder, program):
    """A row for each recipe, and its ratio to the floor."""
    folder = pathlib.Path(folder) / "guests"
    folder.mkdir()
    text = recipe_lab.whole_text(TOP / "profiles/musterkunde.yaml", Key(folder))
    images = folder / "images"
    with recipe_lab.RecipeLab(folder / "lab", program, RECIPES, images, text) as lab:
        for recipe in sorted(os.listdir(RECIPES)):
            name = lab.named(recipe)
            lacking = waiting_for(program, recipe)
            if not name or lacking:
                table.add(f"guest of {recipe}", "not measured", f"waiting for artefact {lacking[0]}" if lacking else "no guest of it")
                continue
            recipe_lab.build_images(program, images, recipe_lab.recipes_of(text, name), host.CACHE, RECIPES)
            lowest = floor(lab.guest(name).about, folder / f"floor-{recipe}", images)
            lab.up(name)
            if not lab.guest(name).about.get("zone"):
                lab.down(name)
            seconds = lab.seconds[name]
            table.add(f"guest of {recipe}: power on to healthy", f"{seconds:.0f} s", f"{seconds / lowest:.2f} of the floor, {lowest:.0f} s")
