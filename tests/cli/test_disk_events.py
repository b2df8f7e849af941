# SPDX-License-Identifier: GPL-3.0-or-later
"""The node looks at its disks when one comes or goes: udev's rule and the unit that it starts, as far as they can be read without a machine."""
import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[2]
ROOT = TOP / "image/data/root/usr/lib"
RULE = (ROOT / "udev/rules.d/85-richtfest-disk.rules").read_text()
UNIT = (ROOT / "systemd/system/richtfest-disk@.service").read_text()


def test_what_is_no_disk_to_the_program_is_none_to_udev():
    source = (TOP / "raid/disk_identity.c").read_text()
    prefixes = re.findall(r'"([^"]+)"', re.search(r"virtual_prefixes\[\] = \{(.*?)\};", source, re.S).group(1))
    left_out = re.search(r'^KERNEL=="([^"]+)", GOTO=', RULE, re.M).group(1).split("|")
    assert len(prefixes) > 5
    assert [prefix for prefix in [*prefixes, "loop"] if f"{prefix}*" not in left_out] == []


def test_the_rule_waits_for_the_first_run_of_the_boot():
    lock = (TOP / "installer/node_lock.c").read_text()
    directory = re.search(r'#define RF_RUN_DIR "([^"]+)"', (TOP / "base/paths.h").read_text()).group(1)
    assert '"%s/lock", directory' in lock
    assert f'TEST!="{directory}/lock", GOTO=' in RULE


def test_every_way_out_has_its_label():
    labels = set(re.findall(r'^LABEL="(\w+)"$', RULE, re.M))
    assert set(re.findall(r'GOTO="(\w+)"', RULE)) == labels and len(labels) == 1


def test_both_events_start_the_unit_that_is_there():
    assert re.search(r'^ACTION=="add", .*ENV\{SYSTEMD_WANTS\}\+="richtfest-disk@\$kernel\.service"$', RULE, re.M)
    assert re.search(r'^ACTION=="remove", RUN\+="/usr/bin/systemctl --no-block start richtfest-disk@\$kernel\.service"$', RULE, re.M)


def test_services_are_nobody_who_could_be_asked():
    for unit in (UNIT, (ROOT / "systemd/system/richtfest-apply.service").read_text()):
        assert re.search(r"^ExecStart=/usr/bin/richtfest apply --node --unattended$", unit, re.M)


def test_the_live_system_has_no_such_rule():
    assert (ROOT / "richtfest/live/run/udev/rules.d/85-richtfest-disk.rules").readlink() == pathlib.Path("/dev/null")
