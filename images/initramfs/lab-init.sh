#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# PID 1 of the emulated host, under busybox. The machine's own file system is the root,
# read-only, below a tmpfs overlay; /out is the run's stage directory, the one place that
# is written. Runs /out/job.sh there, leaves its exit code in /out/exit and powers off.
# Progress goes to the first virtio console (hvc0) as one JSON object a line.
export PATH=/bin

progress() {
	echo "{\"phase\":\"boot\",\"what\":\"$1\"}" >/dev/hvc0
}

finish() {
	echo "$1" >/root/out/exit
	sync
	poweroff -f
}

# A tmpfs over what must not be inherited, or what an ordinary user's QEMU cannot read.
fresh() {
	mkdir -p "/root$1"
	mount -t tmpfs -o mode="${2:-755}" fresh "/root$1"
}

# A kernel built elsewhere may lack what a host under test is made of.
give_up() {
	echo "vcpulat: this kernel cannot mount $1" >/dev/console
	exec poweroff -f
}

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev

# Of a kernel that was built elsewhere; what the command line says of a module is for whoever inserts it.
for module in /modules/host/*.ko; do
	[ -e "$module" ] || break
	name=${module##*/???-}
	name=${name%.ko}
	options=
	for word in $(cat /proc/cmdline); do
		case $word in
		"$name".*) options="$options ${word#*.}" ;;
		esac
	done
	# shellcheck disable=SC2086 # a list of words; a processor that is not there, or what is built in, is refused
	insmod "$module" $options 2>/dev/null || true
done
stty -F /dev/hvc0 raw -echo
progress kernel

mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,ro,cache=loose root /ro || give_up '9p (CONFIG_NET_9P_VIRTIO, CONFIG_9P_FS)'
mount -t tmpfs rw /rw
mkdir /rw/upper /rw/work
mount -t overlay -o lowerdir=/ro,upperdir=/rw/upper,workdir=/rw/work overlay /root || give_up 'overlay (CONFIG_OVERLAY_FS)'

mount -t proc proc /root/proc
mount --bind /sys /root/sys
mount --bind /dev /root/dev
mount -t debugfs debugfs /root/sys/kernel/debug
mount -t tracefs tracefs /root/sys/kernel/tracing
mount -t cgroup2 cgroup2 /root/sys/fs/cgroup
mkdir -p /root/dev/pts /root/dev/shm
mount -t devpts devpts /root/dev/pts
mount -t tmpfs shm /root/dev/shm
ln -sf /proc/self/fd /root/dev/fd
for dir in /etc/libvirt /var/lib/libvirt /var/cache/libvirt /var/log /etc/tuned /run /root; do
	fresh "$dir"
done
fresh /tmp 1777
mkdir -p /root/out
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=none out /root/out || exec poweroff -f
ip link set lo up
hostname vcpulat-lab
progress files

mkdir -p /root/run/vcpulat/bin
cp /bin/busybox /services /root/run/vcpulat/
cp -a /root/out/in/libvirt-cache /root/run/vcpulat/ 2>/dev/null || true

# Run in the emulated host's root, with its programs.
inside() {
	PATH=/run/vcpulat/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
		/bin/chroot /root /bin/sh "$1"
}

inside /run/vcpulat/services &
# Meanwhile, on a CPU that has nothing to do yet.
taskset 2 cp -a /root/out/in/. /root/run/vcpulat/
for applet in poweroff reboot halt; do
	printf '#!/run/vcpulat/busybox sh\nsync; exec /run/vcpulat/busybox poweroff -f\n' >"/root/run/vcpulat/bin/$applet"
	chmod 755 "/root/run/vcpulat/bin/$applet"
done
wait

echo '{"phase":"job"}' >/dev/hvc0
inside /out/job.sh
code=$?
if ! chroot /root /usr/bin/diff -rq /run/vcpulat/libvirt-cache /var/cache/libvirt >/dev/null 2>&1; then
	cp -a /root/var/cache/libvirt /root/out/libvirt-cache
fi
progress end
finish $code
