# SPDX-License-Identifier: GPL-3.0-or-later
"""What the scripts of every guest share. A recipe's script begins with

    import sys
    sys.path.insert(0, "/usr/lib/richtfest")
    import guest

and then, to make the guest what its settings say:

    g = guest.load("tryton")     # the seed's guest.json at the first boot, standard input later (argument "-")
    guest.basics(g)              # hosts, resolver, the node's CA, this guest's certificate
    ...                          # every part looks at what is there first
    guest.finish(g)              # done mark, guest.json deleted

A run that was killed at any point is run again and converges. No secret is ever an argument, printed, or in a file that others can
read. Exit status: 0 done, 1 not yet (the unit tries again), 2 never.
"""
import base64
import fcntl
import grp
import ipaddress
import json
import os
import pwd
import secrets
import shutil
import string
import subprocess
import sys
import time

SEED = "/var/lib/richtfest/guest.json"  # written by cloud-init, 0600, deleted when all is done
PUBLIC = "/etc/richtfest/guest.json"  # the same without a secret, for health scripts
DONE = "/var/lib/richtfest/done"  # services that wait for the first configuration have a condition on it
OWED = "/run/richtfest-restart"  # services run with what they read before it changed; a reboot settles that too
TLS = "/etc/richtfest/tls"
CA_SOURCE = "/usr/local/share/ca-certificates/richtfest-node.crt"
CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
ANSWERS = "/run/richtfest-answers"  # of probes that are asked one at a time: once()
LOCK = "/run/richtfest-guest.lock"  # who changes this guest holds it
FRESH = 60  # seconds for which an answer that all is well may be given again
PASSWD = "/etc/passwd"  # the accounts of this machine; a directory's are not in it
SUDOERS = "/etc/sudoers.d/91-richtfest"
FIRST_SUDOERS = "/etc/sudoers.d/90-cloud-init-users"  # cloud-init's own, of the admins at the first boot
LOCKED = "/var/lib/richtfest/locked-admins"  # those that left the profile, and whose accounts were locked for that
ZONES, LOCALTIME, TIMEZONE = "/usr/share/zoneinfo", "/etc/localtime", "/etc/timezone"
LAN = "/etc/systemd/network/05-richtfest-lan.network"
LAN_TABLE = 20  # of routes: any number that nobody else uses
LAN_RULES = 5000  # priorities of rules from here: before the kernel's own
LAN_WIDEST = 8  # bits of the widest network that a lease may be of
CREDENTIALS = "security-credentials"  # cloud-init keeps values below this key out of its world-readable files
ARTEFACTS = "/usr/share/richtfest/artefacts"  # NAME/… each: what Debian does not carry, unpacked by the image build, or by artefacts()
DRIVE = "/dev/disk/by-label/artefacts"  # what this image was built without, and the node has brought since
T0 = time.monotonic()
_script = os.path.basename(sys.argv[0])
_lock = None


def say(text):
    print(f"{_script}: {time.monotonic() - T0:6.1f}s {' '.join(text.split())}", flush=True)


def later(text):
    """Not possible now; the unit tries again."""
    say(text)
    sys.exit(1)


def never(text):
    """Not possible at all; the health probe says so at once."""
    say(text)
    sys.exit(2)


def put(path, text, mode=0o644, owner=None, group=None, restart=False):
    """Write a whole file or none of it; flushed. True where something changed. `restart`: the services that finish() names read it when
    they start. That they must is written down first: a run that is killed behind this line finds the file unchanged the next time."""
    data = text if isinstance(text, bytes) else text.encode()
    uid = pwd.getpwnam(owner).pw_uid if owner else 0
    gid = grp.getgrnam(group).gr_gid if group else 0
    try:
        with open(path, "rb") as f:
            at = os.fstat(f.fileno())
            if f.read() == data and at.st_mode & 0o777 == mode and (at.st_uid, at.st_gid) == (uid, gid) and not os.path.islink(path):
                return False
    except OSError:
        pass
    if restart:
        open(OWED, "w").close()
    directory(os.path.dirname(path))
    temporary = path + ".new"
    if os.path.lexists(temporary):
        os.unlink(temporary)
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as f:
        f.write(data)
        os.fchown(f.fileno(), uid, gid)
        os.fchmod(f.fileno(), mode)
        f.flush()
        os.fsync(f.fileno())
    os.replace(temporary, path)
    return True


def get(path):
    """The file's text, or None."""
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        return None


def directory(path, mode=0o755, owner=None, group=None):
    if not os.path.isdir(path):
        before = os.umask(0o022)
        os.makedirs(path, exist_ok=True)
        os.umask(before)
        os.chmod(path, mode)
    if owner or group:
        shutil.chown(path, owner, group)


def run(*argv, **more):
    """A command that must work; its standard input is empty unless `input` is given."""
    if "input" not in more:
        more.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(argv, check=True, **more)


def ask(*argv, **more):
    """A command whose answer is wanted: (status, standard output, standard error)."""
    if "input" not in more:
        more.setdefault("stdin", subprocess.DEVNULL)
    more.setdefault("timeout", 120)
    done = subprocess.run(argv, capture_output=True, text=True, **more)
    return done.returncode, done.stdout, done.stderr


def systemctl(*words):
    run("systemctl", "--quiet", *words)


def random_password(length=28):
    """Satisfies every complexity rule: small, capital, digit, sign."""
    alphabet = string.ascii_letters + string.digits
    return "Aa1-" + "".join(secrets.choice(alphabet) for _ in range(length))


def kept_secret(path, length=32, owner=None, group=None, mode=0o600):
    """A secret that only this guest needs (a database's password): made once, kept in a file."""
    value = get(path)
    if not value:
        value = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))
        put(path, value, mode, owner, group)
    return value


def alone(seconds=None):
    """For the rest of this script nobody else changes this guest. Waits for who does; False where that took longer."""
    global _lock
    _lock = open(LOCK, "w")
    if seconds is None:
        fcntl.flock(_lock, fcntl.LOCK_EX)
        return True
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            if time.monotonic() >= until:
                return False
        time.sleep(1)


def load():
    """The guest's description; one run at a time. Ends the script with 0 where nothing is to be done."""
    os.umask(0o077)
    alone()
    if sys.argv[1:] == ["-"]:
        g = json.load(sys.stdin)
    elif os.path.exists(SEED):
        with open(SEED) as f:
            g = json.load(f)
    elif os.path.exists(DONE):
        sys.exit(0)
    else:
        never(f"{SEED} is not there: cloud-init did not write it")
    g["secrets"] = g.pop(CREDENTIALS, None) or {}
    g.pop(CREDENTIALS.replace("-", "_"), None)  # cloud-init's alias for templates
    g.setdefault("settings", {})
    return g


def public():
    """What this guest is, for scripts that run later; {} before the first configuration."""
    text = get(PUBLIC)
    return json.loads(text) if text else {}


def name_service(g):
    """Its own name is its address on the network, never 127.0.1.1: Kerberos and Samba look it up."""
    domain = g["fqdn"].split(".", 1)[1]
    put("/etc/hosts", f"127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n{g['address']} {g['fqdn']} {g['name']}\n")
    if os.path.islink("/etc/resolv.conf"):
        os.unlink("/etc/resolv.conf")
    put("/etc/resolv.conf", f"search {domain}\nnameserver {g.get('resolver') or g['gateway']}\n")
    if g.get("directory"):  # Kerberos compares with the directory's clock
        put("/etc/chrony/sources.d/richtfest.sources", f"server {g['directory']['address']} iburst\n")


def trust_ca(g):
    """True where the node's CA is new here: programs that were running must be started again to see it."""
    if not g.get("ca"):
        return False
    put(CA_SOURCE, g["ca"])
    bundle = get(CA_BUNDLE) or ""
    if g["ca"].strip() in bundle:  # the bundle itself is asked: a run may have been cut off before it was made
        return False
    # what update-ca-certificates would do for this one: it works through all the others too, which takes half a minute on a slow machine
    name = run("openssl", "x509", "-noout", "-subject_hash", "-in", CA_SOURCE, capture_output=True, text=True).stdout.strip()
    for link, target in (("richtfest-node.pem", CA_SOURCE), (name + ".0", "richtfest-node.pem")):
        path = os.path.join(os.path.dirname(CA_BUNDLE), link)
        if os.path.lexists(path):
            os.unlink(path)
        os.symlink(target, path)
    put(CA_BUNDLE, bundle.rstrip("\n") + "\n" + g["ca"].strip() + "\n")
    return True


def tls_files(g, group=None):
    """This guest's certificate: cert.pem, key.pem (readable for `group`), ca.pem below TLS. True where it changed."""
    key = g["secrets"].get("tls_key")
    if not g.get("certificate") or not key:
        return False
    changed = put(TLS + "/ca.pem", g["ca"], restart=True)
    changed |= put(TLS + "/key.pem", key, 0o640 if group else 0o600, None, group, restart=True)
    return put(TLS + "/cert.pem", g["certificate"], restart=True) | changed


def lan_text(lan):
    """networkd's file for the card in the customer's own network. The first card keeps the way out, the resolver and all that the node
    needs; so who asks by way of a router there is answered by way of it only because the answer's own address says so. Of a lease the
    address alone is taken: routes (option 121) would lead what the guest says elsewhere past the node, and where both cards have the same
    route the first one's has the lower metric (networkd's own is 1024). A lease's mask says what is reached by that card: with /1 that were half of
    the world, so what is wider than any network of a customer's (10.0.0.0/8) is passed over, and so is the whole of it where the first card
    knows better."""
    head = (f"# Written by richtfest; changes are overwritten.\n[Match]\nMACAddress={lan['mac']}\n\n[Link]\nRequiredForOnline=no\n\n"
            "[Network]\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n")
    if "address" not in lan:
        return head + ("DHCP=ipv4\n\n[DHCPv4]\nClientIdentifier=mac\nUseRoutes=no\nUseGateway=no\nRouteMetric=4096\nUseDNS=no\nUseNTP=no\n"
                       f"UseDomains=no\nUseHostname=no\nSendHostname=yes\nRouteTable={LAN_TABLE}\n"
                       f"\n[RoutingPolicyRule]\nTable=main\nSuppressPrefixLength=0\nPriority={LAN_RULES}\n"
                       f"\n[RoutingPolicyRule]\nTable={LAN_TABLE}\nSuppressPrefixLength={LAN_WIDEST - 1}\nPriority={LAN_RULES + 1}\n")
    text = head + f"Address={lan['address']}\n"
    if "gateway" in lan:
        at = ipaddress.ip_interface(lan["address"])
        text += (f"\n[Route]\nDestination={at.network}\nScope=link\nTable={LAN_TABLE}\n"
                 f"\n[Route]\nGateway={lan['gateway']}\nTable={LAN_TABLE}\n"
                 f"\n[RoutingPolicyRule]\nFrom={at.ip}\nTable={LAN_TABLE}\n")
    return text


def lan(g):
    """True where it changed. The card itself may come with the guest's next start only."""
    if g.get("lan"):
        changed = put(LAN, lan_text(g["lan"]))
    else:
        changed = os.path.exists(LAN)
        if changed:
            os.unlink(LAN)
    if changed:
        ask("networkctl", "reload")
    return changed


def time_zone(g):
    """What runs keeps the former one until it is started again."""
    zone = g.get("timezone")
    target = f"{ZONES}/{zone}"
    if not zone or (os.path.islink(LOCALTIME) and os.readlink(LOCALTIME) == target):
        return
    if not os.path.exists(target):
        say(f"this guest does not know the time zone {zone}; it keeps its own")
        return
    if os.path.lexists(LOCALTIME + ".new"):
        os.unlink(LOCALTIME + ".new")
    os.symlink(target, LOCALTIME + ".new")
    os.replace(LOCALTIME + ".new", LOCALTIME)
    put(TIMEZONE, zone + "\n")


def homes():
    """Of the accounts of this machine: name → home directory."""
    return {row[0]: row[5] for row in (line.split(":") for line in (get(PASSWD) or "").splitlines()) if len(row) == 7}


def authorized_keys(name, home, keys, former):
    """Their keys, beside those that somebody added here; `former` were written by the profile and go where it no longer has them."""
    path, account = home + "/.ssh/authorized_keys", pwd.getpwnam(name)
    group = grp.getgrgid(account.pw_gid).gr_name
    have = [line for line in (get(path) or "").splitlines() if line.strip() in keys or line.strip() not in former]
    lines = have + [key for key in keys if key not in (line.strip() for line in have)]
    directory(home + "/.ssh", 0o700, name, group)
    put(path, "".join(line + "\n" for line in lines), 0o600, name, group)


def admin(name, keys, former, ours):
    """An account as cloud-init makes it: by key alone, and root without a password."""
    home = homes().get(name)
    if not home:
        status, _, error = ask("useradd", "--create-home", "--shell=/bin/bash", "--groups=adm,sudo", name)
        if status:  # the directory may have somebody of that name; the guest's other settings need not wait for it
            say(f"the admin {name} gets no account here: {error}")
            return
        home = homes()[name]
    elif name in ours:
        run("usermod", "--expiredate=", name)
    authorized_keys(name, home, keys, former)


def sudoers(names):
    """Only accounts of this machine: whoever else has such a name is somebody of the directory, and no admin of ours."""
    put(SUDOERS, "".join(f"{name} ALL=(ALL) NOPASSWD:ALL\n" for name in sorted(set(names) & set(homes()))), 0o440)
    if os.path.exists(FIRST_SUDOERS):  # it would go on naming those who left
        os.unlink(FIRST_SUDOERS)


def admins(g):
    """The profile's admins, also those who come and go later. Who has gone is locked, not removed: the files are theirs. What the last
    complete run wrote (PUBLIC) tells our accounts and keys from those that somebody made here."""
    if "admins" not in g:
        return
    former = {one["name"]: one["ssh_keys"] for one in public().get("admins", [])}
    now = {one["name"]: one["ssh_keys"] for one in g["admins"]}
    locked = set((get(LOCKED) or "").split())
    for name, keys in now.items():
        admin(name, keys, former.get(name, []), locked)
    sudoers(now)
    gone = {name for name in former if name not in now and name in homes()}
    for name in sorted(gone):
        run("usermod", "--expiredate=1", name)  # sshd asks for the date, whatever key was shown
        authorized_keys(name, homes()[name], [], former[name])  # a later account of that name does not begin with these
        say(f"{name} is no longer an admin of this profile: the account is locked")
    put(LOCKED, "".join(name + "\n" for name in sorted((locked | gone) - set(now))), 0o600)


def basics(g, group=None):
    """What every guest has. True where the certificate changed."""
    name_service(g)
    if os.path.exists(DONE):  # before that they are cloud-init's, which may be at them just now
        time_zone(g)
        admins(g)
    lan(g)
    trust_ca(g)
    changed = tls_files(g, group)
    put(PUBLIC, json.dumps({k: v for k, v in g.items() if k != "secrets"}, indent=1, sort_keys=True) + "\n")
    return changed


def finish(g, restart=(), start=()):
    """All is done: services that run are restarted where they have something new to read, since this run or one that did not get as far
    (put(…, restart=True)), those that waited are started (without being waited for: they come after this unit). The mark is first, then
    the seed's file goes; killed in between, the next run finds everything done."""
    os.sync()
    put(DONE, g["name"] + "\n")
    shutil.rmtree(ANSWERS, ignore_errors=True)  # they are about what was
    if restart and os.path.exists(OWED):
        systemctl("--no-block", "try-restart", *restart)
    if os.path.exists(OWED):
        os.unlink(OWED)
    if start:
        systemctl("--no-block", "start", *start)
    if os.path.exists(SEED):
        os.unlink(SEED)
    say("done")


def _unpacked(kind, source, strip, target):
    """As the image build does it: files of root, `strip` leading directories left out. tar(1) refuses paths that lead out of it."""
    import bz2
    import gzip
    import lzma
    import zipfile
    openers = {"tar.bz2": bz2.open, "tar.gz": gzip.open, "tar.xz": lzma.open}
    if kind in openers:
        argv = ["tar", "--extract", "--no-same-owner", "--no-same-permissions", f"--strip-components={strip}", "--directory", target]
        with openers[kind](source) as packed, subprocess.Popen(argv, stdin=subprocess.PIPE) as tar:
            shutil.copyfileobj(packed, tar.stdin, 1 << 20)
            tar.stdin.close()
            if tar.wait():
                raise OSError(f"tar ended with {tar.returncode}")
    elif kind == "zip":
        with zipfile.ZipFile(source) as packed:
            for entry in packed.infolist():
                parts = [part for part in entry.filename.split("/") if part][strip:]
                if not parts or ".." in parts or entry.is_dir():
                    continue
                path = os.path.join(target, *parts)
                directory(os.path.dirname(path))
                with packed.open(entry) as content, open(path, "wb") as f:
                    shutil.copyfileobj(content, f, 1 << 20)
                os.chmod(path, entry.external_attr >> 16 & 0o777)
    else:
        shutil.copyfile(source, os.path.join(target, os.path.basename(source)))


def _ordinary_modes(tree):
    """0755 for directories and programs, 0644 for the rest, whatever it was packed with."""
    for where, _, files in os.walk(tree):
        os.chmod(where, 0o755)
        for name in files:
            path = os.path.join(where, name)
            if not os.path.islink(path):
                os.chmod(path, 0o755 if os.stat(path).st_mode & 0o100 else 0o644)


def _bring(artefact, drive):
    """Whole or not at all: a run that was cut off begins again. True where it is new here."""
    target = f"{ARTEFACTS}/{artefact['name']}"
    if os.path.exists(target):
        return False
    new = f"{ARTEFACTS}/.{artefact['name']}.new"
    shutil.rmtree(new, ignore_errors=True)
    directory(new)
    _unpacked(artefact["format"], f"{drive}/{artefact['file']}", int(artefact.get("strip", 0)), new)
    _ordinary_modes(new)
    os.sync()
    os.rename(new, target)
    return True


def artefacts():
    """Unpacks what the node has brought on a drive of its own; nothing where there is none. Before the recipe's build command is asked to
    work again. Only the first boot has the drive."""
    if not os.path.exists(DRIVE):
        return
    mounted = "/run/richtfest-artefacts"
    directory(mounted, 0o700)
    if not os.path.ismount(mounted):
        run("mount", "-t", "iso9660", "-o", "ro,nosuid,nodev,noexec", DRIVE, mounted)
    try:
        for artefact in json.loads(get(mounted + "/manifest.json") or "{}").get("artefacts", []):
            if _bring(artefact, mounted):
                say(f"artefact {artefact['name']} unpacked")
    finally:
        run("umount", mounted)


def port_open(host, port, seconds=5):
    import socket
    try:
        socket.create_connection((host, port), seconds).close()
        return True
    except OSError:
        return False


def wait_for(what, works, seconds=120):
    """Asks every half second; ends the script with 1 where it never becomes true."""
    until = time.monotonic() + seconds
    while not works():
        if time.monotonic() > until:
            later(f"{what}: not within {seconds} s")
        time.sleep(0.5)


def wait_for_directory(g):
    """The directory is healthy before its members start, but it may be restarting."""
    d = g["directory"]
    wait_for(f"the directory {d['fqdn']} answers", lambda: port_open(d["fqdn"], 636))


def ldap_escaped(text):
    return "".join(f"\\{ord(c):02x}" if c in "*()\\\0" else c for c in text)


def ldap_search(g, password, filter_, *attributes):
    """The entries as dicts of lists of texts ("dn" among them), asked as this guest's service account. Needs ldap-utils."""
    d = g["directory"]
    path = f"/run/richtfest-ldap.{os.getpid()}"
    put(path, password, 0o600)
    try:
        status, out, error = ask("ldapsearch", "-LLL", "-x", "-o", "ldif_wrap=no", "-H", d["uri"], "-D", d["service_dn"], "-y", path,
                                 "-b", d["base_dn"], filter_, *attributes, env=dict(os.environ, LDAPTLS_CACERT=CA_BUNDLE))
    finally:
        os.unlink(path)
    if status:
        later(f"searching the directory: {error.strip()}")
    entries = []
    for block in out.split("\n\n"):
        entry = {}
        for line in block.splitlines():
            name, colon, value = line.partition(":")
            if not colon or line.startswith("#"):
                continue
            text = base64.b64decode(value[1:]).decode("utf-8", "replace") if value.startswith(":") else value.strip()
            entry.setdefault(name, []).append(text)
        if "dn" in entry:
            entries.append(entry)
    return entries


def group_dn(g, password):
    """The distinguished name of settings.group; None where everybody may in."""
    name = g["settings"].get("group")
    if not g.get("directory") or not name:
        return None
    found = ldap_search(g, password, f"(&(objectClass=group)(sAMAccountName={ldap_escaped(name)}))", "dn")
    if not found:
        later(f"the directory has no group {name} yet")
    return found[0]["dn"][0]


# Health scripts: a table of questions; each returns (status, words). 0 yes, 1 not yet, 2 never.


def provisioned(unit):
    if os.path.exists(DONE) and not os.path.exists(SEED):
        return 0, "configured"
    status, out, _ = ask("journalctl", "--unit", unit, "_TRANSPORT=stdout", "--output", "cat", "--lines", "1")
    last = out.strip() or "no word from it yet"
    if subprocess.run(["systemctl", "is-failed", "--quiet", unit], stdin=subprocess.DEVNULL).returncode == 0:
        return 2, f"{unit} has failed: {last}"
    return 1, last


def password_from_stdin():
    """The secret that the node handed in; empty where it keeps it no longer."""
    return sys.stdin.readline().rstrip("\n")


def through_proxy(url):
    """For the rest of this script the host of a published address is the node, as it is for people: this machine may know the name as its
    own. Returns the address."""
    import socket
    import urllib.parse
    host, gateway, real = urllib.parse.urlsplit(url).hostname, public().get("gateway"), socket.getaddrinfo
    socket.getaddrinfo = lambda name, *rest, **more: real(gateway if gateway and name == host else name, *rest, **more)
    return url


def by_way_of(url):
    """For a probe's words."""
    return f", by {url}" if url else ""


def once(name, question):
    """For a question that two can't ask at a time, or that is dear: who comes meanwhile waits, and takes the answer that was found while he
    waited. A good one is given again for a minute; a bad one is not, because somebody may be mending it."""
    asked = time.monotonic()
    directory(ANSWERS, 0o700)
    with open(f"{ANSWERS}/{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = json.loads(get(f"{ANSWERS}/{name}") or "{}")  # the clock begins at boot, as /run does
        if known and (known["at"] >= asked or (known["status"] == 0 and known["at"] + FRESH > asked)):
            return known["status"], known["words"]
        try:
            status, words = question()
        except Exception as why:
            status, words = 1, f"{type(why).__name__}: {why}"
        put(f"{ANSWERS}/{name}", json.dumps({"at": time.monotonic(), "status": status, "words": words}), 0o600)
        return status, words


def health(questions):
    """Asks the question that the first argument names and ends the script."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in questions:
        print(f"{_script}: there are {', '.join(sorted(questions))}", file=sys.stderr)
        sys.exit(2)
    os.umask(0o077)
    try:
        status, words = questions[name](*sys.argv[2:])
    except Exception as why:  # whatever it was: the person who reads `richtfest status` wants one line
        status, words = 1, f"{type(why).__name__}: {why}"
    print(words.replace("\n", " "), file=sys.stderr if status else sys.stdout)
    sys.exit(status)
