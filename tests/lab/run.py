#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The customer's server in QEMU, at its real size: `make run` and `make stop`.

    run.py start     starts it, or looks again at one that works already; ends with its status, and leaves it running
    run.py stop      ends it

RUN_MEMORY="8 GB", RUN_CORES=4, RUN_DISK="500 GB" and RUN_FIRMWARE=bios make it another machine; the profile's `requires`
is adapted, and that is said. RUN_PROFILE=FILE takes another profile, RUN_KEEP=1 starts what is on the disks already.
"""

import calendar
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

from richtfest_lab import background, host, httpd, profile
from richtfest_lab.disks import Disk
from richtfest_lab.errors import LabError, LabMissing
from richtfest_lab.iso import Iso
from richtfest_lab.keys import Key
from richtfest_lab.machine import Spec, free_port, launch, prepare
from richtfest_lab.node import STATUS_SECONDS
from richtfest_lab.qmp import Qmp
from richtfest_lab.reports import Reports, handover_of, passwords_in, run_ends
from richtfest_lab.show import View, clock
from richtfest_lab.site import Site, Wrong, disk_bytes, memory_mib

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SITE = Site(os.environ.get("RUN_DIR") or os.path.join(ROOT, "run"))
PAGE = "/musterkunde.yaml"
FAILED, USAGE, INTERRUPTED = 3, 64, 130
LONGEST = 3600  # seconds after which nobody should wait any longer
ENOUGH = 6 << 30  # bytes of memory that a real run has been seen to touch


def build_file(name, variable):
    """Something that `make iso` built."""
    path = os.path.abspath(os.environ.get(variable) or os.path.join(ROOT, os.environ.get("BUILD") or "build", name))
    if not os.path.exists(path):
        raise LabMissing(f"{path} is not there; `make iso` builds it")
    return path


def preferred_port(port):
    """A port that is easy to remember, where nobody has it."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
            return port
        except OSError:
            return free_port()


def wanted_machine(text):
    """The machine that the profile requires, but for what the environment says otherwise: (Spec, what was shrunk)."""
    ask = os.environ.get
    cores = int(ask("RUN_CORES") or text.get("requires.cores"))
    memory = memory_mib("RUN_MEMORY", ask("RUN_MEMORY") or text.get("requires.memory"))
    disk = disk_bytes("RUN_DISK", ask("RUN_DISK") or text.get("requires.storage"))
    firmware = ask("RUN_FIRMWARE") or "uefi"
    if firmware not in ("uefi", "uefi-secure", "bios"):
        raise Wrong(f"RUN_FIRMWARE={firmware}: write uefi, uefi-secure or bios")
    changes = profile.shrink(
        text,
        cores=cores if ask("RUN_CORES") else None,
        memory=memory if ask("RUN_MEMORY") else None,
        storage=disk if ask("RUN_DISK") else None,
    )
    count = int(text.get("storage.disks.count"))
    members = [Disk(f"disk{number}", size=disk, serial=f"RF-RUN-{number}") for number in range(1, count + 1)]
    forwards = {22: preferred_port(2222), 9090: preferred_port(9090)}
    spec = Spec("run", firmware, cores, memory, members, forwards=forwards, balloon=True)
    return spec, changes


def keep_failure():
    """The logs of a run that failed, or never came to its end, go to run/failed, in the place of those of the one before."""
    events = SITE.read_events()[0]
    needed = 1 if (SITE.load() or {}).get("kept") else 2
    went_well = sum(run_ends(event) for event in events) >= needed and all(event.get("state") != "failed" for event in events)
    logs = [path for path in (SITE.events, SITE.console, SITE.path("machine", "qemu.log")) if os.path.exists(path)]
    if went_well or not logs:
        return
    shutil.rmtree(SITE.path("failed"), ignore_errors=True)
    os.makedirs(SITE.path("failed"), mode=0o700)
    for path in logs:
        os.replace(path, SITE.path("failed", os.path.basename(path)))
    print(f"The run before did not come to its end; its logs are kept in {short(SITE.path('failed'))}")


def clean_folder(keep):
    """What an earlier run left goes, but for what RUN_KEEP asks to keep, and for a failure's logs."""
    os.makedirs(SITE.folder, mode=0o700, exist_ok=True)
    keep_failure()
    for name in [] if keep else os.listdir(SITE.folder):
        path = SITE.path(name)
        if os.path.isdir(path) and name != "failed":
            shutil.rmtree(path, ignore_errors=True)
        elif not os.path.isdir(path):
            os.unlink(path)
    for old in (SITE.events, SITE.console):
        if os.path.exists(old):
            os.unlink(old)


def warn():
    """What may go wrong on this host, said before it does."""
    if host.emulator()[1]:
        print(f"Warning: {host.emulator()[1]}")
    available = host.memory_available()
    if available < ENOUGH:
        print(f"Warning: this host has {available / 2**30:.1f} GiB of memory to give; the server may touch about "
              f"{ENOUGH >> 30} GiB. RUN_MEMORY=\"4 GB\" makes it smaller.")
    free = shutil.disk_usage(os.path.dirname(SITE.folder)).free
    if free < 10 * 10**9:
        print(f"Warning: {free / 1e9:.1f} GB are free at {SITE.folder}; the server's disks may take about 8 GB.")


def describe(spec, changes, port):
    """What is about to happen."""
    accelerator = host.accelerator()
    disks = f"{len(spec.disks)} disks of {spec.disks[0].size / 1e12:g} TB (sparse)"
    print(f"The server: {spec.cores} cores, {spec.memory / 1024:g} GiB, {disks}, {spec.firmware.upper()}")
    print(f"The host:   {accelerator.name.upper()} ({accelerator.reason})")
    for change in changes:
        print(f"Adapted:    {change} (in the profile that is served)")
    print(f"Profile:    http://{httpd.GUEST_SEES}:{port}{PAGE}, as the server sees it")
    print(f"Console:    {short(SITE.console)}")


def short(path):
    """A path as a person would type it here."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


def start_web(port):
    """The web server, as a process of its own: it goes on when this command ends."""
    with open(SITE.path("web.log"), "ab") as log:
        command = [sys.executable, os.path.abspath(__file__), "serve", str(port)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    return background.identity(process.pid)


def power_on():
    """Everything up to a running machine; what is there by then is written down."""
    keep = bool(os.environ.get("RUN_KEEP")) and os.path.exists(SITE.path("machine", "disk1.img"))
    iso, program = build_file("richtfest.iso", "RF_ISO"), build_file("richtfest", "RF_PROGRAM")
    host.qemu()
    clean_folder(keep)
    key = Key(SITE.path("key"))
    source = os.environ.get("RUN_PROFILE") or os.path.join(ROOT, "profiles", "examples", "directory.yaml")
    port = (SITE.load() or {}).get("web_port") if keep else None
    port = port or free_port()
    text = profile.for_lab(source, key, f"http://{httpd.GUEST_SEES}:{port}/report")
    spec, changes = wanted_machine(text)
    warn()
    describe(spec, changes, port)
    with open(SITE.path("profile.yaml"), "w", encoding="utf-8") as file:
        file.write(text.text)
    if not os.path.exists(SITE.path("medium.iso")):
        Iso(iso, SITE.path("medium.iso"), program).profile_url(f"http://{httpd.GUEST_SEES}:{port}{PAGE}")
    spec.iso = SITE.path("medium.iso")
    prepare(spec, SITE.path("machine"))
    state = {"since": time.time(), "web_port": port, "ssh": spec.forwards[22], "cockpit": spec.forwards[9090],
             "user": text.get("node.admins.0.name"), "kept": keep}
    state["web"] = start_web(port)
    try:
        state["qemu"] = background.identity(launch(spec, SITE.path("machine"), outlive=True).pid)
    finally:
        SITE.save(state)
    return state


def serve(port):
    """The web server's process: profile out, reports in, handed-over files kept; until the machine is gone."""
    done = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: done.set())

    class Keeping(Reports):
        """Keeps age files as files, which `age` can read."""

        def add(self, events):
            super().add(events)
            for event in events:
                keep_handover(event)

    with httpd.Server(port, reports=Keeping(SITE.events)) as web:
        with open(SITE.path("profile.yaml"), encoding="utf-8") as file:
            web.pages[PAGE] = file.read()
        time.sleep(5)
        while SITE.running() and not done.wait(1):
            pass
    return 0


def keep_handover(event):
    """An age file inside an event becomes run/handover/KIND-NAME.age."""
    whose, text = handover_of(event)
    if not text:
        return
    name = re.sub(r"[^A-Za-z0-9_-]", "_", "-".join(whose))
    os.makedirs(SITE.path("handover"), mode=0o700, exist_ok=True)
    with open(SITE.path("handover", f"{name}.age"), "w", encoding="utf-8") as file:
        file.write(text)


def follow(state):
    """Shows what is reported until the node's run has ended. Returns its last event, or a text that says what went
    wrong."""
    view, offset, ended = View(state["since"]), 0, 0
    needed = 1 if state["kept"] else 2  # the installer's run and the node's
    try:
        while True:
            events, offset = SITE.read_events(offset)
            for event in events:
                view.event(event, event_time(event))
                if event.get("state") == "failed":
                    return event
                ended += run_ends(event)
                if ended >= needed:
                    return event
            if not events and not SITE.running():
                return "QEMU has ended; see " + short(SITE.path("machine", "qemu.log"))
            if time.time() - state["since"] > LONGEST:
                return f"it is not ready after {LONGEST // 60} minutes"
            view.tick(SITE.last_console_line() or "switched on")
            time.sleep(0.3)
    finally:
        view.close()


def event_time(event):
    """When it happened, by the machine's clock where that can be read, else now."""
    try:
        return calendar.timegm(time.strptime(event["time"][:19], "%Y-%m-%dT%H:%M:%S"))
    except (KeyError, ValueError):
        return time.time()


def tell_failure(outcome):
    """Which step, its message, where to look."""
    print()
    if isinstance(outcome, dict):
        print(f"It failed at: {outcome.get('title') or outcome.get('step') or 'the run itself'}")
        print(f"  {outcome.get('message') or '(without a message)'}")
    else:
        print(f"It failed: {outcome}")
    print(f"The console's log:  {short(SITE.console)}")
    print(f"All reports:        {short(SITE.events)}")
    if SITE.running():
        print("The machine still runs, so that it can be looked at. `make stop` ends it; `make run` begins anew.")
    return FAILED


def tell_success(state, ended):
    """The status table, and how to get in."""
    key = Key(SITE.path("key"))
    login = f"ssh -i {short(key.path)} -o UserKnownHostsFile={short(key.known_hosts)} -p {state['ssh']} " \
            f"{state['user']}@localhost"
    status = status_table(state, key)
    print(f"\n{'The server is ready' if status.returncode == 0 else 'The run has ended'}, "
          f"{clock(ended - state['since'])} minutes after power-on.\n")
    print(status.stdout.rstrip() or f"richtfest status over SSH: {status.stderr.strip()}")
    print(f"\n  browser    https://localhost:{state['cockpit']} (Cockpit, with the node's own certificate)")
    print(f"  SSH        {login}")
    for path in SITE.handover_files():
        print(f"  password   age --decrypt --identity {short(key.path)} {short(path)}")
    print("  stop       make stop\n")
    return 0 if status.returncode == 0 else FAILED


def status_table(state, key):
    """`richtfest status` over SSH, which may take its first breath just now."""
    deadline = time.monotonic() + 60
    while True:
        try:
            handed_over = SITE.path("handover", f"admin-{state['user']}.age")
            with open(handed_over, encoding="utf-8") as file:
                password = passwords_in(key.decrypt(file.read()))[0]
            done = key.ssh(state["ssh"], "sudo -k -S -p '' richtfest status", user=state["user"], check=False,
                           timeout=STATUS_SECONDS, input=f"{password}\n")
            if done.returncode != 255:
                return done
        except (LabError, OSError, IndexError) as error:
            done = subprocess.CompletedProcess((), FAILED, "", str(error))
        if time.monotonic() > deadline:
            return done
        time.sleep(3)


def start():
    """make run"""
    state = SITE.running()
    if state and any(event.get("state") == "failed" for event in SITE.read_events()[0]):
        print("The last run failed; beginning anew.")
        stop()
        state = None
    if state:
        print("The server runs already; this is how it went so far. (`make stop` ends it.)")
    else:
        state = power_on()
    outcome = follow(state)
    if isinstance(outcome, dict) and outcome.get("state") == "done":
        return tell_success(state, event_time(outcome))
    return tell_failure(outcome)


def stop():
    """make stop: the plug is pulled, or with RUN_KEEP the power button is pressed first."""
    state = SITE.load()
    if not state or not any(background.runs(state.get(who)) for who in ("qemu", "web")):
        print("Nothing runs.")
        return 0
    if os.environ.get("RUN_KEEP") and background.runs(state.get("qemu")):
        press_power(state)
    for who in ("qemu", "web"):
        background.end(state.get(who))
    print("The server is stopped.")
    return 0


def press_power(state):
    """Lets the node shut down by itself, for up to two minutes."""
    try:
        qmp = Qmp(SITE.path("machine", "qmp.sock"), timeout=5)
        qmp.command("system_powerdown")
        deadline = time.monotonic() + 120
        while background.runs(state["qemu"]) and time.monotonic() < deadline:
            time.sleep(0.5)
        qmp.close()
    except LabError as error:
        print(f"Shutting it down: {error}")


def main(arguments):
    """One command."""
    if arguments[:1] == ["serve"] and len(arguments) == 2:
        return serve(int(arguments[1]))
    command = {"start": start, "stop": stop}.get(arguments[0] if len(arguments) == 1 else "")
    if not command:
        print(__doc__.strip(), file=sys.stderr)
        return USAGE
    try:
        return command()
    except KeyboardInterrupt:
        print("\nNot watching any more.")
        if SITE.running():
            print("The server goes on by itself: `make run` looks at it again, `make stop` ends it.")
        return INTERRUPTED
    except (Wrong, LabMissing, LabError) as error:
        print(f"run: {error}", file=sys.stderr)
        return FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
