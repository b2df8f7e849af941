# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy's configuration in a real Caddy, in a namespace without a way out: ACME can't be reached there. The Caddy is the node's own,
run where the image builder has it (RF_CADDY names another); skipped where there is none."""
import glob
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import pytest

from house import GOLDEN, missing, run

TOP = pathlib.Path(__file__).resolve().parents[2]
CACHE = TOP / (os.environ.get("CACHE") or os.path.join(os.environ.get("BUILD") or "build", "cache"))
HOST, OTHER = "crm.musterkunde.example", "shop.musterkunde.example"
ACME = "acme-v02.api.letsencrypt.org-directory"  # its folder in Caddy's storage: what rf_proxy_has_acme looks for
LIMIT = 100_000_000  # the test recipe's


def caddy():
    """The argv that starts it; None where there is none."""
    named = os.environ.get("RF_CADDY")
    if named:
        return [named]
    for program in sorted(glob.glob(f"{CACHE}/node-root-*/root/usr/bin/caddy")):
        root = program[: -len("/usr/bin/caddy")]
        return [f"{root}/usr/lib64/ld-linux-x86-64.so.2", "--library-path", f"{root}/usr/lib/x86_64-linux-gnu", program]
    installed = shutil.which("caddy")
    return [installed] if installed else None


CADDY = caddy()


def openssl(directory, *words):
    subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)


def certificates(directory):
    """Root and authority with the extensions that the program gives them."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-x509", "-days", "800"]
    usage = "keyUsage=critical,keyCertSign,cRLSign,digitalSignature"
    openssl(directory, "req", *key, "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=Root", "-addext", usage,
            "-addext", "basicConstraints=critical,CA:TRUE,pathlen:1")
    openssl(directory, "req", *key, "-keyout", "authority.key", "-out", "authority.pem", "-subj", "/CN=Proxy", "-CA", "root.pem",
            "-CAkey", "root.key", "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0", "-addext", usage,
            "-addext", "extendedKeyUsage=serverAuth,clientAuth", "-addext",
            f"nameConstraints=critical,permitted;DNS:{HOST},permitted;DNS:{OTHER},excluded;IP:0.0.0.0/0.0.0.0")


def held(directory):
    """A certificate in Caddy's storage as if ACME had brought it, which the root signed itself."""
    folder = directory / "state/certificates" / ACME / HOST
    folder.mkdir(parents=True)
    openssl(directory, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-x509", "-days", "90", "-keyout",
            folder / f"{HOST}.key", "-out", folder / f"{HOST}.crt", "-subj", "/CN=by ACME", "-CA", "root.pem", "-CAkey", "root.key",
            "-addext", f"subjectAltName=DNS:{HOST}", "-addext", "basicConstraints=critical,CA:FALSE")
    (folder / f"{HOST}.json").write_text(json.dumps({"sans": [HOST], "issuer_data": {"url": "https://acme.example/1"}}))


@pytest.fixture(scope="module", params=["acme", "held", "own"])
def proxy(request, tmp_path_factory):
    why = missing() or (None if CADDY else "there is no Caddy: neither an image that was built here, nor one installed (RF_CADDY names one)")
    if why:
        pytest.skip(why)
    directory = tmp_path_factory.mktemp("proxy")
    certificates(directory)
    if request.param == "held":
        held(directory)
    text = (GOLDEN / f"Caddyfile-{request.param}").read_text()
    for there, here in (("/etc/richtfest/proxy", directory), ("/run/caddy", directory), ("/var/lib/richtfest/caddy", directory / "state"),
                        ("10.20.0.11:8000", "127.0.0.1:8000"), ("10.20.0.40:8000", "127.0.0.1:8001")):
        text = text.replace(there, str(here))
    (directory / "Caddyfile").write_text(text)
    space = f"rft{os.getpid()}{request.param}"
    run("ip", "netns", "add", space)
    inside = ["ip", "netns", "exec", space]
    run("ip", "-n", space, "link", "set", "lo", "up")
    environment = dict(os.environ, HOME=str(directory), XDG_CONFIG_HOME=str(directory), XDG_DATA_HOME=str(directory))
    processes = []
    try:
        checked = subprocess.run([*CADDY, "validate", "--adapter", "caddyfile", "--config", directory / "Caddyfile"], env=environment,
                                 capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr
        processes.append(subprocess.Popen([*inside, sys.executable, pathlib.Path(__file__).with_name("web.py"), "8000"]))
        with open(directory / "log", "w", encoding="utf-8") as log:
            processes.append(subprocess.Popen([*inside, *CADDY, "run", "--config", directory / "Caddyfile"], env=environment,
                                              stdout=log, stderr=log))
        yield Client(inside, directory, request.param)
    finally:
        for process in processes:
            process.kill()
            process.wait()
        run("ip", "netns", "del", space)


class Client:
    def __init__(self, inside, directory, kind):
        self.inside, self.directory, self.kind = inside, directory, kind

    def curl(self, url, *words):
        """(status, headers and body)"""
        done = subprocess.run([*self.inside, "curl", "--silent", "--include", "--max-time", "20", "--cacert", self.directory / "root.pem",
                               "--connect-to", "::127.0.0.1:", *words, url], capture_output=True, text=True)
        return done.returncode, done.stdout

    def ready(self):
        """The proxy answers, and the application behind it (until then the proxy says 502). ACME is tried twice before the own CA."""
        until = time.monotonic() + 150
        while not self.curl(f"https://{HOST}/")[1].startswith("HTTP/2 200"):
            assert time.monotonic() < until, (self.directory / "log").read_text()[-3000:]
            time.sleep(0.5)


def test_a_name_is_served_with_a_trusted_certificate(proxy):
    proxy.ready()
    code, text = proxy.curl(f"https://{HOST}/")
    assert code == 0
    assert text.startswith("HTTP/2 200")
    assert text.lower().count("strict-transport-security: max-age=31536000") == 1
    assert f"host={HOST} proto=https for=127.0.0.1" in text


def test_a_certificate_by_acme_is_what_is_shown(proxy):
    """And it lies where the program looks for it: the folder of the own CA's certificates has the authority's name."""
    proxy.ready()
    subject = proxy.curl(f"https://{HOST}/", "--verbose", "--write-out", "%{certs}")[1]
    issuers = sorted(os.listdir(proxy.directory / "state/certificates"))
    if proxy.kind == "held":
        assert "Subject:CN = by ACME" in subject.replace("CN=", "CN = ") and ACME in issuers
    else:
        assert "by ACME" not in subject and issuers == ["richtfest"]


def test_the_guests_own_programs_take_it(proxy):
    """Python's context is strict about RFC 5280 since 3.13: probes that log in by the published name would fail."""
    proxy.ready()
    program = (f"import ssl, socket; c = ssl.create_default_context(cafile='{proxy.directory}/root.pem'); "
               "c.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN; "
               f"c.wrap_socket(socket.create_connection(('127.0.0.1', 443), 20), server_hostname='{HOST}'); print('trusted')")
    done = subprocess.run([*proxy.inside, sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "trusted\n", done.stderr


def test_http_leads_to_https(proxy):
    _, text = proxy.curl(f"http://{HOST}/path")
    assert text.startswith("HTTP/1.1 308")
    assert f"Location: https://{HOST}/path" in text


def test_what_the_application_says_of_hsts_stays(proxy):
    proxy.ready()
    text = proxy.curl(f"https://{HOST}/hsts")[1].lower()
    assert text.count("strict-transport-security:") == 1
    assert "strict-transport-security: max-age=5" in text


def test_nobody_lies_about_where_he_comes_from(proxy):
    proxy.ready()
    assert "for=127.0.0.1 " in proxy.curl(f"https://{HOST}/", "--header", "X-Forwarded-For: 8.8.8.8")[1] + " "


def test_large_bodies_pass_up_to_the_limit(proxy):
    proxy.ready()
    large = proxy.directory / "large"
    with open(large, "wb") as f:
        f.truncate(LIMIT - 1)
    assert f"body={LIMIT - 1}" in proxy.curl(f"https://{HOST}/", "--http1.1", "--data-binary", f"@{large}")[1]
    with open(large, "wb") as f:
        f.truncate(LIMIT + 1)
    code, text = proxy.curl(f"https://{HOST}/", "--http1.1", "--data-binary", f"@{large}")
    assert "HTTP/1.1 200" not in text, (code, text)


def test_a_websocket_passes(proxy):
    proxy.ready()
    text = proxy.curl(f"https://{HOST}/socket", "--http1.1", "--max-time", "6", "--header", "Connection: Upgrade", "--header",
                      "Upgrade: websocket", "--header", "Sec-WebSocket-Version: 13", "--header",
                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")[1]
    assert "101 Switching Protocols" in text
    assert "hello through the socket" in text


def test_a_guest_that_is_down_is_said_as_such(proxy):
    proxy.ready()
    assert proxy.curl(f"https://{OTHER}/")[1].startswith("HTTP/2 502")


def test_other_names_get_nothing(proxy):
    assert proxy.curl("https://bank.example/")[0] == 35  # no handshake


def test_it_takes_a_new_configuration_over_by_its_socket(proxy):
    proxy.ready()
    done = subprocess.run([*proxy.inside, *CADDY, "reload", "--config", proxy.directory / "Caddyfile", "--force"], capture_output=True,
                          text=True, env=dict(os.environ, HOME=str(proxy.directory)))
    assert done.returncode == 0, done.stderr
    assert proxy.curl(f"https://{HOST}/")[0] == 0
