# SPDX-License-Identifier: GPL-3.0-or-later
"""What this host has: QEMU, firmware, an accelerator that really works, memory."""

import dataclasses
import functools
import glob
import os
import re
import shutil
import subprocess
import tempfile

from .errors import LabMissing

# Debian 12 and 13 name them alike; Debian 12 has the 2 MB files besides. The plain ones come first: shim and
# signatures are exercised by them too, and the ones with enrolled keys need SMM.
OVMF = (
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
)
OVMF_SECURE = (
    ("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"),
    ("/usr/share/OVMF/OVMF_CODE.secboot.fd", "/usr/share/OVMF/OVMF_VARS.ms.fd"),
)


TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
CACHE = os.path.join(TOP, os.environ.get("CACHE") or os.path.join(os.environ.get("BUILD") or "build", "cache"))


def need(command, package):
    """The path of a command, or a reason to skip."""
    path = shutil.which(command, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if not path:
        raise LabMissing(f"{command} is not installed (apt install {package})")
    return path


# Before 8.1 (commit deba78709a, "Always lock pages before translation") threads of the emulator may keep running code that
# another processor has just patched; the kernel patches itself while it boots, and dies of an int3 that is long gone.
QEMU_SOUND = (8, 1)


def qemu_version(command):
    """(major, minor) of an emulator."""
    text = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(number) for number in re.search(r"version (\d+)\.(\d+)", text).groups())


def image_qemu():
    """The emulator of the image's own node root, run where it lies with the root's own libraries; None where no image was
    built here yet."""
    for program in sorted(glob.glob(os.path.join(CACHE, "node-root-*/root/usr/bin/qemu-system-x86_64"))):
        root = program[: -len("/usr/bin/qemu-system-x86_64")]
        libraries = f"{root}/usr/lib/x86_64-linux-gnu"
        command = [f"{root}/usr/lib64/ld-linux-x86-64.so.2", "--library-path", libraries, program]
        return command + ["-L", f"{root}/usr/share/qemu", "-L", f"{root}/usr/share/seabios"]
    return None


@functools.lru_cache(maxsize=None)
def emulator():
    """(the beginning of a command line, what a person should know about it or None): this machine's emulator where it is sound, else
    the image's own."""
    ours = (need("qemu-system-x86_64", "qemu-system-x86"),)
    version = qemu_version(ours)
    if version >= QEMU_SOUND:
        return ours, None
    better = image_qemu()
    if better:
        return tuple(better), None
    have, least = (".".join(map(str, numbers)) for numbers in (version, QEMU_SOUND))
    return ours, (
        f"{ours[0]} is version {have}: before {least}, machines with several processors may die of an int3 while they boot. The image "
        f"has a newer one, but none is in {CACHE} (`make iso` puts it there; CACHE=DIR names another place)"
    )


def qemu():
    """The emulator, as the beginning of a command line."""
    return emulator()[0]


def ovmf(secure=False):
    """(code, template of the variables) of the UEFI firmware."""
    for code, variables in OVMF_SECURE if secure else OVMF:
        if os.path.exists(code) and os.path.exists(variables):
            return code, variables
    raise LabMissing("no UEFI firmware below /usr/share/OVMF (apt install ovmf)")


@dataclasses.dataclass(frozen=True)
class Accelerator:
    """QEMU's arguments, and why these."""

    name: str
    arguments: tuple
    reason: str


def without_virtualization(arguments):
    """The same accelerator with a processor on which no guest can run: as a server whose provider has it switched off."""
    return tuple(f"{word},-svm,-vmx" if before == "-cpu" else word for before, word in zip(("", *arguments), arguments))


# The emulated EPYC has svm, so that the node inside gets a working /dev/kvm of its own.
TCG = ("-accel", "tcg,thread=multi", "-cpu", "EPYC,+svm")
KVM = ("-accel", "kvm", "-cpu", "host")

# A processor that acknowledges its interrupts through memory (xAPIC) loses one, and stands still for good, where another one
# changes the memory map at that moment (a driver that switches a PCI device on): QEMU 10 then looks the address up in a table
# that has moved. Model-specific registers (x2APIC) go another way. A kernel takes them only where interrupts are remapped, as
# on real servers; DMA is left alone. Seen: without it 3 boots of 3 that switch devices on and off in a loop hang or die, with
# it none of 5.
X2APIC = ("-cpu", "EPYC,+svm,+x2apic", "-device", "intel-iommu,intremap=on,eim=on,dma-translation=off")
X2APIC_SINCE = (9, 0)  # emulated from then on


def tcg():
    """QEMU's arguments for emulation."""
    return TCG[:2] + X2APIC if qemu_version(qemu()) >= X2APIC_SINCE else TCG


@functools.lru_cache(maxsize=None)
def accelerator():
    """KVM where it was seen to work, emulation elsewhere. RF_ACCEL=tcg or kvm decides it by hand."""
    wish = os.environ.get("RF_ACCEL")
    if wish in ("tcg", "kvm"):
        return Accelerator(wish, KVM if wish == "kvm" else tcg(), "asked for by RF_ACCEL")
    reason = why_no_kvm()
    if reason:
        return Accelerator("tcg", tcg(), reason)
    return Accelerator("kvm", KVM, "hardware virtualization works, nested too")


def why_no_kvm():
    """Why KVM can't be used, or None. The device file alone proves nothing: a probe guest has to boot."""
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        if not re.search(r"^flags\b.*\b(svm|vmx)\b", cpuinfo.read(), re.MULTILINE):
            return "the processor shows neither svm nor vmx"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "/dev/kvm can't be opened"
    if not nested():
        return "kvm is loaded without nested virtualization, which the node's guests need"
    return None if probe_boots(KVM) else "a probe guest did not boot under KVM"


def nested():
    """Whether guests may run guests."""
    for module in ("kvm_amd", "kvm_intel"):
        try:
            with open(f"/sys/module/{module}/parameters/nested", encoding="ascii") as parameter:
                return parameter.read().strip() in ("1", "Y")
        except OSError:
            continue
    return False


PROBE_WORD = b"RF-ALIVE"


def probe_sector():
    """A boot sector (16-bit code, by hand) that says PROBE_WORD on the first serial port and switches the machine off
    through QEMU's isa-debug-exit."""
    code = bytes(
        [0xFC, 0x31, 0xC0, 0x8E, 0xD8]  # cld; xor ax,ax; mov ds,ax
        + [0xBE, 0x19, 0x7C]  # mov si, 0x7c19: the word, behind this code
        + [0xBA, 0xF8, 0x03]  # mov dx, 0x3f8: COM1
        + [0xAC, 0x84, 0xC0, 0x74, 0x03]  # next: lodsb; test al,al; jz off
        + [0xEE, 0xEB, 0xF8]  # out dx,al; jmp next
        + [0xBA, 0xF4, 0x00, 0xEE]  # off: mov dx,0xf4; out dx,al
        + [0xEB, 0xFE]  # jmp $
    )
    assert len(code) == 0x19
    return (code + PROBE_WORD + b"\n\0").ljust(510, b"\0") + b"\x55\xaa"


def probe_boots(arguments, seconds=20):
    """Whether a tiny guest really runs with this accelerator."""
    with tempfile.NamedTemporaryFile(prefix="rf-probe-", suffix=".img") as image:
        image.write(probe_sector())
        image.truncate(1 << 20)  # a disk without a single cylinder is no disk to SeaBIOS
        image.flush()
        command = [*qemu(), *arguments, "-machine", "q35", "-m", "64", "-nodefaults", "-display", "none"]
        command += ["-serial", "stdio", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
        command += ["-drive", f"if=virtio,format=raw,readonly=on,file={image.name}"]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False)
        except (subprocess.TimeoutExpired, OSError):
            return False
        return PROBE_WORD in done.stdout


def memory_available():
    """MemAvailable in bytes."""
    with open("/proc/meminfo", encoding="ascii") as meminfo:
        return int(re.search(r"^MemAvailable:\s+(\d+) kB", meminfo.read(), re.MULTILINE).group(1)) * 1024
