# SPDX-License-Identifier: GPL-3.0-or-later
"""The guests' web sites in a real Apache, as far as it answers without their applications. The Apache is an installed one (RF_APACHE names
another, with its modules beside it); skipped where there is none."""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from house import missing

RECIPES = pathlib.Path(__file__).resolve().parents[2] / "postinstall/recipes"
APACHE = os.environ.get("RF_APACHE") or shutil.which("apache2", path="/usr/sbin:" + os.environ.get("PATH", ""))
ADDRESS = "127.77.4.4"  # the loopback's, and nobody else's: the port shows in where an answer leads
HOST = "cloud.musterkunde.example"
MODULES = ["mpm_event", "authz_core", "authz_host", "alias", "dir", "env", "headers", "mime", "proxy", "proxy_fcgi", "rewrite", "setenvif"]
# of Nextcloud's own .htaccess: where calendars and contacts are found by an address alone (RFC 6764)
NEXTCLOUD = r"""<IfModule mod_rewrite.c>
  RewriteEngine on
  RewriteRule ^\.well-known/carddav /remote.php/dav/ [R=301,L]
  RewriteRule ^\.well-known/caldav /remote.php/dav/ [R=301,L]
</IfModule>
"""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Site:
    def __init__(self, recipe, directory):
        self.directory = directory
        self.tree = directory / "tree"
        (self.tree / "folder").mkdir(parents=True)
        text = (RECIPES / f"{recipe}/files/etc/apache2/sites-available/{recipe}.conf").read_text()
        text = text.replace("*:80", f"{ADDRESS}:80").replace("${APACHE_LOG_DIR}", str(directory))
        text = re.sub(r"/var/www/\w+(/htdocs)?", str(self.tree), text)
        modules = pathlib.Path(APACHE).resolve().parents[1] / "lib/apache2/modules"
        head = f"ServerRoot {directory}\nPidFile {directory}/pid\nListen {ADDRESS}:80\nErrorLog {directory}/log\n"
        head += f"ServerName x\nMutex file:{directory}\nUser {os.environ.get('RF_APACHE_USER', 'nobody')}\n"
        head += 'LogFormat "%h" combined\nAddType text/html .html\nTypesConfig /dev/null\n'
        loads = "".join(f"LoadModule {name}_module {modules}/mod_{name}.so\n" for name in MODULES)
        (directory / "conf").write_text(loads + head + text)
        for folder in (directory, self.tree, self.tree / "folder"):
            folder.chmod(0o755)

    def __enter__(self):
        self.server = subprocess.Popen([APACHE, "-DFOREGROUND", "-f", self.directory / "conf"])
        until = time.monotonic() + 20
        while socket.socket().connect_ex((ADDRESS, 80)):
            log = self.directory / "log"
            assert self.server.poll() is None and time.monotonic() < until, log.read_text() if log.exists() else "it did not start"
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()

    def leads(self, path):
        """The status, and where the answer leads, asked as the node's proxy does it."""
        request = urllib.request.Request(f"http://{ADDRESS}:80{path}", headers={"Host": HOST, "X-Forwarded-Proto": "https"})
        try:
            with urllib.request.build_opener(NoRedirect).open(request, timeout=10) as answer:
                return answer.status, None
        except urllib.error.HTTPError as why:
            return why.code, why.headers.get("Location")


@pytest.fixture
def place(tmp_path_factory):
    why = missing() or (None if APACHE else "there is no Apache (RF_APACHE names one)")
    if why:
        pytest.skip(why)
    directory = tmp_path_factory.mktemp("site")
    for parent in (directory, *directory.parents[:2]):
        parent.chmod(parent.stat().st_mode | 0o055)  # its own user must come as far as this
    return directory


def test_discovery_of_calendars_leads_to_https(place):
    """It led to http://, from which a client that has just sent a password is sent on, or stays away."""
    site = Site("nextcloud", place)
    (site.tree / ".htaccess").write_text(NEXTCLOUD)
    with site:
        for kind in ("caldav", "carddav"):
            assert site.leads(f"/.well-known/{kind}") == (301, f"https://{HOST}/remote.php/dav/")
        assert site.leads("/folder") == (301, f"https://{HOST}/folder/")


def test_a_folder_of_the_crm_leads_to_https(place):
    with Site("dolibarr", place) as site:
        assert site.leads("/folder") == (301, f"https://{HOST}/folder/")
