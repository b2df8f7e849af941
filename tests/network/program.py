# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs inside the namespaces: a server on many ports, questions, frames as they are.

program.py serve JSON | tcp ADDRESS PORT | udp ADDRESS PORT | send HEX [CARD] | watch SECONDS [CARD]

Time decides what is silence, and nothing else: a slow host must not turn an answer into none. So a connection's beginning, which the kernel
makes, is waited for shortly, and what another of these programs has to say for long; and a watch lasts until its standard input ends,
which is when everything is sent, and a moment longer.
"""
import json
import select
import socket
import sys
import time

PATIENCE = 0.6
LONG = 20


def serve(wanted):
    listeners = []
    for kind, numbers in ((socket.SOCK_STREAM, wanted["tcp"]), (socket.SOCK_DGRAM, wanted["udp"])):
        for number in numbers:
            s = socket.socket(socket.AF_INET, kind)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("0.0.0.0", number))
            if kind == socket.SOCK_STREAM:
                s.listen(16)
            listeners.append(s)
    print("ready", flush=True)
    while True:
        for s in select.select(listeners, [], [])[0]:
            if s.type == socket.SOCK_STREAM:
                client, (address, _) = s.accept()
                try:
                    client.sendall(address.encode())
                except OSError:
                    pass
                client.close()
            else:
                data, where = s.recvfrom(2048)
                s.sendto(b"echo " + data, where)


def tcp(address, port):
    s = socket.socket()
    s.settimeout(PATIENCE)
    try:
        s.connect((address, int(port)))
        s.settimeout(LONG)
        return {"outcome": "open", "seen": s.recv(100).decode()}
    except socket.timeout:
        return {"outcome": "silent"}
    except OSError as why:
        return {"outcome": "refused", "why": str(why)}


def udp(address, port):
    s = socket.socket(type=socket.SOCK_DGRAM)
    s.settimeout(3 * PATIENCE)
    s.connect((address, int(port)))
    try:
        s.send(b"hello")
        return {"outcome": "open" if s.recv(100) == b"echo hello" else "odd"}
    except socket.timeout:
        return {"outcome": "silent"}
    except OSError as why:
        return {"outcome": "refused", "why": str(why)}


def send(frame, card="eth0"):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((card, 0))
    s.send(bytes.fromhex(frame))
    return {"outcome": "sent"}


def watch(seconds, card="eth0"):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))  # ETH_P_ALL
    s.bind((card, 3))
    print("ready", flush=True)
    until = None
    while until is None or time.monotonic() < until:
        ready = select.select([s] if until else [s, sys.stdin], [], [], until and max(0, until - time.monotonic()))[0]
        if s in ready:
            data, where = s.recvfrom(65536)
            if where[2] != socket.PACKET_OUTGOING:
                print(data.hex(), flush=True)
        elif sys.stdin in ready:
            until = time.monotonic() + float(seconds)


def main():
    verb, *words = sys.argv[1:]
    if verb == "serve":
        serve(json.loads(words[0]))
    elif verb == "watch":
        watch(*words)
    else:
        print(json.dumps({"tcp": tcp, "udp": udp, "send": send}[verb](*words)))


main()
