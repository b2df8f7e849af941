# SPDX-License-Identifier: GPL-3.0-or-later
"""An installed node, asked from outside as its admin would."""

import base64
import contextlib
import json
import re
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

from .errors import LabError
from .machine import free_port
from .reports import passwords_in

SSH, COCKPIT = 22, 9090
STATUS_SECONDS = 600  # the longest of a guest's probes one after the other, on emulated processors


class Node:
    """A machine that should be a node by now, and the key of its admin."""

    def __init__(self, machine, key, user="jiku", password=None):
        self.machine, self.key, self.user, self.password = machine, key, user, password

    def learn(self, reports):
        """Takes the admin's password, for sudo, from what was handed over to the admin's key."""
        armored = reports.handed_over("admin", self.user)
        if not armored:
            raise LabError(f"no password was handed over to {self.user}; last reports:\n{reports.tail()}")
        self.password = passwords_in(self.key.decrypt(armored))[0]
        return self

    def ssh(self, command, check=True, timeout=120, **options):
        """Runs a command there."""
        port = self.machine.port(SSH)
        return self.key.ssh(port, command, user=self.user, check=check, timeout=timeout, **options)

    def sudo(self, command, input="", **options):
        """The same as root. The password goes by standard input, and each time anew, so that what follows it there is
        the command's own. `richtfest status` gives programs in the guests their recipes' time."""
        if command.startswith("richtfest status"):
            options.setdefault("timeout", STATUS_SECONDS)
        return self.ssh(f"sudo -k -S -p '' {command}", input=f"{self.password}\n{input}", **options)

    def wait_ssh(self, timeout=240):
        """Waits until a login with the key works."""
        deadline = time.monotonic() + timeout
        said = "nothing yet"
        while time.monotonic() < deadline and self.machine.alive():
            try:
                done = self.ssh("true", check=False, timeout=45)
                if done.returncode == 0:
                    return self
                said = done.stderr.strip()
            except LabError as error:
                said = str(error)
            time.sleep(2)
        raise LabError(f"no SSH login in {timeout} s: {said}\n{self.machine.console.tail()}")

    def apply_again(self, timeout=1500):
        """`richtfest apply --node`, which must end well: the ids of the steps that had something to do."""
        said = self.sudo("richtfest apply --node --json", timeout=timeout).stdout
        events = [json.loads(line) for line in said.splitlines()]
        return [event["step"] for event in events if event.get("step") and event["state"] == "done"]

    def status(self):
        """`richtfest status --json`, whatever it exits with."""
        done = self.sudo("richtfest status --json", check=False)
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise LabError(f"richtfest status --json: exit {done.returncode}\n{done.stdout}{done.stderr}") from None

    def refusal(self, user, method, timeout=60):
        """What sshd says to a login that has no key: it has to name the methods that it takes."""
        wish = {"PubkeyAuthentication": "no", "PreferredAuthentications": method}
        done = self.key.ssh(self.machine.port(SSH), "true", user=user, check=False, timeout=timeout, **wish)
        return done.returncode, done.stderr

    def arrays(self):
        """The md arrays of /proc/mdstat: {name: (level, members, "[UU]")}."""
        text = self.ssh("cat /proc/mdstat").stdout
        return parse_mdstat(text)

    def listeners(self):
        """TCP ports that something listens on, on other addresses than the loopback."""
        lines = self.sudo("ss -H -ltn").stdout.splitlines()
        addresses = [line.split()[3] for line in lines if len(line.split()) > 3]
        outside = [address for address in addresses if not address.startswith(("127.", "[::1]"))]
        return sorted({int(address.rpartition(":")[2]) for address in outside})

    def cockpit_page(self, timeout=60):
        """What a browser gets at https://…:9090/ (its certificate is the node's own)."""
        return https_page(self.machine.port(COCKPIT), timeout)

    def cockpit_login(self, password, page="login", timeout=60):
        """A person's login in the browser, then a page below /cockpit/: (status, text). 401 where the password is wrong."""
        words = base64_text(f"{self.user}:{password}")
        opener = browser()
        base = f"https://127.0.0.1:{self.machine.port(COCKPIT)}/cockpit"
        request = urllib.request.Request(f"{base}/login", headers={"Authorization": f"Basic {words}"})
        try:
            with opener.open(request, timeout=timeout) as answer:
                status, text = answer.status, answer.read().decode("utf-8", "replace")
            if page != "login":
                with opener.open(f"{base}/{page}", timeout=timeout) as answer:
                    status, text = answer.status, answer.read().decode("utf-8", "replace")
            return status, text
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode("utf-8", "replace")

    @contextlib.contextmanager
    def tunnel(self, host, port, timeout=180):
        """A port of something that the node reaches, on this host for as long as the context lasts: the admin's `ssh -L`."""
        here = free_port()
        argv = ["ssh", *self.key.options(BatchMode="yes", ExitOnForwardFailure="yes"), "-N"]
        argv += ["-L", f"127.0.0.1:{here}:{host}:{port}", "-p", str(self.machine.port(SSH)), f"{self.user}@127.0.0.1"]
        deadline = time.monotonic() + timeout
        while True:
            with subprocess.Popen(argv, stdin=subprocess.DEVNULL) as ssh:
                try:
                    if listens(here, ssh, deadline):
                        yield here
                        return
                finally:
                    ssh.kill()
            if time.monotonic() > deadline:
                raise LabError(f"ssh -L to {host}, port {port}: not in {timeout} s")

    def boot_id(self):
        """Changes with each boot."""
        return self.ssh("cat /proc/sys/kernel/random/boot_id").stdout.strip()

    def guest_exec(self, domain, path, *arguments, input="", timeout=120):
        """Runs a program in a guest through its agent; returns (exit code, output). The input does not pass any
        argv."""
        request = {"path": path, "arg": list(arguments), "capture-output": True}
        if input:
            request["input-data"] = base64_text(input)
        pid = self._agent(domain, {"execute": "guest-exec", "arguments": request})["pid"]
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            state = self._agent(domain, {"execute": "guest-exec-status", "arguments": {"pid": pid}})
            if state["exited"]:
                said = state.get("out-data", ""), state.get("err-data", "")
                return state.get("exitcode", -1), "".join(map(text_of_base64, said))
            time.sleep(1)
        raise LabError(f"{path} in {domain}: no end in {timeout} s")

    def _agent(self, domain, request):
        # By standard input up to the node; there virsh has it in its argv, which a lab's node shows to nobody.
        command = f"sh -c 'read -r request; virsh -c qemu:///system qemu-agent-command {domain} \"$request\"'"
        done = self.sudo(command, input=json.dumps(request) + "\n")
        return json.loads(done.stdout)["return"]


def base64_text(text):
    """Text as base64 text."""
    return base64.b64encode(text.encode()).decode()


def text_of_base64(text):
    """And back."""
    return base64.b64decode(text).decode("utf-8", "replace")


def parse_mdstat(text):
    """{array: (level, [members], "UU")} of /proc/mdstat."""
    arrays = {}
    pattern = re.compile(r"^(md\S*) : active (?:\([^)]*\) )?(\w+) (.*)\n.*\[\d+/\d+\] \[([U_]+)\]", re.MULTILINE)
    for name, level, members, state in pattern.findall(text):
        arrays[name] = (level, sorted(re.sub(r"\[.*", "", member) for member in members.split()), state)
    return arrays


def anybodys_certificate():
    """For pages whose certificate is the node's own."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def browser():
    """Keeps cookies."""
    cookies = urllib.request.HTTPCookieProcessor()
    return urllib.request.build_opener(cookies, urllib.request.HTTPSHandler(context=anybodys_certificate()))


def listens(port, process, deadline):
    """Waits until somebody listens on a port of the loopback; False where the process has ended that was to do it, or time is up."""
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return True
        except OSError:
            time.sleep(0.2)
    return False


def https_page(port, timeout=60):
    """(status, text) of https://127.0.0.1:PORT/, whoever signed its certificate; asked again until it answers."""
    context = anybodys_certificate()
    deadline = time.monotonic() + timeout
    while True:
        try:
            with urllib.request.urlopen(f"https://127.0.0.1:{port}/", timeout=20, context=context) as answer:
                return answer.status, answer.read().decode("utf-8", "replace")
        except OSError as error:
            if time.monotonic() > deadline:
                raise LabError(f"https://127.0.0.1:{port}/: {error}") from None
            time.sleep(2)


def says_nothing(port, seconds=8):
    """Whether a forwarded port gives no byte: closed behind QEMU's forwarding, or dropped on the way."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as client:
        try:
            return client.recv(64) == b""
        except (TimeoutError, ConnectionResetError):
            return True
