# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong in the lab."""


class LabError(Exception):
    """A machine or a report did not do what was waited for; the text says what was seen instead."""


class LabMissing(Exception):
    """Something that the lab needs is not on this host: a reason to skip, not to fail."""
