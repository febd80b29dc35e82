#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs the Debian packages that are missing for a purpose; says what and why first.
#   packages.sh demo|check
set -eu

demo='
build-essential:compiles the tool and the kernels
pkg-config:finds the libraries
libvirt-dev:starts and pins guests
libtracefs-dev:sets up tracing in both layers
libtraceevent-dev:reads event formats
libtracecmd-dev:reads and checks trace.dat files
libyaml-dev:reads scenarios
libjansson-dev:reads and writes results
libgsl-dev:quantiles of exact intervals
libssl-dev:hashes of images and inputs; needed by the kernel build too
node-d3:the charts of the HTML report
linux-source-6.1:the kernels under test
flex:kernel build
bison:kernel build
bc:kernel build
libelf-dev:kernel build
xz-utils:unpacks the kernel source
lz4:kernel build, packs its image
patch:applies the kernel patches
rsync:kernel build
cpio:packs initramfs images
busybox-static:brings up the emulated host
kmod:module trees of ready-made kernels
qemu-system-x86:the emulated host and the guest
libvirt-daemon:runs inside the emulated host
libvirt-daemon-driver-qemu:runs inside the emulated host
libvirt-clients:virsh inside the emulated host
trace-cmd:shows the traces of a bundle
'
check='
libcmocka-dev:unit tests
jq:checks of results
libxml2-utils:checks of JUnit files
procps:checks that nothing is left running
python3:checks of written files
python3-jsonschema:checks of results against their schema
'

case ${1:-} in
demo) wanted=$demo ;;
check) wanted=$demo$check ;;
*)
	echo "usage: packages.sh demo|check" >&2
	exit 1
	;;
esac

missing=
while IFS=: read -r name why; do
	[ -n "$name" ] || continue
	state=$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null || true)
	[ "$state" = installed ] && continue
	[ -n "$missing" ] || echo "These Debian packages are missing:"
	printf '  %-28s %s\n' "$name" "$why"
	missing="$missing $name"
done <<LIST
$wanted
LIST
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
	as_root=sudo
	command -v sudo >/dev/null || {
		echo "Installing needs root, and there is no sudo here. As root, run:" >&2
		echo "  apt-get update && apt-get install --no-install-recommends$missing" >&2
		exit 1
	}
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get -q update
# shellcheck disable=SC2086 # the list is meant to be split
$as_root apt-get -q install -y --no-install-recommends $missing
