# SPDX-License-Identifier: GPL-3.0-or-later
"""A web server on the loopback as a provider's would be: good, slow, broken, or gone. It serves profiles and takes
reports."""

import http.server
import json
import os
import ssl
import subprocess
import threading
import time

from . import host
from .reports import Reports

GUEST_SEES = "10.0.2.2"  # this host, seen from behind QEMU's user network


class Answer:
    """What a path gives. Variants override answer(), which gets the request's handler."""

    def answer(self, handler):
        raise NotImplementedError


class Body(Answer):
    """The plain case."""

    def __init__(self, content, kind="application/yaml"):
        self.content = content.encode() if isinstance(content, str) else content
        self.kind = kind

    def answer(self, handler):
        handler.start(200, self.kind, len(self.content))
        handler.wfile.write(self.content)


class Status(Answer):
    """Only a status: 404, 500, …"""

    def __init__(self, code):
        self.code = code

    def answer(self, handler):
        text = f"status {self.code}\n".encode()
        handler.start(self.code, "text/plain", len(text))
        handler.wfile.write(text)


class Redirect(Answer):
    """Somewhere else."""

    def __init__(self, where):
        self.where = where

    def answer(self, handler):
        handler.start(302, "text/plain", 0, Location=self.where)


class Hang(Answer):
    """Takes the request and says nothing."""

    def __init__(self, seconds=300):
        self.seconds = seconds

    def answer(self, handler):
        handler.server.stopping.wait(self.seconds)
        handler.close_connection = True


class Slow(Answer):
    """The content in pieces, with a pause before each."""

    def __init__(self, content, pieces=5, pause=1.0):
        self.content = content.encode() if isinstance(content, str) else content
        self.pieces, self.pause = pieces, pause

    def answer(self, handler):
        handler.start(200, "application/yaml", len(self.content))
        step = -(-len(self.content) // self.pieces)
        for position in range(0, len(self.content), step):
            handler.server.stopping.wait(self.pause)
            handler.wfile.write(self.content[position: position + step])
            handler.wfile.flush()


class Cut(Answer):
    """Says how much comes, sends less, and closes."""

    def __init__(self, content, at):
        self.content = content.encode() if isinstance(content, str) else content
        self.at = at

    def answer(self, handler):
        handler.start(200, "application/yaml", len(self.content))
        handler.wfile.write(self.content[: self.at])
        handler.close_connection = True


class Oversize(Answer):
    """A body of `size` bytes (comment lines, so that it would be a fine profile otherwise), with or without saying
    so."""

    def __init__(self, size, announced=True):
        self.size, self.announced = size, announced

    def answer(self, handler):
        handler.start(200, "application/yaml", self.size if self.announced else None)
        line = b"#" * 1023 + b"\n"
        for _ in range(self.size // len(line)):
            handler.wfile.write(line)
        handler.wfile.write(b"#" * (self.size % len(line)))
        handler.close_connection = True


class Turns(Answer):
    """A different answer for each request; the last one stays."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self._lock = threading.Lock()

    def answer(self, handler):
        with self._lock:
            current = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        as_answer(current).answer(handler)


def as_answer(value):
    """Text, bytes and status codes stand for the obvious."""
    if isinstance(value, Answer):
        return value
    return Status(value) if isinstance(value, int) else Body(value)


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    server_version = "lab"
    protocol_version = "HTTP/1.1"
    timeout = 330

    def start(self, code, kind, length, **headers):
        """Status line and headers."""
        self.send_response(code)
        self.send_header("Content-Type", kind)
        if length is None:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def do_GET(self):
        """A profile, or a fault."""
        path = self.path.partition("?")[0]
        answer = self.server.pages.get(path, 404)
        self.server.requests.append((time.time(), "GET", self.path))
        try:
            as_answer(answer).answer(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def do_POST(self):
        """A report: an event, a list of them, or one a line."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append((time.time(), "POST", self.path))
        fault = self.server.report_faults.pop(0) if self.server.report_faults else None
        if fault is not None:
            as_answer(fault).answer(self)
            return
        try:
            self.server.reports.add(parse_report(body))
            code = 204
        except ValueError:
            code = 400
        self.start(code, "text/plain", 0)

    def log_message(self, format, *args):
        """Nothing: the requests are kept in a list."""


def parse_report(body):
    """The events of one POST."""
    try:
        value = json.loads(body)
    except ValueError:
        value = [json.loads(line) for line in body.splitlines() if line.strip()]
    events = value if isinstance(value, list) else [value]
    if not all(isinstance(event, dict) for event in events):
        raise ValueError("an event is an object")
    return events


class Server:
    """`with Server() as site:`, then site.pages["/p.yaml"] = "…". What is posted, wherever, lands in site.reports."""

    def __init__(self, port=0, certificate=None, reports=None):
        http.server.ThreadingHTTPServer.allow_reuse_address = True
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler, bind_and_activate=False)
        self._server.daemon_threads = True
        self._server.pages = self.pages = {}
        self._server.requests = self.requests = []
        self._server.report_faults = self.report_faults = []
        self._server.reports = self.reports = reports or Reports()
        self._server.stopping = threading.Event()
        self._certificate = certificate
        self._context = None
        self._thread = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Listens. A server that is not started yet is the unreachable one."""
        self._server.server_bind()
        self._server.server_activate()
        if self._certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*self._certificate)
            self._server.socket = self._context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="httpd", daemon=True)
        self._thread.start()
        return self

    def change_certificate(self, certificate):
        """From the next connection on."""
        self._context.load_cert_chain(*certificate)

    def stop(self):
        """Gone."""
        self._server.stopping.set()
        if self._thread:
            self._server.shutdown()
            self._thread.join(5)
        self._server.server_close()

    @property
    def port(self):
        """Where it listens."""
        return self._server.server_address[1]

    def url(self, path, name=GUEST_SEES):
        """The address of a path, for a guest."""
        return f"{'https' if self._certificate else 'http'}://{name}:{self.port}{path}"

    def asked(self, path):
        """How often a page was fetched."""
        return sum(1 for _, method, where in self.requests if method == "GET" and where.partition("?")[0] == path)


def make_certificate(folder, name=GUEST_SEES):
    """A certificate that nobody has signed but itself: (certificate, key)."""
    certificate, key = os.path.join(folder, "site.pem"), os.path.join(folder, "site.key")
    command = [host.need("openssl", "openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=IP:{name},IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key
