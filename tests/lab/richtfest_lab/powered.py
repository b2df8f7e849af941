# SPDX-License-Identifier: GPL-3.0-or-later
"""Installations on a bench whose current is the lab's: what the tests of power cuts, kills and broken disks share."""

import contextlib
import os
import time

from .installation import Bench, members, text_of
from .machine import Spec
from .power import Power

SECONDS = 1800  # of an installation, on a loaded host without KVM


@contextlib.contextmanager
def bench_at_power(lab, iso, shape, name, bus="virtio-scsi"):
    """(Bench, Power) with blank disks, not started yet. At the end the machine stops, and its disks go where the test goes on well: fifty
    installations are more than a host has room for."""
    folder = lab.path(name)
    os.makedirs(folder)
    found = members(shape, folder, bus)
    with Power(folder, found) as power:
        bench = Bench(Spec(name="bench", cores=1, memory=1536, disks=found, iso=iso), folder)
        lab.machines.append(bench)
        try:
            yield bench, power
        finally:
            bench.stop()
    for disk in found:
        os.unlink(disk.path)


def install_whole(bench, shape):
    """To the end, and the picture of it."""
    code, said = bench.install(text_of(shape), seconds=SECONDS)
    assert code == 0, said
    assert not bench.left(text_of(shape))
    return bench.picture()


def undisturbed(table, lab, iso, shape, bus="virtio-scsi"):
    """What a run makes that nobody disturbs: {"picture": …, "requests": {"write": …}, …}; made once, and kept in the test's own table."""
    for row in table.rows(undisturbed=shape):
        return row
    started = time.monotonic()
    with bench_at_power(lab, iso, shape, f"undisturbed-{shape}", bus) as (bench, power):
        bench.start()
        power.count()
        code, said = bench.install(text_of(shape), seconds=SECONDS)
        assert code == 0, said
        requests = dict(power.requests)
        row = {"undisturbed": shape, "requests": requests, "picture": install_whole(bench, shape)}
    table.add(row)
    print(f"{shape}: {requests['write']} write requests, undisturbed; {time.monotonic() - started:.0f} s", flush=True)
    return row
