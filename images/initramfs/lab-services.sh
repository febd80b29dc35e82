#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Starts libvirt in the emulated host and returns when it answers. Without libvirt on the
# machine it does nothing: scenarios without a guest need none.
command -v libvirtd >/dev/null || exit 0

cache=/run/vcpulat/libvirt-cache

mkdir -p /run/libvirt /var/log/libvirt/qemu
cat >/etc/libvirt/qemu.conf <<'CONF'
namespaces = [ ]
user = "root"
group = "root"
dynamic_ownership = 0
cgroup_controllers = [ ]
security_driver = "none"
stdio_handler = "file"
CONF
cat >/etc/libvirt/libvirtd.conf <<'CONF'
auth_unix_rw = "none"
auth_unix_ro = "none"
CONF
if [ -d "$cache" ]; then
	cp -a "$cache/." /var/cache/libvirt/
fi

echo '{"phase":"boot","what":"libvirt"}' >/dev/hvc0
libvirtd -d
# The socket is there when the parent returns; the answer comes when all drivers are up.
tries=0
until virsh -q -c qemu:///system uri >/dev/null 2>&1; do
	tries=$((tries + 1))
	if [ $tries -ge 100 ]; then
		echo "libvirtd does not answer" >/dev/console
		break
	fi
	sleep 0.2
done
