# SPDX-License-Identifier: GPL-3.0-or-later
"""networkd's files for bridges and for a guest's second card, given to a real systemd-networkd in a namespace of its own. Its cards are
veth, which have no permanent address, so the files name the present one; and where this kernel's bridges know no VLANs that part is
left out. DHCP takes a server: the node's address is a fixed one here."""
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

import lan
from house import GOLDEN

NETWORKD = "/lib/systemd/systemd-networkd"
GUEST = pathlib.Path(__file__).resolve().parents[2] / "image/data/guest-root/usr/lib/richtfest/guest.py"
UPLINK_MAC, CARD_MAC, LAN_MAC = "52:54:00:12:34:56", "52:54:00:12:34:57", "52:54:00:37:1c:0a"
SCRIPT = """
set -e
mount -t sysfs -o ro sysfs /sys
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp
chown -R systemd-network:systemd-network /run/systemd/netif
mount --bind "$1" /etc/systemd/network
shift
for pair in "$@"; do
    name=${pair%%=*}
    ip link add name "$name" address "${pair#*=}" type veth peer name "peer-$name"
    ip link set "peer-$name" up
done
if [ "$LEASE" ]; then
    ip addr add 203.0.113.9/24 dev peer-g0
    timeout 15 dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root --port=0 --interface=peer-g0 --bind-interfaces --no-ping \
        --dhcp-authoritative --dhcp-leasefile=/run/leases --pid-file= --dhcp-range="$LEASE" --dhcp-option="$ROUTES" >&2 &
    started=$!
fi
timeout 15 /lib/systemd/systemd-networkd >&2 &
started="$started $!"
for try in 1 2 3 4 5 6 7 8 9 10 11 12; do
    sleep 0.5
    ip -o -4 addr | grep -v peer- | grep -q 203.0.113 && break
done
sleep 1
way="{"
for to in $ASK; do
    way="$way\\"$to\\": \\"$(ip route get "$to" 2>/dev/null | sed -n 's/.* dev \\([^ ]*\\) .*/\\1/p')\\","
done
way="${way%,}}"
echo "{\\"addr\\": $(ip -j -4 addr), \\"link\\": $(ip -j link), \\"route\\": $(ip -j route show table all), \\"rule\\": $(ip -j rule), \\"way\\": $way}"
kill $started
"""


@pytest.fixture
def networkd(tmp_path):
    """Runs it with these files; what the kernel says a few seconds later."""
    if os.geteuid() or not os.access(NETWORKD, os.X_OK) or not shutil.which("unshare"):
        pytest.skip("needs root and systemd-networkd")

    def run(files, cards, **environment):
        tmp_path.chmod(0o755)  # it reads them as its own user
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        done = subprocess.run(["unshare", "-n", "-m", "sh", "-c", SCRIPT, "sh", tmp_path, *(f"{n}={m}" for n, m in cards.items())],
                              capture_output=True, text=True, timeout=60, env={**os.environ, **environment})
        if "mount:" in done.stderr and done.returncode:
            pytest.skip(f"no mounts in a namespace here: {done.stderr.splitlines()[0]}")
        assert done.returncode == 0, done.stderr
        for trouble in ("Failed", "Unknown", "ignoring:"):
            lines = [line for line in done.stderr.splitlines() if trouble in line and re.search(r"rfb-|\.net|u0|c0|g0", line)]
            assert not [line for line in lines if "by its new hardware address" not in line], done.stderr
        return json.loads(done.stdout)
    return run


def node_files():
    parts = (GOLDEN / "bridges.networkd").read_text().split("--- ")[1:]
    files = {}
    for part in parts:
        path, text = part.split("\n", 1)
        text = text.replace("PermanentMACAddress", "MACAddress").replace("DHCP=yes", "Address=203.0.113.1/24\nGateway=203.0.113.9")
        if lan.vlans_missing():
            text = re.sub(r"\n\[BridgeVLAN\][^[]*", "\n", text.replace("VLANFiltering=yes\nDefaultPVID=1\n", ""))
        files[path.rsplit("/", 1)[1]] = text
    return files


def test_the_nodes_address_is_the_bridges(networkd):
    """Each card is in its bridge; the uplink's has the address and the way out, the other one none."""
    seen = networkd(node_files(), {"u0": UPLINK_MAC, "c0": CARD_MAC})
    links = {link["ifname"]: link for link in seen["link"]}
    assert (links["u0"]["master"], links["c0"]["master"]) == ("rfb-lan", "rfb-dmz")
    assert (links["rfb-lan"]["address"], links["rfb-dmz"]["address"]) == (UPLINK_MAC, CARD_MAC)
    assert "LOWER_UP" in links["rfb-lan"]["flags"] and "LOWER_UP" in links["rfb-dmz"]["flags"]
    addresses = {(card["ifname"], a["local"]) for card in seen["addr"] for a in card["addr_info"]}
    assert {pair for pair in addresses if pair[0] != "lo"} == {("rfb-lan", "203.0.113.1")}
    assert [route["dev"] for route in seen["route"] if route["dst"] == "default"] == ["rfb-lan"]


def test_the_card_of_a_bridge_that_is_gone_gets_no_address(networkd):
    """Beside an uplink's file that matches every card; the same card without ours shows it."""
    uplink = "[Match]\nType=ether\nName=g* c*\n\n[Network]\nDHCP=yes\n\n[DHCPv4]\nClientIdentifier=mac\n"
    left = (GOLDEN / "bridge-left.networkd").read_text().replace("PermanentMACAddress", "MACAddress")
    if not shutil.which("dnsmasq"):
        pytest.skip("needs dnsmasq")
    for files, count in (({}, 1), ({"17-richtfest-left-dmz.network": left}, 0)):
        seen = networkd({"20-uplink.network": uplink, **files}, {"g0": CARD_MAC}, LEASE="203.0.113.40,203.0.113.50,255.255.255.0",
                        ROUTES="3,203.0.113.66")
        assert len([a for card in seen["addr"] if card["ifname"] == "g0" for a in card["addr_info"]]) == count
        assert len([r for r in seen["route"] if r["dst"] == "default"]) == count


def lan_text(card):
    """As the guest writes it. The file is not imported: what Python leaves beside it would get into the image."""
    names = {"__name__": "guest"}
    exec(compile(GUEST.read_text(), str(GUEST), "exec"), names)
    return names["lan_text"](card)


def test_a_guests_second_card_answers_by_its_own_router(networkd):
    text = lan_text({"mac": LAN_MAC, "address": "203.0.113.5/24", "gateway": "203.0.113.9"})
    seen = networkd({"05-richtfest-lan.network": text}, {"g0": LAN_MAC})
    assert [(r["gateway"], r["table"]) for r in seen["route"] if r["dst"] == "default"] == [("203.0.113.9", "20")]
    assert [(r["src"], r["table"]) for r in seen["rule"] if r.get("table") == "20"] == [("203.0.113.5", "20")]


@pytest.mark.parametrize("routes", ["121,10.20.0.0/24,203.0.113.66,0.0.0.0/0,203.0.113.66,198.51.100.1/32,203.0.113.66", "3,203.0.113.66"])
def test_a_lease_leads_nowhere_else(networkd, routes):
    """A host in that network answers first, with routes of its own (RFC 3442)."""
    if not shutil.which("dnsmasq"):
        pytest.skip("needs dnsmasq")
    files = {"05-richtfest-lan.network": lan_text({"mac": LAN_MAC})}
    seen = networkd(files, {"g0": LAN_MAC}, LEASE="203.0.113.40,203.0.113.50,255.255.255.0", ROUTES=routes)
    assert [a["local"][:10] for card in seen["addr"] if card["ifname"] == "g0" for a in card["addr_info"]] == ["203.0.113."]
    routes = [(r["dst"], r.get("table"), r.get("metric")) for r in seen["route"] if r["dev"] == "g0" and r.get("table") != "local"]
    assert routes == [("203.0.113.0/24", "20", 4096)]


@pytest.mark.parametrize("mask,far", [("128.0.0.0", "e0"), ("255.0.0.0", "g0")])
def test_a_lease_of_half_the_world_is_none_of_it(networkd, mask, far):
    """The mask of a lease says what is reached by that card. What is as wide as the widest private network is believed."""
    if not shutil.which("dnsmasq"):
        pytest.skip("needs dnsmasq")
    first = f"[Match]\nMACAddress={UPLINK_MAC}\n\n[Network]\nAddress=10.20.0.12/24\nAddress=203.0.114.12/24\nGateway=10.20.0.1\n"
    files = {"05-richtfest-lan.network": lan_text({"mac": LAN_MAC}), "10-first.network": first}
    ways = {"198.51.100.1": "e0", "10.20.0.5": "e0", "203.0.114.5": "e0", "203.9.9.9": far}
    seen = networkd(files, {"g0": LAN_MAC, "e0": UPLINK_MAC}, LEASE=f"203.0.113.40,203.0.113.50,{mask}", ROUTES="3,203.0.113.66",
                    ASK=" ".join(ways))
    assert [a["local"][:10] for card in seen["addr"] if card["ifname"] == "g0" for a in card["addr_info"]] == ["203.0.113."]
    assert seen["way"] == ways


def test_by_dhcp_nothing_is_misspelt(networkd):
    """Without a server nothing comes of it; but networkd knows every word."""
    seen = networkd({"05-richtfest-lan.network": lan_text({"mac": LAN_MAC})}, {"g0": LAN_MAC})
    assert not [a for card in seen["addr"] if card["ifname"] == "g0" for a in card["addr_info"]]
