#!/bin/bash
# Runs in the virtual machine, as a service: every script in `steps` of the second disk, in order of their names, as root; says on
# the serial line how each went, and turns the virtual machine off.
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
exec >/dev/ttyS0 2>&1 </dev/null
stty -opost </dev/ttyS0
dmesg -n 1
mkdir -p /payload
mount -o ro /dev/vdb /payload
for step in /payload/steps/*; do
  name="$(basename "$step")"
  began="$(cut -d. -f1 /proc/uptime)"
  printf '\n=== step %s\n' "$name"
  # Through a pipe, so that programs show no progress bars.
  (cd /root && timeout 600 bash "$step" 2>&1; echo "$?" >/run/step-status) | cat
  printf '\n=== ended %s %s %s\n' "$name" "$(cat /run/step-status)" "$(($(cut -d. -f1 /proc/uptime) - began))"
done
systemctl poweroff --force --force
