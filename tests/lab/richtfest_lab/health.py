# SPDX-License-Identifier: GPL-3.0-or-later
"""A recipe's health probes, asked as a node asks them: what is inside through the agent, the rest over the network."""

import dataclasses
import http.client
import json
import socket
import time

from . import dns, ldaps
from .errors import LabError

OK, WAITING, NEVER = 0, 1, 2  # as the guests' own scripts say it
HTTP_SECONDS = 60
PATIENCE = 3  # of a port that keeps silent


@dataclasses.dataclass
class Answer:
    """What one probe said."""

    probe: str
    status: int
    words: str


def ask_agent(guest, _probe, _lab):
    """Is it there?"""
    return (OK, "answers") if guest.agent.ping() else (WAITING, "does not answer yet")


def ask_cloud_init(guest, _probe, _lab):
    """cloud-init's own result file, written at the very end."""
    done = guest.run("/bin/cat", "/run/cloud-init/result.json")
    if done.status:
        return WAITING, "still at work"
    errors = json.loads(done.out)["v1"]["errors"]
    return (NEVER, f"finished with errors: {errors[0]}") if errors else (OK, "finished without error")


def ask_exec(guest, probe, lab):
    """A program of the guest's own; its secret comes on standard input."""
    name = probe.get("secret", "")
    owner = lab.directory_of(guest) if name.startswith("directory.") else guest
    secret = owner.secrets.get(name.rpartition(".")[2] if owner is not guest else name, "") if name else ""
    done = guest.run(*probe["argv"], input=f"{secret}\n" if name else "", timeout=600)
    return min(done.status, NEVER), done.words()


def ask_http(guest, probe, lab):
    """A page: from the guest's own port as the proxy asks for it, or by the published name as people do."""
    host = guest.about["settings"].get(probe.get("host"))
    if probe.get("via") == "proxy":
        status, body = lab.published_page(host, probe.get("path", "/"))
    else:
        connection = http.client.HTTPConnection("127.0.0.1", guest.port(probe["port"]), timeout=HTTP_SECONDS)
        try:
            connection.request("GET", probe.get("path", "/"), headers={"Host": host, "X-Forwarded-Proto": "https"} if host else {})
            answer = connection.getresponse()
            status, body = answer.status, answer.read().decode("utf-8", "replace")
        finally:
            connection.close()
    fine = status == probe["status"] if "status" in probe else 200 <= status < 400
    if fine and probe.get("contains", "") not in body:
        return WAITING, f"the page is without {probe['contains']!r}"
    return OK if fine else WAITING, f"status {status}"


def ask_dns_srv(guest, probe, _lab):
    """A service's record in the zone that the guest serves."""
    found = dns.services(guest.port(53), f"{probe['service']}.{guest.about['zone']}")
    return (OK, ", ".join(f"{host}:{port}" for host, port in found)) if found else (WAITING, "no record")


def ask_ldaps(guest, probe, lab):
    """LDAP over TLS, its certificate verified."""
    ldaps.reachable(guest.port(probe["port"]), guest.about["fqdn"], lab.ca)
    return OK, "verified"


def ask_tcp(guest, probe, _lab):
    """Somebody says something first, or at least keeps the connection: the port forwarding takes it even where nobody listens."""
    with socket.create_connection(("127.0.0.1", guest.port(probe["port"])), timeout=HTTP_SECONDS) as client:
        client.settimeout(PATIENCE)
        try:
            return (OK, "open") if client.recv(1) else (WAITING, "closed")
        except TimeoutError:
            return OK, "open"


KINDS = {"agent": ask_agent, "cloud_init": ask_cloud_init, "exec": ask_exec, "http": ask_http, "dns_srv": ask_dns_srv, "ldaps": ask_ldaps,
         "tcp": ask_tcp}


def left_out(probe, guest, lab):
    """Probes of what is not there: a directory, a proxy. Here the proxy is this host's, and guests do not reach it."""
    of_directory = probe.get("secret", "").startswith("directory.") and not guest.about.get("directory")
    return of_directory or (probe.get("via") == "proxy" and (probe.get("type") == "exec" or not lab.has_proxy))


def ask(guest, probe, lab):
    """One probe; whatever goes wrong is an answer too."""
    try:
        return Answer(probe["name"], *KINDS[probe["type"]](guest, probe, lab))
    except (LabError, OSError, ValueError, KeyError, http.client.HTTPException) as error:
        return Answer(probe["name"], WAITING, f"{type(error).__name__}: {error}".split("\n", maxsplit=1)[0])


def wait_healthy(guest, probes, lab, seconds, say=lambda words: None):
    """Asks one probe after the other until each has said yes, and returns the answers; LabError with the words of the one that did not
    in time. What has said yes is not asked again."""
    deadline, answers, last = time.monotonic() + seconds, [], None
    for probe in probes:
        if left_out(probe, guest, lab):
            continue
        while True:
            answer = ask(guest, probe, lab)
            if (answer.probe, answer.words) != last:
                say(f"{guest.name}: {answer.probe}: {answer.words}")
                last = (answer.probe, answer.words)
            if answer.status == OK:
                answers.append(answer)
                break
            trouble = lab.trouble()
            if answer.status == NEVER or trouble or time.monotonic() > deadline:
                why = trouble or ("it will never be" if answer.status == NEVER else f"not in {seconds:.0f} s")
                raise LabError(f"{guest.name} is not healthy: {answer.probe}: {answer.words} ({why})\n{guest.machine.console.tail()}")
            time.sleep(2)
    return answers
