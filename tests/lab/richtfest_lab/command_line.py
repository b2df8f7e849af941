# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a machine should be to QEMU's command line. Pure, but for finding the firmware."""

import dataclasses
import errno
import json

from . import host
from .disks import Disk

SPARE_PORTS = 4  # PCIe slots for what is plugged in later


@dataclasses.dataclass
class Spec:
    """A machine. Memory in MiB; `forwards` maps TCP ports of the guest to ports of this host's loopback."""

    name: str = "machine"
    firmware: str = "uefi"  # or bios, uefi-secure
    cores: int = 2
    memory: int = 1024
    disks: list = dataclasses.field(default_factory=list)
    iso: str = None
    iso_bus: str = "sata"  # or virtio-scsi, usb, disk
    iso_bad: tuple = ()  # places of the medium, in bytes, that can't be read
    forwards: dict = dataclasses.field(default_factory=dict)
    datagrams: dict = dataclasses.field(default_factory=dict)  # the same for UDP
    nics: int = 1
    wire: bool = False  # the first card's cable leads to the lab too (wire.py), not to QEMU's user network alone
    reboot: bool = True  # False: QEMU ends where the machine would reboot
    serial: str = "RF-LAB-1"  # of the machine itself (DMI)
    balloon: bool = False  # hand freed memory back to this host
    accelerator: tuple = None  # QEMU's arguments; None: what the host can
    virtualization: bool = True  # False: a processor without svm and vmx
    extra: list = dataclasses.field(default_factory=list)


def blockdev(disk):
    """The backend of a disk. The host's cache is trusted: a QEMU that is killed loses nothing of it, and a host that
    goes down takes the test with it."""
    if disk.nbd:
        return network_blockdev(disk)
    cache = {"no-flush": True}
    file = {"driver": "file", "filename": disk.path, "cache": cache, "discard": "unmap"}
    node = {"driver": disk.format, "node-name": f"{disk.name}-node", "file": file, "cache": cache, "discard": "unmap"}
    return {**node, "detect-zeroes": "unmap"} if disk.detect_zeroes else node


def network_blockdev(disk):
    """The backend of a disk that the lab serves itself: each flush is passed on, because what was not flushed may be lost."""
    server = {"type": "unix", "path": disk.nbd}
    file = {"driver": "nbd", "server": server, "export": disk.name, "cache": {"direct": True}, "discard": "unmap"}
    return {"driver": "raw", "node-name": f"{disk.name}-node", "file": file, "cache": {"direct": True}, "discard": "unmap"}


def iso_blockdev(path, bad=()):
    """The medium: read-only, whatever the bus. A request that touches one of the `bad` bytes' sectors fails, again and again."""
    file = {"driver": "file", "filename": path, "read-only": True}
    if bad:
        rule = {"event": "none", "iotype": "read", "errno": errno.EIO, "once": False}
        file = {"driver": "blkdebug", "image": file, "inject-error": [{**rule, "sector": byte // 512} for byte in bad]}
    return {"driver": "raw", "node-name": "iso-node", "read-only": True, "file": file}


DRIVERS = {"virtio-scsi": "scsi-hd", "virtio-blk": "virtio-blk-pci", "sata": "ide-hd", "nvme": "nvme"}


def disk_device(disk, place, bootindex=None):
    """The frontend of a disk. `place` is the SATA port or PCIe slot that it takes."""
    device = {"driver": DRIVERS[disk.bus], "id": disk.name, "drive": f"{disk.name}-node", "serial": disk.serial}
    device.update({"logical_block_size": disk.logical, "physical_block_size": disk.physical})
    if disk.bus == "virtio-scsi":
        device.update({"bus": "scsi0.0", "device_id": disk.serial})
    elif disk.bus == "sata":
        device["bus"] = f"ide.{place}"
    else:
        device["bus"] = place
    if disk.bus in ("virtio-scsi", "sata"):
        device["rotation_rate"] = 7200 if disk.rotational else 1
        if disk.wwn is not None:
            device["wwn"] = disk.wwn
    if bootindex is not None:
        device["bootindex"] = bootindex
    return device


def iso_device(bus, port):
    """The medium's frontend; always the first to boot, as providers' panels do it."""
    device = {"drive": "iso-node", "id": "iso", "bootindex": 0}
    if bus == "sata":
        return {**device, "driver": "ide-cd", "bus": f"ide.{port}"}
    if bus == "virtio-scsi":
        return {**device, "driver": "scsi-cd", "bus": "scsi0.0"}
    if bus == "usb":
        return {**device, "driver": "usb-storage", "bus": "usb0.0", "removable": True}
    return {**device, "driver": "virtio-blk-pci", "serial": "RF-MEDIUM"}


def firmware_arguments(spec):
    """BIOS is QEMU's default (SeaBIOS). UEFI gets a copy of the variables in the machine's folder (`vars.fd`)."""
    if spec.firmware == "bios":
        return []
    code, _ = host.ovmf(spec.firmware == "uefi-secure")
    arguments = ["-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={code}"]
    arguments += ["-drive", "if=pflash,unit=1,format=raw,file=vars.fd"]
    if spec.firmware == "uefi-secure":
        arguments += ["-global", "driver=cfi.pflash01,property=secure,value=on"]
    return arguments


def nic_arguments(spec):
    """User networking, restricted to what is forwarded inwards; the host is 10.0.2.2."""
    arguments = []
    for number in range(spec.nics):
        ports = {"tcp": spec.forwards, "udp": spec.datagrams} if number == 0 else {}
        pairs = [(kind, here, there) for kind, forwards in ports.items() for there, here in forwards.items()]
        rules = "".join(f",hostfwd={kind}:127.0.0.1:{here}-:{there}" for kind, here, there in pairs)
        arguments += ["-netdev", f"user,id=net{number}{rules}"]
        cable = f"net{number}"
        if number == 0 and spec.wire:
            arguments += wire_arguments(cable)
            cable = "hub0"
        arguments += ["-device", f"virtio-net-pci,id=nic{number},netdev={cable},mac={nic_mac(number)},romfile="]
    return arguments


def nic_mac(number):
    """The address of a network card."""
    return f"52:54:00:12:34:{0x56 + number:02x}"


def wire_arguments(cable):
    """A hub ("hub0" is the card's port of it) with the user network and a pair of sockets, a frame a datagram."""
    sockets = "local.type=unix,local.path=wire-qemu.sock,remote.type=unix,remote.path=wire-lab.sock"
    arguments = ["-netdev", f"dgram,id=wire,{sockets}"]
    for number, what in enumerate(("", f",netdev={cable}", ",netdev=wire")):
        arguments += ["-netdev", f"hubport,id=hub{number},hubid=0{what}"]
    return arguments


class Places:
    """Hands out SATA ports and PCIe slots; what is on PCIe sits behind a root port each, or it could not be
    pulled."""

    def __init__(self):
        self.sata = 0
        self.slots = 0

    def take(self, bus):
        """The next place on that bus."""
        if bus == "sata":
            self.sata += 1
            return self.sata - 1
        if bus == "virtio-scsi":
            return None
        self.slots += 1
        return f"slot{self.slots - 1}"


def storage_arguments(spec):
    """Backends and frontends of disks and medium, with the slots that they need."""
    places = Places()
    devices = [disk_device(disk, places.take(disk.bus), index + 1) for index, disk in enumerate(spec.disks)]
    arguments = ["-device", "virtio-scsi-pci,id=scsi0"]
    for slot in range(places.slots + SPARE_PORTS):
        arguments += ["-device", f"pcie-root-port,id=slot{slot},chassis={slot + 1},slot={slot + 1}"]
    for disk, device in zip(spec.disks, devices):
        arguments += ["-blockdev", json.dumps(blockdev(disk)), "-device", json.dumps(device)]
    if spec.iso:
        arguments += ["-device", "qemu-xhci,id=usb0"] if spec.iso_bus == "usb" else []
        device = iso_device(spec.iso_bus, max(places.sata, 5))
        arguments += ["-blockdev", json.dumps(iso_blockdev(spec.iso, spec.iso_bad)), "-device", json.dumps(device)]
    return arguments


def arguments(spec):
    """The whole command line. Files are named as seen from the machine's folder, which QEMU has to be started in."""
    accelerator = spec.accelerator or host.accelerator().arguments
    if not spec.virtualization:
        accelerator = host.without_virtualization(accelerator)
    # hpet=off: as libvirt and with it most providers do it; the kernel then times itself by what every processor has
    machine = "q35,hpet=off,memory-backend=ram" + (",smm=on" if spec.firmware == "uefi-secure" else "")
    command = [*host.qemu(), "-name", f"richtfest-{spec.name}", *accelerator, "-machine", machine]
    # reserve=off: 24 GB may be more than this host has, as long as the guest does not touch them all
    command += ["-object", f"memory-backend-ram,id=ram,size={spec.memory}M,reserve=off", "-m", f"{spec.memory}M"]
    command += ["-smp", f"{spec.cores},sockets=1,cores={spec.cores},threads=1", "-nodefaults", "-display", "none"]
    command += ["-device", "VGA", "-device", "virtio-rng-pci", "-boot", "menu=off", "-rtc", "base=utc"]
    command += ["-smbios", f"type=1,manufacturer=Richtfest,product=Lab,serial={spec.serial}"]
    command += ["-chardev", "socket,id=serial,path=serial.sock,server=on,wait=off,logfile=console.log,logappend=on"]
    command += ["-serial", "chardev:serial", "-qmp", "unix:qmp.sock,server=on,wait=off", "-pidfile", "qemu.pid"]
    command += [] if spec.reboot else ["-no-reboot"]
    command += ["-device", "virtio-balloon-pci,free-page-reporting=on"] if spec.balloon else []
    return command + firmware_arguments(spec) + storage_arguments(spec) + nic_arguments(spec) + list(spec.extra)


__all__ = ["Disk", "Spec", "arguments", "blockdev", "disk_device", "iso_blockdev", "iso_device"]
