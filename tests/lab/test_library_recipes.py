# SPDX-License-Identifier: GPL-3.0-or-later
"""The tools for recipes without a node: the network that the guests hang on, their agent, the proxy's configuration, the profile."""

import base64
import glob
import json
import os
import socket
import struct
import threading
import types

import pytest
import yaml

import recipe_lab as recipe_lab_command
from richtfest_lab import agent, caddy, dolibarr, guest, health, lan, neighbour, qmp, recipe_lab
from richtfest_lab.errors import LabError, LabMissing
from richtfest_lab.machine import free_port

pytestmark = pytest.mark.core

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
CUSTOMER = os.path.join(TOP, "profiles", "musterkunde.yaml")
MAC = bytes.fromhex("525400000011")
ADDRESS = "10.20.0.11"


class AdminKey:
    """A key that nobody has."""

    public = "ssh-ed25519 AAAA lab"


class Plug:
    """A guest at the lab's network that says frames: QEMU's stream has a length before each."""

    def __init__(self, folder, arguments):
        path = arguments[1].rpartition("addr.path=")[2]
        self.socket = qmp.connect_unix(os.path.join(folder, path))
        self.socket.settimeout(20)

    def say(self, target, kind, body):
        """A frame of this guest's."""
        frame = (target + MAC + struct.pack(">H", kind) + body).ljust(60, b"\0")
        self.socket.sendall(struct.pack(">I", len(frame)) + frame)

    def hear(self, fits):
        """The next frame that fits: (kind, body)."""
        while True:
            size, = struct.unpack(">I", self._take(4))
            frame = self._take(size)
            kind, = struct.unpack_from(">H", frame, 12)
            if fits(kind, frame[14:]):
                return frame

    def _take(self, size):
        data = b""
        while len(data) < size:
            data += self.socket.recv(size - len(data)) or pytest.fail("the network hung up")
        return data


def arp(target, operation=1, asked=b"\0" * 6):
    """Who has it?"""
    return bytes.fromhex("0001080006040001")[:6] + struct.pack(">H", operation) + MAC + socket.inet_aton(ADDRESS) + asked + \
        socket.inet_aton(target)


def dns_query(name):
    """For an address."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)


@pytest.fixture
def network(tools, tmp_path):
    with lan.Lan(str(tmp_path / "lan"), "10.20.0.0/24") as made:
        yield made


@pytest.fixture
def plug(network, tmp_path):
    return Plug(str(tmp_path / "machine"), network.plug("52:54:00:00:00:11", str(tmp_path / "machine")))


def ask_dns(plug, name):
    """The answer's flags and bytes, asked of the gateway."""
    plug.say(neighbour.NEIGHBOUR_MAC, neighbour.IPV4, neighbour.packet(ADDRESS, "10.20.0.1", 4000, 53, dns_query(name)))
    frame = plug.hear(lambda kind, body: kind == neighbour.IPV4 and body[9] == neighbour.UDP and body[20:22] == b"\0\x35")
    return frame[14 + 28:]


def shipped():
    """The recipes that bring an image (others are a system from elsewhere): {name: what is in recipe.yaml}."""
    recipes = {}
    for path in glob.glob(os.path.join(TOP, "postinstall/recipes/*/recipe.yaml")):
        with open(path, encoding="utf-8") as file:
            recipe = yaml.safe_load(file)
        if "image" in recipe:
            recipes[os.path.basename(os.path.dirname(path))] = recipe
    return recipes


class TestLan:
    """Frames of a guest that is none."""

    def test_the_gateway_is_there(self, plug):
        plug.say(lan.BROADCAST, neighbour.ARP, arp("10.20.0.1"))
        frame = plug.hear(lambda kind, body: kind == neighbour.ARP and body[7] == 2)
        assert frame[6:12] == neighbour.NEIGHBOUR_MAC and frame[28:32] == socket.inet_aton("10.20.0.1")

    def test_it_knows_names_and_passes_zones_on(self, network, plug):
        network.gateway.names["crm.firma.example"] = "10.20.0.12"
        assert ask_dns(plug, "crm.firma.example").endswith(socket.inet_aton("10.20.0.12"))
        assert ask_dns(plug, "bank.example")[3] & 15 == neighbour.NXDOMAIN
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(("127.0.0.1", 0))
            network.gateway.zones["ad.firma.example"] = server.getsockname()[1]

            def serve():
                query, peer = server.recvfrom(4096)
                server.sendto(query + b"from the zone", peer)

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            assert ask_dns(plug, "dc1.ad.firma.example").endswith(b"from the zone")
            thread.join(5)

    def test_a_forwarded_port_leads_to_the_guest(self, network, plug):
        here = network.forward(ADDRESS, 8000)
        assert network.forward(ADDRESS, 8000) == here
        with socket.create_connection(("127.0.0.1", here), timeout=10):
            frame = plug.hear(lambda kind, body: kind == neighbour.ARP and body[24:28] == socket.inet_aton(ADDRESS))
            plug.say(frame[6:12], neighbour.ARP, arp("10.20.0.254", 2, frame[6:12]))
            frame = plug.hear(lambda kind, body: kind == neighbour.IPV4 and body[9] == 6)
        assert frame[14 + 16: 14 + 20] == socket.inet_aton(ADDRESS)
        assert struct.unpack_from(">H", frame, 14 + 22)[0] == 8000

    def test_it_says_when_it_is_full(self, network):
        for _ in range(lan.PLUGS):
            network.plug("52:54:00:00:00:12", network.folder)
        with pytest.raises(LabError, match="room for 6"):
            network.plug("52:54:00:00:00:12", network.folder)


class FakeAgent(threading.Thread):
    """Answers as qemu-guest-agent does, one connection after the other."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(os.path.join(folder, agent.SOCKET))
        self.server.listen(5)
        self.asked, self.polls = [], 0

    def answer(self, message):
        """What it says."""
        kind, words = message["execute"], message.get("arguments", {})
        if kind == "guest-sync-delimited":
            return {"return": words["id"]}
        self.asked.append(message)
        if kind == "guest-exec":
            return {"return": {"pid": 5}}
        if kind == "guest-exec-status":
            self.polls += 1
            out = base64.b64encode(b"first\nlast\n").decode()
            return {"return": {"exited": self.polls > 1, "exitcode": 3, "err-data": out}}
        return {"return": {}} if kind == "guest-ping" else {"error": {"desc": "unknown"}}

    def run(self):
        while True:
            client, _ = self.server.accept()
            with client, client.makefile("rb") as stream:
                client.sendall(b'{"return": "of somebody else"}\n')
                for line in stream:
                    answer = self.answer(json.loads(line.lstrip(agent.SENTINEL)))
                    mark = agent.SENTINEL if isinstance(answer.get("return"), int) else b""
                    client.sendall(mark + json.dumps(answer).encode() + b"\n")


class TestAgent:
    """The channel."""

    @pytest.fixture
    def fake(self, tmp_path):
        made = FakeAgent(str(tmp_path))
        made.start()
        return made

    def test_a_program_runs_with_its_input_and_ends(self, fake, tmp_path):
        done = agent.Agent(str(tmp_path)).run("/bin/cat", "-", input="secret\n")
        assert (done.status, done.err, done.words()) == (3, "first\nlast\n", "last")
        words = fake.asked[0]["arguments"]
        assert (words["path"], words["arg"]) == ("/bin/cat", ["-"])
        assert base64.b64decode(words["input-data"]) == b"secret\n"

    def test_what_it_refuses_is_said(self, fake, tmp_path):
        assert agent.Agent(str(tmp_path)).ping()
        with pytest.raises(LabError, match="guest-nonsense: unknown"):
            agent.Agent(str(tmp_path)).ask("guest-nonsense")

    def test_nobody_there(self, tmp_path):
        assert not agent.Agent(str(tmp_path), alive=lambda: False).ping()


class TestProfile:
    """The customer's, with other guests."""

    def test_a_recipe_of_his_keeps_its_directory(self):
        text, name = recipe_lab.profile_text(CUSTOMER, "terminal-server", AdminKey)
        guests = yaml.safe_load(text)["guests"]
        assert ([one["name"] for one in guests], name) == (["dc1", "ts1"], "ts1")
        assert "reach" not in guests[1]
        assert recipe_lab.recipes_of(text, "ts1") == {"active-directory", "terminal-server"}

    def test_another_recipe_is_added(self):
        text, name = recipe_lab.profile_text(CUSTOMER, "nextcloud", AdminKey)
        added = yaml.safe_load(text)["guests"][-1]
        assert (added["name"], added["directory"], added["settings"]["host"]) == (name, "dc1", "cloud.musterkunde.example")

    def test_the_whole_house_is_a_valid_profile(self, program, tmp_path):
        path = tmp_path / "profile.yaml"
        path.write_text(recipe_lab.whole_text(CUSTOMER, AdminKey))
        names = [one["recipe"] for one in yaml.safe_load(path.read_text())["guests"]]
        assert sorted(names) == sorted(shipped())

    def test_an_unknown_guest_is_said(self):
        text, _ = recipe_lab.profile_text(CUSTOMER, "tryton", AdminKey)
        with pytest.raises(LabError, match="no guest nas"):
            recipe_lab.recipes_of(text, "nas")


class TestHealth:
    """How answers are judged."""

    class Told:
        """A guest whose programs all end alike."""

        name, secrets = "crm", {"admin": "pw", "probe": "kept"}

        def __init__(self, status, out):
            self.about = {"directory": "dc1", "settings": {}}
            self.status, self.out, self.inputs = status, out, []

        def run(self, *_argv, input="", **_options):
            self.inputs.append(input)
            return agent.Result(self.status, self.out, "")

    class House:
        """Nothing but a directory."""

        has_proxy = False

        def directory_of(self, _guest):
            return type("Directory", (), {"secrets": {"probe": "of the directory"}})

    @pytest.mark.parametrize("secret,expected", [("admin", "pw\n"), ("directory.probe", "of the directory\n"), (None, "")])
    def test_a_secret_goes_by_standard_input(self, secret, expected):
        told = self.Told(1, "not yet\n")
        probe = {"name": "x", "type": "exec", "argv": ["/x"], **({"secret": secret} if secret else {})}
        answer = health.ask(told, probe, self.House())
        assert (answer.status, answer.words, told.inputs) == (health.WAITING, "not yet", [expected])

    def test_errors_of_cloud_init_are_for_good(self):
        told = self.Told(0, json.dumps({"v1": {"errors": ["no such key"]}}))
        answer = health.ask(told, {"name": "cloud-init", "type": "cloud_init"}, self.House())
        assert answer.status == health.NEVER and "no such key" in answer.words

    def test_probes_of_what_is_not_there_are_left_out(self):
        alone = self.Told(0, "")
        alone.about = {"settings": {}}
        assert health.left_out({"secret": "directory.probe"}, alone, self.House())
        assert health.left_out({"via": "proxy"}, self.Told(0, ""), self.House())
        assert health.left_out({"via": "proxy", "type": "exec"}, self.Told(0, ""), types.SimpleNamespace(has_proxy=True))  # not for guests
        assert not health.left_out({"via": "proxy", "type": "http"}, self.Told(0, ""), types.SimpleNamespace(has_proxy=True))
        assert not health.left_out({"secret": "directory.probe"}, self.Told(0, ""), self.House())

    def test_every_type_of_the_shipped_recipes_is_known(self):
        for name, recipe in shipped().items():
            assert {probe["type"] for probe in recipe["health"]["probes"]} <= set(health.KINDS), name


def test_the_nodes_proxy_on_this_hosts_ports(tmp_path):
    text = "{\n\tadmin unix//run/caddy/admin.sock\n\tstorage file_system /var/lib/richtfest/caddy\n\tcert /etc/richtfest/proxy/root.pem\n}\n" \
           "crm.example {\n\treverse_proxy 10.20.0.11:8000\n}\nshop.example {\n\treverse_proxy 10.20.0.12:80\n}\n"
    made = caddy.adapt(text, "/state", str(tmp_path), (1080, 1443), {"10.20.0.11": lambda port: port + 1})
    assert "admin off\n\thttp_port 1080\n\thttps_port 1443\n" in made
    assert "cert /state/etc/richtfest/proxy/root.pem" in made and f"file_system {tmp_path}/own" in made
    assert "reverse_proxy 127.0.0.1:8001\n" in made and "reverse_proxy 10.20.0.12:80\n" in made


def test_what_is_kept_of_the_last_time(tmp_path):
    for name, about in (("dc1", {"zone": "ad.firma.example"}), ("crm", {})):
        (tmp_path / name).mkdir()
        (tmp_path / name / "machine.json").write_text(json.dumps(about))
        (tmp_path / "state/var/lib/richtfest/guests" / name).mkdir(parents=True)
    recipe_lab_command.make_room(tmp_path, keep=True)
    assert sorted(os.listdir(tmp_path)) == ["dc1", "state"]
    assert os.listdir(tmp_path / "state/var/lib/richtfest/guests") == ["dc1"]
    recipe_lab_command.make_room(tmp_path, keep=False)
    assert os.listdir(tmp_path) == []


def test_only_what_should_run_is_missed():
    class Machine:
        """One whose QEMU is gone."""

        console = type("Console", (), {"text": staticmethod(lambda: "")})
        alive = staticmethod(lambda: False)
        stop = staticmethod(lambda: None)
        qemu_log = staticmethod(lambda: "killed")

    one = guest.Guest({"name": "crm"}, "crm", "seed.iso", "images")
    one.machine, one.wanted = Machine(), True
    house = type("House", (), {"guests": {"crm": one}})
    assert "QEMU of crm has ended: killed" in recipe_lab.RecipeLab.trouble(house)
    one.stop()
    assert recipe_lab.RecipeLab.trouble(house) is None


def test_the_fields_of_a_page():
    page = '<form><input type="hidden" name="token" value="a&amp;b" /><input value="CU-1" name="customer_code"><input name="name">'
    assert dolibarr.fields(page) == {"token": "a&b", "customer_code": "CU-1", "name": ""}


def test_a_guests_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(guest, "make_disk", lambda image, path, size: None)
    about = {"name": "crm", "recipe": "tryton", "image": "tryton.qcow2", "mac": "52:54:00:00:00:11", "cores": 1, "memory": 2 << 30,
             "disk": 20 << 30, "uefi": False, "address": ADDRESS}
    spec = guest.Guest(about, str(tmp_path / "crm"), str(tmp_path / "seed.iso"), str(tmp_path)).spec()
    assert (spec.firmware, spec.memory, spec.cores, spec.nics) == ("bios", 2048, 1, 0)
    words = " ".join(spec.extra)
    assert "serial=seed" in words and '"read-only": true' in words and agent.PORT in words


def test_caddys_absence_is_a_reason_to_skip(monkeypatch, tmp_path):
    monkeypatch.delenv("RF_CADDY", raising=False)
    monkeypatch.setattr(caddy.shutil, "which", lambda name: None)
    monkeypatch.setattr(caddy.host, "CACHE", str(tmp_path))
    with pytest.raises(LabMissing, match="no Caddy"):
        caddy.program()
    assert free_port()
