#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every function that a header declares has a kernel-doc block that names it, and every block names a function; one of
# several lines names each of its parameters.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
# Of a whole header.
read -r -d '' undocumented <<'PERL'
while (m#/\*\*\n((?:(?!\*/).)*)\*/\n([a-z][^;{}]*?)\b(\w+)\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)[^;{]*[;{]#gs) {
	my ($doc, $name, $params) = ($1, $3, $4);
	my $depth = 0;
	my @params = ("");
	for my $c (split //, $params) {
		$depth += ($c eq "(") - ($c eq ")");
		if ($c eq "," && !$depth) { push @params, "" } else { $params[-1] .= $c }
	}
	for (@params) {
		next if /^\s*(void|\.\.\.)?\s*$/;
		my $p = /\(\*(\w+)\)/ ? $1 : /(\w+)\s*(\[[^]]*\])?\s*$/ ? $1 : next;
		print "$ARGV: $name(): no \@$p\n" unless $doc =~ /\@$p\b/;
	}
}
PERL
for header in $(git ls-files 'common/*.h' 'agents/*.h' 'host/*.h' 'reports/*.h' 'host/meter/*.h'); do
	# Prototypes start in column 0 and are no typedef, struct, macro or static inline's body.
	functions=$(grep -oE '^[a-z][a-z0-9_ ]*[ *]+\*?[a-z_0-9]+\(' "$header" | grep -vE '^(typedef|struct [a-z_]+ *\{|extern|return|if|for|while|switch)' |
		sed -E 's/.*[ *]([a-z_0-9]+)\($/\1/' | grep -vE '^(__attribute__|cleanup_.*|DEFINE_.*|_Static_assert)$' | sort -u)
	documented=$(grep -oE '^( \*|/\*\*) [a-z_0-9]+ - ' "$header" | sed -E 's/^( \*|\/\*\*) ([a-z_0-9]+) - /\2/' | sort -u)
	for f in $functions; do
		grep -qx "$f" <<<"$documented" || { echo "$header: $f() is not documented"; bad=1; }
	done
	parameters=$(perl -0777 -ne "$undocumented" "$header")
	[ -z "$parameters" ] || { echo "$parameters" && bad=1; }
	for f in $documented; do
		grep -qE "\b$f\b *(\(|\{|\[|;)" "$header" || { echo "$header: the documentation names $f, which is not declared here"; bad=1; }
	done
done
exit $bad
