# SPDX-License-Identifier: GPL-3.0-or-later
"""The guests' network without a node: a QEMU without a processor is the cable that all guests hang on, and forwards their ports to this
host; a thread is the gateway, which knows names as a node does. None of it needs a privilege, and no guest gets out of it."""

import ipaddress
import os
import signal
import socket
import time

from . import host
from .errors import LabError
from .machine import free_port, launch_command
from .neighbour import NEIGHBOUR_MAC, Neighbour, question
from .qmp import Qmp

PLUGS = 6  # guests that it has room for
BROADCAST = b"\xff" * 6
START_SECONDS = 60
ZONE_SECONDS = 4  # what the directory may take to answer a question about its zone


class Gateway(Neighbour):
    """The node's place in the network: names of guests by itself, zones from the guest that serves them."""

    def __init__(self, address):
        super().__init__(address=address)
        self.knows_time = True
        self.zones = {}  # zone to the port of this host that its DNS server is at (UDP)

    def _answer(self, frame):  # the cable brings what is others' too
        return super()._answer(frame) if frame[:6] in (BROADCAST, NEIGHBOUR_MAC) else None

    def _service(self, port, body):
        asked = question(body) if port == 53 else None
        zone = asked and next((zone for zone in self.zones if asked[0] == zone or asked[0].endswith("." + zone)), None)
        if not zone:
            return super()._service(port, body)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(ZONE_SECONDS)
            try:
                client.sendto(body, ("127.0.0.1", self.zones[zone]))
                return client.recv(65536)
            except OSError:
                return None


class Lan:
    """`with Lan(folder, "10.20.0.0/24") as lan:`; then lan.plug(number) for each machine, and lan.forward(address, port)."""

    def __init__(self, folder, subnet):
        self.folder = os.path.abspath(folder)
        self.subnet = ipaddress.ip_network(subnet)
        self.gateway = Gateway(str(self.subnet[1]))
        self._process = self._qmp = None
        self._plugs = 0
        self._ports = {}

    def __enter__(self):
        os.makedirs(self.folder, exist_ok=True)
        self.gateway.__enter__()
        for name in os.listdir(self.folder):
            if name.endswith(".sock"):
                os.unlink(os.path.join(self.folder, name))
        self._process = launch_command(self._arguments(), self.folder)
        self._qmp = Qmp(os.path.join(self.folder, "qmp.sock"), alive=lambda: self._process.poll() is None)
        self._wait_listening()
        return self

    def _wait_listening(self):
        """QEMU (10.0) dies of a frame that it has for a socket at which it does not listen yet."""
        deadline = time.monotonic() + START_SECONDS
        while self._qmp.monitor("info network").count("listening") < PLUGS:
            if time.monotonic() > deadline:
                raise LabError(f"the lab's network does not come up in {START_SECONDS} s")
            time.sleep(0.05)

    def __exit__(self, *_):
        self.gateway.__exit__()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._qmp.close()

    def _arguments(self):
        """A hub with QEMU's user network (which is what forwards ports), the gateway, and a socket for each guest. Addresses of the user
        network's own are at the subnet's end, where no guest is. The machine must run, be it without a processor: a stopped one carries
        no frames."""
        own = f"host={self.subnet[-2]},dns={self.subnet[-3]},dhcpstart={self.subnet[-4]}"
        command = [*host.qemu(), "-machine", "none", "-nodefaults", "-display", "none"]
        command += ["-qmp", "unix:qmp.sock,server=on,wait=off", "-netdev", f"user,id=user,net={self.subnet},{own},restrict=on"]
        command += self.gateway.cable()
        cables = ["user", "neighbour"]
        for number in range(PLUGS):
            command += ["-netdev", f"stream,id=plug{number},server=on,addr.type=unix,addr.path=plug{number}.sock"]
            cables.append(f"plug{number}")
        for number, cable in enumerate(cables):
            command += ["-netdev", f"hubport,id=hub{number},hubid=0,netdev={cable}"]
        return command

    def plug(self, mac, folder):
        """A machine's network card at this network, as QEMU's arguments where it is started in that folder."""
        if self._plugs == PLUGS:
            raise LabError(f"the lab's network has room for {PLUGS} guests")
        # relative, because a socket's address holds 107 bytes only
        path = os.path.relpath(os.path.join(self.folder, f"plug{self._plugs}.sock"), folder)
        self._plugs += 1
        return ["-netdev", f"stream,id=lan,server=off,addr.type=unix,addr.path={path}",
                "-device", f"virtio-net-pci,id=nic-lan,netdev=lan,mac={mac},romfile="]

    def forward(self, address, port, protocol="tcp"):
        """Where a guest's port is on this host's loopback."""
        key = address, port, protocol
        if key not in self._ports:
            here = free_port()
            said = self._qmp.monitor(f"hostfwd_add user {protocol}:127.0.0.1:{here}-{address}:{port}")
            if said.strip():
                raise LabError(f"forwarding {address} {port}: {said.strip()}")
            self._ports[key] = here
        return self._ports[key]

    def serves(self, zone, address):
        """Names below the zone are asked of the guest with that address from now on."""
        self.gateway.zones[zone.lower()] = self.forward(address, 53, "udp")
