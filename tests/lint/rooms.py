#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the house that no compiler knows: who includes whom, how long things get, what every file says on top.

Prints one line per violation and ends with 1 where there is any. Needs Universal Ctags for the lengths of functions; without
it that rule is reported as skipped.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
ROOMS = {
    "base": {"base"},
    "profiles": {"base", "profiles"},
    "raid": {"base", "profiles", "raid"},
    "postinstall": {"base", "profiles", "postinstall"},
    "image": {"base", "profiles", "image"},
    "installer": {"base", "profiles", "raid", "postinstall", "image", "installer"},
}
FILE_LINES = 600
FUNCTION_LINES = 100
SPDX = "SPDX-License-Identifier: GPL-3.0-or-later"


def tracked(*patterns):
    out = subprocess.run(["git", "-C", TOP, "ls-files", "-co", "--exclude-standard", "--", *patterns],
                         check=True, capture_output=True, text=True).stdout
    return [TOP / line for line in out.splitlines() if (TOP / line).is_file()]


def include_rules(path, text):
    room = path.relative_to(TOP).parts[0]
    allowed = ROOMS.get(room)
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#include "([^"]+)"', line)
        if not match or allowed is None:
            continue
        other = match.group(1).split("/")[0]
        if "/" not in match.group(1):
            yield number, f'"{match.group(1)}" must be written from the top of the tree'
        elif other not in allowed:
            yield number, f"{room}/ must not include {other}/"


def text_rules(path, text):
    lines = text.splitlines()
    if not any(SPDX in line for line in lines[:3]):
        yield 1, f"no `{SPDX}` on top"
    if len(lines) > FILE_LINES:
        yield FILE_LINES, f"{len(lines)} lines; is there a second thing in it?"
    for number, line in enumerate(lines, 1):
        if re.search(r"\bgoto\b", re.sub(r'/\*.*?\*/|//.*|"(\\.|[^"])*"', "", line)) and path.suffix in (".c", ".h"):
            yield number, "goto: a scope guard does it better"
        if line.rstrip() != line:
            yield number, "blanks at the end of the line"
        if "\t" in line and path.suffix in (".c", ".h", ".py"):
            yield number, "a tab"


def contract_rules(path, text):
    """Every prototype of a header stands under a comment (its own, or that of the group it follows without a blank line)."""
    if path.suffix != ".h" or path.relative_to(TOP).parts[0] not in ROOMS:
        return
    covered = False
    depth = 0
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped:
            covered = False
        if "*/" in stripped or stripped.startswith("/*"):
            covered = True
        if depth == 0 and re.match(r"^(?!static|typedef|#|extern|struct [^(]*\{|RF_GUARD|_Static)[a-z][\w \*]*\b\w+\(", line) and not covered:
            if not re.search(r"\b\w+_(free|clear|name)\(", line):
                yield number, "a prototype without a contract"
        depth += line.count("{") - line.count("}")


def function_lengths(paths):
    if not shutil.which("ctags"):
        print("skipped: lengths of functions (no ctags)")
        return
    out = subprocess.run(["ctags", "--output-format=json", "--kinds-C=f", "--fields=+ne", "-f", "-", *map(str, paths)],
                         capture_output=True, text=True).stdout
    for row in out.splitlines():
        try:
            tag = json.loads(row)
            length = tag["end"] - tag["line"] + 1
        except (ValueError, KeyError):
            continue
        if length > FUNCTION_LINES:
            yield pathlib.Path(tag["path"]), tag["line"], f"{tag['name']} has {length} lines"


def main():
    found = 0
    sources = tracked("*.c", "*.h")
    for path in sources + tracked("*.py", "*.sh", "Makefile"):
        text = path.read_text(encoding="utf-8")
        rules = [text_rules(path, text)]
        if path in sources:
            rules += [include_rules(path, text), contract_rules(path, text)]
        for rule in rules:
            for number, what in rule:
                print(f"{path.relative_to(TOP)}:{number}: {what}")
                found += 1
    for path, number, what in function_lengths([p for p in sources if p.suffix == ".c"]):
        print(f"{path.relative_to(TOP)}:{number}: {what}")
        found += 1
    print(f"rooms: {len(sources)} files, {found} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
