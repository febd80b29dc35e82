#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Fetches a kernel that Debian built, and what it needs to boot here. Installs nothing, and needs no root.
#   package.sh PACKAGE=VERSION DIR     leaves bzImage, System.map, config and modules.cpio.gz in DIR
set -eu

if [ $# -ne 2 ]; then
	echo "usage: package.sh PACKAGE=VERSION DIR" >&2
	exit 1
fi
package=$1
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
PATH=$PATH:/usr/sbin:/sbin

cd "$2"
echo "downloading $package"
apt-get -q download "$package"
echo "unpacking $package"
dpkg-deb -x ./*.deb tree
for image in tree/boot/vmlinuz-*; do
	release=${image#tree/boot/vmlinuz-}
done
cp "tree/boot/vmlinuz-$release" bzImage
cp "tree/boot/System.map-$release" System.map
cp "tree/boot/config-$release" config
echo "packing the modules of $release"
depmod -b tree "$release"
"$here/modules.sh" tree "$release" modules.cpio.gz
rm -r tree ./*.deb
