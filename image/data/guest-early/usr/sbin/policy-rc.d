#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# No service starts while packages are set up; removed at the end (guest.remove).
exit 101
