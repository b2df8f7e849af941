# SPDX-License-Identifier: GPL-3.0-or-later
"""UEFI that starts signed programs only: from the ISO to the node, a kernel that apt brings, and the second disk alone on a mainboard
that has never seen it."""

import pytest

from richtfest_lab import host, small
from richtfest_lab.errors import LabMissing

pytestmark = pytest.mark.long

# Another kernel than the node's in every release of the suite: for clouds, it is small and has what QEMU's machines need.
OTHER_KERNEL = "linux-image-cloud-amd64"


@pytest.fixture
def enrolled():
    """Firmware with Microsoft's keys, which Debian's shim is signed with."""
    try:
        return host.ovmf(secure=True)
    except LabMissing as missing:
        pytest.skip(str(missing))


def check_enforced(node):
    """The firmware says that it checks signatures, and the kernel has drawn its conclusion."""
    state = node.sudo("mokutil --sb-state").stdout
    assert "SecureBoot enabled" in state, state
    assert "[integrity]" in node.sudo("cat /sys/kernel/security/lockdown").stdout


def upgrade_kernel(node):
    """What an admin's apt does when a new kernel is out; returns (the release before, the new one). Skips the test where the node
    does not reach the archive."""
    before = node.ssh("uname -r").stdout.strip()
    update = node.sudo("apt-get -q update --error-on=any", check=False, timeout=600)
    if update.returncode != 0:
        pytest.skip(f"the node does not reach its package archive: {update.stdout[-300:]}{update.stderr[-300:]}")
    node.sudo(f"env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install {OTHER_KERNEL}", timeout=1200)
    releases = node.ssh("ls /lib/modules").stdout.split()
    return before, next(release for release in releases if release != before)


def links(node):
    """Where the links that the boot entries name lead to."""
    names = ("vmlinuz", "initrd.img", "vmlinuz.old", "initrd.img.old")
    found = node.sudo("sh -c '" + "; ".join(f"readlink -e /boot/{name}" for name in names) + "'").stdout.split()
    return dict(zip(names, found))


def check_kernel(node, lab, site):
    """The new kernel is what the next boot starts, and the one before stays as the second entry."""
    before, after = upgrade_kernel(node)
    assert links(node) == {
        "vmlinuz": f"/boot/vmlinuz-{after}", "initrd.img": f"/boot/initrd.img-{after}",
        "vmlinuz.old": f"/boot/vmlinuz-{before}", "initrd.img.old": f"/boot/initrd.img-{before}",
    }
    small.back_after(node, lab, site, lambda: node.sudo("systemctl reboot", check=False))
    assert node.ssh("uname -r").stdout.strip() == after
    assert node.sudo("richtfest status").returncode == 0
    # An update that was cut short: no initrd for the newest kernel. The kernel before is booted instead.
    node.sudo(f"sh -c 'rm /boot/initrd.img-{after}; sync'")
    small.back_after(node, lab, site, node.machine.reset)
    assert node.ssh("uname -r").stdout.strip() == before
    assert node.sudo("richtfest status").returncode == 0


def test_secure_boot_a_new_kernel_and_the_second_disk_alone(lab, url_iso, site, key, enrolled, shipped_profile):
    machine = small.power_on(lab, url_iso, site, key, shipped_profile, firmware="uefi-secure")
    node = small.up_to_the_node(lab, machine, site, key)
    check_enforced(node)
    check_kernel(node, lab, site)
    small.lose_first_disk(node, lab, site, machine.forget_firmware)
    small.check_runs_on_one_disk(node)
    check_enforced(node)
