# SPDX-License-Identifier: GPL-3.0-or-later
"""What the scripts of the members of a directory do (terminal server, Nextcloud, both CRMs), without a guest."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import urllib.parse

import pytest

from guest_scripts import RECIPES, load

PHP = os.environ.get("RF_PHP") or shutil.which("php")


MEMBER = {"name": "crm", "settings": {"group": "g", "host": "crm.x"}, "secrets": {"directory_service": "pw"}, "directory": {
    "uri": "ldaps://dc1.x:636", "fqdn": "dc1.x", "zone": "x", "realm": "X", "base_dn": "DC=x", "service_dn": "CN=svc-crm,DC=x"}}


def filters_of(recipe, monkeypatch, dn):
    """By which the members of a directory are told who may in, as their programs read them."""
    where, g = RECIPES / f"{recipe}/files/usr/lib/richtfest", json.loads(json.dumps(MEMBER))
    if recipe == "tryton":
        text = load(where / "tryton.py", "tryton").config_text({**g, "service_password": "pw", "group_dn": dn})
        return urllib.parse.unquote(re.search(r"^uri = (ldaps.*)$", text, re.M).group(1).split("?")[3])
    script = {"terminal-server": "ts-provision"}.get(recipe, recipe + "-provision")
    provision = load(where / script, "provision")
    monkeypatch.setattr(provision.guest, "wait_for_directory", lambda g: None)
    monkeypatch.setattr(provision.guest, "group_dn", lambda g, password: dn)
    g["service_password"] = "pw"
    if recipe == "dolibarr":
        return provision.directory_config(g)["dolibarr_main_auth_ldap_filter"]
    if recipe == "nextcloud":
        return provision.ldap_values(g)["s01ldap_userlist_filter"]
    written = []
    monkeypatch.setattr(provision, "put", lambda path, text, *_, **__: written.append(text))
    provision.sssd(g | {"fqdn": "ts1.x"})
    return re.search(r"^ad_access_filter = DOM:x:(.*)$", written[0], re.M).group(1)


@pytest.mark.parametrize("recipe", ["tryton", "dolibarr", "nextcloud", "terminal-server"])
def test_a_groups_name_may_have_parentheses(recipe, monkeypatch):
    """`Vertrieb (Innendienst)` passes check; unescaped it made a filter that no directory understands, and nobody could log in."""
    found = filters_of(recipe, monkeypatch, "CN=Vertrieb (Innendienst?)\\, * 1,DC=x")
    mark = "\\3f" if recipe == "terminal-server" else "?"
    assert f"(memberOf:1.2.840.113556.1.4.1941:=CN=Vertrieb \\28Innendienst{mark}\\29\\5c, \\2a 1,DC=x)" in found
    assert found.count("(") == found.count(")")


@pytest.mark.parametrize("recipe", ["tryton", "dolibarr"])
def test_nobody_of_the_directory_is_the_crms_superuser(recipe, monkeypatch):
    """Who logs in by a name gets the CRM's user of that name: a directory's user admin was the one who may all."""
    for dn in (None, "CN=g,DC=x"):
        assert "(!(sAMAccountName=admin))" in filters_of(recipe, monkeypatch, dn)


def test_ini_lines_are_changed_in_their_section(tmp_path):
    ts = load(RECIPES / "terminal-server/files/usr/lib/richtfest/ts-provision", "ts")
    path = tmp_path / "xrdp.ini"
    path.write_text("[Globals]\nport=3389\n; certificate=x\ncertificate=\nkeep=1\n[Xorg]\nport=-1\n")
    ts.put.__globals__["os"].fchown = lambda *_: None
    ts.change_lines(str(path), {("Globals", "certificate"): "/c.pem", ("Globals", "new"): "2", ("Xorg", "port"): "7"})
    text = path.read_text()
    assert text == "[Globals]\nport=3389\ncertificate=/c.pem\nkeep=1\nnew=2\n[Xorg]\nport=7\n"


@pytest.fixture
def desktops(monkeypatch, tmp_path):
    """A terminal server's accounts: who has one, who is locked, whose password was set; and a run with the settings' users."""
    ts = load(RECIPES / "terminal-server/files/usr/lib/richtfest/ts-provision", "ts")
    have, locked, told = {"hand"}, set(), []
    monkeypatch.setattr(ts, "ACCOUNTS", str(tmp_path / "accounts.json"))
    monkeypatch.setattr(ts.guest, "PUBLIC", str(tmp_path / "public.json"))
    monkeypatch.setattr(os, "fchown", lambda *_: None)
    monkeypatch.setattr(ts.guest, "homes", lambda: {name: f"/home/{name}" for name in have})
    monkeypatch.setattr(ts.guest, "ask", lambda *argv, **_: (0 if argv[-1] in have else 1, "", ""))

    def run(program, *words, **more):
        told.append(program)
        if program == "useradd":
            have.add(words[-1])
        elif program == "usermod":
            (locked.add if words[0] == "--expiredate=1" else locked.discard)(words[-1])

    monkeypatch.setattr(ts.guest, "run", run)

    def configure(*names, secrets={}, admins=(), directory=None):
        told.clear()
        g = {"settings": {"users": [{"name": name} for name in names]}, "secrets": secrets, "admins": [{"name": n} for n in admins]}
        ts.note_former()
        pathlib.Path(ts.guest.PUBLIC).write_text(json.dumps(g))  # as guest.basics does
        if not directory:
            ts.local_accounts(g)
        ts.lock_former(g)
        return told

    return configure, have, locked


def test_who_leaves_a_terminal_servers_users_is_locked(desktops, tmp_path):
    """They went on logging in from home, whatever the profile said."""
    configure, have, locked = desktops
    configure("anna", "bernd")
    assert have == {"hand", "anna", "bernd"} and locked == set()
    configure("anna")
    assert have == {"hand", "anna", "bernd"} and locked == {"bernd"}
    assert configure("anna") == []
    locked.clear()
    assert configure("anna") == []  # what somebody unlocks here stays so
    assert configure("anna", "bernd", secrets={"user.bernd": "new"}) == ["usermod", "chpasswd"]
    locked.add("bernd")
    assert configure("anna", "bernd") == [] and locked == {"bernd"}  # and what somebody locks here
    configure("anna", admins=["bernd"])
    assert locked == {"bernd"} and configure() and "anna" in locked and "hand" not in locked
    (tmp_path / "accounts.json").unlink()
    (tmp_path / "public.json").write_text(json.dumps({"settings": {"users": [{"name": "hand"}]}}))
    configure(directory=True)  # of a machine whose script wrote nothing down yet
    assert "hand" in locked


def test_people_of_a_directory_that_left_the_profile_get_no_desktop(monkeypatch, tmp_path):
    """sssd went on asking it, with a password that the machine kept."""
    ts = load(RECIPES / "terminal-server/files/usr/lib/richtfest/ts-provision", "ts")
    told = []
    for name in ("SSSD", "SERVICE_PASSWORD"):
        monkeypatch.setattr(ts, name, str(tmp_path / name))
    monkeypatch.setattr(ts.guest, "systemctl", lambda *words: (told.append(words), assert_gone()))

    def assert_gone():
        assert not os.path.exists(ts.SSSD) and os.path.exists(ts.SERVICE_PASSWORD)  # killed here, it is stopped the next time

    ts.leave()
    assert told == []  # there never was one
    (tmp_path / "SSSD").write_text("[sssd]")
    (tmp_path / "SERVICE_PASSWORD").write_text("pw")
    ts.leave()
    ts.leave()
    assert told == [("stop", "sssd.service")] and os.listdir(tmp_path) == []


@pytest.mark.parametrize("keytab, answers, asked, status, words", [
    (True, [1, 1, 0], 3, None, ""), (True, [1] * 9, 4, 1, "does not confirm"), (False, [], 0, 2, "is not joined to X")])
def test_a_terminal_server_is_not_given_up_for_a_kdc_that_starts(monkeypatch, tmp_path, capsys, keytab, answers, asked, status, words):
    """It said `never` to a directory that was restarting, and told nobody what to do."""
    ts = load(RECIPES / "terminal-server/files/usr/lib/richtfest/ts-provision", "ts")
    told = []
    monkeypatch.setattr(ts, "KEYTAB", str(tmp_path / "keytab"))
    monkeypatch.setattr(ts, "kerberos", lambda d: None)
    monkeypatch.setattr(ts.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(ts.guest, "ask", lambda *argv, **_: (told.append(argv[1]), (answers.pop(0), "", ""))[1])
    if keytab:
        (tmp_path / "keytab").write_text("key")
    g = {"directory": MEMBER["directory"] | {"computer": "ts1"}, "secrets": {}}
    if status is None:
        ts.join(g)
    else:
        with pytest.raises(SystemExit) as end:
            ts.join(g)
        said = capsys.readouterr().out
        assert end.value.code == status and words in said and "take `directory` of this guest out of the profile" in said
    assert told == ["testjoin"] * asked


@pytest.fixture
def nextcloud_build(tmp_path, monkeypatch):
    """The build's script with its own places; what occ and MariaDB are told is noted."""
    build = load(RECIPES / "nextcloud/files/usr/lib/richtfest/nextcloud-build", "build")
    told = []
    monkeypatch.setattr(build.nextcloud, "INTEGRITY", str(tmp_path / "integrity"))
    for name in ("CONFIG", "DATA", "TREE"):
        monkeypatch.setattr(build, name, str(tmp_path / name))
    monkeypatch.setattr(build.nextcloud, "CONFIG", str(tmp_path / "CONFIG"))
    monkeypatch.setattr(build, "sql", lambda text: told.append("sql"))

    def occ(*words, **_):
        if words[0] == "maintenance:install":
            assert not os.listdir(build.DATA), "Login is invalid because files already exist for this user"
        told.append(words[0])
        return 0, "", ""

    monkeypatch.setattr(build, "occ", occ)
    return build, told


def test_an_installation_of_nextcloud_that_was_cut_off_is_made_again(nextcloud_build, tmp_path):
    """Killed after maintenance:install had made the administrator's files: Nextcloud refused every later attempt."""
    build, told = nextcloud_build
    (tmp_path / "DATA/ncadmin/files").mkdir(parents=True)
    (tmp_path / "DATA/ncadmin/files/Readme.md").write_text("x")
    (tmp_path / "DATA/.ncdata").write_text("")
    (tmp_path / "DATA/link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "CONFIG").write_text("half")
    build.install()
    assert told[:2] == ["sql", "maintenance:install"] and os.listdir(tmp_path / "DATA") == []


def test_nextcloud_is_not_installed_over_what_people_have(nextcloud_build, tmp_path, monkeypatch):
    """Only config.php gone: the database must not be dropped for it."""
    build, told = nextcloud_build
    (tmp_path / "DATA/anna").mkdir(parents=True)
    (tmp_path / "integrity").write_text("clean\n")
    with pytest.raises(SystemExit) as end:
        build.install()
    assert end.value.code == 2 and told == [] and os.listdir(tmp_path / "DATA") == ["anna"]
    provision = load(RECIPES / "nextcloud/files/usr/lib/richtfest/nextcloud-provision", "provision")
    monkeypatch.setattr(provision.guest, "run", lambda *argv, **_: pytest.fail(f"{argv} is run"))
    with pytest.raises(SystemExit) as end:
        provision.installed()
    assert end.value.code == 2  # the unit does not try again, and the node says why
    (tmp_path / "CONFIG").write_text("<?php")
    provision.installed()


def backup_of(recipe, tmp_path, word="make", **broken):
    """A recipe's backup script with tools that work, or end as `broken` says, and what they were asked; (status, files, what occ was told)."""
    tools, where, told = tmp_path / "bin", tmp_path / "backups", tmp_path / "told"
    for path in (tools, tmp_path / "tree"):
        path.mkdir(exist_ok=True)
    works = {"mariadb-dump": "echo half", "zstd": 'cat "$4" >"$3"', "setpriv": f'echo "$@" >>{told}'}
    for name, does in {**works, **{name.replace("_", "-"): "echo half; exit 3" for name in broken if broken[name]}}.items():
        (tools / name).write_text(f"#!/bin/sh\n{does}\n")
        (tools / name).chmod(0o755)
    text = (RECIPES / f"{recipe}/files/usr/lib/richtfest/{recipe}-backup").read_text()
    text = text.replace("/var/backups/richtfest", str(where)).replace("/var/www/nextcloud", str(tmp_path / "tree"))
    done = subprocess.run(["sh", "-c", text, "backup", word], env={"PATH": f"{tools}:/usr/bin:/bin"}, capture_output=True, text=True)
    files = sorted(os.listdir(where)) if where.exists() else []
    return done.returncode, files, re.findall(r"maintenance:mode (\S+)", told.read_text() if told.exists() else "")


@pytest.mark.parametrize("recipe", ["nextcloud", "dolibarr"])
@pytest.mark.parametrize("broken", ["mariadb_dump", "zstd"])
def test_half_a_dump_is_no_backup(recipe, broken, tmp_path):
    """The status of a pipe is its last command's: a dump that ended half-way was compressed, and the backup called good."""
    status, files, mode = backup_of(recipe, tmp_path, **{broken: True})
    assert status == 3 and files == []
    assert mode == (["--on", "--off"] if recipe == "nextcloud" else [])  # people work on
    status, files, mode = backup_of(recipe, tmp_path)
    assert status == 0 and files == [f"{recipe}.sql.zst"] and (tmp_path / f"backups/{files[0]}").read_text() == "half\n"
    assert mode[2:] == (["--on"] if recipe == "nextcloud" else [])
    status, files, mode = backup_of(recipe, tmp_path, "remove")
    assert status == 0 and files == [] and mode[3:] == (["--off"] if recipe == "nextcloud" else [])


def test_nextcloud_forgets_a_directory_that_left_the_profile(monkeypatch, tmp_path):
    """It went on asking it, with a password that it kept; people of the directory still logged in."""
    provision = load(RECIPES / "nextcloud/files/usr/lib/richtfest/nextcloud-provision", "provision")
    kept = tmp_path / "service"
    monkeypatch.setattr(provision, "SERVICE_PASSWORD", str(kept))
    monkeypatch.setattr(provision, "directory", lambda g: {"s01ldap_configuration_active": "1"})
    assert provision.apps({}) == {}  # there never was one
    kept.write_text("pw")
    provision.forget_directory(MEMBER)
    assert provision.apps(MEMBER) == {"user_ldap": {"s01ldap_configuration_active": "1"}} and kept.exists()
    assert provision.apps({}) == {"user_ldap": {"s01ldap_configuration_active": "0", "s01ldap_agent_password": ""}}
    provision.forget_directory({})
    assert not kept.exists() and provision.apps({}) == {}
    provision.forget_directory({})


# What nextcloud-lists.php asks of Nextcloud: three people, of whom one has a calendar called tasks and another one can't have a list.
CALENDARS = """<?php
namespace Sabre\\CalDAV\\Xml\\Property {
    class SupportedCalendarComponentSet { function __construct(public array $of) {} }
}
namespace {
    class Rows { function __construct(private array $of) {} function fetchOne() { return array_shift($this->of) ?? false; } }
    class Nextcloud {
        function executeQuery($sql, $with = []) {
            if (!$with) {
                return new Rows(['principals/users/anna', 'principals/users/bernd', 'principals/users/clara']);
            }
            return new Rows($with[0] === 'principals/users/anna' ? ['personal', 'Tasks', 'tasks-2'] : ['personal']);
        }
        function createCalendar($principal, $uri, $with) {
            if ($principal === 'principals/users/bernd' || ($principal === 'principals/users/anna' && $uri === 'tasks')) {
                throw new \\Exception('Duplicate entry');
            }
            echo "made $principal $uri\\n";
        }
    }
}
namespace OCP {
    class Server { static function get($name) { return new \\Nextcloud(); } }
}
"""


def test_one_persons_calendars_keep_nobody_from_a_task_list(tmp_path):
    """A calendar that somebody had called tasks ended the lists of all who came after him."""
    if not PHP:
        pytest.skip("there is no PHP (RF_PHP names one)")
    (tmp_path / "base.php").write_text(CALENDARS)
    script = (RECIPES / "nextcloud/files/usr/lib/richtfest/nextcloud-lists.php").read_text()
    (tmp_path / "lists.php").write_text(script.replace("/var/www/nextcloud/lib/base.php", str(tmp_path / "base.php")))
    done = subprocess.run([PHP, tmp_path / "lists.php"], capture_output=True, text=True)
    assert re.findall(r"^made (.*)$", done.stdout, re.M) == ["principals/users/anna tasks-3", "principals/users/clara tasks"]
    assert done.returncode == 1 and "task list for principals/users/bernd: Duplicate entry" in done.stderr
