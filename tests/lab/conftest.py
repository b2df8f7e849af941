# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab's tests share: the ISO under test, a folder and machines for each test, and logs that say what
happened."""

import contextlib
import glob
import json
import os
import re
import shutil
import subprocess
import time

import pytest

from richtfest_lab import host, recipe_lab
from richtfest_lab.errors import LabMissing
from richtfest_lab.httpd import Server
from richtfest_lab.iso import Iso
from richtfest_lab.keys import Key
from richtfest_lab.machine import Machine, free_port
from richtfest_lab.pki import Authority
from richtfest_lab.reports import Reports

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
# The second is a processor that the emulator has forgotten to wake (see richtfest_lab/host.py).
DEAD_KERNEL = r"Kernel panic - not syncing.*|rcu: rcu_\w+ kthread timer wakeup didn't happen.*"
KEEP_DISKS = "RF_KEEP_DISKS"  # set: disks of failed tests are kept too


def setting(name, default):
    """A path from the environment, or the one in the build folder."""
    return os.path.abspath(os.environ.get(name) or os.path.join(ROOT, default))


ISO = setting("RF_ISO", "build/richtfest.iso")
PROGRAM = setting("RF_PROGRAM", "build/richtfest")
LOGS = setting("RF_LAB_LOGS", "build/lab")
IMAGES = os.environ.get("RF_GUEST_IMAGES")  # the guests' images, built elsewhere with all that belongs in them


def pytest_configure(config):
    """The two markers, and what the summary counts."""
    config.addinivalue_line("markers", "core: part of `make test`")
    config.addinivalue_line("markers", "long: part of `make lab` only")
    config.lab_boots = []


def pytest_report_header():
    """Which machine all this runs on."""
    warning = None
    try:
        accelerator, warning = host.accelerator(), host.emulator()[1]
        how = f"{accelerator.name} ({accelerator.reason})"
    except LabMissing as missing:
        how = str(missing)
    lines = [f"lab: accelerator {how}", f"lab: ISO {ISO}", f"lab: logs in {LOGS}"]
    return lines + ([f"lab: WARNING: {warning}"] if warning else [])


class Lab:
    """What one test gets: a folder, and machines that end with it."""

    def __init__(self, folder, boots):
        self.folder = folder
        self.machines = []
        self._boots = boots

    def path(self, name):
        """A file in the test's folder."""
        return os.path.join(self.folder, name)

    def start(self, spec):
        """Starts a machine; the test's end stops it."""
        machine = Machine(spec, self.path(spec.name))
        self.machines.append(machine)
        self._boots.append((os.path.basename(self.folder), spec.name, time.monotonic()))
        return machine.start()

    def stop(self):
        """Stops them all."""
        for machine in self.machines:
            machine.stop()

    def trouble(self):
        """For Reports.wait(): why it makes no sense to wait on."""
        for machine in self.machines:
            if not machine.alive():
                return f"QEMU of {machine.spec.name} has ended\n{machine.console.tail()}"
            dead = re.search(DEAD_KERNEL, machine.console.text())
            if dead:
                return f"{machine.spec.name}: {dead.group(0)}\n{machine.console.tail()}"
        return None


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """The consoles' tails become part of a failure's text."""
    outcome = yield
    report = outcome.get_result()
    setattr(item, f"lab_{report.when}", report)
    lab = getattr(item, "funcargs", {}).get("lab") or getattr(item, "funcargs", {}).get("house")
    if report.failed and lab:
        for machine in lab.machines:
            if machine.console:
                report.sections.append((f"console of {machine.spec.name}", machine.console.tail(60)))
        report.sections.append(("lab", f"console logs, QEMU's messages and reports are kept in {lab.folder}"))


def lacking_artefacts(program, recipe):
    """What the recipe needs, Debian does not carry, and is not here: names; [] where the recipe is whole."""
    if IMAGES:
        return []
    command = [program, "artefact", "list", "--json", "--cache", host.CACHE]
    rows = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    return [row["name"] for row in rows if recipe in row["recipes"].split(", ") and row["state"] not in ("ready", "by hand")]


@pytest.fixture(scope="session")
def house(request, program, tools):
    """The customer's guests without a node: up("crm") brings one of them from its recipe's image to healthy, its directory before it. One
    for all tests, because the directory takes a while."""
    if not IMAGES and (os.geteuid() != 0 or not glob.glob(os.path.join(host.CACHE, "guest-base-*"))):
        pytest.skip(f"the recipes' images are built by root, and out of {host.CACHE} (make iso fills it); RF_GUEST_IMAGES names some")
    folder = os.path.join(LOGS, "recipes")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    text = recipe_lab.whole_text(os.path.join(ROOT, "profiles", "musterkunde.yaml"), Key(folder))
    recipes, images = os.path.join(ROOT, "postinstall/recipes"), IMAGES or os.path.join(folder, "images")

    class House(recipe_lab.RecipeLab):
        """Counts its machines."""

        def guest(self, name):
            """And builds the images that it needs."""
            if name not in self.guests:
                if not IMAGES:
                    recipe_lab.build_images(program, images, recipe_lab.recipes_of(text, name), host.CACHE, recipes)
                request.config.lab_boots.append(("recipes", name, time.monotonic()))
            return super().guest(name)

    before = request.session.testsfailed
    with House(folder, program, recipes, images, text) as made:
        yield made
    if request.session.testsfailed == before:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def people(house):
    """The passwords of the directory's users."""
    return house.guest("dc1").secrets


@contextlib.contextmanager
def published(house, name):
    """One of its guests, healthy and reached by its published name; shut down at the end."""
    guest = house.up(name)
    if not house.has_proxy:
        pytest.skip("there is no Caddy to publish it (make iso brings one)")
    yield guest
    house.down(guest.name)


@pytest.fixture
def lab(request):
    """A folder of its own, kept where the test fails."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", request.node.name)
    folder = os.path.join(LOGS, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    made = Lab(folder, request.config.lab_boots)
    yield made
    made.stop()
    failed = any(getattr(request.node, f"lab_{when}", None) and getattr(request.node, f"lab_{when}").failed
                 for when in ("setup", "call"))
    tidy(made, failed)


def tidy(lab, failed):
    """After a success nothing is worth its room; after a failure only the disks are not."""
    if not failed:
        shutil.rmtree(lab.folder, ignore_errors=True)
        return
    if os.environ.get(KEEP_DISKS):
        return
    for machine in lab.machines:
        for disk in machine.spec.disks:
            if disk.path and disk.path.startswith(lab.folder) and os.path.exists(disk.path):
                os.unlink(disk.path)


@pytest.fixture(scope="session")
def tools():
    """QEMU and the firmware, or a skip that says what is missing."""
    try:
        host.qemu()
        host.ovmf()
        host.need("ssh-keygen", "openssh-client")
    except LabMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def kinit():
    """Kerberos as a user's computer has it."""
    try:
        return host.need("kinit", "krb5-user")
    except LabMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def built_iso(tools):
    """The ISO that `make iso` built."""
    if not os.path.exists(ISO):
        pytest.skip(f"there is no ISO at {ISO} (make iso builds it; RF_ISO names another)")
    return ISO


@pytest.fixture(scope="session")
def program():
    """The program on this host."""
    if not os.access(PROGRAM, os.X_OK):
        pytest.skip(f"there is no program at {PROGRAM} (make builds it; RF_PROGRAM names another)")
    return PROGRAM


@pytest.fixture(scope="session")
def shipped_profile():
    """The smallest useful profile: the customer's directory alone."""
    path = os.path.join(ROOT, "profiles", "examples", "directory.yaml")
    if not os.path.exists(path):
        pytest.skip(f"{path} does not exist")
    return path


@pytest.fixture(scope="session")
def url_iso(built_iso, program):
    """One copy of the ISO for all tests that fetch a profile: (path, port of this host that it asks, path of the
    URL)."""
    folder = os.path.join(LOGS, "iso")
    os.makedirs(folder, exist_ok=True)
    port, page = free_port(), "/profile.yaml"
    copy = Iso(built_iso, os.path.join(folder, "by-url.iso"), program)
    copy.profile_url(f"http://10.0.2.2:{port}{page}")
    yield copy.path, port, page
    os.unlink(copy.path)


@pytest.fixture
def site(url_iso, lab):
    """The web server that the ISO asks; it keeps the reports in the test's folder. Not started yet."""
    server = Server(url_iso[1], reports=Reports(lab.path("events.jsonl")))
    yield server
    server.stop()


@pytest.fixture
def company(lab):
    """A company's own CA, which nobody knows elsewhere."""
    try:
        return Authority(lab.folder, "Company CA")
    except LabMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def key(lab):
    """The admin's key of this test."""
    return Key(lab.folder)


def pytest_terminal_summary(terminalreporter, config):
    """What the lab did, in few lines."""
    boots = config.lab_boots
    if not boots:
        return
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    calls = [report for report in reports if report.when == "call" and report.duration > 5]
    terminalreporter.section("lab")
    terminalreporter.write_line(f"{len(boots)} machines started, accelerator {host.accelerator().name}")
    if host.emulator()[1]:
        terminalreporter.write_line(f"WARNING: {host.emulator()[1]}")
    for report in calls:
        terminalreporter.write_line(f"  {report.duration:7.1f} s  {report.outcome:6}  {report.nodeid}")
    if terminalreporter.stats.get("failed"):
        terminalreporter.write_line(f"logs of what failed: {LOGS}")

