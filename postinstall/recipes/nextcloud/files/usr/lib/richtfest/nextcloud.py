# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Nextcloud lies, and its own command occ, run as its own user."""
import json
import os
import sys

sys.path.insert(0, "/usr/lib/richtfest")
import guest

TREE = "/var/www/nextcloud"
CONFIG = TREE + "/config/config.php"
DATA = "/srv/nextcloud/data"
ARTEFACTS = "/usr/share/richtfest/artefacts"
APPS = ["calendar", "contacts", "tasks", "groupfolders"]
INTEGRITY = "/usr/share/richtfest/nextcloud-integrity"  # what occ integrity:check-core said when the image was built
ADMIN = "ncadmin"


def installed():
    """The mark is written last: from there on files and tables belong to people. Ends the script where they are there, and only the
    configuration is gone."""
    if os.path.exists(INTEGRITY) and not os.path.exists(CONFIG):
        guest.never(f"Nextcloud was installed here, but {CONFIG} is gone: bring it back from a backup; nothing is installed over it")
    return os.path.exists(INTEGRITY)


def as_www(*argv):
    return ["setpriv", "--reuid=www-data", "--regid=www-data", "--init-groups", "--", *argv]


def occ(*words, check=True, **more):
    """(status, standard output, standard error); ends the script where it must work and did not."""
    argv = as_www("php", "-d", "apc.enable_cli=1", "-d", "memory_limit=512M", TREE + "/occ", "--no-interaction", *words)
    status, out, error = guest.ask(*argv, cwd=TREE, timeout=1800, **more)
    if status and check:
        guest.later(f"occ {words[0]}: {(error.strip() or out.strip())[-600:]}")
    return status, out, error


def occ_json(*words):
    return json.loads(occ(*words, "--output=json")[1] or "null")


def import_config(system, apps):
    """Many values by one start of PHP; secrets travel by standard input."""
    occ("config:import", input=json.dumps({"system": system, "apps": apps}))
