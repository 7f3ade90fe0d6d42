#!/usr/bin/env bash
# Makes a whole Debian to boot under QEMU, once, beside the test engines' data: systemd as process 1, cgroup v2, and
# Docker with the test images. Prints its directory: `root.ext4`, `vmlinuz` and `initrd.gz`.
# Needs root, what images.sh needs, and qemu-system-x86 e2fsprogs cpio. Needs images.sh first.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$here/../engine/engine.sh"

vm="$ENGINES_DIR/vm"
[ ! -d "$vm" ] || {
  printf '%s\n' "$vm"
  exit
}

mkdir -p "$ENGINE_DEBS"
work="$(mktemp -d "$ENGINES_DIR/vm.XXXXXX")"
trap 'rm -rf "$work"' EXIT
root="$work/root"

make_root() {
  debootstrap --variant=minbase --cache-dir="$ENGINE_DEBS" \
    --include=systemd,systemd-sysv,dbus,udev,kmod,procps,iproute2,docker.io,iptables,nftables,ca-certificates \
    "${SHAREDCLOUD_ENGINE_SUITE:-bookworm}" "$root" >"$ENGINES_DIR/debootstrap-vm.log" 2>&1 || {
    tail -n 20 "$ENGINES_DIR/debootstrap-vm.log" >&2
    exit 1
  }
  rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/doc/* "$root"/usr/share/locale/*
}

# Only its files: nothing is installed here, and an initrd of Debian's own would take longer to make than to boot.
add_kernel() {
  local package
  package="$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)"
  (cd "$work" && apt-get download -qq "$package" >/dev/null && dpkg-deb -x linux-image-*.deb kernel)
  version="$(ls "$work/kernel/lib/modules")"
  mv "$work/kernel/boot/vmlinuz-$version" "$work/vmlinuz"
  mv "$work/kernel/lib/modules" "$root/lib/modules"
  chroot "$root" depmod "$version"
}

# The images come from an engine of this machine that writes to the machine's disk.
add_images() {
  echo "{}" >"$work/daemon.json"
  local tars="$ENGINES_DIR/tars"
  DOCKER_HOST="unix://$work/docker.sock" unshare --net --mount --pid --fork --kill-child --mount-proc bash -c '
    set -euo pipefail
    work="$1" tars="$2"
    dockerd --data-root "$work/root/var/lib/docker" --exec-root "$work/exec" --host "$DOCKER_HOST" \
      --pidfile "$work/dockerd.pid" --bridge none --iptables=false --config-file "$work/daemon.json" >"$work/dockerd.log" 2>&1 &
    for _ in $(seq 300); do
      ! docker version >/dev/null 2>&1 || break
      sleep 0.1
    done
    docker import --change '\''CMD ["/bin/sh","-c","eval \"$CODE\""]'\'' "$tars/busybox.tar" \
      localhost:5000/sharedcloud/busybox:latest
    docker import --change '\''CMD ["/bin/bash","-c","python3 -c \"$CODE\""]'\'' "$tars/debian.tar" \
      localhost:5000/sharedcloud/python36:latest
    kill "$(cat "$work/dockerd.pid")"
    wait' - "$work" "$tars" >/dev/null || {
    tail -n 20 "$work/dockerd.log" >&2
    exit 1
  }
}

configure() {
  echo vm >"$root/etc/hostname"
  echo '127.0.0.1 localhost vm' >"$root/etc/hosts"
  od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$root/etc/machine-id"
  # Nothing here loads them when Docker asks for them.
  printf '%s\n' overlay bridge br_netfilter veth >"$root/etc/modules-load.d/docker.conf"
  install -m 755 "$here/run-steps.sh" "$root/usr/local/sbin/run-steps"
  cat >"$root/etc/systemd/system/run-steps.service" <<'UNIT'
[Unit]
After=docker.service
Wants=docker.service
[Service]
ExecStart=/usr/local/sbin/run-steps
Delegate=yes
UNIT
  local wants="$root/etc/systemd/system/multi-user.target.wants" unit
  mkdir -p "$wants"
  ln -s ../run-steps.service "$wants/"
  # What a virtual machine of a minute has no use for.
  for unit in serial-getty@ttyS0.service getty@tty1.service apt-daily.timer apt-daily-upgrade.timer \
    dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer systemd-timesyncd.service \
    systemd-pstore.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
  done
}

# Loads the disk's drivers, in the order in which they need each other, then starts systemd.
make_initrd() {
  local initrd="$work/initrd" module file
  mkdir -p "$initrd"/{bin,dev,proc,modules,root}
  cp "$(command -v busybox)" "$initrd/bin/busybox"
  printf '#!/bin/busybox sh\nset -e\n' >"$initrd/init"
  for module in virtio_pci virtio_blk ext4; do
    chroot "$root" modprobe --show-depends --set-version "$version" "$module"
  done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' | while read -r file; do
    cp "$root$file" "$initrd/modules/"
    printf '/bin/busybox insmod /modules/%s\n' "$(basename "$file")" >>"$initrd/init"
  done
  cat >>"$initrd/init" <<'INIT'
/bin/busybox mount -t devtmpfs devtmpfs /dev
until [ -b /dev/vda ]; do /bin/busybox sleep 0.1; done
/bin/busybox mount -t ext4 -o noatime /dev/vda /root
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /lib/systemd/systemd
INIT
  chmod 755 "$initrd/init"
  (cd "$initrd" && find . | cpio --quiet -o -H newc | gzip -1) >"$work/initrd.gz"
}

make_root
add_kernel
add_images
configure
make_initrd
truncate -s 4G "$work/root.ext4"
mkfs.ext4 -q -O ^has_journal -E lazy_itable_init=1,nodiscard -m 0 -d "$root" "$work/root.ext4"
mkdir "$work/done"
mv "$work/root.ext4" "$work/vmlinuz" "$work/initrd.gz" "$work/done/"
mv "$work/done" "$vm"
printf '%s\n' "$vm"
