#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Emulated hosts: that they boot, for whom, from where, how they end, and what they leave behind.
set -u
# shellcheck source-path=SCRIPTDIR source=../cli/tap.sh
. "$(dirname "$0")/../cli/tap.sh"
TAP_SECONDS=240

build=$(realpath "${BUILD:-build}")
tree=$(realpath "$(dirname "$0")/../..")
export TMPDIR=$TMP/tmp
mkdir "$TMPDIR"
"$VCPULAT" kernel build stock >"$OUTPUT" 2>&1 || { sed 's/^/# /' "$OUTPUT"; exit 1; }

# For bash -c: check runs programs, not functions.
no_leftovers='[ -z "$(ls -A "$TMPDIR")" ] && ! pgrep -f "path=$TMPDIR/"'

check_exit "a command's exit code comes back" 7 '^kept off' \
	"$VCPULAT" lab exec -- sh -c 'virsh -c qemu:///system uri; echo x >/etc/vcpulat-test && echo kept off the machine; exit 7'
cp "$OUTPUT" "$TMP/answer"
check "libvirt answers" grep -q qemu:///system "$TMP/answer"
check "the machine's files are not written" test ! -e /etc/vcpulat-test
check_exit "a shell takes commands" 0 'answer: 42' \
	bash -c "printf 'echo answer: \$((6 * 7))\npoweroff\n' | '$VCPULAT' lab shell"
check_exit "a kernel panic is seen at once" 1 'Kernel panic' \
	"$VCPULAT" lab exec --append 'rdinit=/none root=/dev/none' -- true
check_exit "a hang is ended and tried again, twice" 1 'attempt 3: no sign of life for 6 s' \
	"$VCPULAT" lab exec --patience 6s --append rdinit=/bin/cat -- true
check "nothing is left" bash -c "$no_leftovers"

# Ctrl-C in the middle of a boot.
"$VCPULAT" lab exec -- sleep 1000 >"$TMP/log" 2>&1 &
pid=$!
for ((i = 0; i < 600; i++)); do
	grep -q libvirt "$TMP/log" && break
	sleep 0.1
done
kill -INT $pid
wait $pid
code=$?
check "Ctrl-C ends a boot with 130" test $code = 130
check "and leaves nothing" bash -c "$no_leftovers"

# As an ordinary user without groups, from a copy of the tree in a closed directory below /tmp.
if [ "$(id -u)" = 0 ]; then
	home=$TMP/home
	chmod 711 "$TMP"
	mkdir -p "$home/tree/build" "$home/tmp"
	cp "$build"/vcpulat "$build"/vcpulat-agent "$build"/*.cpio.gz "$home/tree/build"
	cp -r "$tree/scenarios" "$tree/guest" "$tree/images" "$home/tree"
	cp "$("$VCPULAT" kernel list --json | jq -r '.[] | select(.name == "stock").image')" "$home/bzImage"
	chown -R 65534:65534 "$home"
	chmod 700 "$home"
	check_exit "an ordinary user, a closed home below /tmp" 0 'qemu:///system' \
		setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$home" XDG_CACHE_HOME="$home/cache" \
		TMPDIR="$home/tmp" bash -c "cd; tree/build/vcpulat lab exec --host-image bzImage -- virsh -c qemu:///system uri"
else
	skip "an ordinary user, a closed home below /tmp" "not root: this is one already"
fi
plan
