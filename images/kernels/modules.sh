#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Packs the modules without which a kernel built elsewhere is no host and no guest under test.
#   modules.sh BASE RELEASE OUT     those of BASE/lib/modules/RELEASE, as an initramfs to be appended to ours
set -eu

# The first virtio_pci finds the devices, the others are what they are for.
host='virtio_pci virtio_console 9p 9pnet_virtio overlay kvm_amd kvm_intel vhost_vsock loop ext4 zram'
guest='virtio_pci vmw_vsock_virtio_transport virtio_mem'

if [ $# -ne 3 ]; then
	echo "usage: modules.sh BASE RELEASE OUT" >&2
	exit 1
fi
base=$1
release=$2
out=$3
PATH=$PATH:/usr/sbin:/sbin

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
trap 'exit 130' INT TERM HUP

unpack() {
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.zst) zstd -dc "$1" ;;
	*.gz) gzip -dc "$1" ;;
	*) cat "$1" ;;
	esac
}

# In the order in which they are to be inserted; a name that the kernel does not have, or has built in, gives nothing.
pack() {
	layer=$1
	shift
	number=100
	mkdir -p "$tree/modules/$layer"
	for name; do
		modprobe -q -d "$base" -S "$release" --show-depends "$name" || true
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r file; do
		number=$((number + 1))
		name=${file##*/}
		unpack "$file" >"$tree/modules/$layer/$number-${name%%.ko*}.ko"
	done
}

# shellcheck disable=SC2086 # lists of words
pack host $host
# shellcheck disable=SC2086
pack guest $guest
find "$tree" -exec touch -h -d @0 {} +
(cd "$tree" && find modules | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 --reproducible) | gzip -n -6 >"$out.tmp"
mv "$out.tmp" "$out"
