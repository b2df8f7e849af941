# SPDX-License-Identifier: GPL-3.0-or-later
"""Namespaces, bridge and servers. The names, addresses and hardware addresses are those of the golden files."""
import json
import os
import pathlib
import re
import subprocess
import sys
import time

import frames

TOP = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = TOP / "tests/golden/postinstall"
RULES = ["nftables-company.conf", "richtfest-guests.nft"]
PROGRAM = str(pathlib.Path(__file__).with_name("program.py"))
BRIDGE = "virbr-guests"
NODE, WORLD, NODE_OUTSIDE, PEER, NODE_VPN = "10.20.0.1", "203.0.113.9", "203.0.113.1", "10.21.0.2", "10.21.0.1"
GUESTS = {"dc1": "10.20.0.10", "crm": "10.20.0.11", "ts1": "10.20.0.12", "shop": "10.20.0.40"}
BY_HAND = ("hand", "10.20.0.200", "52:54:00:99:99:99", "vnet9")  # a virtual machine that somebody made in Cockpit
TCP = [22, 53, 80, 88, 443, 445, 636, 3389, 8000, 9090]
UDP = [53, 67, 88]


def run(*words, check=True):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(map(str, words))}: {done.stderr.strip()}")
    return done


def missing():
    """Why this can't be tried here, or None."""
    if os.geteuid():
        return "needs root for network namespaces"
    name = f"rft{os.getpid()}t"
    try:
        if run("ip", "netns", "add", name, check=False).returncode:
            return "no network namespaces here"
        for words in (["link", "add", "name", "rfta", "type", "veth", "peer", "name", "rftb"], ["link", "add", BRIDGE, "type", "bridge"]):
            if run("ip", "-n", name, *words, check=False).returncode:
                return f"this kernel can't do: ip {' '.join(words)}"
        done = run("ip", "netns", "exec", name, "nft", "-f", GOLDEN / RULES[1], check=False)
        return f"this kernel does not take the rules: {done.stderr.strip().splitlines()[0]}" if done.returncode else None
    except FileNotFoundError as why:
        return f"{why.filename} is not installed"
    finally:
        subprocess.run(["ip", "netns", "del", name], capture_output=True)


def house_ports():
    """guest → (port at the bridge, hardware address), as the rules have them."""
    text = (GOLDEN / "richtfest-guests.nft").read_text()
    found = re.findall(r'"(rfg-[0-9a-f]+)" \. ([0-9a-f:]+) \. ([0-9.]+)', text)
    return {name: next((port, mac) for port, mac, at in found if at == address) for name, address in GUESTS.items()}


class House:
    def __init__(self, prefix):
        self.prefix = prefix
        self.node = prefix + "node"
        self.servers = []
        self.spaces = []

    def space(self, name):
        return self.prefix + name

    def add(self, name):
        run("ip", "netns", "add", self.space(name))
        self.spaces.append(self.space(name))
        run("ip", "-n", self.space(name), "link", "set", "lo", "up")

    def wire(self, name, port, address, mac=None, gateway=None, node_address=None):
        """A cable from the node's `port` to eth0 of a namespace."""
        self.add(name)
        space = self.space(name)
        run("ip", "-n", self.node, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", space)
        if mac:
            run("ip", "-n", space, "link", "set", "eth0", "address", mac)
        run("ip", "-n", space, "addr", "add", address + "/24", "dev", "eth0")
        run("ip", "-n", space, "link", "set", "eth0", "up")
        if node_address:
            run("ip", "-n", self.node, "addr", "add", node_address + "/24", "dev", port)
        run("ip", "-n", self.node, "link", "set", port, "up")
        if gateway:
            run("ip", "-n", space, "route", "add", "default", "via", gateway)

    def attach(self, port):
        run("ip", "-n", self.node, "link", "set", port, "master", BRIDGE)
        run("ip", "netns", "exec", self.node, "bridge", "link", "set", "dev", port, "isolated", "on")

    def sysctl(self):
        for line in (GOLDEN / "richtfest-guests-sysctl.conf").read_text().splitlines():
            match = re.match(r"-?(net\.[^ ]+) = (.)", line)
            if match:
                path = "/proc/sys/" + match.group(1).replace(".", "/")
                run("ip", "netns", "exec", self.node, "sh", "-c", f"echo {match.group(2)} >{path}")

    def __enter__(self):
        try:
            self.build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def build(self):
        self.add("node")
        run("ip", "-n", self.node, "link", "add", BRIDGE, "type", "bridge")
        run("ip", "-n", self.node, "addr", "add", NODE + "/24", "dev", BRIDGE)
        run("ip", "-n", self.node, "link", "set", BRIDGE, "up")
        for name, (port, mac) in house_ports().items():
            self.wire(name, port, GUESTS[name], mac, NODE)
            self.attach(port)
        name, address, mac, port = BY_HAND
        self.wire(name, port, address, mac, NODE)
        self.attach(port)
        self.wire("world", "up0", WORLD, node_address=NODE_OUTSIDE)
        run("ip", "-n", self.space("world"), "route", "add", "10.20.0.0/24", "via", NODE_OUTSIDE)
        self.wire("peer", "rf-vpn", PEER, gateway=NODE_VPN, node_address=NODE_VPN)
        run("ip", "-n", self.space("world"), "route", "add", "10.21.0.0/24", "via", NODE_OUTSIDE)
        self.sysctl()
        for space in self.spaces:
            self.serve(space)

    def serve(self, space):
        """Answers on every port of TCP and UDP, and keeps a list of what came."""
        server = subprocess.Popen(["ip", "netns", "exec", space, sys.executable, PROGRAM, "serve",
                                   json.dumps({"tcp": TCP, "udp": UDP})], stdout=subprocess.PIPE, text=True)
        self.servers.append(server)
        assert server.stdout.readline().strip() == "ready"

    def __exit__(self, *why):
        for server in self.servers:
            server.kill()
            server.wait()
        for space in reversed(self.spaces):
            subprocess.run(["ip", "netns", "del", space], capture_output=True)

    def ask(self, name, *words):
        """Runs program.py in a namespace; its answer."""
        done = run("ip", "netns", "exec", self.space(name), sys.executable, PROGRAM, *words)
        return json.loads(done.stdout)

    def tcp(self, name, address, port):
        """"open", "refused" or "silent"; the address that the server saw is in `seen`."""
        answer = self.ask(name, "tcp", address, port)
        self.seen = answer.get("seen")
        return answer["outcome"]

    def udp(self, name, address, port):
        return self.ask(name, "udp", address, port)["outcome"]

    def send(self, name, frame, card="eth0"):
        """Puts a frame on a guest's wire as it is."""
        self.ask(name, "send", frame.hex(), card)

    def watch(self, name, seconds=0.8, card="eth0"):
        """Starts to note every frame that comes to a card of a namespace; returns a function that gives them, those of the next seconds
        too."""
        process = subprocess.Popen(["ip", "netns", "exec", self.space(name), sys.executable, PROGRAM, "watch", str(seconds), card],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline().strip() == "ready"
        return lambda: [bytes.fromhex(line) for line in process.communicate()[0].split()]

    def neighbour(self, address):
        """The hardware address that the node has for an address, or None."""
        text = run("ip", "-n", self.node, "neigh", "show", address, "dev", BRIDGE).stdout
        match = re.search(r"lladdr ([0-9a-f:]+)", text)
        return match.group(1) if match else None

    def echos(self):
        """How many pings the node has taken."""
        lines = [line.split() for line in run("ip", "netns", "exec", self.node, "cat", "/proc/net/snmp").stdout.splitlines()]
        names, values = [line for line in lines if line[0] == "Icmp:"]
        return int(values[names.index("InEchos")])

    def routers(self):
        return run("ip", "-n", self.node, "-6", "route", "show", "default").stdout

    def taken(self, who, mac, address, node, to, card="eth0"):
        """What the node itself takes of somebody's frames to a hardware address: "router" of an advertisement, "ping", "ARP" of a
        question for the address `node`."""
        got, before, seen = set(), self.echos(), self.watch(who, card=card)
        for frame in (frames.router_advertisement(mac, to), frames.icmp(mac, to, address, node),
                      frames.arp(mac, mac, address, "00:00:00:00:00:00", node, 1, to)):
            self.send(who, frame, card)
        if [frame for frame in seen() if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\2"]:
            got.add("ARP")
        if self.routers():
            got.add("router")
        if self.echos() > before:
            got.add("ping")
        self.send(who, frames.router_advertisement(mac, to, lifetime=0), card)
        self.settle()
        return got

    def settle(self):
        time.sleep(0.2)
