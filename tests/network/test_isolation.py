# SPDX-License-Identifier: GPL-3.0-or-later
"""Who reaches whom in the guests' network, tried with packets."""
import itertools
import re
import time

import pytest

import frames
from house import BRIDGE, BY_HAND, GUESTS, NODE, NODE_OUTSIDE, PEER, WORLD, house_ports, run

MEMBERS = ["crm", "ts1"]
OPEN = {("tcp", 53), ("tcp", 88), ("tcp", 636), ("udp", 53), ("udp", 88)}  # of dc1, for its members


def node_mac(house):
    return re.search(r"link/ether ([0-9a-f:]+)", run("ip", "-n", house.node, "link", "show", BRIDGE).stdout).group(1)


def by_hand(house, to):
    _, address, mac, _ = BY_HAND
    return house.taken(BY_HAND[0], mac, address, NODE, to)


def test_without_rules_a_machine_by_hand_goes_around_the_bridge(house):
    assert by_hand(house, frames.LLDP) == {"router", "ARP", "ping"}


def test_without_rules_the_bridge_alone_keeps_guests_apart(house):
    """Isolated ports: no frame of a guest gets to another one, whatever address it is sent to."""
    ports = house_ports()
    seen = house.watch("crm")
    house.send("shop", frames.arp(ports["shop"][1], ports["shop"][1], GUESTS["shop"], "00:00:00:00:00:00", GUESTS["crm"], 1))
    house.send("shop", frames.udp(ports["shop"][1], ports["crm"][1], GUESTS["shop"], GUESTS["crm"], 53, b"neighbour"))
    assert not [frame for frame in seen() if frames.mac(ports["shop"][1]) in frame]


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize("kind,port", sorted(OPEN))
def test_members_reach_their_directory(ruled, member, kind, port):
    assert getattr(ruled, kind)(member, GUESTS["dc1"], port) == "open"


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize("port", [22, 445, 3389])
def test_and_nothing_else_of_it(ruled, member, port):
    assert ruled.tcp(member, GUESTS["dc1"], port) == "refused"  # said at once, not after a timeout


def test_the_first_word_to_a_neighbour_is_not_delayed(ruled):
    """The node answers for the neighbour at once: Linux waits for up to 0.8 s by default."""
    slow = 0
    for _ in range(5):
        run("ip", "-n", ruled.space("crm"), "neigh", "flush", "all")
        began = time.monotonic()
        assert ruled.udp("crm", GUESTS["dc1"], 53) == "open"
        slow += time.monotonic() - began > 0.4
    assert slow <= 1


def test_the_directory_sees_the_members_own_address(ruled):
    assert ruled.tcp("crm", GUESTS["dc1"], 636) == "open"
    assert ruled.seen == GUESTS["crm"]


@pytest.mark.parametrize("stranger", ["shop", BY_HAND[0]])
@pytest.mark.parametrize("port", [53, 88, 636])
def test_others_do_not_reach_the_directory(ruled, stranger, port):
    assert ruled.tcp(stranger, GUESTS["dc1"], port) == "refused"


def test_reach_is_for_the_one_that_has_it_and_one_way(ruled):
    assert ruled.tcp("ts1", GUESTS["crm"], 8000) == "open"
    assert ruled.tcp("ts1", GUESTS["crm"], 22) == "refused"
    assert ruled.tcp("dc1", GUESTS["crm"], 8000) == "refused"
    assert ruled.tcp("crm", GUESTS["ts1"], 3389) == "refused"


@pytest.mark.parametrize("left,right", itertools.permutations(GUESTS, 2))
def test_ssh_is_for_nobody(ruled, left, right):
    assert ruled.tcp(left, GUESTS[right], 22) == "refused"


@pytest.mark.parametrize("guest", [*GUESTS, BY_HAND[0]])
def test_guests_and_the_node(ruled, guest):
    for address in (NODE, NODE_OUTSIDE):
        assert ruled.tcp(guest, address, 22) == "silent"
        assert ruled.tcp(guest, address, 9090) == "silent"
    assert ruled.tcp(guest, NODE, 443) == "open"  # the proxy
    assert ruled.udp(guest, NODE, 53) == "open"


def test_guests_go_out_under_the_nodes_address(ruled):
    assert ruled.tcp("crm", WORLD, 443) == "open"
    assert ruled.seen == NODE_OUTSIDE


@pytest.mark.parametrize("guest", GUESTS)
@pytest.mark.parametrize("port", [22, 53, 8000, 3389])
def test_the_world_does_not_come_in(ruled, guest, port):
    assert ruled.tcp("world", GUESTS[guest], port) == "silent"


def test_the_world_and_the_node(ruled):
    for port in (22, 9090, 80, 443):
        assert ruled.tcp("world", NODE_OUTSIDE, port) == "open"
    for port in (53, 88, 8000):
        assert ruled.tcp("world", NODE_OUTSIDE, port) == "silent"


def test_peers_reach_what_is_meant_for_them(ruled):
    assert ruled.tcp("peer", GUESTS["ts1"], 3389) == "open"
    assert ruled.udp("peer", GUESTS["dc1"], 53) == "open"
    assert ruled.tcp("peer", GUESTS["dc1"], 636) == "silent"
    assert ruled.tcp("peer", GUESTS["crm"], 8000) == "silent"
    assert ruled.tcp("ts1", PEER, 22) == "silent"  # and guests do not reach the peers
    assert ruled.tcp("peer", WORLD, 443) == "silent"  # nor is the VPN a way out,
    assert ruled.tcp("world", PEER, 443) == "silent"  # or in
    assert ruled.tcp("peer", NODE, 443) == "open"  # published names are there too


def test_the_same_frame_arrives_when_it_is_honest(ruled):
    """What the tests below send does work: crm is a member."""
    seen = ruled.watch("dc1")
    ruled.send("crm", frames.udp(house_ports()["crm"][1], node_mac(ruled), GUESTS["crm"], GUESTS["dc1"], 53, b"honest"))
    assert [frame for frame in seen() if b"honest" in frame]


@pytest.mark.parametrize("liar", ["shop", BY_HAND[0]])
@pytest.mark.parametrize("as_whom", ["own", "crm"])
def test_nobody_speaks_for_a_member(ruled, liar, as_whom):
    """With the member's IP address, with and without its hardware address."""
    own = BY_HAND[2] if liar == BY_HAND[0] else house_ports()[liar][1]
    source = own if as_whom == "own" else house_ports()["crm"][1]
    seen = ruled.watch("dc1")
    ruled.send(liar, frames.udp(source, node_mac(ruled), GUESTS["crm"], GUESTS["dc1"], 53, b"a lie"))
    assert not [frame for frame in seen() if b"a lie" in frame]


@pytest.mark.parametrize("operation", [1, 2])
def test_nobody_takes_an_address_by_arp(ruled, operation):
    assert ruled.tcp("crm", GUESTS["dc1"], 53) == "open"  # now the node knows dc1
    true = house_ports()["dc1"][1]
    assert ruled.neighbour(GUESTS["dc1"]) == true
    mine = house_ports()["shop"][1]
    for frame_mac in (mine, true):
        ruled.send("shop", frames.arp(frame_mac, mine, GUESTS["dc1"], "00:00:00:00:00:00", NODE, operation))
        ruled.send("shop", frames.arp(frame_mac, mine, GUESTS["dc1"], node_mac(ruled), NODE, operation, to=node_mac(ruled)))
    ruled.settle()
    assert ruled.neighbour(GUESTS["dc1"]) == true


def test_nobody_takes_a_port_by_its_hardware_address(ruled):
    """The bridge learns from what it sees: a frame with dc1's address from elsewhere must not be seen."""
    assert ruled.tcp("crm", GUESTS["dc1"], 53) == "open"
    port, mac = house_ports()["dc1"]
    ruled.send("shop", frames.udp(mac, node_mac(ruled), GUESTS["dc1"], NODE, 9, b"x"))
    ruled.send(BY_HAND[0], frames.udp(mac, node_mac(ruled), GUESTS["dc1"], NODE, 9, b"x"))
    ruled.settle()
    known = run("ip", "netns", "exec", ruled.node, "bridge", "fdb", "show", "br", BRIDGE).stdout
    assert re.search(rf"^{mac} dev {port} ", known, re.M), known
    assert not re.search(rf"^{mac} dev (?!{port})", known, re.M), known


def test_a_machine_by_hand_does_not_go_around_the_bridge(ruled):
    """Nobody knows its port's name; but what bridges keep among themselves is neither IP nor ARP."""
    for last in (0, 3, 14):
        assert not by_hand(ruled, f"01:80:c2:00:00:{last:02x}")
    assert by_hand(ruled, node_mac(ruled)) == {"ARP", "ping"}  # by the bridge it speaks to the node as guests do


def test_guests_are_not_told_to_speak_directly(ruled):
    """No ICMP redirect comes when the node routes back through the bridge."""
    seen = ruled.watch("crm")
    assert ruled.tcp("crm", GUESTS["dc1"], 636) == "open"
    icmp_redirects = [frame for frame in seen() if frame[12:14] == b"\x08\x00" and frame[23] == 1 and frame[34] == 5]
    assert not icmp_redirects
