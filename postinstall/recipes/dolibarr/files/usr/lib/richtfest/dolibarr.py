# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Dolibarr lies, its configuration, and its scripts run as its own user."""
import re
import sys

sys.path.insert(0, "/usr/lib/richtfest")
import guest

TREE = "/var/www/dolibarr"
CONFIG = TREE + "/htdocs/conf/conf.php"
DATA = "/srv/dolibarr"
INSTALLED = DATA + "/installed"  # written when the installation is complete
ARTEFACT = "/usr/share/richtfest/artefacts/dolibarr"


def as_www(*argv, **more):
    more.setdefault("timeout", 900)
    return guest.ask("setpriv", "--reuid=www-data", "--regid=www-data", "--init-groups", "--", *argv, **more)


def php(*words, **more):
    """Dolibarr's objects, by usr/lib/richtfest/dolibarr.php; ends the script where it did not work."""
    status, out, error = as_www("php", "/usr/lib/richtfest/dolibarr.php", *words, **more)
    if status:
        guest.later(f"dolibarr.php {words[0]}: {(error.strip() or out.strip())[-600:]}")
    return out


def php_string(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def change_config(values):
    """Sets variables of conf.php; a value None removes one. True where something changed."""
    text = guest.get(CONFIG)
    for name, value in values.items():
        line = re.compile(r"^\$" + re.escape(name) + r"\s*=.*;\n", re.M)
        wanted = f"${name} = {php_string(value)};\n" if value is not None else ""
        if line.search(text):
            text = line.sub(lambda _: wanted, text, count=1)
        elif wanted:
            text = text.rstrip().removesuffix("?>").rstrip() + "\n" + wanted
    return guest.put(CONFIG, text, 0o440, "root", "www-data")


def config_value(name):
    found = re.search(r"^\$" + re.escape(name) + r"\s*=\s*'((?:[^'\\]|\\.)*)';", guest.get(CONFIG) or "", re.M)
    return re.sub(r"\\(.)", r"\1", found.group(1)) if found else None
