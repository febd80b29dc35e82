#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Kernels that Debian built: a real package of a few lines, unpacked and packed by the real programs. Only the
# archive that it comes from is not there: apt-cache and apt-get are stand-ins that know this one package.
set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"

PATH=$PATH:/usr/sbin:/sbin
needs gcc dpkg-deb depmod modprobe cpio
export VCPULAT_DATA=$TMP/data XDG_CACHE_HOME=$TMP/cache
kernels=$VCPULAT_DATA/images/kernels
release=6.1.0-9-test
mkdir -p "$kernels/arms" "$TMP/bin" "$TMP/deb"/{DEBIAN,boot,lib/modules/$release/kernel}
cp images/kernels/*.sh "$kernels"
printf 'description: d\nsource: debian-package\npath: linux-image-test\n' >"$kernels/arms/debian.yaml"
printf 'description: d\nsource: debian-package\npath: linux-image-none\n' >"$kernels/arms/unknown.yaml"

{
	head -c 514 /dev/zero
	printf 'HdrS%8s\020\000' ''
	printf '%s (x)\0' "$release"
} >"$TMP/deb/boot/vmlinuz-$release"
touch "$TMP/deb/boot/System.map-$release" "$TMP/deb/boot/config-$release"
module() { # name, what it depends on: a symbol of the other
	printf 'const char a[] __attribute__((section(".modinfo"), used)) = "name=%s\\0license=GPL";\n%s\n' "$1" "$2" |
		gcc -c -x c -o "$TMP/deb/lib/modules/$release/kernel/$1.ko" -
}
module virtio 'int use_me; const char names[] __attribute__((section("__ksymtab_strings"), used)) = "use_me";'
module virtio_pci 'extern int use_me; int f(void) { return use_me; }'
module other ''
printf 'Package: linux-image-%s\nVersion: 6.1-2\nArchitecture: amd64\nMaintainer: x <x@y>\nDescription: d\n' \
	"$release" >"$TMP/deb/DEBIAN/control"
dpkg-deb -b "$TMP/deb" "$TMP/package.deb" >/dev/null

cat >"$TMP/bin/apt-cache" <<EOF
#!/bin/sh
[ "\$3" = linux-image-test ] || { echo "N: Unable to locate package" >&2; exit 100; }
printf 'Package: linux-image-test\nVersion: 6.1-2\nDepends: linux-image-$release (= 6.1-2)\n'
EOF
cat >"$TMP/bin/apt-get" <<EOF
#!/bin/sh
[ "\$3" = "linux-image-$release=6.1-2" ] && [ ! -e "$TMP/offline" ] && cp "$TMP/package.deb" .
EOF
chmod +x "$TMP/bin"/*
PATH=$TMP/bin:$PATH

packed() { zcat "$(dirname "$("$VCPULAT" kernel path debian)")/modules.cpio.gz" | cpio --quiet -t; }

check_exit "not there before it is fetched" 1 "not built" "$VCPULAT" kernel path debian
touch "$TMP/offline"
check_exit "an archive that does not answer" 1 . "$VCPULAT" kernel build debian
check "leaves nothing" test -z "$(ls "$XDG_CACHE_HOME/vcpulat/kernels")"
rm "$TMP/offline"
check_exit "a metapackage leads to its kernel" 0 "^debian +$release " "$VCPULAT" kernel build debian
check "the image is the package's" cmp "$("$VCPULAT" kernel path debian)" "$TMP/deb/boot/vmlinuz-$release"
check "what it depends on comes before it" \
	test "$(packed | grep host/ | tr '\n' ' ')" = "modules/host/101-virtio.ko modules/host/102-virtio_pci.ko "
check "the guest has its own" test "$(packed | grep -c guest/)" = 2
check "what nobody needs stays behind" test -z "$(packed | grep other)"
touch "$TMP/offline"
check_exit "it is fetched once" 0 "^debian +$release " "$VCPULAT" kernel build debian
check_exit "list shows it" 0 "built: $release" "$VCPULAT" kernel list
check_exit "an unknown package, and the way out" 1 "'linux-image-none' is known here .'apt-get update'" \
	"$VCPULAT" kernel build unknown
printf 'description: d\nsource: debian-package\npath: /no/name\n' >"$kernels/arms/path.yaml"
check_exit "a path is no package" 1 "path.yaml: .*the name of a Debian package" "$VCPULAT" kernel build path
check_exit "nothing fits on top of it" 1 "'debian' is a kernel built elsewhere" \
	"$VCPULAT" kernel build debian --config CONFIG_A=y
plan
