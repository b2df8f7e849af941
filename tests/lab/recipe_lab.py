#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make recipe-lab`: one recipe's image in QEMU with its seed, without a node; its directory beside it where it has one.

    tests/lab/recipe_lab.py RECIPE [--profile FILE --guest NAME] [--recipes DIR] [--once] [--keep]

Says what the probes say, and in the end how to reach the guest; ends with Ctrl-C, or with --once as soon as all is healthy. Everything
is in build/recipe-lab/RECIPE, which is made anew each time, but for the directory with --keep: the member alone is new then.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import sys
import time

from richtfest_lab import host, recipe_lab
from richtfest_lab.errors import LabError, LabMissing
from richtfest_lab.keys import Key

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = TOP / os.environ.get("BUILD", "build")
PROGRAM = pathlib.Path(os.environ.get("RF_PROGRAM") or BUILD / "richtfest")
SSH = 22


def say(words):
    print(f"{time.strftime('%H:%M:%S')}  {words}", flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe")
    parser.add_argument("--profile", help="instead of the sample customer's (with --guest)")
    parser.add_argument("--guest", help="the guest of that profile")
    parser.add_argument("--recipes", default=TOP / "postinstall/recipes", help="the folder that holds the recipe's")
    parser.add_argument("--once", action="store_true", help="end when all is healthy")
    parser.add_argument("--keep", action="store_true", help="go on with the directory of the last time")
    options = parser.parse_args()
    if bool(options.profile) != bool(options.guest):
        parser.error("--profile and --guest belong together")
    return options


def make_room(folder, keep):
    """An empty folder; or one with nothing but the last time's directory and what the node would know of it."""
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    directories = {path.parent.name for path in folder.glob("*/machine.json") if json.loads(path.read_text()).get("zone")}
    for path in folder.glob("*/machine.json"):
        if path.parent.name not in directories:
            shutil.rmtree(path.parent)
            shutil.rmtree(folder / "state/var/lib/richtfest/guests" / path.parent.name, ignore_errors=True)


def shut_down(lab):
    """The directory is ended as its own system wants it: its disk may be needed again."""
    for one in lab.guests.values():
        if one.about.get("zone") and one.machine and one.machine.alive():
            say(f"{one.name} shuts down")
            one.machine.powerdown()
            one.machine.wait_end(120)


def tell(lab, guest, key):
    """How a person gets in."""
    print()
    for one in lab.guests.values():
        print(f"{one.name}: healthy after {lab.seconds[one.name]:.0f} s")
        print(f"  ssh -i {key.path} -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -p {one.port(SSH)} jiku@127.0.0.1")
        for port in lab.recipe(one).get("ports", []):
            if port["protocol"] == "tcp":
                print(f"  {port['port']:>5} {port['title']}: 127.0.0.1:{one.port(port['port'])}")
    published = guest.about.get("published")
    if published and lab.has_proxy:
        print(f"  https://{published['host']}:{lab.proxy.port}/ with that name at 127.0.0.1 in your hosts file; its CA is {lab.ca}")
    print(f"  passwords: {lab.state}/var/lib/richtfest/guests/*/secrets.json; console: {guest.folder}/console.log")


def main():
    options = arguments()
    folder = BUILD / "recipe-lab" / options.recipe
    make_room(folder, options.keep)
    key = Key(folder)
    if options.profile:
        text, name = pathlib.Path(options.profile).read_text(encoding="utf-8"), options.guest
    else:
        text, name = recipe_lab.profile_text(TOP / "profiles/musterkunde.yaml", options.recipe, key)
    say("images")
    images = BUILD / "recipe-lab" / "images"
    recipe_lab.build_images(PROGRAM, images, recipe_lab.recipes_of(text, name), host.CACHE, options.recipes)
    with recipe_lab.RecipeLab(folder, PROGRAM, options.recipes, images, text, say) as lab:
        guest = lab.up(name)
        tell(lab, guest, key)
        try:
            while not options.once:
                print("Ctrl-C ends it.")
                signal.pause()
        except KeyboardInterrupt:
            pass
        shut_down(lab)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (LabError, LabMissing) as error:
        print(f"recipe-lab: {error}", file=sys.stderr)
        sys.exit(3)
    except KeyboardInterrupt:
        sys.exit(0)
