# SPDX-License-Identifier: GPL-3.0-or-later
"""The customer's profile with other values: what the lab serves is the shipped file, changed in a few places only."""

import json
import re

from . import host
from .yaml_spans import KEY, Parser

PLAIN = re.compile(r"[A-Za-z0-9/][A-Za-z0-9 ._/@+-]*")
WORDS = {"true", "false", "null", "yes", "no", "on", "off", "~"}


def render(value):
    """A value as YAML. JSON is YAML, and a plain word needs no quotes."""
    plain = isinstance(value, str) and PLAIN.fullmatch(value) and value.lower() not in WORDS
    return value if plain and not value.replace(".", "").isdigit() else json.dumps(value)


class Profile:
    """A profile's text. Paths are dotted, lists by index: "node.admins.0.ssh_keys"."""

    def __init__(self, text):
        self.text = text

    @classmethod
    def load(cls, path):
        """From a file."""
        with open(path, encoding="utf-8") as file:
            return cls(file.read())

    def find(self, path):
        """(entry start, span) of a path, or None."""
        start, span = 0, Parser(self.text).document()
        for name in path.split(".") if path else []:
            found = span.child(name)
            if not found:
                return None
            start, span = found
        return start, span

    def has(self, path):
        """Whether the path is there."""
        return self.find(path) is not None

    def get(self, path):
        """A scalar's text, or the length of a map or list; KeyError where there is none."""
        found = self.find(path)
        if not found:
            raise KeyError(path)
        span = found[1]
        return self.text[span.start: span.end].strip("\"'") if span.kind == "scalar" else len(span.children)

    def set(self, path, value):
        """Replaces a value, or adds it to the map that its parent is. Returns itself, to be chained."""
        found = self.find(path)
        if found:
            start, span = found
            if span.kind in ("map", "list") and not span.flow:  # goes up into the line of its key or dash
                match = KEY.match(self.text, start)
                start, blank = (match.end() if match else start + 1), " "
            else:
                start, blank = span.start, " " if self.text[span.start - 1: span.start] in (":", "-") else ""
            self.text = self.text[:start] + blank + render(value) + self.text[span.end:]
            return self
        parent_path, _, key = path.rpartition(".")
        parent = self.find(parent_path)
        if not parent:
            return self.set(parent_path, {key: value})
        self._add(parent[1], key, value)
        return self

    def _add(self, parent, key, value):
        entry = f"{key}: {render(value)}"
        if parent.kind == "map" and not parent.flow:
            self._insert(self._line_end(parent.end), f"\n{' ' * parent.indent}{entry}")
        elif parent.kind == "map":
            self._insert(parent.end - 1, f", {entry}" if parent.children else entry)
        else:
            raise KeyError(f"{key}: its parent is no map")

    def _insert(self, position, text):
        self.text = self.text[:position] + text + self.text[position:]

    def _line_end(self, position):
        end = self.text.find("\n", position)
        return len(self.text) if end < 0 else end

    def remove(self, path):
        """Takes an entry out; nothing happens where there is none."""
        found = self.find(path)
        if not found:
            return self
        start, span = found
        _, parent = self.find(path.rpartition(".")[0])
        if not parent.flow:
            start = self.text.rfind("\n", 0, start) + 1
            self.text = self.text[:start] + self.text[self._line_end(span.end) + 1:]
            return self
        end = span.end
        behind = re.compile(r"\s*,\s*").match(self.text, end)
        before = re.compile(r",\s*$").search(self.text[:start])
        if behind:
            end = behind.end()
        elif before:
            start = before.start()
        self.text = self.text[:start] + self.text[end:]
        return self


def for_lab(path, key, report_url=None):
    """The shipped profile with the lab's admin key and report address; everything else is the customer's, but that an emulated node's
    guests have one core each: a guest of two stood still once, its second core faulting on a page that was there (emulated nested paging),
    and two cores inside of two emulated ones are no faster."""
    profile = Profile.load(path).set("node.admins.0.ssh_keys", [key.public])
    if host.accelerator().name == "tcg":
        for number in range(profile.get("guests") if profile.has("guests") else 0):
            profile.set(f"guests.{number}.cores", 1)
    return profile.set("report", {"url": report_url}) if report_url else profile.remove("report")


def shrink(profile, cores=None, memory=None, storage=None):
    """Adapts what the profile requires to another machine (memory in MiB, storage in bytes: the size of each disk).
    Returns what was changed, as text for people."""
    wanted = {"requires.cores": cores, "requires.memory": f"{memory} MiB" if memory else None}
    if storage:
        wanted["requires.storage"] = f"{storage // 10**9} GB"
        wanted["storage.disks.match.size"] = f">= {storage // 10**9} GB"
    changes = []
    for name, value in wanted.items():
        if value is not None and profile.has(name) and profile.get(name) != str(value):
            changes.append(f"{name}: {profile.get(name)} -> {value}")
            profile.set(name, value)
    return changes
