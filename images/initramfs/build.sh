#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Builds an initramfs without root; the same inputs give the same bytes.
#   build.sh lab OUT BUSYBOX     the emulated host: lab-init.sh under a static busybox
#   build.sh guest OUT AGENT     the guest: the static agent as PID 1
set -eu

if [ $# -ne 3 ]; then
	echo "usage: build.sh lab|guest OUT BUSYBOX|AGENT" >&2
	exit 1
fi
kind=$1
out=$2
program=$3
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

if [ ! -f "$program" ]; then
	echo "build.sh: no '$program' (the lab wants Debian's busybox-static)" >&2
	exit 1
fi
if readelf -lW "$program" | grep -q INTERP; then
	echo "build.sh: '$program' needs a dynamic loader; a static program is wanted" >&2
	exit 1
fi

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
trap 'exit 130' INT TERM HUP
mkdir "$tree/dev" "$tree/proc" "$tree/sys"

case $kind in
lab)
	mkdir "$tree/bin" "$tree/ro" "$tree/rw" "$tree/root"
	install -m 0755 "$program" "$tree/bin/busybox"
	for applet in sh cat chmod chroot cp echo hostname insmod ip ln mkdir mount poweroff rm sleep stty sync taskset umount; do
		ln -s busybox "$tree/bin/$applet"
	done
	install -m 0755 "$here/lab-init.sh" "$tree/init"
	install -m 0755 "$here/lab-services.sh" "$tree/services"
	;;
guest)
	install -m 0755 "$program" "$tree/init"
	;;
*)
	echo "build.sh: unknown kind '$kind': lab or guest" >&2
	exit 1
	;;
esac

find "$tree" -exec touch -h -d @0 {} +
(cd "$tree" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 --reproducible) | gzip -n -6 >"$out.tmp"
mv "$out.tmp" "$out"
