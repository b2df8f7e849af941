# SPDX-License-Identifier: GPL-3.0-or-later
"""What guest-updates has found, in words for a person."""
import json
import sys
import time

sys.path.insert(0, "/usr/lib/richtfest")
import guest

STATE = "/var/lib/richtfest/updates.json"  # {at, waiting: names, error}
REBOOT_DUE = "/run/richtfest-reboot-due"  # a line for each program that runs in a version of before an update; a reboot settles it
DAYS = 4  # without an answer, after which that is said


def words():
    """Of Debian's security updates, what a person should know."""
    try:
        known = json.loads(guest.get(STATE) or "{}")
        names, error, at = known["waiting"], known["error"], known["at"]
    except (ValueError, KeyError):
        return "security updates: not asked yet"
    day = time.strftime("%Y-%m-%d", time.localtime(at))
    text = f"{len(names)} security update{'s wait' if names[1:] else ' waits'} ({_some(names)})" if names else "no security updates wait"
    if error:
        text += f", {day} it failed: {error}"
    elif at + DAYS * 86400 < time.time():
        text += f", last asked {day}"
    due = (guest.get(REBOOT_DUE) or "").splitlines()
    return text + (f"; a reboot is due for {_some(due)}" if due else "")


def _some(names):
    return ", ".join(names[:3]) + (", …" if names[3:] else "")
