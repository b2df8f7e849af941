# SPDX-License-Identifier: GPL-3.0-or-later
"""The customer's whole company on one node: directory, CRM, terminal server, and Nextcloud where its download is in the image. Every
guest healthy, asked from outside as its users would: by the published name, and on a laptop in the VPN. Then the node reboots, and all
of it is there again without a change."""

import json
import os
import re
import subprocess
import time

import pytest

from richtfest_lab import laptop, profile, rdp_laptop
from richtfest_lab.disks import Disk
from richtfest_lab.errors import LabError
from richtfest_lab.kerberos import Kerberos
from richtfest_lab.machine import Spec, forwards, free_port
from richtfest_lab.node import COCKPIT, SSH, Node, says_nothing
from richtfest_lab.published import Published, Tryton, TrytonError

pytestmark = pytest.mark.long

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROFILE = os.path.join(ROOT, "profiles", "musterkunde.yaml")
MEMORY = int(os.environ.get("RF_LAB_MEMORY") or 24000)  # MiB; thin: the host gives what is touched
CORES = int(os.environ.get("RF_LAB_CORES") or 6)
HTTP, HTTPS, WIREGUARD = 80, 443, 51820
HIDDEN = [88, 389, 445, 636, 3389, 8000]  # what guests offer each other and the VPN, and nobody else
HEALTHY_SECONDS = 3600  # a whole company on two emulated cores
RECIPES = {"dc1": "active-directory", "crm": "tryton", "ts1": "terminal-server", "cloud": "nextcloud"}


# --- what is asked for

def lacks(program, iso):
    """{recipe: why it can't be seen with this ISO}."""
    done = subprocess.run([program, "image", "inspect", "--json", iso], capture_output=True, text=True, check=True)
    manifest = json.loads(done.stdout)["manifest"]
    files = {os.path.basename(payload["path"]) for payload in manifest["payloads"]}
    waiting = {artefact["name"]: artefact for artefact in manifest.get("artefacts", []) if artefact["state"] == "waiting"}
    reasons = {}
    for recipe in RECIPES.values():
        if f"{recipe}.qcow2" not in files:
            reasons[recipe] = f"the ISO has no image of {recipe}"
        elif recipe in waiting:
            reasons[recipe] = f"waiting for artefact {recipe} {waiting[recipe]['version']}: it was not in the cache of the image's build"
    return reasons


def with_nextcloud(text):
    """The shipped profile with the guest that stands in it as a comment."""
    block = re.search(r"^  # - name: cloud\n(?:  #.*\n)+", text, re.MULTILINE)
    assert block, "the profile has no example of Nextcloud any more"
    return text.replace(block.group(0), re.sub(r"^  # ", "  ", block.group(0), flags=re.MULTILINE))


def company(lab, key, site, reasons):
    """The customer's profile, less what this ISO lacks; says what that is. Certificates are the node's own: nobody on the Internet is
    to be asked for one of a company that is not there."""
    with open(PROFILE, encoding="utf-8") as file:
        text = file.read()
    path = lab.path("musterkunde.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text if "nextcloud" in reasons else with_nextcloud(text))
    made = profile.for_lab(path, key, site.url("/report")).set("access.tls", "own")
    for number in reversed(range(made.get("guests"))):
        recipe = made.get(f"guests.{number}.recipe")
        if recipe in reasons:
            made.remove(f"guests.{number}")
    for recipe, why in reasons.items():
        print(f"without {recipe}: {why}")
    return made


def install(lab, url_iso, site, key, program):
    """From power-on to the end of the node's first run, with every guest of the profile healthy."""
    iso, _, page = url_iso
    text = company(lab, key, site, lacks(program, iso))
    for change in profile.shrink(text, cores=CORES, memory=MEMORY):
        print(f"the lab's machine is smaller: {change}")
    site.pages[page] = text.text
    site.start()
    spec = Spec(
        name="n1", firmware="uefi", cores=CORES, memory=MEMORY, disks=[Disk("d0"), Disk("d1")], iso=iso, balloon=True,
        forwards=forwards(SSH, COCKPIT, HTTP, HTTPS, *HIDDEN), datagrams={WIREGUARD: free_port()},
    )
    machine = lab.start(spec)
    assert site.reports.wait_run_end(1, 600, lab.trouble)["state"] == "done"
    machine.wait_reboot(1, 90)
    healthy_run(lab, machine, site.reports, 2, 1)
    return Node(machine, key).wait_ssh(120).learn(site.reports), names_in(text)


def healthy_run(lab, machine, reports, run, boots):
    """Waits for the end of the node's run. A machine that has reset itself meanwhile (the emulator has faults) never comes to that end."""

    def trouble():
        if machine.reboots() > boots:
            return "the machine has reset itself\n" + machine.console.tail()
        return lab.trouble()

    ended = reports.wait_run_end(run, HEALTHY_SECONDS, trouble)
    assert ended["state"] == "done", ended


def names_in(text):
    """The guests of a profile."""
    return [text.get(f"guests.{number}.name") for number in range(text.get("guests"))]


# --- what the node says

def settled_status(node, seconds=600):
    """`richtfest status --json`, once it says healthy: two emulated cores serve the guests and all who ask them."""
    deadline = time.monotonic() + seconds
    while True:
        status = node.status()
        if status["healthy"] or time.monotonic() > deadline:
            return status
        time.sleep(5)


def check_status(node, names):
    """Every guest and every probe, in both forms."""
    status = settled_status(node)
    guests = {guest["name"]: guest for guest in status["guests"]["guests"]}
    assert list(guests) == names
    for name, guest in guests.items():
        states = {probe["probe"]: (probe["state"], probe["words"]) for probe in guest["probes"]}
        assert guest["healthy"] and states, (name, states)
        assert {state for state, _ in states.values()} == {"ok"}, (name, states)
        assert all(probe["since"] for probe in guest["probes"]), guest
    table = node.sudo("richtfest status", check=False).stdout
    for name, guest in guests.items():
        assert re.search(rf"^{name} +{guest['recipe']} +running ", table, re.MULTILINE), table
        assert all(probe["probe"] in table for probe in guest["probes"]), table
    return guests


def check_guest_list(node, names):
    """`richtfest guest list` has each of them at work."""
    lines = node.sudo("richtfest guest list").stdout.splitlines()[1:]
    assert [line.split()[0] for line in lines] == names
    assert all(" running " in line and "kept" not in line for line in lines), lines


def passwords(node, key, guest):
    """What `richtfest secrets show` hands over: {whose: password}."""
    said = node.sudo(f"richtfest secrets show {guest}").stdout
    armored = said[said.index("-----BEGIN"):]
    lines = key.decrypt(armored).splitlines()
    return {title.split()[-1]: value for title, _, value in (line.partition(": ") for line in lines) if "password" in title}


# --- from outside

def check_hidden(node):
    """Nothing but SSH, Cockpit and the web is open to the world."""
    heard = [port for port in HIDDEN if not says_nothing(node.machine.port(port))]
    assert not heard, f"open to everybody: {heard}"


def check_published(node, authority, host):
    """The web client by its name: the node's CA, HTTP sent on to HTTPS, HSTS, and no certificate for any other name."""
    site = Published(host, node.machine.port(HTTPS), authority, node.machine.port(HTTP))
    status, headers, page = site.request("GET", "/")
    assert status == 200 and b"Tryton" in page, (status, page[:300])
    assert "max-age=" in headers["Strict-Transport-Security"]
    assert "Server" not in headers or "Caddy" not in headers["Server"], dict(headers)
    status, headers, _ = site.plainly()
    assert status in (301, 308) and headers["Location"] == f"https://{host}/", (status, dict(headers))
    with pytest.raises(OSError):
        Published("other.example", node.machine.port(HTTPS), authority).request("GET", "/")
    return site


def check_crm(site, people):
    """A person of the directory writes a record and reads it back; who has the wrong password, or is not in the group, is out."""
    crm = Tryton(site).login("anna", people["anna"])
    made, = crm("model.party.party.create", [{"name": "Richtfest GmbH"}], crm.context)
    read, = crm("model.party.party.read", [made], ["name", "code"], crm.context)
    assert read["name"] == "Richtfest GmbH"
    again = Tryton(site).login("bernd", people["bernd"])
    found = again("model.party.party.search_read", [["id", "=", made]], 0, 10, None, ["name"], again.context)
    assert [record["name"] for record in found] == ["Richtfest GmbH"]
    for user, password in (("anna", "wrong-Passw0rd"), ("Administrator", people["Administrator"])):
        with pytest.raises(TrytonError):
            Tryton(site).login(user, password)


# --- on a laptop in the VPN

def peer(node, lab, name="laptop-anna"):
    """The laptop, from what `richtfest vpn show` says."""
    code = node.sudo(f"richtfest vpn show --qr {name}").stdout
    assert code.count("\n") > 20, code
    return laptop.Laptop(node.sudo(f"richtfest vpn show {name}").stdout, node.machine.spec.datagrams[WIREGUARD], lab.folder)


def wait_for_tunnel(home, address, seconds=120):
    """The first packets make the tunnel."""
    deadline = time.monotonic() + seconds
    while not home.reaches(address, 53):
        if time.monotonic() > deadline:
            raise LabError(f"no way to {address} through the VPN in {seconds} s")


def check_directory(home, lab, guests, realm, people, authority_file):
    """As a computer of the domain: SRV records, a Kerberos ticket found by them, LDAPS with a verified certificate, a file by SMB with
    that ticket."""
    zone, name = realm.lower(), guests["dc1"]["fqdn"]
    code, said = home.ask("host", "-t", "SRV", f"_ldap._tcp.{zone}")
    assert code == 0 and re.search(rf"SRV record .* 389 {re.escape(name)}\.", said), said
    kerberos = Kerberos(lab.folder, realm, run=home.run)
    code, said = kerberos.login(f"anna@{realm}", "wrong-Passw0rd")
    assert code != 0 and "Password incorrect" in said, said
    code, said = kerberos.login(f"anna@{realm}", people["anna"])
    assert code == 0, said
    code, said = kerberos.tickets()
    assert code == 0 and f"krbtgt/{realm}@{realm}" in said, said
    environment = dict(os.environ, LDAPTLS_CACERT=authority_file)
    base = ",".join(f"DC={label}" for label in zone.split("."))
    argv = ["ldapsearch", "-LLL", "-x", "-H", f"ldaps://{name}", "-D", f"anna@{zone}", "-y", "/dev/stdin", "-b", base]
    code, said = home.ask(*argv, "(sAMAccountName=anna)", "mail", input=people["anna"], environment=environment)
    assert code == 0 and "mail: anna@musterkunde.example" in said, said
    code, said = home.ask("smbclient", "--use-kerberos=required", f"//{name}/sysvol", "--command", "ls",
                          environment=kerberos.environment())
    assert code == 0 and zone in said, said


def check_rdp(home, node, lab, guests, people, authority_file):
    """RDP through the VPN: this guest's certificate; anna gets a desktop, and bernd, who is not in the group, none."""
    ts1 = guests["ts1"]
    code, said = home.ask("/usr/bin/python3", rdp_laptop.__file__, ts1["address"], ts1["fqdn"], authority_file)
    assert code == 0 and said.startswith("TLSv1."), said
    if not rdp_laptop.program():
        print("no desktop by RDP: this host has no client (apt install freerdp2-x11 or freerdp3-x11)")
        return
    with rdp_laptop.Screen(os.getpid()) as screen:
        for user, gets_in in (("anna", True), ("bernd", False)):
            client = rdp_laptop.client(home, screen, ts1["fqdn"], user, people[user], lab.path(f"rdp-{user}.log"))
            try:
                assert desktop_of(node, user, 300 if gets_in else 60) is gets_in, user
            finally:
                client.terminate()
                client.wait()


def desktop_of(node, user, seconds):
    """Whether somebody has a desktop on the terminal server, or gets one in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        code, _ = node.guest_exec("ts1", "/usr/bin/pgrep", "-u", user, "xfce4-session")
        if code == 0:
            return True
        time.sleep(3)
    return False


def check_laptop(node, lab, guests, realm, people, authority_file):
    """Everything that only a peer of the VPN reaches, and what even she does not."""
    why = laptop.missing()
    if why:
        print(f"no laptop in the VPN: {why}")
        return
    with peer(node, lab) as home:
        wait_for_tunnel(home, guests["dc1"]["address"])
        check_directory(home, lab, guests, realm, people, authority_file)
        assert not home.reaches(guests["crm"]["address"], 8000), "the CRM's own port is open to the VPN"
        assert not home.reaches(guests["dc1"]["address"], 22), "the directory's SSH is open to the VPN"
        if "ts1" in guests:
            check_rdp(home, node, lab, guests, people, authority_file)


# --- again

def picture(node, names):
    """What must be the same after a boot that had nothing to do."""
    virsh = "virsh -c qemu:///system"
    return {
        "domains": {name: node.sudo(f"{virsh} dumpxml --inactive {name}").stdout for name in names},
        "state": sorted(node.sudo("find /var/lib/richtfest/guests -type f -not -name probes.json -not -name health.json "
                                  "-printf '%p %s %T@\\n'").stdout.splitlines()),
        "proxy": node.sudo("sha256sum /etc/richtfest/proxy/Caddyfile").stdout,
        "vpn": node.sudo("richtfest vpn show laptop-anna").stdout,
        "host key": node.sudo("cat /var/lib/richtfest/ssh/ssh_host_ed25519_key.pub").stdout,
    }


def check_again(node, lab, reports, names):
    """Rebooted: all healthy again, and no step was done but those that a boot needs."""
    before, boot, run = picture(node, names), node.boot_id(), len(reports.runs()) + 1
    node.sudo("systemctl reboot", check=False)
    node.machine.wait_reboot(2, 180)
    healthy_run(lab, node.machine, reports, run, 2)
    node.wait_ssh(120)
    assert node.boot_id() != boot
    assert picture(node, names) == before
    applied = {event["step"] for event in reports.find(run=reports.runs()[run - 1], state="done") if event.get("step")}
    unexpected = {step for step in applied if not re.search(r"^(?:health|start)/", step)}
    assert not unexpected, f"done once more: {unexpected}"


def test_the_customers_whole_company(lab, url_iso, site, key, kinit, program):
    node, names = install(lab, url_iso, site, key, program)
    guests = check_status(node, names)
    check_guest_list(node, names)
    people = passwords(node, key, "dc1")
    authority = node.sudo("cat /var/lib/richtfest/ca/ca.pem").stdout
    with open(lab.path("ca.pem"), "w", encoding="ascii") as file:
        file.write(authority)
    realm = guests["dc1"]["fqdn"].partition(".")[2].upper()
    check_hidden(node)
    check_crm(check_published(node, authority, guests["crm"]["published"]), people)
    check_laptop(node, lab, guests, realm, people, lab.path("ca.pem"))
    check_again(node, lab, site.reports, names)
    check_status(node, names)
    check_crm(check_published(node, authority, guests["crm"]["published"]), people)
