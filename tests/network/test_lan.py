# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests with a second card in the customer's own network, tried with packets: over the uplink, and by VLAN over a further card."""
import os
import socket
import struct
import time

import pytest

import frames
import lan
from house import NODE, NODE_OUTSIDE, WORLD, missing, run
from lan import CAMPUS, GUESTS, UPLINK_MAC, Lan, cards, lan_address

NOBODY = "00:00:00:00:00:00"


@pytest.fixture(scope="module")
def bare():
    why = missing() or lan.missing()
    if why:
        pytest.skip(why)
    with Lan(f"rfl{os.getpid()}") as built:
        yield built


@pytest.fixture(scope="module")
def ruled(bare):
    bare.load()
    return bare


@pytest.fixture
def tagged(ruled):
    if not ruled.vlans:
        pytest.skip(lan.vlans_missing())
    return ruled


@pytest.fixture
def fresh(ruled):
    """With nothing learned yet."""
    ruled.load()
    assert ruled.tcp("node", WORLD, 443) == "open"
    run("ip", "-n", ruled.node, "neigh", "flush", "dev", "rfb-lan")
    assert ruled.tcp("node", WORLD, 443) == "open"  # now the rules have seen the node's own ARP
    return ruled


def lan_mac(name):
    return cards()[name][1][1]


def claim(house, liar, address, own=None):
    """ARP by a guest that an address is its own, as an announcement; the frames that the world sees of it. (Its true address it may
    answer for at any time.)"""
    own = own or lan_mac(liar)
    seen = house.watch("world")
    house.send(liar, frames.arp(own, own, address, NOBODY, address, 2), "eth1")
    house.send(liar, frames.arp(own, own, address, NOBODY, WORLD, 1), "eth1")
    said = frames.mac(own) + b"\x08\x06"
    return [frame for frame in seen() if frame[6:14] == said and frame[28:32] == socket.inet_aton(address)]


def say(house, liar, frame, who="world", card="eth0"):
    """A frame of a guest; whether it arrives."""
    seen = house.watch(who, card=card)
    house.send(liar, frame, "eth1")
    return frame[12:] in [other[12:len(frame)] for other in seen()]


def packet(house, liar, source, source_mac=None, port=443, source_port=5353, words=b"hello"):
    return frames.udp(source_mac or lan_mac(liar), house.mac("world"), source, WORLD, port, words, source_port)


def test_before_the_rules_an_address_can_be_taken(bare):
    """What the tests below send does work where nothing forbids it."""
    assert claim(bare, "web", NODE_OUTSIDE)
    assert say(bare, "web", packet(bare, "web", lan_address("pbx")))
    run("ip", "-n", bare.space("world"), "neigh", "flush", "all")


def around(house, guest, to):
    """What gets to the node itself of a guest's frames to a hardware address, by either card."""
    found = set()
    for card, mac, address, node in (("eth0", cards()[guest][0][1], GUESTS[guest][0], NODE),
                                     ("eth1", lan_mac(guest), lan_address(guest), NODE_OUTSIDE)):
        found |= {f"{what} by {card}" for what in house.taken(guest, mac, address, node, to, card)}
    return found


def test_before_the_rules_frames_go_around_the_bridge(bare):
    """A bridge hands LLDP's frames to the port that they came in by, and the node takes what is in them for its own."""
    everything = {f"{what} by {card}" for what in ("router", "ping", "ARP") for card in ("eth0", "eth1")}
    assert around(bare, "web", frames.LLDP) == everything
    assert not bare.routers()
    assert "router by eth1" in around(bare, "web", "33:33:00:00:00:01")


def by_card(house, to):
    """The same of frames that come in by a bridge's own card."""
    return {f"{what} from {who}" for who, address in (("world", WORLD), ("campus", CAMPUS[None]))
            for what in house.taken(who, house.mac(who), address, NODE_OUTSIDE, to)}


@pytest.mark.parametrize("last", [0, 1, 14])
def test_before_the_rules_a_card_takes_what_bridges_keep(bare, last):
    """Pause frames aside (01), which nobody passes on."""
    everything = {f"{what} from {who}" for what in ("router", "ping", "ARP") for who in ("world", "campus")}
    assert by_card(bare, f"01:80:c2:00:00:{last:02x}") == (everything if last != 1 else set())


def answers_arp(house, address):
    """Whether the node says at its further card where one of its addresses is."""
    mac = house.mac("campus")
    route = ["192.168.1.0/24", "dev", "rfb-dmz"]  # without it the asker is nobody to the node (rp_filter)
    run("ip", "-n", house.node, "route", "replace", *route)
    seen = house.watch("campus")
    house.send("campus", frames.arp(mac, mac, CAMPUS[None], NOBODY, address, 1))
    run("ip", "-n", house.node, "route", "del", *route)
    node_mac = frames.mac("52:54:00:12:34:57")
    return bool([frame for frame in seen() if frame[:14] == frames.mac(mac) + node_mac + b"\x08\x06"])


def test_before_the_rules_the_node_says_where_it_is(bare):
    assert answers_arp(bare, NODE) and answers_arp(bare, NODE_OUTSIDE)


@pytest.mark.parametrize("last", [0, 2, 3, 14, 15])
def test_no_card_takes_what_bridges_keep(ruled, last):
    assert not by_card(ruled, f"01:80:c2:00:00:{last:02x}")


def test_nothing_goes_around_the_bridge(ruled):
    assert not around(ruled, "web", frames.LLDP)
    allowed = {"ARP by eth0", "ping by eth0"}  # with its own address, to the node in the node's own network
    for to in ("01:80:c2:00:00:03", "33:33:00:00:00:01"):
        assert not around(ruled, "web", to) - allowed


def test_the_node_is_reached_as_before(ruled):
    """Its own address is the bridge's."""
    for port in (22, 9090):
        assert ruled.tcp("world", NODE_OUTSIDE, port) == "open"
    assert ruled.tcp("node", WORLD, 443) == "open"


@pytest.mark.parametrize("guest,kind,port,outcome", [
    ("pbx", "tcp", 443, "open"), ("pbx", "tcp", 22, "silent"), ("pbx", "tcp", 3389, "silent"), ("pbx", "udp", 53, "silent"),
    ("pbx", "udp", 88, "silent"), ("web", "tcp", 22, "open"), ("web", "udp", 53, "open"), ("app", "tcp", 443, "silent"),
    ("app", "tcp", 22, "silent"), ("app", "udp", 53, "silent")])
def test_what_is_open_and_nothing_else(fresh, guest, kind, port, outcome):
    fresh.tcp(guest, WORLD, 443)
    assert getattr(fresh, kind)("world", lan_address(guest), port) == outcome


@pytest.mark.parametrize("guest", ["pbx", "web", "app"])
def test_guests_speak_under_their_own_address(fresh, guest):
    assert fresh.tcp(guest, WORLD, 443) == "open"
    assert fresh.seen == lan_address(guest)
    assert fresh.udp(guest, WORLD, 53) == "open"  # and the answer comes back


@pytest.mark.parametrize("guest", ["pbx", "web", "app"])
def test_no_guest_reaches_the_node_there(fresh, guest):
    """Not even where it knows the node's hardware address."""
    space = fresh.space(guest)
    for known in (False, True):
        if known:
            run("ip", "-n", space, "neigh", "replace", NODE_OUTSIDE, "lladdr", UPLINK_MAC, "dev", "eth1")
        for port in (22, 9090, 443):
            assert fresh.tcp(guest, NODE_OUTSIDE, port) != "open"
    to_node = frames.udp(lan_mac(guest), UPLINK_MAC, lan_address(guest), NODE_OUTSIDE, 443, b"to the node itself")
    assert not say(fresh, guest, to_node, "node", "rfb-lan")
    run("ip", "-n", space, "neigh", "del", NODE_OUTSIDE, "dev", "eth1")


@pytest.mark.parametrize("guest", GUESTS)
def test_in_the_nodes_network_all_is_as_it_was(ruled, guest):
    assert ruled.udp(guest, NODE, 53) == "open"
    assert ruled.tcp(guest, NODE, 22) == "silent"
    assert ruled.tcp("node", GUESTS[guest][0], 443) == "open"  # the proxy and the probes


@pytest.mark.parametrize("left,right", [("pbx", "web"), ("web", "pbx"), ("app", "web"), ("web", "app")])
def test_guests_do_not_meet_at_the_bridge(fresh, left, right):
    assert fresh.tcp(right, WORLD, 443) == "open"
    run("ip", "-n", fresh.space(left), "neigh", "replace", lan_address(right), "lladdr", lan_mac(right), "dev", "eth1")
    assert fresh.tcp(left, lan_address(right), 443) == "silent"
    run("ip", "-n", fresh.space(left), "neigh", "del", lan_address(right), "dev", "eth1")


def test_nor_by_way_of_the_node(ruled):
    """A guest elsewhere gets out by the node, and not to another guest's second card that way."""
    assert ruled.tcp("v20", WORLD, 443) == "open"
    assert ruled.seen == NODE_OUTSIDE
    assert ruled.tcp("world", lan_address("pbx"), 443) == "open"
    assert ruled.tcp("v20", lan_address("pbx"), 443) == "silent"


@pytest.mark.parametrize("liar", ["pbx", "web", "app"])
def test_nobody_takes_the_nodes_address(fresh, liar):
    assert not claim(fresh, liar, NODE_OUTSIDE)
    assert not say(fresh, liar, packet(fresh, liar, NODE_OUTSIDE))
    assert fresh.tcp("world", NODE_OUTSIDE, 22) == "open"


def test_nobody_takes_a_fixed_address(fresh):
    assert not claim(fresh, "web", lan_address("pbx"))
    assert not say(fresh, "web", packet(fresh, "web", lan_address("pbx")))


def test_who_has_a_fixed_address_has_no_other(fresh):
    assert claim(fresh, "pbx", lan_address("pbx"))
    assert not claim(fresh, "pbx", "203.0.113.77")
    assert not say(fresh, "pbx", packet(fresh, "pbx", "203.0.113.77"))
    assert say(fresh, "pbx", packet(fresh, "pbx", lan_address("pbx")))


def test_not_even_where_the_profile_gives_it_away(ruled):
    """A fixed address that is the node's own: the node keeps it."""
    ruled.load(lan.rules_text().replace(f'. {lan_address("pbx")}', f". {NODE_OUTSIDE}"))
    try:
        run("ip", "-n", ruled.node, "neigh", "flush", "dev", "rfb-lan")
        assert ruled.tcp("node", WORLD, 443) == "open"  # now the rules have seen the node's own ARP
        assert not claim(ruled, "pbx", NODE_OUTSIDE)
        assert not say(ruled, "pbx", packet(ruled, "pbx", NODE_OUTSIDE))
    finally:
        ruled.load()


def test_an_address_by_dhcp_is_its_guests_alone(fresh):
    assert fresh.tcp("app", WORLD, 443) == "open"
    assert not claim(fresh, "web", lan_address("app"))
    assert not say(fresh, "web", packet(fresh, "web", lan_address("app")))
    assert say(fresh, "web", packet(fresh, "web", lan_address("web")))


def test_by_dhcp_one_address_at_a_time(fresh):
    assert say(fresh, "web", packet(fresh, "web", "203.0.113.70"))
    assert not say(fresh, "web", packet(fresh, "web", "203.0.113.71"))
    assert not claim(fresh, "web", "203.0.113.71")
    assert say(fresh, "web", packet(fresh, "web", "203.0.113.70"))


def test_and_another_one_when_the_first_was_silent(ruled):
    ruled.load(lan.rules_text().replace("timeout 2m", "timeout 1s"))
    assert say(ruled, "web", packet(ruled, "web", "203.0.113.70"))
    time.sleep(1.5)
    assert say(ruled, "web", packet(ruled, "web", "203.0.113.71"))
    ruled.load()


@pytest.mark.parametrize("rules", ["richtfest-guests.nft", "richtfest-guests-none.nft"])
def test_who_has_left_the_profile_is_mute(ruled, rules):
    """The last bridged guest is gone from the profile, or the last guest; its card is at the bridge until it is started anew."""
    ruled.load((lan.GOLDEN / rules).read_text())
    try:
        assert not say(ruled, "web", packet(ruled, "web", lan_address("web")))
        assert not claim(ruled, "web", "203.0.113.77")
        assert not around(ruled, "web", "33:33:00:00:00:01") - {"ARP by eth0", "ping by eth0"}
        seen = ruled.watch("web", card="eth1")
        ruled.send("world", frames.udp(ruled.mac("world"), lan_mac("web"), WORLD, lan_address("web"), 40000, b"to web"))
        ruled.tcp("node", lan_address("web"), 443)
        assert not seen()
    finally:
        ruled.load()


def test_nobody_takes_a_hardware_address(fresh):
    for mac in (UPLINK_MAC, lan_mac("pbx"), "52:54:00:99:99:99"):
        assert not say(fresh, "web", packet(fresh, "web", lan_address("web"), mac))
        assert not claim(fresh, "web", lan_address("web"), mac)
    seen = fresh.watch("world")  # its own in the frame, another one inside ARP
    fresh.send("web", frames.arp(lan_mac("web"), UPLINK_MAC, lan_address("web"), NOBODY, WORLD, 2), "eth1")
    assert not [frame for frame in seen() if frames.mac(lan_mac("web")) == frame[6:12]]
    assert not say(fresh, "pbx", frames.udp(cards()["pbx"][0][1], fresh.mac("world"), lan_address("pbx"), WORLD, 9, b"the other card"))


def test_dhcp_is_asked_and_never_answered_by_a_guest(fresh):
    ask = frames.udp(lan_mac("app"), frames.EVERYBODY, "0.0.0.0", "255.255.255.255", 67, b"discover", 68)
    assert say(fresh, "app", ask)
    assert not say(fresh, "pbx", frames.udp(lan_mac("pbx"), frames.EVERYBODY, "0.0.0.0", "255.255.255.255", 67, b"discover", 68))
    assert not say(fresh, "pbx", packet(fresh, "pbx", lan_address("pbx"), port=68, source_port=67, words=b"offer!"))
    assert not say(fresh, "pbx", packet(fresh, "pbx", lan_address("pbx"), port=68, source_port=1067, words=b"offer!"))
    offer = frames.udp(fresh.mac("world"), frames.EVERYBODY, WORLD, "255.255.255.255", 68, b"an offer", 67)
    for guest, comes in (("app", True), ("pbx", False)):
        seen = fresh.watch(guest, card="eth1")
        fresh.send("world", offer)
        assert bool([frame for frame in seen() if b"an offer" in frame]) == comes


def test_no_lease_leads_into_the_nodes_network(fresh):
    """Not even to a guest that is open for all."""
    for address, comes in (("203.0.113.40", True), (GUESTS["pbx"][0], False), (NODE, False)):
        lease = bytes(16) + socket.inet_aton(address) + bytes(220) + b"a lease"  # yiaddr: RFC 2131, 2
        for guest in ("app", "web"):
            for source_port in (67,) if comes else (67, 1067):
                seen = fresh.watch(guest, card="eth1")
                fresh.send("world", frames.udp(fresh.mac("world"), frames.EVERYBODY, WORLD, "255.255.255.255", 68, lease, source_port))
                assert bool([frame for frame in seen() if b"a lease" in frame]) == comes


def test_no_ipv6_in_or_out(fresh):
    hello = b"\x60" + bytes(3) + struct.pack("!HBB", 8, 17, 64) + bytes(16) + bytes(16) + struct.pack("!HHHH", 1, 2, 8, 0)
    assert not say(fresh, "web", frames.mac("33:33:00:00:00:01") + frames.mac(lan_mac("web")) + b"\x86\xdd" + hello)
    seen = fresh.watch("web", card="eth1")
    mark = hello[:-8] + b"ABCDEFGH"
    fresh.send("world", frames.mac(lan_mac("web")) + frames.mac(fresh.mac("world")) + b"\x86\xdd" + mark)
    assert not [frame for frame in seen() if b"ABCDEFGH" in frame]


@pytest.mark.parametrize("guest,vlan", [("v20", 20), ("v30", 30)])
def test_a_guest_is_in_its_vlan(tagged, guest, vlan):
    assert tagged.tcp(guest, CAMPUS[vlan], 443) == "open"
    assert tagged.seen == lan_address(guest)
    assert tagged.tcp("campus", lan_address(guest), 443) == "open"
    assert tagged.tcp("campus", lan_address(guest), 22) == "silent"


def test_and_in_no_other(tagged):
    """The same addresses in another VLAN's card: nothing comes there."""
    mac = tagged.mac("campus")
    frame = frames.udp(lan_mac("v20"), mac, lan_address("v20"), CAMPUS[20], 9, b"which vlan")
    for card, comes in (("eth0.20", True), ("eth0.30", False)):
        assert say(tagged, "v20", frame, "campus", card) == comes
    for vlan in (30, 1, 0):
        labelled = frame[:12] + b"\x81\x00" + struct.pack("!H", vlan) + frame[12:]
        seen = [tagged.watch("campus", card=card) for card in ("eth0", "eth0.20", "eth0.30")]
        tagged.send("v20", labelled, "eth1")
        assert not [one for watch in seen for one in watch() if b"which vlan" in one]
    for card in ("eth0", "eth0.30"):
        seen = tagged.watch("v20", card="eth1")
        tagged.send("campus", frames.arp(mac, mac, "192.168.20.9", NOBODY, lan_address("v20"), 1), card)
        assert not [one for one in seen() if frames.mac(mac) in one]


def test_the_node_does_not_say_where_it_is(ruled):
    assert not answers_arp(ruled, NODE) and not answers_arp(ruled, NODE_OUTSIDE)


def test_the_node_says_nothing_where_it_has_no_address(ruled):
    """Linux answers on any card for any of its addresses; and it would pass things on."""
    node_mac = "52:54:00:12:34:57"
    space = ruled.space("campus")
    run("ip", "-n", ruled.node, "route", "replace", "192.168.1.0/24", "dev", "rfb-dmz")
    for address in (NODE, NODE_OUTSIDE):
        run("ip", "-n", space, "route", "replace", address, "dev", "eth0")
        run("ip", "-n", space, "neigh", "replace", address, "lladdr", node_mac, "dev", "eth0")
        for port in (22, 9090, 443):
            assert ruled.tcp("campus", address, port) == "silent"
    run("ip", "-n", ruled.space("world"), "route", "replace", "192.168.1.0/24", "via", NODE_OUTSIDE)
    run("ip", "-n", space, "route", "replace", WORLD, "via", NODE_OUTSIDE, "dev", "eth0", "onlink")
    seen = ruled.watch("world")
    ruled.send("campus", frames.udp(ruled.mac("campus"), node_mac, CAMPUS[None], WORLD, 443, b"let me through"))
    assert not [frame for frame in seen() if b"let me through" in frame]
    seen = ruled.watch("campus")
    ruled.send("world", frames.udp(ruled.mac("world"), UPLINK_MAC, WORLD, CAMPUS[None], 443, b"let me through"))
    assert not [frame for frame in seen() if b"let me through" in frame]
