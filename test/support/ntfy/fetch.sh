#!/usr/bin/env bash
# Fetches the ntfy of Debian sid, once, and puts it beside the test engines' data: its libraries are those of Debian 12.
# Needs root and libsqlite3-0.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$here/../engine/engine.sh"

root="$ENGINES_DIR/ntfy"
if [ ! -x "$root/usr/bin/ntfy" ]; then
  mkdir -p "$ENGINES_DIR"
  part="$(mktemp -d "$ENGINES_DIR/ntfy.XXXXXX")"
  mkdir -p "$part/lists/partial" "$part/archives/partial"
  printf 'deb http://deb.debian.org/debian sid main\n' >"$part/sources.list"
  # The lists of this machine stay as they are.
  own="-o Dir::Etc::sourcelist=$part/sources.list -o Dir::Etc::sourceparts=- -o Dir::State::lists=$part/lists -o Dir::Cache=$part"
  apt-get -qq $own update
  (cd "$part" && apt-get -qq $own download ntfy 2>/dev/null)
  dpkg-deb -x "$part"/ntfy_*.deb "$part/root"
  rm -rf "$root"
  mv "$part/root" "$root"
  rm -rf "$part"
fi
printf '%s\n' "$root/usr/bin/ntfy"
