# SPDX-License-Identifier: GPL-3.0-or-later
"""A node with guests in the customer's own networks: a bridge over the uplink, one with VLANs over a further card. Names, addresses and
hardware addresses are those of the golden files."""
import os
import re
import subprocess

from house import BRIDGE, GOLDEN, House, NODE, NODE_OUTSIDE, WORLD, run

RULES = ["nftables-bridges.conf", "richtfest-guests-bridges.nft"]
UPLINK, CARD = "rfb-lan", "rfb-dmz"
UPLINK_MAC = "52:54:00:12:34:56"
# guest → address at virbr-guests, bridge, VLAN, address there
GUESTS = {"pbx": ("10.20.0.11", UPLINK, None, "203.0.113.5"), "web": ("10.20.0.12", UPLINK, None, "203.0.113.20"),
          "app": ("10.20.0.13", UPLINK, None, "203.0.113.21"), "v20": ("10.20.0.14", CARD, 20, "192.168.20.5"),
          "v30": ("10.20.0.15", CARD, 30, "192.168.30.6")}
CAMPUS = {None: "192.168.1.1", 20: "192.168.20.1", 30: "192.168.30.1"}


def lan_address(name):
    return GUESTS[name][3]


def rules_text():
    return (GOLDEN / RULES[1]).read_text()


def cards():
    """guest → (port and hardware address in the node's network, the same at its bridge)."""
    text = rules_text()
    found = re.findall(r'"rfg-([0-9a-f]+)" \. ([0-9a-f:]+) \. ([0-9.]+)', text)
    lan = dict(re.findall(r'"rfl-([0-9a-f]+)" \. ([0-9a-f:]{17})', text))
    return {name: next((("rfg-" + uuid, mac), ("rfl-" + uuid, lan[uuid])) for uuid, mac, at in found if at == about[0])
            for name, about in GUESTS.items()}


def refused(*words):
    """Why a namespace of this kernel does not do that, or None."""
    name = f"rfl{os.getpid()}t"
    try:
        run("ip", "netns", "add", name)
        run("ip", "-n", name, "link", "add", "v0", "type", "veth", "peer", "name", "v1")
        done = run(*[name if word == "NS" else word for word in words], check=False)
        return f"this kernel can't do: {' '.join(map(str, words))}: {done.stderr.strip().splitlines()[0]}" if done.returncode else None
    finally:
        subprocess.run(["ip", "netns", "del", name], capture_output=True)


def missing():
    """Why these rules can't be tried here, or None."""
    return refused("ip", "netns", "exec", "NS", "nft", "-f", GOLDEN / RULES[1])


def vlans_missing():
    return (refused("ip", "-n", "NS", "link", "add", "b0", "type", "bridge", "vlan_filtering", "1") or
            refused("ip", "-n", "NS", "link", "add", "link", "v0", "name", "v20", "type", "vlan", "id", "20"))


class Lan(House):
    def bridge(self, name, mac):
        more = ["vlan_filtering", "1"] if self.vlans else []
        run("ip", "-n", self.node, "link", "add", name, "address", mac, "type", "bridge", "stp_state", "0", *more)
        run("ip", "-n", self.node, "link", "set", name, "up")

    def enslave(self, port, bridge, vlan=None, isolated=True):
        """As libvirt does it for a guest's port, and networkd for a card's."""
        run("ip", "-n", self.node, "link", "set", port, "master", bridge)
        do = ["ip", "netns", "exec", self.node, "bridge"]
        if isolated:
            run(*do, "link", "set", "dev", port, "isolated", "on")
            if vlan and self.vlans:
                run(*do, "vlan", "del", "dev", port, "vid", 1)
                run(*do, "vlan", "add", "dev", port, "vid", vlan, "pvid", "untagged")
        elif self.vlans:
            run(*do, "vlan", "add", "dev", port, "vid", "2-4094")

    def second_card(self, name, port, mac, address):
        space = self.space(name)
        run("ip", "-n", self.node, "link", "add", port, "type", "veth", "peer", "name", "eth1", "netns", space)
        run("ip", "-n", space, "link", "set", "eth1", "address", mac)
        run("ip", "-n", space, "addr", "add", address + "/24", "dev", "eth1")
        run("ip", "-n", space, "link", "set", "eth1", "up")
        run("ip", "-n", self.node, "link", "set", port, "up")

    def build(self):
        self.vlans = not vlans_missing()
        self.add("node")
        run("ip", "-n", self.node, "link", "add", BRIDGE, "type", "bridge")
        run("ip", "-n", self.node, "addr", "add", NODE + "/24", "dev", BRIDGE)
        run("ip", "-n", self.node, "link", "set", BRIDGE, "up")
        self.bridge(UPLINK, UPLINK_MAC)
        self.bridge(CARD, "52:54:00:12:34:57")
        run("ip", "-n", self.node, "addr", "add", NODE_OUTSIDE + "/24", "dev", UPLINK)
        for name, ((port, mac), (lan_port, lan_mac)) in cards().items():
            address, bridge, vlan, lan = GUESTS[name]
            self.wire(name, port, address, mac, NODE)
            self.attach(port)
            self.second_card(name, lan_port, lan_mac, lan)
            self.enslave(lan_port, bridge, vlan)
        self.wire("world", "up0", WORLD)
        self.enslave("up0", UPLINK, isolated=False)
        self.wire("campus", "card0", CAMPUS[None])
        self.enslave("card0", CARD, isolated=False)
        space = self.space("campus")
        for vlan in (20, 30) if self.vlans else ():
            run("ip", "-n", space, "link", "add", "link", "eth0", "name", f"eth0.{vlan}", "type", "vlan", "id", vlan)
            run("ip", "-n", space, "addr", "add", CAMPUS[vlan] + "/24", "dev", f"eth0.{vlan}")
            run("ip", "-n", space, "link", "set", f"eth0.{vlan}", "up")
        self.sysctl()
        for space in self.spaces:
            self.serve(space)

    def load(self, text=None):
        """The rules; with `text` instead of the second file."""
        for rules in RULES:
            words = ["ip", "netns", "exec", self.node, "nft", "-f"]
            if text and rules == RULES[1]:
                done = subprocess.run([*words, "-"], input=text, capture_output=True, text=True)
            else:
                done = run(*words, GOLDEN / rules, check=False)
            assert done.returncode == 0, done.stderr

    def mac(self, name, card="eth0"):
        return re.search(r"link/ether ([0-9a-f:]+)", run("ip", "-n", self.space(name), "link", "show", card).stdout).group(1)
