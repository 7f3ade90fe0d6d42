#!/usr/bin/env bash
# Boots systemd as process 1 of a Debian, in namespaces of its own; only the network is the machine's.
#
#   boot.sh ROOT WORK [DIRECTORY]    ROOT is not written to: what changes lies in WORK/upper;
#                                    DIRECTORY of the machine is seen under the same path inside
set -euo pipefail
root="$1" work="$2" shared="${3:-}"

# In a control group of its own, in every hierarchy, so that its tree of groups is its own too.
if [ -z "${INSIDE:-}" ]; then
  name="sharedcloud-debian-$$"
  for hierarchy in /sys/fs/cgroup/systemd /sys/fs/cgroup/devices; do
    mkdir "$hierarchy/$name"
    echo $$ >"$hierarchy/$name/cgroup.procs"
  done
  echo "$name" >"$work/cgroup"
  INSIDE=yes exec unshare --pid --fork --kill-child --mount --uts --ipc --cgroup "$0" "$@"
fi

mount --make-rprivate /
mkdir -p "$work/upper" "$work/overlay" "$work/root"
mount -t overlay -o "lowerdir=$root,upperdir=$work/upper,workdir=$work/overlay" overlay "$work/root"
cd "$work/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
mkdir sys/fs/cgroup/systemd sys/fs/cgroup/devices
mount -t cgroup -o none,name=systemd,xattr cgroup sys/fs/cgroup/systemd
mount -t cgroup -o devices cgroup sys/fs/cgroup/devices
mount -o remount,ro sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty; do
  touch "dev/$node"
  mount --bind "/dev/$node" "dev/$node"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs tmpfs dev/shm
ln -s /proc/self/fd dev/fd
touch dev/console "$work/console"
mount --bind "$work/console" dev/console
if [ -n "$shared" ]; then
  mkdir -p ".$shared"
  mount --bind "$shared" ".$shared"
fi
mkdir -p old
pivot_root . old
umount -l /old
# As systemd does it on a machine: a credential reaches its service through this.
mount --make-rshared /
exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=multi-user.target \
  --log-target=console --show-status=no
