#!/usr/bin/env bash
# Makes a clean Debian with systemd and nftables and nothing else, once, beside the test engine's data; prints where
# it is.
# Needs root and debootstrap.
#
#   debian-root.sh [PACKAGE]    one that has this package, too
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$here/../engine/engine.sh"

# Makes directory $1 by a command that gets the path of a new one.
once() {
  local root="$1" part
  shift
  [ ! -d "$root" ] || return 0
  part="$(mktemp -d "$ENGINES_DIR/debian.XXXXXX")"
  chmod 755 "$part"
  "$@" "$part" >"$root.log" 2>&1 || {
    tail -n 20 "$root.log" >&2
    exit 1
  }
  rm -rf "$part"/var/cache/apt/*
  mv "$part" "$root"
}

clean() {
  mkdir -p "$ENGINE_DEBS"
  debootstrap --variant=minbase --cache-dir="$ENGINE_DEBS" --include=systemd,systemd-sysv,dbus,nftables \
    "${SHAREDCLOUD_ENGINE_SUITE:-bookworm}" "$1" || return
  # Nothing of the network is this Debian's to set up: it shares the machine's.
  ln -sf /dev/null "$1/etc/systemd/system/systemd-networkd.service"
  ln -sf /dev/null "$1/etc/systemd/system/systemd-sysctl.service"
  ln -sf /dev/null "$1/etc/systemd/system/console-getty.service"
}

# A copy of $1 with package $2 in $3.
with() {
  cp -a "$1/." "$3" && chroot "$3" apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive chroot "$3" apt-get install -y -qq --no-install-recommends "$2" &&
    rm -rf "$3"/var/lib/apt/lists/*
}

root="$ENGINES_DIR/debian-nft"
once "$root" clean
if [ -n "${1:-}" ]; then
  once "$root-$1" with "$root" "$1"
  root="$root-$1"
fi
printf '%s\n' "$root"
