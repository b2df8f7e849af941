# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab: whole machines in QEMU, watched as a person would watch them, and the web server that they talk to."""
