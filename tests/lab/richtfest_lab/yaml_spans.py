# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the values stand in a YAML text: as much of YAML as profiles use (block and flow maps and lists, plain and
quoted scalars, comments), so that a value can be replaced and the rest of a person's file stays as it is. Not a
general parser: the program under test has one, and what is wrong here shows there."""

import dataclasses
import re

KEY = re.compile(r"""([A-Za-z0-9_.-]+|"[^"\n]*"|'[^'\n]*')\s*:(?=\s|$)""")
PLAIN_END_FLOW = re.compile(r"\s*(?:[,}\]\n]|\s#|$)")
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\']|\'\')*\'')


@dataclasses.dataclass
class Span:
    """A value: what it is and which part of the text it takes. Children are (key or index, where the entry starts,
    span)."""

    kind: str  # map, list, scalar, empty
    start: int
    end: int
    flow: bool = False
    indent: int = 0
    children: list = dataclasses.field(default_factory=list)

    def child(self, name):
        """(entry start, span) of a key or index, or None."""
        for key, start, span in self.children:
            if str(key) == str(name):
                return start, span
        return None


@dataclasses.dataclass
class Line:
    """A line's content, without blanks and comment: offsets in the text."""

    indent: int
    start: int
    end: int


def without_comment(text, start, end):
    """The end of what stands in a line before its comment."""
    position = start
    while position < end:
        quoted = QUOTED.match(text, position)
        if quoted and (position == start or text[position - 1] in " [{,:"):
            position = quoted.end()
        elif text[position] == "#" and (position == start or text[position - 1] in " \t"):
            break
        else:
            position += 1
    return start + len(text[start:position].rstrip())


def split_lines(text):
    """The lines that say something."""
    lines, offset = [], 0
    for raw in text.split("\n"):
        content = raw.lstrip(" ")
        start = offset + len(raw) - len(content)
        end = without_comment(text, start, offset + len(raw))
        if end > start and content not in ("---", "..."):
            lines.append(Line(start - offset, start, end))
        offset += len(raw) + 1
    return lines


class Parser:
    """One pass over the lines."""

    def __init__(self, text):
        self.text = text
        self.lines = split_lines(text)
        self.at = 0

    def document(self):
        """The whole text."""
        return self.block() if self.lines else Span("empty", 0, 0)

    def block(self):
        """A block map or list, starting at the current line."""
        line = self.lines[self.at]
        if self.is_item(line):
            return self.block_list(line.indent)
        if KEY.match(self.text, line.start, line.end):
            return self.block_map(line.indent)
        return self.inline(line.start, line.end)

    def is_item(self, line):
        """Whether the line is `- …`."""
        return self.text[line.start] == "-" and (line.end == line.start + 1 or self.text[line.start + 1] == " ")

    def current(self, indent):
        """The current line, if it belongs to a block of that depth."""
        if self.at < len(self.lines) and self.lines[self.at].indent == indent:
            return self.lines[self.at]
        return None

    def block_map(self, indent):
        """`key: value` lines."""
        result = Span("map", self.lines[self.at].start, 0, indent=indent)
        while line := self.current(indent):
            match = KEY.match(self.text, line.start, line.end)
            if not match:
                raise ValueError(f"no key in {self.text[line.start: line.end]!r}")
            span = self.value_behind(match.end(), line, indent, lists_at_same_depth=True)
            result.children.append((match.group(1).strip("\"'"), line.start, span))
            result.end = max(span.end, match.end())
        return result

    def block_list(self, indent):
        """`- value` lines."""
        result = Span("list", self.lines[self.at].start, 0, indent=indent)
        while (line := self.current(indent)) and self.is_item(line):
            rest = line.start + 1 + len(self.text[line.start + 1: line.end]) - len(
                self.text[line.start + 1: line.end].lstrip(" ")
            )
            if rest < line.end and (KEY.match(self.text, rest, line.end) or self.text.startswith("- ", rest)):
                # a block that begins behind the dash: the same as a line of its own, that much deeper
                self.lines[self.at] = Line(indent + rest - line.start, rest, line.end)
                span = self.block()
            else:
                span = self.value_behind(line.start + 1, line, indent)
            result.children.append((len(result.children), line.start, span))
            result.end = max(span.end, line.start + 1)
        return result

    def value_behind(self, start, line, indent, lists_at_same_depth=False):
        """What stands behind a key or dash: in the line, or in the deeper lines below."""
        while start < line.end and self.text[start] == " ":
            start += 1
        self.at += 1
        if start < line.end:
            return self.inline(start, line.end)
        if self.at < len(self.lines):
            below = self.lines[self.at]
            if below.indent > indent or (lists_at_same_depth and below.indent == indent and self.is_item(below)):
                return self.block()
        return Span("empty", start, start)

    def inline(self, start, end):
        """A scalar, or a flow collection that may go on in the lines below."""
        if self.text[start] not in "{[":
            return Span("scalar", start, end)
        span = self.flow(start)
        while self.at < len(self.lines) and self.lines[self.at].start < span.end:
            self.at += 1
        return span

    def blanks(self, position):
        """Skips blanks, newlines and comments inside a flow collection."""
        while True:
            match = re.compile(r"\s*(?:#[^\n]*)?").match(self.text, position)
            if match.end() == position:
                return position
            position = match.end()

    def flow(self, start):
        """`{…}`, `[…]` or a scalar inside of them."""
        opening = self.text[start]
        if opening not in "{[":
            quoted = QUOTED.match(self.text, start)
            end = quoted.end() if quoted else start + PLAIN_END_FLOW.search(self.text[start:]).start()
            return Span("scalar", start, end)
        kind, closing = ("map", "}") if opening == "{" else ("list", "]")
        result = Span(kind, start, start, flow=True)
        position = self.blanks(start + 1)
        while self.text[position] != closing:
            entry, key = position, len(result.children)
            if kind == "map":
                match = KEY.match(self.text, position)
                key, position = match.group(1).strip("\"'"), self.blanks(match.end())
            span = self.flow(position)
            result.children.append((key, entry, span))
            position = self.blanks(span.end)
            if self.text[position] == ",":
                position = self.blanks(position + 1)
        result.end = position + 1
        return result
