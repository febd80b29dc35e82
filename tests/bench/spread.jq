# SPDX-License-Identifier: GPL-2.0-or-later
# A picture from results of repeated runs: per cause the spread of instructions beside that of microseconds, both
# relative to the median and on the same scale, each gap a dot, coloured by path.
#   jq -rn --slurpfile quiet QUIET.json --slurpfile loaded LOADED.json -f spread.jq >spread.svg
def palette: ["#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#a463f2"];
def grey: "#9498a0";
def left: 250;
def width: 330;
def between: 40;
def low: -1; # log10 of the scale's ends, relative to the median
def high: 2.2;
def strip: 34;
def head: 66;

def median: sort | .[(length - 1) / 2 | floor];
def round($n): . * pow(10; $n) | floor / pow(10; $n);
def x($panel): left + $panel * (width + between) + ([[., low] | max, high] | min - low) / (high - low) * width;
def escape: gsub("&"; "&amp;") | gsub("<"; "&lt;");
def text($x; $y; $attributes): "<text x=\"\($x)\" y=\"\($y)\" \($attributes)>\(escape)</text>";

# One object a gap: what it took, and its path.
def dots($cause; $figure):
	[.[].exact.causes[] | select(.cause == $cause) | .paths[] | .path as $path | .[$figure] | select(. != null) |
		.values[] | .[0] as $value | range(.[1]) | {value: $value, path: $path}];

# Most frequent first.
def paths_of($cause): dots($cause; "total") | group_by(.path) | sort_by(-length) | map(.[0].path);

# Gaps of a path that has one value only, among those of paths with more than one gap.
def recurring($cause):
	[dots($cause; "total") | group_by(.path)[] | select(length > 1) | group_by(.value)[] | length] |
	{again: (map(select(. > 1)) | add // 0), of: (add // 0)};

def spread: (map(.value) | sort) as $v | ($v[-1] / $v[0]) as $f | "\($f | round(if $f < 10 then 2 else 0 end))×";

def one($panel; $top; $paths; $centre):
	to_entries[] | .key as $i | .value | .path as $path | (.value / $centre | log10 | x($panel)) as $x |
	($paths | index($path) // 9) as $rank | ($top + ($i * 7 % 19) - 9) as $y |
	"<circle cx=\"\($x | round(1))\" cy=\"\($y)\" r=\"2.4\" fill=\"\(palette[$rank] // grey)\" fill-opacity=\".6\"/>";

def axis($panel; $top; $bottom):
	(low, 0, 1, 2) as $e | ($e | x($panel)) as $x |
	"<line x1=\"\($x)\" x2=\"\($x)\" y1=\"\($top)\" y2=\"\($bottom)\" stroke=\"#ddd\"/>",
	("\(if $e == 0 then "median" else "\(pow(10; $e))×" end)" | text($x; $bottom + 14; "text-anchor=\"middle\" fill=\"#666\""));

def row($name; $cause; $y; $paths; $centres):
	dots($cause; "total") as $insns | dots($cause; "len_ns") as $time | recurring($cause) as $r |
	($name | text(left - 12; $y - 2; "text-anchor=\"end\" font-weight=\"600\"")),
	("\($insns | length) gaps, \($insns | group_by(.path) | length) paths, \($r.again) of \($r.of) exact" |
		text(left - 12; $y + 11; "text-anchor=\"end\" fill=\"#666\" font-size=\"10\"")),
	($insns | one(0; $y; $paths; $centres[0])), ($time | one(1; $y; $paths; $centres[1])),
	($insns | spread | text(left + width + 4; $y + 4; "fill=\"#666\"")),
	($time | spread | text(left + 2 * width + between + 4; $y + 4; "fill=\"#666\""));

[$quiet[].exact.causes[].cause] | unique |
	map(select(. as $c | ($loaded | dots($c; "len_ns") | length) > 1 and ($quiet | dots($c; "len_ns") | length) > 1 and
		($c | test("/stimulus$") | not))) | . as $causes |
(head + ($causes | length) * (2 * strip + 30)) as $bottom |
"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(left + 2 * width + between + 60) \($bottom + 24)\" font-family=\"sans-serif\" font-size=\"12\">",
"<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>",
("The same gaps in instructions and in microseconds, \($quiet | length) runs on a quiet machine, \($loaded | length) on a loaded one" |
	text(12; 20; "font-size=\"14\" font-weight=\"600\"")),
("instructions" | text(left; 46; "font-weight=\"600\"")),
("emulated microseconds" | text(left + width + between; 46; "font-weight=\"600\"")),
axis(0, 1; head - 10; $bottom),
($causes | to_entries[] | .value as $cause | (head + .key * (2 * strip + 30)) as $y |
	([($quiet | dots($cause; "total"), dots($cause; "len_ns")) | map(.value) | median]) as $centres |
	($quiet | paths_of($cause)) as $paths |
	($cause | text(12; $y + 8; "font-weight=\"600\"")),
	($quiet | row("quiet"; $cause; $y + 30; $paths; $centres)),
	($loaded | row("loaded"; $cause; $y + 30 + strip; $paths; $centres))),
"</svg>"
