# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's network in namespaces: a bridge with isolated ports, its guests, somebody outside, a peer of the VPN. The rules are the golden
files that the unit tests compare with what the program makes, loaded into the node's namespace as nft reads them."""
import os
import pathlib
import subprocess

import pytest

from house import House, RULES, missing

TOP = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def house():
    why = missing()
    if why:
        pytest.skip(why)
    with House(f"rft{os.getpid()}") as built:
        yield built


@pytest.fixture(scope="module")
def ruled(house):
    """The same, with the rules loaded."""
    for rules in RULES:
        done = subprocess.run(["ip", "netns", "exec", house.node, "nft", "-f", TOP / "tests/golden/postinstall" / rules],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return house
