# SPDX-License-Identifier: GPL-3.0-or-later
"""Files (WebDAV), events and tasks (CalDAV), as a person's computer and telephone write them to Nextcloud."""

from .errors import LabError
from .web import basic

ROOT = "/remote.php/dav"
CALENDAR = """<x:mkcalendar xmlns:x="urn:ietf:params:xml:ns:caldav" xmlns:d="DAV:"><d:set><d:prop><d:displayname>{name}</d:displayname>
<x:supported-calendar-component-set><x:comp name="VTODO"/><x:comp name="VEVENT"/></x:supported-calendar-component-set>
</d:prop></d:set></x:mkcalendar>"""
ITEM = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Richtfest//lab//EN\r\nBEGIN:{kind}\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\n"
    "DTSTART:20260101T100000Z\r\nSUMMARY:{summary}\r\nEND:{kind}\r\nEND:VCALENDAR\r\n")
THERE_ALREADY = 405  # MKCALENDAR, RFC 4791 5.3.1


class Dav:
    """A person's files and calendars."""

    def __init__(self, site, user, password):
        self._site, self.user = site, user
        self._headers = basic(user, password)

    def _ask(self, method, path, body=None, kind="application/octet-stream", fine=()):
        page = self._site.ask(method, f"{ROOT}/{path}", body, {**self._headers, "Content-Type": kind})
        if page.status >= 400 and page.status not in fine:
            raise LabError(f"{method} {path}: status {page.status}: {page.text[:300]}")
        return page

    def may(self):
        """Whether the name and the password are taken: 207, or 401."""
        return self._site.ask("PROPFIND", f"{ROOT}/files/{self.user}/", None, {**self._headers, "Depth": "0"}).status == 207

    def upload(self, name, content):
        """Writes a file."""
        self._ask("PUT", f"files/{self.user}/{name}", content)

    def download(self, name):
        """Reads it back."""
        return self._ask("GET", f"files/{self.user}/{name}").body

    def remove(self, name):
        """And away."""
        self._ask("DELETE", f"files/{self.user}/{name}")

    def make_calendar(self, name):
        """For events and tasks."""
        self._ask("MKCALENDAR", f"calendars/{self.user}/{name}/", CALENDAR.format(name=name), "application/xml", (THERE_ALREADY,))

    def write_item(self, calendar, kind, uid, summary):
        """A VEVENT or a VTODO."""
        text = ITEM.format(kind=kind, uid=uid, summary=summary)
        self._ask("PUT", f"calendars/{self.user}/{calendar}/{uid}.ics", text, "text/calendar")

    def read_item(self, calendar, uid):
        """Its text."""
        return self._ask("GET", f"calendars/{self.user}/{calendar}/{uid}.ics").text

    def remove_item(self, calendar, uid):
        """And away."""
        self._ask("DELETE", f"calendars/{self.user}/{calendar}/{uid}.ics")
