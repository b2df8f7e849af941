# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guests' scripts do with files and texts, without a guest."""
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import types
import urllib.parse

import pytest
import yaml

from guest_scripts import RECIPES, SHARED, TOP, guest, load  # noqa: F401 (guest is a fixture)

PHP = os.environ.get("RF_PHP") or shutil.which("php")


def test_put_writes_once_with_its_mode(guest, tmp_path):
    path = tmp_path / "a/b"
    os.umask(0o077)
    assert guest.put(str(path), "x", 0o640)
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.parent.stat().st_mode & 0o777 == 0o755
    before = path.stat().st_mtime_ns
    if os.getuid() == 0:
        assert not guest.put(str(path), "x", 0o640)
        assert path.stat().st_mtime_ns == before
    assert guest.put(str(path), "y", 0o640) and path.read_text() == "y"
    assert sorted(os.listdir(path.parent)) == ["b"]


def test_put_leaves_the_old_file_where_a_half_written_one_lies(guest, tmp_path):
    path = tmp_path / "f"
    path.write_text("old")
    (tmp_path / "f.new").write_text("half")
    guest.put(str(path), "new")
    assert path.read_text() == "new" and not (tmp_path / "f.new").exists()


def test_a_cut_off_update_of_the_bundle_is_made_again(guest, tmp_path, monkeypatch):
    """Killed between the CA's file and the bundle: the next run must not take the bundle for made."""
    monkeypatch.setattr(guest, "run", lambda *argv, **_: subprocess.CompletedProcess(argv, 0, "1234abcd\n", ""))
    pathlib.Path(guest.CA_SOURCE).write_text("-----CA-----\n")
    pathlib.Path(guest.CA_BUNDLE).write_text("others\n")
    assert guest.trust_ca({"ca": "-----CA-----\n"})
    assert pathlib.Path(guest.CA_BUNDLE).read_text() == "others\n-----CA-----\n"
    assert (tmp_path / "1234abcd.0").read_text() == "-----CA-----\n"
    assert not guest.trust_ca({"ca": "-----CA-----\n"})


def test_a_restart_that_is_owed_outlives_the_run(guest, tmp_path, monkeypatch):
    """Killed between writing and restarting: the next run finds the file as it should be, and the service never read it."""
    told = []
    monkeypatch.setattr(guest, "systemctl", lambda *words: told.append(words))
    config, restart = str(tmp_path / "config"), ("--no-block", "try-restart", "x.service")
    with monkeypatch.context() as cut_off:
        cut_off.setattr(guest.os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            guest.put(config, "1", restart=True)
    guest.put(config, "1", restart=True)  # and this run was killed right behind it
    guest.put(config, "1", restart=True)
    guest.finish({"name": "x"}, ["x.service"], ["x.service"])
    assert told == [restart, ("--no-block", "start", "x.service")]
    guest.put(config, "1", restart=True)
    guest.put(str(tmp_path / "other"), "1")  # nothing that anybody reads at his start
    guest.finish({"name": "x"}, ["x.service"])
    assert told[2:] == []
    guest.tls_files({"ca": "C", "certificate": "P", "secrets": {"tls_key": "K"}})
    guest.finish({"name": "x"}, ["x.service"])
    assert told[2:] == [restart]


@pytest.fixture
def accounts(guest, tmp_path, monkeypatch):
    """The machine's accounts as a file; what useradd and usermod are told is noted."""
    passwd, told = tmp_path / "passwd", []
    passwd.write_text(f"root:x:0:0::/root:/bin/bash\njiku:x:1000:1000::{tmp_path}/jiku:/bin/bash\n")

    def ask(*argv, **_):
        told.append(argv)
        if argv[-1] == "taken":
            return 9, "", "useradd: user 'taken' already exists"
        with open(passwd, "a", encoding="utf-8") as f:
            f.write(f"{argv[-1]}:x:1001:1001::{tmp_path}/{argv[-1]}:/bin/bash\n")
        return 0, "", ""

    monkeypatch.setattr(guest, "PASSWD", str(passwd))
    monkeypatch.setattr(guest, "ask", ask)
    monkeypatch.setattr(guest, "run", lambda *argv, **_: told.append(argv))
    monkeypatch.setattr(guest.pwd, "getpwnam", lambda name: types.SimpleNamespace(pw_uid=0, pw_gid=0))
    monkeypatch.setattr(guest.shutil, "chown", lambda *_: None)

    def configure(**admins):
        told.clear()
        g = {"name": "x", "admins": [{"name": name, "ssh_keys": keys} for name, keys in admins.items()]}
        guest.admins(g)
        pathlib.Path(guest.PUBLIC).write_text(json.dumps(g))
        return list(told)

    keys = lambda name: (tmp_path / name / ".ssh/authorized_keys").read_text().splitlines()
    return configure, keys


def test_admins_who_come_later_reach_guests_that_are_there(guest, accounts, tmp_path):
    configure, keys = accounts
    assert configure(jiku=["ssh-a 1"]) == []
    with open(tmp_path / "jiku/.ssh/authorized_keys", "a", encoding="utf-8") as f:
        f.write("# by hand\nssh-a hand\n")
    assert configure(jiku=["ssh-a 2", "ssh-a 3"], anna=["ssh-a 4"], taken=["ssh-a 5"])[0] == (
        "useradd", "--create-home", "--shell=/bin/bash", "--groups=adm,sudo", "anna")
    assert keys("jiku") == ["# by hand", "ssh-a hand", "ssh-a 2", "ssh-a 3"]  # a key that left the profile opens nothing
    assert keys("anna") == ["ssh-a 4"]
    assert "anna ALL=(ALL) NOPASSWD:ALL\n" in pathlib.Path(guest.SUDOERS).read_text()
    assert os.stat(guest.SUDOERS).st_mode & 0o777 == 0o440
    assert os.stat(tmp_path / "anna/.ssh").st_mode & 0o777 == 0o700


def test_admins_who_go_are_locked_and_may_come_back(guest, accounts):
    configure, keys = accounts
    configure(jiku=["ssh-a 1"], anna=["ssh-a 4"])
    assert configure(anna=["ssh-a 4"]) == [("usermod", "--expiredate=1", "jiku")] and keys("jiku") == []
    assert "jiku" not in pathlib.Path(guest.SUDOERS).read_text()
    assert configure(anna=["ssh-a 4"]) == []
    assert configure(jiku=["ssh-a 1"], anna=["ssh-a 4"]) == [("usermod", "--expiredate=", "jiku")]
    assert configure(jiku=["ssh-a 1"], anna=["ssh-a 4"]) == []  # what somebody locks here stays locked
    assert "anna" in pathlib.Path(guest.SUDOERS).read_text()
    guest.admins({"name": "x"})  # a description without admins says nothing about them
    assert "anna" in pathlib.Path(guest.SUDOERS).read_text()


def test_somebody_of_the_directory_with_an_admins_name_is_no_root(guest, accounts):
    """sudo asks for the name alone: who is called in the directory like an admin of the profile was root on the terminal server."""
    configure, _ = accounts
    first = pathlib.Path(guest.FIRST_SUDOERS)
    first.write_text("jiku ALL=(ALL) NOPASSWD:ALL\ntaken ALL=(ALL) NOPASSWD:ALL\n")
    configure(jiku=["ssh-a 1"], taken=["ssh-a 5"], anna=["ssh-a 4"])
    assert pathlib.Path(guest.SUDOERS).read_text() == "anna ALL=(ALL) NOPASSWD:ALL\njiku ALL=(ALL) NOPASSWD:ALL\n" and not first.exists()


def test_the_time_zone_follows_the_profile(guest, tmp_path, monkeypatch):
    monkeypatch.setattr(guest, "ZONES", str(tmp_path / "zones"))
    (tmp_path / "zones/Europe").mkdir(parents=True)
    for zone in ("Berlin", "Wien"):
        (tmp_path / f"zones/Europe/{zone}").write_text("TZif")
    for zone in ("Berlin", "Wien", "Nowhere"):
        guest.time_zone({"timezone": f"Europe/{zone}"})
    guest.time_zone({})
    assert os.readlink(guest.LOCALTIME) == str(tmp_path / "zones/Europe/Wien")
    assert pathlib.Path(guest.TIMEZONE).read_text() == "Europe/Wien\n"


def test_a_desktop_is_asked_for_by_one_at_a_time(guest, monkeypatch):
    """status and a run asked side by side: each ended the other's session, and a guest that was well was not healthy."""
    asked, begun, go = [], threading.Event(), threading.Event()
    at_lock = threading.Semaphore(0)
    real = guest.fcntl
    monkeypatch.setattr(guest, "fcntl", types.SimpleNamespace(LOCK_EX=real.LOCK_EX, flock=lambda *a: (at_lock.release(), real.flock(*a))))

    def slow(answer):
        asked.append(answer)
        begun.set()
        assert go.wait(10)
        return answer

    first, second = [], []
    one = threading.Thread(target=lambda: first.append(guest.once("desktop", lambda: slow((1, "no desktop")))))
    one.start()
    assert begun.wait(10)
    other = threading.Thread(target=lambda: second.append(guest.once("desktop", lambda: slow((0, "its own")))))
    other.start()
    assert at_lock.acquire(timeout=10) and at_lock.acquire(timeout=10)
    go.set()
    one.join(), other.join()
    assert first == second == [(1, "no desktop")] and len(asked) == 1
    assert guest.once("desktop", lambda: (0, "mended")) == (0, "mended")  # a bad answer is not given again
    assert guest.once("desktop", lambda: (1, "never asked")) == (0, "mended")
    monkeypatch.setattr(guest, "FRESH", 0)
    assert guest.once("desktop", lambda: 1 // 0) == (1, "ZeroDivisionError: integer division or modulo by zero")
    monkeypatch.setattr(guest, "FRESH", 60)
    guest.once("desktop", lambda: (0, "well"))
    guest.finish({"name": "x"})
    assert guest.once("desktop", lambda: (1, "changed")) == (1, "changed")  # what was before a change says nothing


def test_public_part_holds_no_secret(guest, monkeypatch):
    monkeypatch.setattr(guest, "name_service", lambda g: None)
    monkeypatch.setattr(guest, "trust_ca", lambda g: False)
    guest.basics({"name": "x", "ca": "C", "certificate": "P", "secrets": {"admin": "Geheim", "tls_key": "Schluessel"}})
    assert json.loads(pathlib.Path(guest.PUBLIC).read_text()) == {"name": "x", "ca": "C", "certificate": "P"}
    assert os.stat(guest.TLS + "/key.pem").st_mode & 0o777 == 0o600


def test_cloud_init_is_left_alone_at_the_first_boot(guest, monkeypatch):
    """It replaces /etc/localtime in two steps, and fails for good where somebody else has come in between."""
    told = []
    for name in ("name_service", "trust_ca", "lan"):
        monkeypatch.setattr(guest, name, lambda g: False)
    for name in ("time_zone", "admins"):
        monkeypatch.setattr(guest, name, lambda g, name=name: told.append(name))
    guest.basics({"name": "x", "secrets": {}})
    assert told == []
    pathlib.Path(guest.DONE).write_text("x\n")
    guest.basics({"name": "x", "secrets": {}})
    assert told == ["time_zone", "admins"]


def test_the_second_card_is_set_up_by_the_guest(guest, tmp_path, monkeypatch):
    """A fixed address answers by its own router; DHCP brings no way out, no resolver. Gone from the profile, the file goes."""
    told = []
    monkeypatch.setattr(guest, "LAN", str(tmp_path / "network/05-lan.network"))
    monkeypatch.setattr(guest, "ask", lambda *argv, **_: told.append(argv) or (0, "", ""))
    card = {"mac": "52:54:00:37:1c:0a"}
    assert guest.lan({"lan": {**card, "address": "203.0.113.5/24", "gateway": "203.0.113.9"}})
    text = pathlib.Path(guest.LAN).read_text()
    assert "MACAddress=52:54:00:37:1c:0a\n" in text and "Address=203.0.113.5/24\n" in text
    assert "[Route]\nDestination=203.0.113.0/24\nScope=link\nTable=20\n" in text
    assert "[Route]\nGateway=203.0.113.9\nTable=20\n" in text and "[RoutingPolicyRule]\nFrom=203.0.113.5\nTable=20\n" in text
    assert not guest.lan({"lan": {**card, "address": "203.0.113.5/24", "gateway": "203.0.113.9"}})
    assert guest.lan({"lan": card})
    text = pathlib.Path(guest.LAN).read_text()
    assert "DHCP=ipv4\n" in text and "UseGateway=no\n" in text and "UseRoutes=no\n" in text and "UseDNS=no\n" in text and "Gateway=2" not in text
    assert guest.lan({}) and not os.path.exists(guest.LAN) and not guest.lan({})
    assert told == [("networkctl", "reload")] * 3


def test_a_word_is_one_line(guest, capsys):
    with pytest.raises(SystemExit) as end:
        guest.later("ldap_bind: refused\n\tmore of it\n")
    assert end.value.code == 1
    assert capsys.readouterr().out.count("\n") == 1


def test_ldif_is_read_with_its_base64(guest, monkeypatch):
    ldif = "dn: CN=a,DC=x\ncn: a\n\ndn:: Q049TcO8bGxlcixEQz14\nmemberOf: G1\nmemberOf: G2\n\n# refldaps://x/CN=Configuration\n"
    monkeypatch.setattr(guest, "ask", lambda *a, **k: (0, ldif, ""))
    monkeypatch.setattr(guest, "put", lambda path, *a: pathlib.Path("/tmp/" + os.path.basename(path)).write_text("") or True)
    monkeypatch.setattr(guest.os, "unlink", lambda path: None)
    found = guest.ldap_search({"directory": {"uri": "ldaps://d", "service_dn": "S", "base_dn": "B"}}, "p", "(x)", "cn")
    assert [e["dn"] for e in found] == [["CN=a,DC=x"], ["CN=Müller,DC=x"]] and found[1]["memberOf"] == ["G1", "G2"]
    assert guest.ldap_escaped("a*(b)\\") == "a\\2a\\28b\\29\\5c"


def packed(directory, kind):
    """An archive of that kind with a leading directory, a program and a link; its file name."""
    inside = directory / "inside/app-1.0"
    (inside / "bin").mkdir(parents=True)
    (inside / "bin/run").write_text("#!/bin/sh\n")
    (inside / "bin/run").chmod(0o6755)
    (inside / "hello").write_text("hello\n")
    shutil.make_archive(str(directory / "app-1.0"), {"tar.bz2": "bztar", "tar.gz": "gztar", "tar.xz": "xztar", "zip": "zip"}[kind],
                        directory / "inside", "app-1.0")
    return f"app-1.0.{kind}"


@pytest.fixture
def drive(guest, tmp_path, monkeypatch):
    """The node's drive as a directory: mounting is noted."""
    mounted, commands = tmp_path / "drive", []
    mounted.mkdir()
    monkeypatch.setattr(guest, "ARTEFACTS", str(tmp_path / "artefacts"))
    monkeypatch.setattr(guest, "DRIVE", str(mounted))
    monkeypatch.setattr(guest, "run", lambda *argv, **_: commands.append(argv[0]))
    monkeypatch.setattr(guest, "get", lambda path: (mounted / "manifest.json").read_text())
    real = guest._bring
    monkeypatch.setattr(guest, "_bring", lambda artefact, _: real(artefact, str(mounted)))
    monkeypatch.setattr(guest, "directory", lambda path, *a: None if path.startswith("/run") else os.makedirs(path, exist_ok=True))
    return mounted, commands


@pytest.mark.parametrize("kind", ["tar.bz2", "tar.gz", "tar.xz", "zip"])
def test_artefacts_are_unpacked_as_the_image_build_does_it(guest, drive, tmp_path, kind):
    mounted, commands = drive
    os.umask(0o077)
    (mounted / "manifest.json").write_text(json.dumps({"artefacts": [
        {"name": "app", "file": packed(mounted, kind), "format": kind, "strip": 1}]}))
    guest.artefacts()
    app = tmp_path / "artefacts/app"
    assert (app / "hello").read_text() == "hello\n"
    assert (app / "hello").stat().st_mode & 0o7777 == 0o644
    assert (app / "bin/run").stat().st_mode & 0o7777 == 0o755  # what it was packed with is not kept
    assert commands == ["mount", "umount"]
    (app / "hello").unlink()
    guest.artefacts()  # it is there: nothing is done again
    assert not (app / "hello").exists()
    assert os.listdir(tmp_path / "artefacts") == ["app"]


def test_an_artefact_that_was_cut_off_is_unpacked_again(guest, drive, tmp_path):
    mounted, _ = drive
    (mounted / "manifest.json").write_text(json.dumps({"artefacts": [
        {"name": "app", "file": packed(mounted, "tar.gz"), "format": "tar.gz", "strip": 1}]}))
    (tmp_path / "artefacts/.app.new/half").mkdir(parents=True)
    guest.artefacts()
    assert sorted(os.listdir(tmp_path / "artefacts/app")) == ["bin", "hello"]


def test_a_broken_archive_leaves_no_half_artefact(guest, drive, tmp_path):
    mounted, commands = drive
    name = packed(mounted, "tar.gz")
    (mounted / name).write_bytes((mounted / name).read_bytes()[:-20])
    (mounted / "manifest.json").write_text(json.dumps({"artefacts": [{"name": "app", "file": name, "format": "tar.gz", "strip": 1}]}))
    with pytest.raises((OSError, EOFError)):
        guest.artefacts()
    assert not (tmp_path / "artefacts/app").exists()
    assert commands[-1] == "umount"


def test_a_guest_without_the_drive_has_its_artefacts(guest, tmp_path, monkeypatch):
    monkeypatch.setattr(guest, "DRIVE", str(tmp_path / "none"))
    monkeypatch.setattr(guest, "run", lambda *_, **__: pytest.fail("nothing is to be done"))
    guest.artefacts()


@pytest.mark.parametrize("uri, number", [
    ("tel:+49-30-1234567", "+49301234567"), ("tel:+49%2030%20123", "+4930123"), ("callto:030 / 123", "030123"), ("tel://0301", "0301"),
    ("sip:+4930123@pbx.example;user=phone", "+4930123"), ("tel:+49 (0) 30 12", "+493012"), ("tel:*21#", "*21#"), ("tel:", ""),
    ("tel:javascript", "")])
def test_dialled_numbers(uri, number):
    assert load(RECIPES / "terminal-server/files/usr/lib/richtfest/dial", "dial").number_of(uri) == number


@pytest.mark.parametrize("status", [200, 404])
def test_a_click_asks_the_telephone_system(tmp_path, monkeypatch, capsys, status):
    """A small HTTP peer stands for the telephone system."""
    asked = []

    class Peer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    peer = http.server.HTTPServer(("127.0.0.1", 0), Peer)
    threading.Thread(target=peer.handle_request, daemon=True).start()
    dial = load(RECIPES / "terminal-server/files/usr/lib/richtfest/dial", "dial")
    settings = tmp_path / "guest.json"
    url = f"http://127.0.0.1:{peer.server_port}/call?to={{number}}&from={{user}}"
    settings.write_text(json.dumps({"settings": {"dial_url": url}}))
    monkeypatch.setattr(dial, "SETTINGS", str(settings))
    monkeypatch.setattr(dial.getpass, "getuser", lambda: "anna müller")
    monkeypatch.setattr(dial.sys, "argv", ["dial", "tel:+49-30-1234567"])
    assert dial.main() == (0 if status == 200 else 1)
    peer.server_close()
    assert asked == ["/call?to=%2B49301234567&from=anna%20m%C3%BCller"]
    assert ("wird gewählt" if status == 200 else "Kein Anruf") in capsys.readouterr().out


def test_php_configuration_is_quoted(tmp_path, monkeypatch):
    dolibarr = load(RECIPES / "dolibarr/files/usr/lib/richtfest/dolibarr.py", "dolibarr")
    conf = tmp_path / "conf.php"
    conf.write_text("<?php\n$a = 'old';\n$gone='x';\n?>\n")
    monkeypatch.setattr(dolibarr, "CONFIG", str(conf))
    monkeypatch.setattr(dolibarr.guest, "put", lambda path, text, *_: pathlib.Path(path).write_text(text))
    dolibarr.change_config({"a": "it's \\ new", "gone": None, "added": "$x"})
    assert conf.read_text() == "<?php\n$a = 'it\\'s \\\\ new';\n$added = '$x';\n"
    assert dolibarr.config_value("a") == "it's \\ new" and dolibarr.config_value("gone") is None


def test_the_crm_unlocks_only_whom_it_locked():
    """The CRM's admin locked somebody who is still in the directory; within minutes she could log in again."""
    if not PHP:
        pytest.skip("there is no PHP (RF_PHP names one)")
    cases = [("directory", 1, True), ("directory", 1, False), ("directory:locked", 0, False), ("directory:locked", 0, True),
             ("directory", 0, True), ("directory", 0, False), ("", 0, True), ("", 1, False),
             ("directory:locked", 1, False), ("directory:locked", 1, True)]  # cut off between the mark and the status
    code = (f"require '{RECIPES}/dolibarr/files/usr/lib/richtfest/dolibarr-people.php';"
            "foreach (json_decode(stream_get_contents(STDIN)) as $c) { echo json_encode(decided(...$c)), \"\\n\"; }")
    done = subprocess.run([PHP, "-r", code], input=json.dumps(cases), capture_output=True, text=True, check=True)
    assert [tuple(json.loads(line)) for line in done.stdout.splitlines()] == [
        ("directory", 1), ("directory:locked", 0), ("directory:locked", 0), ("directory", 1),
        ("directory", 0), ("directory", 0), ("", 0), ("", 1), ("directory:locked", 0), ("directory", 1)]


def test_tryton_names_its_service_account_and_group():
    tryton = load(RECIPES / "tryton/files/usr/lib/richtfest/tryton.py", "tryton")
    text = tryton.config_text({"directory": {"uri": "ldaps://dc1.x:636", "base_dn": "DC=x", "service_dn": "CN=svc-crm,OU=R,DC=x"},
                               "service_password": "p%w", "group_dn": "CN=g,DC=x"})
    uri = re.search(r"^uri = (ldaps.*)$", text, re.M).group(1)
    base, attributes, scope, wanted, service = uri.split("?")
    assert scope == "subtree" and "memberOf" in wanted and service == "bindname=CN%3Dsvc-crm%2COU%3DR%2CDC%3Dx"
    assert "bind_pass = p%w\n" in text


@pytest.mark.parametrize("folder", sorted(p.parent.name for p in RECIPES.glob("*/recipe.yaml")))
def test_recipes_hold_together(folder):
    """What recipe.yaml names is in files/, scripts can be run and parsed, units wait for what they must wait for."""
    recipe = yaml.safe_load((RECIPES / folder / "recipe.yaml").read_text())
    files = RECIPES / folder / "files"
    image = recipe.get("image") or {}  # of the recipe `image` the node fetches it: nothing of ours is in it
    assert image or recipe["fetch"]
    commands = [image.get("build"), recipe.get("configure"), *(recipe.get("backup") or {}).values()]
    commands += [probe.get("argv") for probe in recipe["health"]["probes"]]
    for argv in commands:
        for word in (argv or [])[:1]:
            if word.startswith("/usr/lib/richtfest/"):
                found = [root / word.lstrip("/") for root in (files, TOP / "image/data/guest-root") if (root / word.lstrip("/")).exists()]
                assert found and os.access(found[0], os.X_OK), word
    for script in (files / "usr/lib/richtfest").glob("*"):
        if script.read_text().startswith(("#!/usr/bin/python3", "# SPDX")) and script.suffix != ".php":
            compile(script.read_text(), str(script), "exec")
        elif script.read_text().startswith("#!/bin/sh"):
            assert subprocess.run(["sh", "-n", script]).returncode == 0
    for unit in image.get("enable", []):
        if unit.startswith("richtfest-"):
            assert (files / "etc/systemd/system" / unit).exists(), unit
    for unit in (files / "etc/systemd/system").glob("*-provision.service"):
        text = unit.read_text()
        assert "ConditionPathExists=/var/lib/richtfest/guest.json" in text and "RestartPreventExitStatus=2" in text


def test_what_gives_up_on_a_slow_machine_is_started_again():
    """sssd ends where its providers take more than five seconds, and Debian's unit leaves it at that."""
    sssd = (RECIPES / "terminal-server/files/etc/systemd/system/sssd.service.d/richtfest.conf").read_text()
    assert "\nRestart=on-failure\n" in sssd and "\nStartLimitIntervalSec=0\n" in sssd


def test_a_slow_start_is_no_end():
    """Seen after a node's reboot: the directory's daemon took longer than systemd's 90 seconds, and was never started again."""
    manager = (TOP / "image/data/guest-root/etc/systemd/system.conf.d/richtfest.conf").read_text()
    assert re.search(r"^DefaultTimeoutStartSec=10min$", manager, re.M)
    samba = (RECIPES / "active-directory/files/etc/systemd/system/samba-ad-dc.service.d/richtfest.conf").read_text()
    assert re.search(r"^\[Service\]\nRestart=on-failure$", samba, re.M)


def test_a_first_boot_that_was_cut_off_is_begun_again():
    """Seen in a guest that lost its power there: its description, its host key and cloud-init's marks were there, and empty."""
    guest = load(SHARED / "guest.py", "guest")
    unit = (TOP / "image/data/guest-root/usr/lib/systemd/system/richtfest-begin-again.service").read_text()
    assert "richtfest-begin-again.service" in (TOP / "image/data/guest.enable").read_text().split()
    assert f"ConditionPathExists=!{guest.DONE}\n" in unit and "Before=cloud-init-main.service" in unit
    gone = " ".join(re.findall(r"^ExecStart=/usr/bin/rm (.*)$", unit, re.M)).split()
    assert {"/var/lib/cloud/instance", "/var/lib/cloud/instances", "/var/lib/cloud/sem", guest.SEED} <= set(gone)
    # cloud-init keeps a host key that is there, whatever is in it
    assert "ssh_deletekeys: false" in (TOP / "image/data/guest-root/etc/cloud/cloud.cfg.d/90_richtfest.cfg").read_text()
    assert "/etc/ssh/ssh_host_ed25519_key" in gone


def test_user_data_is_the_same_everywhere():
    texts = {p.name: (p / "user-data.j2").read_text() for p in RECIPES.iterdir() if (p / "recipe.yaml").exists()}
    others = texts.pop("image")  # without the file for our own scripts
    assert len(set(texts.values())) == 1
    assert texts["debian"].startswith(others) and texts["debian"][len(others):].startswith("write_files:")


USER_DATA = pytest.mark.parametrize("recipe", sorted(p.parent.name for p in RECIPES.glob("*/user-data.j2")))


@USER_DATA
def test_what_the_seed_fills_in_is_quoted(recipe):
    """An admin `no`, a guest `0x10` or `on`: unquoted, YAML reads a truth or a number, and cloud-init makes no such account."""
    text = (RECIPES / recipe / "user-data.j2").read_text()
    assert [found for found in re.findall(r"{{(.*?)}}", text) if not found.rstrip().endswith("| tojson")] == []


@USER_DATA
def test_names_are_words_whatever_they_are_called(recipe):
    jinja = pytest.importorskip("jinja2")  # with which cloud-init fills it in
    rf = {"name": "0x10", "fqdn": "0x10.on", "timezone": "Europe/Berlin", "admins": [{"name": "no", "ssh_keys": ["ssh-a 1"]}]}
    made = yaml.safe_load(jinja.Template((RECIPES / recipe / "user-data.j2").read_text()).render(ds={"meta_data": {"richtfest": rf}}))
    assert (made["hostname"], made["fqdn"], made["timezone"], made["users"][0]["name"]) == ("0x10", "0x10.on", "Europe/Berlin", "no")


@pytest.mark.parametrize("password, status", [("right", 0), ("wrong", 1)])
def test_the_crm_is_logged_in_to_as_people_do(guest, monkeypatch, password, status):
    """By the page, because the interface for programs is closed to the network; and where the name leads people, whatever it is here."""
    seen = []

    class Page(http.server.BaseHTTPRequestHandler):
        def page(self, body):
            seen.append((self.command, self.headers["Host"], self.headers.get("Cookie")))
            self.send_response(200)
            self.send_header("Set-Cookie", "DOLSESSID_1=s; path=/")
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            self.page(b'<form><input type="hidden" name="token" value="t&amp;1"></form>')

        def do_POST(self):
            form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            fine = form["token"] == ["t&1"] and form["password"] == ["right"] and form["username"] == ["richtfest-probe"]
            self.page(b'<a href="/user/logout.php">' if fine else b"Bad value for login or password")

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    health = load(RECIPES / "dolibarr/files/usr/lib/richtfest/dolibarr-health", "health")
    monkeypatch.setattr(socket, "getaddrinfo", socket.getaddrinfo)  # put back at the end
    monkeypatch.setattr(health.guest, "public", lambda: {"directory": {"name": "dc1"}, "gateway": "127.0.0.1"})
    monkeypatch.setattr(health.guest, "password_from_stdin", lambda: password)
    name = f"crm.musterkunde.example:{server.server_port}"
    assert health.login(f"http://{name}")[0] == status
    server.shutdown(), server.server_close()
    assert seen == [("GET", name, None), ("POST", name, "DOLSESSID_1=s")]
