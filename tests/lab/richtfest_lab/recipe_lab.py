# SPDX-License-Identifier: GPL-3.0-or-later
"""Recipes without a node: guests of a profile, each started from its recipe's image with its seed, on a network of their own. What the
node does between them is done here: the directory comes first and enrols its members, then they start; probes say when each is healthy."""

import json
import os
import re
import subprocess
import time

import yaml

from . import health
from .caddy import Proxy
from .errors import LabError, LabMissing
from .guest import Guest, secrets_of
from .lan import Lan
from .profile import Profile, for_lab
from .web import Site

DEAD_KERNEL = r"Kernel panic - not syncing.*|rcu: rcu_\w+ kthread timer wakeup didn't happen.*"
EMULATED_FACTOR = 4  # postinstall/guest_exec.c: what a guest may take longer without KVM

# What a guest of a recipe is told that the sample customer does not have; the directory is his.
FURTHER = {
    "debian": {},
    "nextcloud": {"host": "cloud.musterkunde.example", "group": "cloud-users"},
    "dolibarr": {"host": "verkauf.musterkunde.example", "group": "crm-users"},
}


def whole_text(path, key):
    """The customer's profile with a guest of every recipe; each is started when it is asked for."""
    profile = for_lab(path, key).set("access.tls", "own")
    there = [profile.get(f"guests.{number}.recipe") for number in range(profile.get("guests"))]
    for recipe, settings in FURTHER.items():
        if recipe not in there:
            profile = add_guest(profile, further_guest(recipe, settings, profile))
    return profile.text


def further_guest(recipe, settings, profile):
    """A guest that the customer does not have."""
    guest = {"name": recipe, "recipe": recipe, "cores": 1, "settings": settings}
    return {**guest, "directory": profile.get("guests.0.name")} if settings else guest


def profile_text(path, recipe, key):
    """The customer's profile with his directory and one guest of that recipe; (text, the guest's name)."""
    profile = for_lab(path, key).set("access.tls", "own")
    names = {profile.get(f"guests.{number}.recipe"): number for number in range(profile.get("guests"))}
    keep = {names["active-directory"], names.get(recipe)}
    name = profile.get(f"guests.{names[recipe]}.name") if recipe in names else recipe
    for number in reversed(range(profile.get("guests"))):
        if number not in keep:
            profile.remove(f"guests.{number}")
    for number in range(profile.get("guests")):
        profile.remove(f"guests.{number}.reach")  # its neighbour is not there
    if recipe in names:
        return profile.text, name
    return add_guest(profile, further_guest(recipe, FURTHER.get(recipe, {}), profile)).text, name


def add_guest(profile, guest):
    """A further guest at the list's end."""
    _, span = profile.find(f"guests.{profile.get('guests') - 1}")
    end = profile.text.find("\n", span.end) % (len(profile.text) + 1)
    return Profile(f"{profile.text[:end]}\n  - {json.dumps(guest)}{profile.text[end:]}")


def recipes_of(text, name):
    """The recipes that a guest of the profile needs: its own and its directory's."""
    guests = {guest["name"]: guest for guest in yaml.safe_load(text)["guests"]}
    if name not in guests:
        raise LabError(f"the profile has no guest {name}")
    return {guests[one]["recipe"] for one in (name, guests[name].get("directory")) if one}


def build_images(program, folder, recipes, cache, source):
    """The images of these recipes, from a folder of recipes; a second when the cache has them."""
    command = [program, "image", "build", "--guests-only", folder, "--recipe", ",".join(sorted(recipes)), "--cache", cache]
    command += ["--recipes", source]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise LabError(f"the images can't be built:\n{done.stdout}")


class RecipeLab:
    """`with RecipeLab(folder, program, recipes, images, text) as lab: crm = lab.up("crm")`. The folder keeps everything: a second lab in
    it goes on with the disks of the first, as after a power cut."""

    def __init__(self, folder, program, recipes, images, text, say=lambda words: None):
        self.folder = os.path.abspath(folder)
        self.state = os.path.join(self.folder, "state")
        self.ca = os.path.join(self.state, "var/lib/richtfest/ca/ca.pem")
        self._program, self._recipes, self._images = os.path.abspath(program), os.path.abspath(recipes), os.path.abspath(images)
        self.say = say
        self.guests = {}
        self.seconds = {}  # per guest, from power on to healthy
        self.answers = {}  # per guest, what its probes said
        self._proxy = None
        os.makedirs(self.state, mode=0o700, exist_ok=True)
        self._profile = os.path.join(self.folder, "profile.yaml")
        with open(self._profile, "w", encoding="utf-8") as file:
            file.write(text)
        self.lan = Lan(os.path.join(self.folder, "lan"), yaml.safe_load(text)["network"]["guests"]["subnet"])

    def __enter__(self):
        self.lan.__enter__()
        return self

    def __exit__(self, *_):
        if self._proxy:
            self._proxy.stop()
        for guest in self.guests.values():
            guest.stop()
        self.lan.__exit__()

    @property
    def machines(self):
        """Those that were started."""
        return [guest.machine for guest in self.guests.values() if guest.machine]

    # --- guests

    def named(self, recipe):
        """The name of the guest with that recipe; or None."""
        with open(self._profile, encoding="utf-8") as file:
            return next((guest["name"] for guest in yaml.safe_load(file)["guests"] if guest["recipe"] == recipe), None)

    def down(self, name):
        """The guest's plug is pulled; its disk stays."""
        self.guests[name].stop()

    def guest(self, name):
        """The guest of that name with its seed written; not started yet."""
        if name not in self.guests:
            self.guests[name] = self._make(name)
        return self.guests[name]

    def _make(self, name):
        folder = os.path.join(self.folder, name)
        os.makedirs(folder, exist_ok=True)
        seed, described, request = (os.path.join(folder, file) for file in ("seed.iso", "machine.json", "enrol.json"))
        words = ["--output", seed, "--describe", described, "--state", self.state, "--proxy"]
        self._seed(name, *words)
        with open(described, encoding="utf-8") as file:
            about = json.load(file)
        asked = None
        if about.get("directory"):
            self._seed(name, *words, "--enrol", request)
            with open(request, encoding="utf-8") as file:
                asked = file.read()
        self.lan.gateway.names[about["fqdn"].lower()] = about["address"]
        return Guest(about, folder, seed, self._images, self.lan, secrets_of(self.state, name), asked)

    def _seed(self, name, *words):
        environment = dict(os.environ, RICHTFEST_RECIPES=self._recipes)
        command = [self._program, "recipe", "seed", self._profile, name, *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LabError(f"the seed of {name}: {done.stderr.strip()}")

    def directory_of(self, guest):
        """The guest that holds its accounts."""
        return self.guest(guest.about["directory"])

    def recipe(self, guest):
        """The recipe's own words."""
        with open(os.path.join(self._recipes, guest.about["recipe"], "recipe.yaml"), encoding="utf-8") as file:
            return yaml.safe_load(file)

    def up(self, name):
        """From nothing to healthy: its directory first, which then enrols it."""
        guest = self.guest(name)
        if guest.machine and guest.machine.alive():
            return guest
        if guest.about.get("directory"):
            self.up(guest.about["directory"])
            self.directory_of(guest).enrol(guest)
            self.say(f"{name}: enrolled")
        if guest.about.get("published"):
            self._publish_where_possible()
        started = time.monotonic()
        guest.start()
        if guest.about.get("zone"):
            self.lan.serves(guest.about["zone"], guest.about["address"])
        self.wait_healthy(guest)
        self.seconds[name] = time.monotonic() - started
        self.say(f"{name}: healthy after {self.seconds[name]:.0f} s")
        return guest

    def wait_healthy(self, guest):
        """Every probe of its recipe, as patient as the recipe says."""
        words = self.recipe(guest)["health"]
        patience = words.get("seconds", 600) * EMULATED_FACTOR
        self.answers[guest.name] = health.wait_healthy(guest, words["probes"], self, patience, self.say)

    def trouble(self):
        """Why it makes no sense to wait on; or None."""
        for guest in self.guests.values():
            if not guest.wanted:
                continue
            if not guest.machine.alive():
                return f"QEMU of {guest.name} has ended: {guest.machine.qemu_log()[-500:]}"
            dead = re.search(DEAD_KERNEL, guest.machine.console.text())
            if dead:
                return f"{guest.name}: {dead.group(0)}"
        return None

    # --- published names

    @property
    def has_proxy(self):
        """Whether published names are served."""
        return self._proxy is not None

    @property
    def proxy(self):
        """Where they are served."""
        return self._proxy

    def _publish_where_possible(self):
        try:
            self.publish()
        except LabMissing as missing:
            self.say(f"published names are left out: {missing}")

    def publish(self):
        """Starts the node's proxy with the node's own configuration, on ports of this host; returns it."""
        if self._proxy:
            self._proxy.stop()
        routes = {guest.about["address"]: guest.port for guest in self.guests.values()}
        self._proxy = Proxy(os.path.join(self.folder, "proxy"), self.state, routes).start()
        return self._proxy

    def published_page(self, host, path):
        """(status, text) of a page by its published name, the certificate verified."""
        page = self.site(host).ask("GET", path)
        return page.status, page.text

    def site(self, host):
        """A published name, for those who log in there."""
        return Site(host, self._proxy.port, self.ca)
