# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls by a click, and who is calling: against small HTTP peers on loopback that stand for the telephone system and for the CRM."""
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
RECIPES = TOP / "postinstall/recipes"
DIAL = RECIPES / "terminal-server/files/usr/lib/richtfest/dial"
CALLER = RECIPES / "dolibarr/files/usr/lib/richtfest/dolibarr-caller.php"
APACHE = RECIPES / "dolibarr/files/etc/apache2/sites-available/dolibarr.conf"
PAGE = TOP / "docs/how-to/click-to-dial.md"
PHP = os.environ.get("RF_PHP") or shutil.which("php")
TOKEN = "Geheim-7"


class Peer:
    """A telephone system: keeps what it was asked, answers as it is told."""

    def __init__(self, answer):
        peer = self
        self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                peer.asked.append(self.path)
                answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def status(code, **headers):
    def answer(handler):
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
    return answer


def click(tmp_path, template, uri, patience=20):
    """The handler as a program of its own, as the desktop starts it; its result, and the arguments of all that it started."""
    settings, seen, tools = tmp_path / "guest.json", tmp_path / "argv", tmp_path / "bin"
    settings.write_text(json.dumps({"settings": {"dial_url": template} if template else {}}))
    tools.mkdir(exist_ok=True)
    notify = tools / "notify-send"
    notify.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" >>{seen}\n")
    notify.chmod(0o755)
    script = tmp_path / "dial"
    text = DIAL.read_text().replace('"/etc/richtfest/guest.json"', json.dumps(str(settings)))
    script.write_text(re.sub(r"^PATIENCE = 20", f"PATIENCE = {patience}", text, flags=re.M))
    done = subprocess.run([sys.executable, script, uri], capture_output=True, text=True, timeout=30,
                          env={"PATH": f"{tools}:/usr/bin:/bin", "LOGNAME": "anna müller", "LC_ALL": "C.UTF-8"})
    return done, seen.read_text() if seen.exists() else ""


@pytest.mark.parametrize("uri,number", [
    ("tel:+49-30-1234567", "%2B49301234567"), ("tel:+49%20(0)30%201234567", "%2B49301234567"), ("callto:030 / 12 34", "0301234"),
    ("sip:+49301234567@pbx.example", "%2B49301234567"), ("tel:*21#", "%2A21%23")])
def test_a_click_rings(tmp_path, uri, number):
    with Peer(status(200)) as pbx:
        done, shown = click(tmp_path, pbx.url + "/call?to={number}&from={user}&key=" + TOKEN, uri)
    assert done.returncode == 0 and not done.stderr, done
    assert pbx.asked == [f"/call?to={number}&from=anna%20m%C3%BCller&key={TOKEN}"]
    assert "wird gewählt" in done.stdout and "Anruf" in shown


def silent(handler):
    time.sleep(3)


def no_http(handler):
    handler.wfile.write(b"hello\r\n\r\n")
    handler.close_connection = True


@pytest.mark.parametrize("answer,words", [
    (status(403), "antwortet mit 403"), (status(500), "antwortet mit 500"), (silent, "antwortet nicht"), (no_http, "ihre Antwort"),
    (status(302, Location="gopher://x/"), "antwortet mit 302")])
def test_a_failure_is_said_without_the_address(tmp_path, answer, words):
    with Peer(answer) as pbx:
        done, shown = click(tmp_path, pbx.url + "/call?to={number}&key=" + TOKEN, "tel:030123", patience=1)
    assert done.returncode == 1 and words in done.stdout and words in shown, done
    for text in (done.stdout, done.stderr, shown):
        assert TOKEN not in text and "/call" not in text and "Traceback" not in text


@pytest.mark.parametrize("template,words", [
    ("http://127.0.0.1:{free}/call?to={number}&key=" + TOKEN, "nicht zu erreichen"),
    ("http://nobody.invalid/call?to={number}&key=" + TOKEN, "nicht zu erreichen"),
    ("pbx/call?to={number}&key=" + TOKEN, "Adresse der Telefonanlage ist falsch"),
    ("http://127.0.0.1/a b?to={number}&key=" + TOKEN, "Adresse der Telefonanlage ist falsch")])
def test_nobody_there(tmp_path, template, words):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        free = unused.getsockname()[1]
    done, shown = click(tmp_path, template.replace("{free}", str(free)), "tel:030123")
    assert done.returncode == 1 and words in done.stdout, done
    assert TOKEN not in done.stdout + done.stderr + shown and "Traceback" not in done.stderr


@pytest.mark.parametrize("uri", ["tel:", "tel:1", "javascript:alert(1)", "tel:;phone-context=x", "--help"])
def test_what_is_no_number_is_not_asked_for(tmp_path, uri):
    with Peer(status(200)) as pbx:
        done, _ = click(tmp_path, pbx.url + "/call?to={number}", uri)
    assert done.returncode == 1 and not pbx.asked and "keine Telefonnummer" in done.stdout


def test_without_a_telephone_system_the_number_is_shown(tmp_path):
    done, shown = click(tmp_path, None, "tel:+49-30-12")
    assert done.returncode == 0 and "+493012" in done.stdout and "+493012" in shown


def test_the_pages_example_is_what_the_recipes_take(tmp_path):
    """The worked example: both addresses, filled in as Dolibarr (urlencode) and the handler do it, give the link that the page shows."""
    page = PAGE.read_text()
    crm, desk = re.findall(r'dial_url: "([^"]+)"', page)
    shown = re.search(r"`(https://pbx\.musterkunde\.example/call\?to=%2B49301234567&from=21)`", page).group(1)
    assert crm.replace("__PHONETO__", urllib.parse.quote("+49301234567", safe="")).replace("__PHONEFROM__", "21") == shown
    with Peer(status(200)) as pbx:
        click(tmp_path, desk.replace("https://pbx.musterkunde.example", pbx.url), "tel:+49-30-1234567")
    assert pbx.asked == ["/call?to=%2B49301234567&from=anna%20m%C3%BCller"]


def test_the_crms_web_server_keeps_no_keys():
    """What stands behind "?" (the caller's number, the key) and the page before are not logged."""
    text = APACHE.read_text()
    formats = re.findall(r'LogFormat "((?:[^"\\]|\\.)*)" (\w+)', text)
    used = re.findall(r"CustomLog \S+ (\S+)", text)
    assert used == [name for _, name in formats]
    for words, _ in formats:
        assert not re.search(r"%[<>]?r|%q|%\{Referer\}i", words)


# A CRM's tables, behind what dolibarr-caller.php asks of Dolibarr.
STUB = """<?php
const MAIN_DB_PREFIX = 'llx_';
function getDolGlobalString($name) {
    return ['CLICKTODIAL_KEY_FOR_CIDLOOKUP' => 'KEY', 'RICHTFEST_COUNTRY_CODE' => '49'][$name] ?? '';
}
$conf = (object) ['entity' => 1];
$db = new class {
    public $rows;
    function escape($text) { return str_replace("'", "''", $text); }
    function query($sql) {
        preg_match("/phone LIKE '([^']*)'/", $sql, $found);
        $match = '/' . str_replace('%', '.*', preg_quote($found[1], '/')) . '/';
        $all = json_decode(file_get_contents(getenv('ROWS')));
        $this->rows = array_values(array_filter($all, fn ($r) => preg_match($match, $r->a) || preg_match($match, $r->b)));
        return true;
    }
    function fetch_object($result) { return array_shift($this->rows); }
};
"""
ROWS = [{"company": "Bau & Söhne", "person": "", "a": "+49 (0)30 / 123 45-67", "b": "", "c": ""},
        {"company": "Bau & Söhne", "person": "Eva Klein", "a": "", "b": "0171 2345678", "c": ""},
        {"company": "Wien GmbH", "person": "", "a": "0043 1 1234567", "b": "", "c": ""},
        {"company": "Zufall", "person": "", "a": "040 1234567", "b": "", "c": ""},
        {"company": "Intern", "person": "", "a": "217", "b": "", "c": ""}]


@pytest.fixture(scope="module")
def crm(tmp_path_factory):
    if not PHP:
        pytest.skip("php is not installed (package php-cli, or RF_PHP=PROGRAM)")
    folder = tmp_path_factory.mktemp("crm")
    (folder / "master.inc.php").write_text(STUB)
    (folder / "rows.json").write_text(json.dumps(ROWS))
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    server = subprocess.Popen([PHP, "-d", "display_errors=1", "-S", f"127.0.0.1:{port}", CALLER], cwd=folder, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, env=dict(os.environ, RICHTFEST_DOLIBARR=str(folder / "master.inc.php"),
                                                                  ROWS=str(folder / "rows.json")))
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.1)
    yield f"http://127.0.0.1:{port}/public/clicktodial/cidlookup.php"
    server.kill()
    server.wait()


def ask(crm, query):
    try:
        with urllib.request.urlopen(f"{crm}?{query}", timeout=20) as answer:
            return answer.status, answer.read().decode().strip()
    except urllib.error.HTTPError as why:
        return why.code, why.read().decode().strip()


@pytest.mark.parametrize("phone", ["%2B49301234567", "+49301234567", "0049301234567", "0301234567", "030%2F1234567",
                                   "%2B49%20(0)30%20123%2045-67"])
def test_a_caller_is_known_however_the_number_is_written(crm, phone):
    assert ask(crm, f"securitykey=KEY&phone={phone}") == (200, "Bau & Söhne")


@pytest.mark.parametrize("phone,name", [
    ("%2B491712345678", "Bau & Söhne, Eva Klein"), ("004311234567", "Wien GmbH"), ("%2B4311234567", "Wien GmbH"), ("217", "Intern"),
    ("0401234567", "Zufall"), ("0501234567", "Unknown"), ("1234567", "Unknown"), ("%2B43301234567", "Unknown")])
def test_and_nobody_else_is(crm, phone, name):
    assert ask(crm, f"securitykey=KEY&phone={phone}") == (200, name)


@pytest.mark.parametrize("query,status_, words", [
    ("phone=0301234567", 403, "Bad key"), ("securitykey=&phone=0301234567", 403, "Bad key"),
    ("securitykey=key&phone=0301234567", 403, "Bad key"), ("securitykey[]=KEY&phone=0301234567", 403, "Bad key"),
    ("securitykey=KEY", 400, "Bad number"), ("securitykey=KEY&phone=12", 400, "Bad number"), ("securitykey=KEY&phone[]=1234", 400, "Bad number"),
    ("securitykey=KEY&phone=" + "1" * 50, 400, "Bad number"), ("securitykey=KEY&phone='OR%201=1--%20123", 200, "Unknown")])
def test_who_may_not_ask_or_asks_nonsense(crm, query, status_, words):
    assert ask(crm, query) == (status_, words)
