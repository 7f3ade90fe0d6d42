#!/usr/bin/env bash
# Makes a clean Debian with systemd and nftables and nothing else, once, beside the test engine's data; prints where
# it is.
# Needs root and debootstrap.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$here/../engine/engine.sh"

root="$ENGINES_DIR/debian-nft"
if [ ! -d "$root" ]; then
  part="$(mktemp -d "$ENGINES_DIR/debian.XXXXXX")"
  chmod 755 "$part"
  mkdir -p "$ENGINE_DEBS"
  debootstrap --variant=minbase --cache-dir="$ENGINE_DEBS" --include=systemd,systemd-sysv,dbus,nftables \
    "${SHAREDCLOUD_ENGINE_SUITE:-bookworm}" "$part" \
    >"$ENGINES_DIR/debootstrap-debian.log" 2>&1 || {
    tail -n 20 "$ENGINES_DIR/debootstrap-debian.log" >&2
    exit 1
  }
  # Nothing of the network is this Debian's to set up: it shares the machine's.
  ln -sf /dev/null "$part/etc/systemd/system/systemd-networkd.service"
  ln -sf /dev/null "$part/etc/systemd/system/systemd-sysctl.service"
  ln -sf /dev/null "$part/etc/systemd/system/console-getty.service"
  rm -rf "$part"/var/cache/apt/*
  mv "$part" "$root"
fi
printf '%s\n' "$root"
