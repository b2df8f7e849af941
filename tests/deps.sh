#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Installs what packages.txt and tests/lab/packages.txt list and this machine lacks, after saying what. `deps.sh FILE …` takes
# other lists.
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- packages.txt tests/lab/packages.txt
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "This is no Debian system. Needed are the programs of these packages: $(grep -hv '^#' "$@" | tr '\n' ' ')" >&2
    exit 2
fi
missing=
# "one|other": what has another name in another release of Debian; the first that there is.
for words in $(grep -hv '^#' "$@"); do
    found=
    for package in $(echo "$words" | tr '|' ' '); do
        state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$state" = installed ] && found=installed && break
        [ -n "$found" ] || ! apt-cache show "$package" >/dev/null 2>&1 || found=$package
    done
    [ "$found" = installed ] || missing="$missing ${found:-${words%%|*}}"
done
[ -n "$missing" ] || exit 0
echo "Installing from Debian's archive what this machine lacks:$missing"
if [ "$(id -u)" -ne 0 ]; then
    echo "Not root; please run: apt-get install --no-install-recommends$missing" >&2
    exit 2
fi
apt-get -qq update
# shellcheck disable=SC2086 # a list of words
DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install $missing >/dev/null
