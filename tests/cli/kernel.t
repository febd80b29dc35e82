#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The kernel builder, on a source of a few lines whose Makefile knows the targets that a
# kernel's has: what it builds, reuses, refuses, and leaves behind when it is ended.
set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"

needs gcc ld make flex bison bc lz4 patch tar xz gzip perl git
export VCPULAT_DATA=$TMP/data XDG_CACHE_HOME=$TMP/cache
kernels=$VCPULAT_DATA/images/kernels
mkdir -p "$kernels/arms" "$kernels/patches" "$TMP/linux"/{mm,arch/x86/boot}

printf '%s\n' 'CONFIG_A=y' >"$kernels/vcpulat-x86_64.config"
cat >"$TMP/linux/Makefile" <<'EOF'
image := arch/x86/boot/bzImage
objects := mm/one.o mm/two.o
tinyconfig:
	@echo CONFIG_TINY=y >.config
olddefconfig:
	@grep -E '^CONFIG_(TINY|A|B)=' .config >.new || :; mv .new .config
%.o: %.c
	@echo '  CC      $@'; grep -v slow $< >$@ && { ! grep -q slow $< || sleep 6; }
	@! grep -q broken $< || { echo '$<:1:1: error: broken'; rm $@; exit 1; }
bzImage: $(objects)
	@echo '  LD      vmlinux'; touch System.map
	@head -c 514 /dev/zero >$(image); printf 'HdrS%8s\020\000' '' >>$(image)
	@printf '6.1-fake$(LOCALVERSION) (x)\0' >>$(image); cat $(objects) >>$(image)
EOF
touch "$TMP/linux/arch/x86/boot/keep"
printf 'one\nlast\n' >"$TMP/linux/mm/one.c"
printf 'two\nlast\n' >"$TMP/linux/mm/two.c"
tar -cJf "$TMP/linux.tar.xz" -C "$TMP" linux
change() { # patch, from, to: in mm/one.c
	printf -- '--- a/mm/one.c\n+++ b/mm/one.c\n@@ -1,2 +1,2 @@\n-%s\n+%s\n last\n' "$2" "$3" >"$kernels/patches/$1"
}
arm() { # name, further lines...
	local name=$1
	shift
	{ printf 'description: a test\nsource: tarball\npath: %s\n' "$TMP/linux.tar.xz"; printf '%s\n' "$@"; } \
		>"$kernels/arms/$name.yaml"
}
change one.patch one changed
change again.patch changed twice
change bad.patch uno dos
change broken.patch one broken
change slow.patch one slow
arm stock
arm changed 'patches: [one.patch]' 'changes: one line' 'removes: [host/kworker/one]'
arm twice 'patches: [one.patch, again.patch]'
arm order 'patches: [again.patch, one.patch]'
arm bad 'patches: [bad.patch]'
arm broken 'patches: [broken.patch]'
arm slow 'patches: [slow.patch]'
arm missing 'patches: [none.patch]'
arm option 'config: [CONFIG_B=y]'
arm nooption 'config: [CONFIG_B=y, CONFIG_C=y]'

vk() { "$VCPULAT" kernel "$@"; }
image() { vk path "$1"; }
content() { tail -c +513 "$(image "$1")" | tr -d '\0'; }
tree() { echo "$TMP"/cache/vcpulat/kernels/trees/*; }

check_exit "build without an arm" 1 'which arm' "$VCPULAT" kernel build
check_exit "kernel without a word" 1 "kernel what\\?" "$VCPULAT" kernel
check_exit "an unknown arm is named, and the known ones" 1 "no arm 'none'; there are: stock, bad, broken" \
	"$VCPULAT" kernel build none
check_exit "path of what is not built" 1 "not built: 'vcpulat kernel build stock'" "$VCPULAT" kernel path stock
check_exit "list before any build" 0 'not built' "$VCPULAT" kernel list
check_exit "build two arms" 0 '^changed .*6\.1-fake-vcpulat-[0-9a-f]{8} ' "$VCPULAT" kernel build stock changed
check_exit "a patch is in the image" 0 'changed' tail -c 30 "$(image changed)"
check_exit "and was taken back for the other" 0 'one' tail -c 30 "$(image stock)"
check "releases are equally long" test "$(content stock | head -c 60 | wc -c)" = "$(content changed | head -c 60 | wc -c)"
check_exit "list shows what is built" 0 '^    built: 6\.1-fake' "$VCPULAT" kernel list
check "list --json is JSON" sh -c "'$VCPULAT' kernel list --json | python3 -m json.tool >/dev/null"
check_exit "list --json has the hash" 0 "\"sha256\": \"$(sha256sum <"$(image changed)" | cut -c1-64)\"" \
	"$VCPULAT" kernel list --json
check "the entry keeps configuration and symbols" sh -c "cd '$(dirname "$(image stock)")' && ls config System.map entry.json"

# Only what a patch changed is compiled again; a second build compiles nothing.
check_exit "build of a built arm" 0 '^stock ' "$VCPULAT" kernel build stock
touch -d '2020-01-01' "$TMP/old"
two=$(stat -c %y "$(tree)/source/mm/two.o")
check_exit "two patches of one file" 0 '^twice ' "$VCPULAT" kernel build twice
check_exit "in their order" 0 'twice' tail -c 30 "$(image twice)"
check "objects of untouched files stay" test "$(stat -c %y "$(tree)/source/mm/two.o")" = "$two"

check_exit "patches in the wrong order" 1 "again.patch' does not apply to .*linux.tar.xz" "$VCPULAT" kernel build order
check_exit "a patch that does not apply" 1 "patch '.*bad.patch' does not apply" "$VCPULAT" kernel build bad
check_exit "a patch that is not there" 1 "none.patch': No such file" "$VCPULAT" kernel build missing
check_exit "list says so" 0 "not built: .*none.patch" "$VCPULAT" kernel list
check_exit "a compiler's error" 1 'does not compile: mm/one.c:1:1: error: broken .*build.log' "$VCPULAT" kernel build broken
check_exit "an option that the source does not know" 1 'nooption.: .*do not know|does not know these options.*: CONFIG_C=y ' \
	"$VCPULAT" kernel build nooption
check_exit "an option that it knows" 0 '^option ' "$VCPULAT" kernel build option
rm -r "$TMP/cache/vcpulat/kernels/images"
check_exit "after all that stock is built again" 0 '^stock ' "$VCPULAT" kernel build stock
check_exit "and is stock" 0 'one' tail -c 30 "$(image stock)"

# Damage, interruption, a full disk.
first=$(sha256sum <"$(image stock)")
echo x >>"$(image stock)"
check_exit "a damaged image counts as not built" 1 'not built' "$VCPULAT" kernel path stock
check_exit "and is built again" 0 '^stock ' "$VCPULAT" kernel build stock
check "byte for byte" test "$(sha256sum <"$(image stock)")" = "$first"
timeout --foreground -s INT 2 "$VCPULAT" kernel build slow >"$TMP/said" 2>&1
check "an interrupted build says so" grep -q interrupted "$TMP/said"
check "it leaves no image" sh -c "! '$VCPULAT' kernel path slow"
check "and no process that still has the work tree" \
	sh -c "for lock in '$TMP'/cache/vcpulat/kernels/trees/*/lock; do flock -n \$lock true || exit 1; done"
timeout --foreground -s KILL 2 "$VCPULAT" kernel build slow >"$OUTPUT" 2>&1
check "a killed build leaves no image" sh -c "! '$VCPULAT' kernel path slow"
rm -r "$TMP/cache/vcpulat/kernels/images"
check_exit "what a killed build left is mended" 0 '^stock ' "$VCPULAT" kernel build stock
check "also byte for byte" test "$(sha256sum <"$(image stock)")" = "$first"
XDG_CACHE_HOME=$TMP/second check_exit "from scratch, elsewhere" 0 '^stock ' "$VCPULAT" kernel build stock
check "the same image" test "$(XDG_CACHE_HOME=$TMP/second image stock | xargs cat | sha256sum)" = "$first"
XDG_CACHE_HOME=/dev/full check_exit "a cache that cannot be" 1 '/dev/full' "$VCPULAT" kernel build stock

# A user's own.
printf -- '--- a/mm/two.c\n+++ b/mm/two.c\n@@ -1,2 +1,2 @@\n-two\n+mine\n last\n' >"$TMP/my.patch"
check_exit "--patch" 0 '^mine ' "$VCPULAT" kernel build stock --patch "$TMP/my.patch" --name mine
check_exit "the arm is kept" 0 'mine' tail -c 30 "$(image mine)"
check_exit "a name of the project's" 1 "'changed' is an arm of the project" \
	"$VCPULAT" kernel build stock --patch "$TMP/my.patch" --name changed
check_exit "--config" 0 '^stock-local ' "$VCPULAT" kernel build stock --config CONFIG_B=y
check_exit "a changed arm is one" 1 'change one arm' "$VCPULAT" kernel build stock changed --config CONFIG_B=y
check_exit "--name alone" 1 '[-]-name goes with' "$VCPULAT" kernel build stock --name x
check_exit "--image" 0 '^given ' "$VCPULAT" kernel build stock --image "$(image mine)" --name given
check_exit "--image of something else" 1 'no bzImage' "$VCPULAT" kernel build stock --image "$TMP/my.patch" --name text
check_exit "--tree that is no git tree" 1 'no git tree' "$VCPULAT" kernel build stock --tree "$TMP/linux" --name git
git() { command git -C "$TMP/linux" -c user.name=x -c user.email=x@y "$@" >/dev/null 2>&1; }
git init && git add -A && git commit -m one
check_exit "--tree" 0 '^git ' "$VCPULAT" kernel build stock --tree "$TMP/linux" --name git
printf 'deux\nlast\n' >"$TMP/linux/mm/two.c"
check_exit "--tree with changes" 1 "not committed \\('M mm/two.c'|not committed" "$VCPULAT" kernel build git
git commit -a -m two
check_exit "the next commit" 0 '^git ' "$VCPULAT" kernel build git
check_exit "is what is built" 0 'deux' tail -c 30 "$(image git)"

check_exit "clean" 0 '^[1-9][0-9]* work trees removed' "$VCPULAT" kernel clean
check "images stay" test -s "$(image git)"
check_exit "nothing is left to clean" 0 '^0 work trees' "$VCPULAT" kernel clean
rm -r "$TMP/cache/vcpulat/kernels/images"
check_exit "the next build extracts again" 0 '^changed ' "$VCPULAT" kernel build changed
plan
