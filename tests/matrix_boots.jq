# SPDX-License-Identifier: GPL-2.0-or-later
# $arms (vcpulat kernel list --json), $scenarios (vcpulat scenarios --json) -> lines "arm scenario...", one for each boot.
# A patched kernel is booted for what its patches add or remove, for positive controls, stress and stalls; a kernel of
# other origin for all, at the end. Scenarios that need the same host share its boot. Who names arms has every scenario
# on them.
def words: [splits(" +") | select(. != "")];
def wanted($names): . as $name | ($names | words) as $names | $names == [] or ($names | index($name)) != null;
def meet($other): . as $list | any($other[]; . as $item | $list | index($item) != null);

# An arm's variant that checks itself (+debug) is there for who names it.
($arms[0] + [$arms[0][] | .name += "+debug" | select($arms_wanted != "")] |
	sort_by(.name != "stock" and .patches == []))[] | select(.name | wanted($arms_wanted)) |
	select($arms_wanted != "" or (.name | startswith("planted-") | not)) | . as $arm |
[$scenarios[0][] | select(.provokes | length > 0) | select(.name != "calibrate") | select(.name | wanted($scenarios_wanted)) |
	select($arms_wanted != "" or $arm.patches == [] or (.provokes | meet($arm.adds + $arm.removes)) or
		(.groups | meet(["control", "stress", "stall"])))] |
group_by(.host)[] | "\($arm.name) \(map(.name) | join(" "))"
