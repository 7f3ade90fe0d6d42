#!/usr/bin/env bash
# Makes a Debian with the newest Docker, once, beside the test engines' data; prints where it is. Needs root and
# debootstrap.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$here/engine.sh"

make() {
  local suite="$1" part="$2"
  debootstrap --variant=minbase --cache-dir="$ENGINE_DEBS" \
    --include=docker.io,docker-cli,runsc,iptables,nftables,ca-certificates "$suite" "$part" \
    >"$ENGINES_DIR/debootstrap-docker-$suite.log" 2>&1
}

if [ ! -d "$ENGINE_ROOT" ]; then
  mkdir -p "$ENGINE_DEBS"
  part="$(mktemp -d "$ENGINES_DIR/debian-docker.XXXXXX")"
  chmod 755 "$part"
  made=''
  # sid is now and then in pieces.
  for suite in sid trixie; do
    ! make "$suite" "$part" || { made="$suite" && break; }
    rm -rf "${part:?}"/*
  done
  [ -n "$made" ] || fail "no Debian with a new Docker could be made: see $ENGINES_DIR/debootstrap-docker-sid.log"
  rm -rf "$part"/var/cache/apt/* "$part"/var/lib/apt/lists/* "$part"/usr/share/doc/* "$part"/usr/share/locale/*
  mv "$part" "$ENGINE_ROOT"
  say "Debian $made has $(chroot "$ENGINE_ROOT" dockerd --version)"
fi
printf '%s\n' "$ENGINE_ROOT"
