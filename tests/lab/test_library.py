# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own tools: a lab that lies is worse than none."""

import http.client
import ipaddress
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest

import run
from richtfest_lab import command_line, disks, host, httpd, iso, profile, wire, yaml_spans
from richtfest_lab.console import Console, plain
from richtfest_lab.errors import LabError
from richtfest_lab.machine import Machine, Spec, free_port
from richtfest_lab.node import parse_mdstat
from richtfest_lab.qmp import QmpError
from richtfest_lab.reports import AGE_HEADER, Reports, passwords_in
from richtfest_lab.site import Site

pytestmark = pytest.mark.core

PROFILE = """\
# The customer.
richtfest: 1
node:
  id: musterkunde-n1            # identity
  admins:
    - name: jiku
      ssh_keys: [ssh-ed25519 AAAA ops@example]   # theirs
    - name: anna
      ssh_keys:
        - ssh-ed25519 BBBB anna@example # home
        - "ssh-ed25519 CCCC #2"
requires: {cores: 6, memory: 24 GB, kvm: true}
storage:
  disks: {match: {size: ">= 1 TB"}, count: 2}
  level: raid1
guests:
  - {name: dc1, recipe: active-directory, memory: 2 GB,
     settings: {realm: AD.EXAMPLE}}
  - {name: ts1, recipe: terminal-server}
report: {url: https://hooks.example/richtfest}
"""


def fetch(site, path, timeout=5):
    """(status, body) from this host."""
    try:
        with urllib.request.urlopen(site.url(path, "127.0.0.1"), timeout=timeout) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def post(site, body):
    """Sends a report."""
    request = urllib.request.Request(site.url("/report", "127.0.0.1"), data=body.encode(), method="POST")
    with urllib.request.urlopen(request, timeout=5) as answer:
        return answer.status


@pytest.fixture
def web():
    """A running server."""
    with httpd.Server() as server:
        yield server


class TestServer:
    def test_pages_and_missing_ones(self, web):
        web.pages["/p.yaml"] = "richtfest: 1\n"
        assert fetch(web, "/p.yaml?token=1") == (200, b"richtfest: 1\n")
        assert fetch(web, "/q.yaml")[0] == 404
        assert (web.asked("/p.yaml"), web.asked("/q.yaml")) == (1, 1)

    def test_turns_stay_at_the_last(self, web):
        web.pages["/p"] = httpd.Turns(500, 503, "good")
        assert [fetch(web, "/p")[0] for _ in range(4)] == [500, 503, 200, 200]

    def test_redirect(self, web):
        web.pages.update({"/a": httpd.Redirect("/b"), "/b": "there"})
        assert fetch(web, "/a") == (200, b"there")

    def test_cut_is_noticed(self, web):
        web.pages["/p"] = httpd.Cut("0123456789", 4)
        with pytest.raises(http.client.IncompleteRead) as caught:
            fetch(web, "/p")
        assert caught.value.partial == b"0123"

    @pytest.mark.parametrize("announced", [True, False])
    def test_oversize(self, web, announced):
        web.pages["/p"] = httpd.Oversize(300_001, announced)
        assert len(fetch(web, "/p")[1]) == 300_001

    def test_slow_and_hanging(self, web):
        web.pages.update({"/slow": httpd.Slow("abcdef", pieces=3, pause=0.05), "/hang": httpd.Hang()})
        assert fetch(web, "/slow") == (200, b"abcdef")
        with pytest.raises(TimeoutError):
            fetch(web, "/hang", timeout=0.3)

    def test_unreachable_until_started(self):
        server = httpd.Server(free_port())
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(f"http://127.0.0.1:{server._server.server_address[1]}/", timeout=1)
        server.pages["/p"] = "now"
        with server:
            assert fetch(server, "/p") == (200, b"now")

    def test_https_has_a_certificate_of_its_own(self, tmp_path):
        with httpd.Server(certificate=httpd.make_certificate(str(tmp_path))) as server:
            with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
                fetch(server, "/p")


class TestReports:
    def test_object_list_and_lines(self, web):
        assert post(web, '{"step":"a","state":"started","run":"1"}') == 204
        assert post(web, '[{"step":"a","state":"done","run":"1"}]') == 204
        assert post(web, '{"state":"done","run":"1"}\n{"state":"started","run":"2"}\n') == 204
        assert web.reports.runs() == ["1", "2"]
        assert web.reports.wait_event("a", "done", 1)["run"] == "1"
        assert web.reports.wait_run_end(1, 1)["state"] == "done"

    def test_nonsense_is_refused(self, web):
        with pytest.raises(urllib.error.HTTPError, match="400"):
            post(web, "hello")

    def test_faults_before_good_answers(self, web):
        web.report_faults += [503]
        with pytest.raises(urllib.error.HTTPError, match="503"):
            post(web, "{}")
        assert post(web, '{"state":"started"}') == 204
        assert len(web.reports.all()) == 1

    def test_failed_ends_the_wait(self):
        reports = Reports()
        threading.Timer(0.1, reports.add, [[{"state": "failed", "step": "array/system", "message": "no"}]]).start()
        with pytest.raises(LabError, match="array/system"):
            reports.wait_event(state="done", timeout=30)

    def test_what_was_meant_to_fail_ends_no_wait(self):
        reports = Reports()
        reports.add([{"state": "failed", "run": "1"}])
        reports.forgive()
        reports.add([{"state": "done", "run": "2"}])
        assert reports.wait_run_end(2, 1)["state"] == "done"
        reports.add([{"state": "failed", "run": "3"}])
        with pytest.raises(LabError, match="reported as failed"):
            reports.wait_event("x", "done", 1)

    def test_what_the_arrays_tell_is_no_run(self):
        reports = Reports()
        reports.add([{"state": "done", "run": "1"}, {"step": "md/data", "state": "failed", "run": "2"}, {"state": "done", "run": "2"}])
        reports.add([{"step": "a", "state": "started", "run": "3"}, {"state": "done", "run": "3"}])
        assert reports.runs() == ["1", "3"]
        assert reports.wait_run_end(2, 1)["run"] == "3"
        assert reports.wait_event("md/data", "failed", 1)["run"] == "2"

    def test_silence_and_abort(self):
        with pytest.raises(LabError, match="none at all"):
            Reports().wait_event(state="done", timeout=0.1)
        with pytest.raises(LabError, match="the machine is gone"):
            Reports().wait_event(state="done", timeout=30, abort=lambda: "the machine is gone")

    def test_what_was_handed_over(self, tmp_path):
        reports = Reports(str(tmp_path / "events"))
        for text in ("old", "new"):
            reports.add([{"state": "progress", "handover": {"guest": "dc1", "age": f"{AGE_HEADER}\n{text}"}}])
        assert reports.handed_over("guest", "dc1").endswith("new")
        assert reports.handed_over("admin", "dc1") is None
        assert json.loads((tmp_path / "events").read_text().split("\n")[0])["state"] == "progress"

    def test_passwords(self):
        text = "guest: dc1\nnode: n1\naddress: 10.20.0.10\npassword of the domain's Administrator: aB3-x\nuser: jiku\n"
        assert passwords_in(text) == ["aB3-x"]
        assert passwords_in("node: n1\nuser: jiku (Cockpit on port 9090, sudo)\npassword: Zz9\n") == ["Zz9"]


class TestProfile:
    def test_reads(self):
        text = profile.Profile(PROFILE)
        assert text.get("node.id") == "musterkunde-n1"
        assert text.get("storage.disks.match.size") == ">= 1 TB"
        assert text.get("node.admins.1.ssh_keys.1") == "ssh-ed25519 CCCC #2"
        assert text.get("guests.0.settings.realm") == "AD.EXAMPLE"
        assert text.get("guests.1.name") == "ts1"
        assert not text.has("guests.2")

    def test_sets_and_leaves_the_rest(self):
        text = profile.Profile(PROFILE).set("requires.memory", "2 GB").set("storage.level", "single")
        expected = PROFILE.replace("memory: 24 GB", "memory: 2 GB").replace("level: raid1", "level: single")
        assert text.text == expected

    def test_sets_lists_in_both_styles(self):
        text = profile.Profile(PROFILE).set("node.admins.0.ssh_keys", ["k a b"]).set("node.admins.1.ssh_keys", ["c"])
        assert '      ssh_keys: ["k a b"]   # theirs\n' in text.text
        assert text.get("node.admins.1.ssh_keys.0") == "c" and text.get("node.admins.1.ssh_keys") == 1
        assert text.get("requires.cores") == "6"

    def test_adds_what_is_not_there(self):
        text = profile.Profile(PROFILE).set("requires.storage", "1 TB").set("node.timezone", "Europe/Berlin")
        text.set("storage.foreign", "refuse").set("cluster.name", "muster")
        for path, value in (("requires.storage", "1 TB"), ("node.timezone", "Europe/Berlin"),
                            ("storage.foreign", "refuse"), ("cluster.name", "muster"), ("storage.level", "raid1")):
            assert text.get(path) == value

    def test_removes(self):
        text = profile.Profile(PROFILE).remove("guests").remove("requires.memory").remove("requires.kvm")
        text.remove("node.admins.0").remove("nothing.of.the.kind")
        assert not text.has("guests") and "dc1" not in text.text
        assert "requires: {cores: 6}" in text.text
        assert text.get("node.admins.0.name") == "anna"
        assert text.get("report.url").startswith("https://hooks")

    def test_what_is_written_is_quoted_where_it_must_be(self):
        assert profile.render("4 GB") == "4 GB"
        for word in ("yes", "12", "a: b"):
            assert profile.render(word) == f'"{word}"'

    def test_shrink_says_what_it_changed(self):
        text = profile.Profile(PROFILE)
        assert profile.shrink(text, cores=2, memory=1024) == [
            "requires.cores: 6 -> 2", "requires.memory: 24 GB -> 1024 MiB"
        ]
        assert profile.shrink(text, cores=2) == []

    def test_the_shipped_one(self, shipped_profile):
        text = profile.Profile.load(shipped_profile)
        assert yaml_spans.Parser(text.text).document().kind == "map"
        assert text.get("node.id") == "musterkunde-n1"


class TestDisks:
    def test_four_terabytes_take_no_room_and_no_time(self, tmp_path):
        path = str(tmp_path / "a.img")
        disks.make_image(path, 4 * disks.TB)
        before = disks.checksum(path)
        assert disks.allocated(path) < 1 << 20
        with open(path, "r+b") as image:
            image.seek(4 * disks.TB - 512)
            image.write(b"x" * 512)
        assert disks.checksum(path) != before

    def test_zeros_are_nothing_and_a_place_is_something(self, tmp_path):
        sums = []
        for position, data in ((0, b""), (8192, bytes(5000)), (0, b"a"), (4096, b"a")):
            path = tmp_path / f"{len(sums)}.img"
            disks.make_image(str(path), 1 << 20)
            with open(path, "r+b") as image:
                image.seek(position)
                image.write(data)
            sums.append(disks.checksum(str(path)))
        assert sums[0] == sums[1]
        assert len(set(sums)) == 3

    def test_foreign_data(self, tmp_path):
        path = str(tmp_path / "a.img")
        disks.make_image(path, 4 * disks.TB)
        disks.put_ext4(path, "kundendaten")
        said = subprocess.run(["/sbin/blkid", "-p", path], capture_output=True, text=True, check=True).stdout
        assert 'LABEL="kundendaten"' in said
        assert disks.allocated(path) < 64 << 20

    def test_squashfs_in_an_iso_is_found_and_damaged(self, tmp_path):
        image = tmp_path / "a.iso"
        head = bytearray(96)
        head[0:4], head[28:32], head[40:48] = b"hsqs", b"\4\0\0\0", (50_000).to_bytes(8, "little")
        image.write_bytes(bytes(2048 * 9) + b"hsqs" + bytes(2044) + bytes(head) + bytes(60_000))
        assert iso.find_squashfs(str(image)) == (2048 * 10, 50_000)
        copy = iso.Iso(str(image), str(tmp_path / "b.iso"), "/bin/false").damage_squashfs(length=3)
        damaged = (tmp_path / "b.iso").read_bytes()
        assert [i for i, (a, b) in enumerate(zip(image.read_bytes(), damaged)) if a != b] == list(range(65480, 65483))
        with pytest.raises(LabError, match="exit 1"):
            copy.profile_url("http://x/")


def test_mdstat():
    text = (
        "Personalities : [raid1] \n"
        "md126 : active raid1 vdb4[1] vda4[0]\n      3.6 blocks super 1.2 [2/2] [UU]\n      bitmap: 0/30 pages\n\n"
        "md127 : active (auto-read-only) raid1 vdb3[1] vda3[0](F)\n      33 blocks super 1.2 [2/1] [U_]\n\n"
        "unused devices: <none>\n"
    )
    assert parse_mdstat(text) == {
        "md126": ("raid1", ["vda4", "vdb4"], "UU"), "md127": ("raid1", ["vda3", "vdb3"], "U_")
    }


class TestConsole:
    @pytest.fixture
    def console(self, tmp_path):
        self.file = open(tmp_path / "console.log", "wb", buffering=0)
        self.running = True
        made = Console(str(tmp_path / "console.log"), lambda: self.running)
        yield made
        made.close()
        self.file.close()

    def test_waits_move_on(self, console):
        self.file.write(b"\x1b[0;32mone\x1b[0m\r\ntwo\r\none again\r\nlogin: ")
        assert console.wait_for("^one", 5)
        assert console.wait_for("^one (.*)", 5).group(1) == "again"
        assert console.wait_for("login: $", 5)
        with pytest.raises(LabError, match="did not appear"):
            console.wait_for("two", 0.2)

    def test_failures_end_a_wait(self, console):
        self.file.write(b"fine\n[  2.0] Kernel panic - not syncing: no init\n")
        with pytest.raises(LabError, match="no init"):
            console.wait_for("never", 30)
        assert console.wait_for("panic", 5, failures=())

    def test_the_end_of_qemu_ends_a_wait_but_last_words_count(self, console):
        self.running = False
        self.file.write(b"last words\n")
        assert console.wait_for("last words", 30)
        with pytest.raises(LabError, match="QEMU ended"):
            console.wait_for("more", 30)

    def test_plain(self):
        assert plain("\x1bc\x1b[?25l[\x1b[0;1;31mFAILED\x1b[0m] x\x1b(B\r") == "[FAILED] x"


class TestMachine:
    """Against a bare QEMU: no disk to boot from, and nothing waits for a guest."""

    def test_command_lines(self, tools, tmp_path):
        buses = ("virtio-scsi", "nvme", "sata")
        spec = Spec(disks=[disks.Disk(f"d{number}", bus=bus, path="/x") for number, bus in enumerate(buses)])
        text = " ".join(command_line.arguments(spec))
        assert '"driver": "scsi-hd", "id": "d0"' in text and '"serial": "RF-D0"' in text
        assert '"driver": "nvme"' in text and '"bus": "slot0"' in text and '"bus": "ide.0"' in text
        assert "if=pflash" in text and "if=pflash" not in " ".join(command_line.arguments(Spec(firmware="bios")))
        text = " ".join(command_line.arguments(Spec(iso="/x", iso_bad=(5000,), virtualization=False, firmware="bios")))
        assert '"driver": "blkdebug"' in text and '"sector": 9' in text
        assert "-svm,-vmx" in text

    @pytest.mark.parametrize("firmware", ["bios", "uefi"])
    def test_qmp_disks_cable_and_the_end(self, tools, tmp_path, firmware):
        members = [disks.Disk("d0"), disks.Disk("d1", bus="nvme"), disks.Disk("d2", bus="sata", rotational=True, wwn=7)]
        spec = Spec(firmware=firmware, memory=256, cores=1, disks=members, forwards={22: free_port()})
        folder = tmp_path / "a-folder-whose-name-is-so-long-that-no-socket-address-could-hold-it"
        with Machine(spec, str(folder)) as m:
            assert m.status() == "running"
            assert m.writes("d0") == 0
            m.pull("d0")
            m.plug(disks.Disk("d3", bus="virtio-scsi"))
            assert m.writes("d3") == 0
            m.cable(False)
            m.cable(True)
            assert m.forward(9090) == m.port(9090)
            m.reset()
            m.qmp.wait_event("RESET", 10)
            assert m.reboots() == 0  # that was the button, not the guest
            assert m.statistics("d1")["wr_operations"] == 0
            with pytest.raises(QmpError, match="not found"):
                m.qmp.command("device_del", id="nothing")
            assert os.path.getsize(m.screenshot()) > 1000
            pid = m.process.pid
        assert not os.path.exists(f"/proc/{pid}")

    def test_a_wire_to_nobody(self, tools, tmp_path):
        with Machine(Spec(firmware="bios", memory=64, cores=1, wire=True), str(tmp_path)) as m, wire.Wire(m.folder) as cable:
            assert cable.knock(command_line.nic_mac(0), "fe80::1", 22, 0.5) == "silent"

    def test_a_bad_command_line_says_why(self, tools, tmp_path):
        with pytest.raises(LabError, match="nonsense"):
            Machine(Spec(firmware="bios", memory=64, extra=["-device", "nonsense"]), str(tmp_path)).start()

    def test_nobody_outlives_the_tests(self, tools, tmp_path):
        code = (
            "import sys, os, signal; sys.path.insert(0, sys.argv[1])\n"
            "from richtfest_lab.machine import Machine, Spec\n"
            "m = Machine(Spec(firmware='bios', memory=64, cores=1), sys.argv[2]).start()\n"
            "print(m.process.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        here = os.path.dirname(__file__)
        command = [sys.executable, "-c", code, here, str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        pid = int(done.stdout)
        deadline = time.monotonic() + 10
        while alive(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not alive(pid)

    def test_the_probe_guest_boots_under_emulation(self, tools):
        assert host.probe_boots(host.tcg())

    def test_the_probe_guest_does_not_boot_without_an_accelerator(self, tools):
        assert not host.probe_boots(("-accel", "kvm", "-cpu", "no-such-processor"))


def alive(pid):
    """Whether a process runs; one that only waits to be collected does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class TestWire:
    """Frames as RFC 8200, 9293 and 4861 have them."""

    NODE = ipaddress.IPv6Address("fe80::2").packed

    @staticmethod
    def sum_of(data, kind):
        """0 where the checksum inside is right."""
        source, target, payload = data[22:38], data[38:54], data[54:]
        return wire.checksum(source + target + struct.pack("!II", len(payload), kind) + payload)

    def test_a_knock(self):
        data = wire.syn(b"\1" * 6, self.NODE, 40000, 8080)
        assert (data[:6], data[6:12], len(data)) == (b"\1" * 6, wire.MAC, 14 + 40 + 20)
        assert struct.unpack("!HH", data[54:58]) == (40000, 8080) and data[67] == wire.SYN
        assert self.sum_of(data, wire.TCP) == 0

    def test_an_advertisement(self):
        data = wire.advertisement(b"\1" * 6, self.NODE)
        assert wire.parse(data)[:3] == (wire.MAC, wire.ADDRESS, wire.ICMPV6)
        assert self.sum_of(data, wire.ICMPV6) == 0

    def test_others_are_left_alone(self):
        assert wire.parse(bytes(60)) is None and wire.parse(b"") is None


def test_make_run_keeps_the_logs_of_the_last_failure(tmp_path, monkeypatch):
    site = Site(str(tmp_path / "run"))
    monkeypatch.setattr(run, "SITE", site)

    def after(console, *states):
        """The console's log that is kept after a run with that one and those last words."""
        os.makedirs(site.path("machine"), exist_ok=True)
        pathlib.Path(site.console).write_text(console)
        pathlib.Path(site.events).write_text("".join(json.dumps({"state": state}) + "\n" for state in states))
        run.clean_folder(False)
        assert os.listdir(site.folder) in ([], ["failed"])
        kept = pathlib.Path(site.path("failed", "console.log"))
        return kept.read_text() if kept.exists() else None

    run.clean_folder(False)
    assert after("good", "done", "done") is None
    assert after("panic", "done") == "panic"
    assert after("good", "done", "done") == "panic"
    assert after("refused", "failed") == "refused"


def test_what_the_lab_needs_is_installed_by_make_deps():
    """Every package that a message of the lab asks for is in one of the lists."""
    here = pathlib.Path(__file__).parent
    asked = set()
    for source in [*here.glob("*.py"), *here.glob("richtfest_lab/*.py")]:
        asked |= set(re.findall(r"""need\([^()]*, "([a-z0-9-]+)"\)""", source.read_text()))
        asked |= set(re.findall(r"apt install ([a-z0-9-]+)", source.read_text()))
    listed = set()
    for names in (here / "packages.txt", here / "long-packages.txt", here.parent.parent / "packages.txt"):
        lines = [line for line in names.read_text().split("\n") if line and not line.startswith("#")]
        listed |= {package for line in lines for package in line.split("|")}
    assert asked and asked <= listed, asked - listed


def test_tools_of_the_host():
    assert shutil.which("cp") and host.memory_available() > 0
