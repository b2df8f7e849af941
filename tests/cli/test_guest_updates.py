# SPDX-License-Identifier: GPL-3.0-or-later
"""Security updates in guests: what is asked of apt, what is written down, and what stands in the way of it."""
import json
import os
import re
import stat
import threading
import time

import pytest

from guest_scripts import SHARED, TOP, guest, load  # noqa: F401 (guest is a fixture)

TREE = TOP / "image/data/guest-root"
SIMULATED = """Inst libssl3t64 [3.5.1-1] (3.5.1-1+deb13u1 Debian-Security:13/stable-security [amd64])
Inst base-files [13.8] (13.8+deb13u1 Debian:13.1/stable [amd64])
Inst samba-libs [4.22.3] (4.22.4 Debian:13.1/stable, Debian-Security:13/stable-security [amd64])
Conf libssl3t64 (3.5.1-1+deb13u1 Debian-Security:13/stable-security [amd64])
"""


@pytest.fixture
def night(guest, tmp_path, monkeypatch):
    """A night with tools that do as they are told: name -> (status, what it prints). Gives what was run, and the words of status."""
    work = load(SHARED / "guest-updates", "work")
    tools, log = tmp_path / "bin", tmp_path / "log"
    tools.mkdir()
    (tmp_path / "proc/1").mkdir(parents=True)
    for name in ("STATE", "REBOOT_DUE"):
        monkeypatch.setattr(work.updates, name, str(tmp_path / name))
    monkeypatch.setattr(work.guest, "LOCK", str(tmp_path / "LOCK"))
    monkeypatch.setattr(os, "fchown", lambda *_: None)
    monkeypatch.setattr(work, "REBOOT_REQUIRED", str(tmp_path / "required"))
    monkeypatch.setattr(work, "MAPS", str(tmp_path / "proc/[0-9]*/maps"))
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.setattr(work, "WAIT_SECONDS", 0)

    def run(update=0, upgrade=0, simulated=""):
        log.write_text("")
        (tmp_path / "simulated").write_text(simulated)
        for name, text in {"apt-get": f"case \"$*\" in *update) echo no route >&2; exit {update};; *) cat {tmp_path}/simulated;; esac",
                           "unattended-upgrade": f"echo broken; exit {upgrade}"}.items():
            (tools / name).write_text(f"#!/bin/sh\necho {name} \"$@\" >>{log}\n{text}\n")
            (tools / name).chmod(0o755)
        return work.main(), [line.split()[0] + " " + line.split()[-1] for line in log.read_text().splitlines()]

    return work, run


def test_what_is_left_to_do_is_written_down(night, tmp_path):
    work, run = night
    (tmp_path / "proc/1/maps").write_bytes(b"7f00 r-xp 0 08:01 7 /usr/lib/libssl.so.3\n7f01 r-xp 0 00:01 8 /memfd:x (deleted)\n/\xff\n")
    assert work.updates.words() == "security updates: not asked yet"
    assert run() == (0, ["apt-get update", "unattended-upgrade unattended-upgrade", "apt-get dist-upgrade"])
    assert work.updates.words() == "no security updates wait" and not os.path.exists(work.updates.REBOOT_DUE)
    (tmp_path / "proc/1/maps").write_text("7f00 r-xp 0 08:01 7                  /usr/lib/libssl.so.3 (deleted)\n")
    (tmp_path / "proc/1/comm").write_text("apache2\n")
    (tmp_path / "required").write_text("")
    assert run(simulated=SIMULATED)[0] == 0
    assert work.updates.words() == "2 security updates wait (libssl3t64, samba-libs); a reboot is due for apache2, the kernel"
    run(simulated=SIMULATED.splitlines()[0])
    assert work.updates.words().startswith("1 security update waits (libssl3t64); a reboot")
    (tmp_path / "required").unlink()
    (tmp_path / "proc/1/maps").unlink()
    assert run()[0] == 0 and work.updates.words() == "no security updates wait"


@pytest.mark.parametrize("broken, words, installs", [
    ({"update": 100}, "apt-get update: no route", False), ({"upgrade": 1}, "unattended-upgrade: broken", True)])
def test_what_went_wrong_is_said(night, broken, words, installs):
    work, run = night
    status, told = run(**broken, simulated=SIMULATED)
    today = time.strftime("%Y-%m-%d")
    assert status == 1 and ("unattended-upgrade unattended-upgrade" in told) == installs
    assert work.updates.words() == f"2 security updates wait (libssl3t64, samba-libs), {today} it failed: {words}"


def test_an_old_answer_says_its_age_and_a_broken_one_harms_nobody(night, tmp_path):
    work, _ = night
    (tmp_path / "STATE").write_text(json.dumps({"at": 86400 * 365, "waiting": [], "error": ""}))
    assert "last asked 1971-01-0" in work.updates.words()
    for text in ("{", "{}", ""):
        (tmp_path / "STATE").write_text(text)
        assert work.updates.words() == "security updates: not asked yet"


def test_nothing_is_installed_while_settings_are_changed(night, capsys):
    work, run = night
    locked = open(work.guest.LOCK, "w")
    work.guest.fcntl.flock(locked, work.guest.fcntl.LOCK_EX)
    assert run() == (0, []) and "the next night" in capsys.readouterr().out
    locked.close()
    assert run()[1]


def test_settings_wait_for_updates(guest, tmp_path, monkeypatch):
    monkeypatch.setattr(guest, "LOCK", str(tmp_path / "lock"))
    assert guest.alone(0)
    mine, later = guest._lock, []
    waiting = threading.Thread(target=lambda: later.append(guest.alone()))
    waiting.start()
    time.sleep(0.2)
    assert later == []
    guest.fcntl.flock(mine, guest.fcntl.LOCK_UN)
    waiting.join(10)
    assert later == [True]


def test_guests_get_debians_security_updates():
    """No guest got any: apt's timers were masked, nothing was in their place, and nothing said so."""
    words = {name: (TOP / f"image/data/guest.{name}").read_text().split() for name in ("packages", "enable", "mask")}
    assert "unattended-upgrades" in words["packages"] and "richtfest-updates.timer" in words["enable"]
    assert {"apt-daily.timer", "apt-daily-upgrade.timer", "unattended-upgrades.service"} <= set(words["mask"])
    timer = (TREE / "usr/lib/systemd/system/richtfest-updates.timer").read_text()
    assert "RandomizedDelaySec=" in timer and "Persistent" not in timer  # not behind a boot
    unit = (TREE / "usr/lib/systemd/system/richtfest-updates.service").read_text()
    made = load(SHARED / "guest.py", "made")
    assert f"ConditionPathExists={made.DONE}\n" in unit and f"ConditionPathExists=!{made.SEED}\n" in unit and "TimeoutStartSec=3h" in unit
    program = re.search(r"^ExecStart=/(\S+)$", unit, re.M).group(1)
    assert (TREE / program).stat().st_mode & stat.S_IXUSR
    conf = (TREE / "etc/apt/apt.conf.d/90richtfest-updates").read_text()
    assert "#clear Unattended-Upgrade::Origins-Pattern;" in conf and 'Automatic-Reboot "false"' in conf
    assert re.findall(r"origin=[^\"]*", conf) == ["origin=Debian,label=Debian-Security"]


def test_status_says_it_where_it_says_that_a_guest_is_configured(night, tmp_path, monkeypatch):
    _, run = night
    health = load(SHARED / "guest-health", "health")
    monkeypatch.setattr(health.updates, "STATE", str(tmp_path / "STATE"))
    run(simulated=SIMULATED)
    for status, words in ((0, "configured; 2 security updates wait (libssl3t64, samba-libs)"), (1, "configured")):
        monkeypatch.setattr(health.guest, "provisioned", lambda unit, status=status: (status, "configured"))
        assert health.provisioned("x.service") == (status, words)
