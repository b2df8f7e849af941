# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest's web application, as far as a proxy can tell: says what it was told, takes a body, speaks after an upgrade."""
import http.server
import sys


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body, **headers):
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/socket":
            self.send_response(101, "Switching Protocols")
            self.send_header("Connection", "Upgrade")
            self.send_header("Upgrade", "websocket")
            self.end_headers()
            self.wfile.write(b"hello through the socket")
            self.wfile.flush()
            self.close_connection = True
        elif self.path == "/hsts":
            self.answer(b"", Strict_Transport_Security="max-age=5")
        else:
            h = self.headers
            self.answer(f"host={h['Host']} proto={h['X-Forwarded-Proto']} for={h['X-Forwarded-For']} ".encode())

    def do_POST(self):
        left = size = int(self.headers["Content-Length"])
        while left:
            data = self.rfile.read(min(left, 1 << 20))
            if not data:
                break
            left -= len(data)
        self.answer(f"body={size - left}".encode())

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
