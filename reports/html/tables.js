// SPDX-License-Identifier: GPL-2.0-or-later
// Verdict, causes, evidence, arms and commands: everything that is words and numbers.
"use strict";
(function () {
	const { data, h, fill, us, rate, percent } = page;
	const comparison = data.comparison;
	const good = { removed: true, "as-expected": true };
	const signs = { removed: "✔ removed", "as-expected": "✔ as expected", reduced: "✘ reduced", remains: "✘ remains",
		unexpected: "✘ unexpected", undecided: "? undecided" };

	function outcome() {
		const passed = comparison.passed;
		fill("outcome", h("span", { class: "state " + (passed ? "good" : "bad") }, passed ? "✔ passed" : "✘ not passed"),
			page.arms.length > 1 ? page.arms.join(" against ") : page.arms.join(""));
		document.title = "vcpulat: " + (passed ? "passed" : "not passed") + ": " + page.arms.join(" / ");
		const words = { functional: "causes and counts hold", exact: "lengths are instructions, which repeat",
			qualification: "microseconds are what they say" };
		fill("mode", h("strong", {}, comparison.mode + " mode: "), words[comparison.mode] || "",
			comparison.emulated ? ". Times are those of an emulated CPU: they, and their ratios, do not carry over to a real machine."
				: comparison.mode === "functional" ? "; microseconds hold for this machine only." : ".");
		document.querySelectorAll(".unit").forEach(node => node.replaceChildren("Times in " + page.unit + "."));
	}

	function verdicts() {
		fill("verdicts", comparison.verdicts.map(v => h("li",
			{ class: good[v.state] ? "good" : v.state === "undecided" ? "unsure" : "bad" },
			h("span", { class: "badge" }, signs[v.state] || v.state),
			h("span", {}, v.text, h("span", { class: "scenario" }, "  (" + v.scenario + ")")))));
		const simulation = comparison.aa_simulation;
		if (simulation)
			document.getElementById("verdicts").append(h("li", { class: simulation.within ? "good" : "bad" },
				h("span", { class: "badge" }, signs[simulation.within ? "as-expected" : "unexpected"]), h("span", {}, simulation.text)));
		fill("findings", (comparison.findings || []).map(f => h("li", { class: f.fails ? "bad" : "unsure" },
			h("span", { class: "badge" }, f.fails ? "✘ finding" : "! note"),
			h("span", {}, f.text, h("span", { class: "scenario" }, "  (" + f.scenario + " on " + f.arm + ")")))));
	}

	// A share with its interval between 0 and 100%: filled for armed, hollow for control.
	function shareBar(counts, filled, y) {
		if (!counts || counts.lo === null || counts.lo === undefined)
			return null;
		const x = share => 4 + 92 * share;
		return h("g", { stroke: "currentColor" },
			h("line", { x1: x(counts.lo), x2: x(counts.hi), y1: y, y2: y, "stroke-width": 2 }),
			h("circle", { cx: x(counts.hit / counts.primers), cy: y, r: 3.5, "stroke-width": 1.5,
				fill: filled ? "currentColor" : "var(--paper)" }));
	}

	function hits(side) {
		if (!side)
			return "";
		if (!side.armed.primers && !side.armed.count && !side.control.count)
			return "–";
		if (!side.armed.primers)
			return h("span", {}, side.armed.count + "×", h("div", { class: "small hits" }, side.control.count + "× in control"));
		const text = counts => counts.hit + " of " + counts.primers;
		return h("div", {},
			h("svg", { width: 100, height: 22, role: "img", "aria-label": "hit: armed " + text(side.armed) +
				", control " + text(side.control) },
				h("line", { x1: 4, x2: 96, y1: 21, y2: 21, stroke: "var(--line)" }),
				shareBar(side.armed, true, 6), shareBar(side.control, false, 15)),
			h("div", { class: "small hits" }, text(side.armed) + " armed"), side.control.primers ? h("div", { class: "small hits" }, text(side.control) + " control") : null);
	}

	// The largest gap to expect in a day, where the run was long enough to say.
	function day(tail) {
		if (!tail || tail.day_ns === null)
			return null;
		return h("div", { class: "small" }, `24 h: ${us(tail.day_ns)} (${us(tail.day_lo_ns)}–${tail.day_hi_ns === null ? "not bounded" : us(tail.day_hi_ns)})`);
	}

	function gaps(side) {
		if (!side)
			return "";
		const q = side.gap_ns;
		if (!q.n)
			return h("span", { class: "small" }, side.explained ? "only in gaps with other causes" : "none in " + side.exposure_s.toFixed(0) + " s");
		return h("span", {}, us(q.p50) + " / " + us(q.max),
			h("div", { class: "small" }, q.p50 === null ? "n " + q.n + ", too few" :
				us(q.p50_lo) + "–" + us(q.p50_hi) + ", n " + q.n + (q.p99 === null ? "" : ", p99 " + us(q.p99))),
			day(side.tail));
	}

	function rateCell(row) {
		const r = row.rate_per_min;
		const gaps = [row.guest, row.native, row.bare].some(side => side && side.gap_ns.n);
		// Some causes are told only from what is left of a gap: they have no beginnings to count.
		if (!r || (r.one_sided && gaps))
			return "–";
		return r.one_sided ? "< " + rate(r.hi, true) :
			h("span", {}, rate(r.value), h("div", { class: "small" }, rate(r.lo) + "–" + rate(r.hi, true)));
	}

	function hostShare(side) {
		if (!side || !(side.host_ns + side.guest_ns))
			return "";
		return percent(side.host_ns / (side.host_ns + side.guest_ns));
	}

	function amplification(row) {
		const a = row.amplification;
		return a ? h("span", {}, a.p50.toFixed(1) + "×", h("div", { class: "small" }, a.lo.toFixed(1) + "–" + a.hi.toFixed(1))) : "";
	}

	const ranks = {
		"total time": rows => Math.max(...rows.map(r => (r.guest || r.native || r.bare || {}).gap_ns ? (r.guest || r.native || r.bare).gap_ns.total : 0)),
		"worst gap": rows => Math.max(...rows.map(r => (r.guest || r.native || r.bare || {}).gap_ns ? (r.guest || r.native || r.bare).gap_ns.max || 0 : 0)),
	};
	let rankedBy = "total time";

	// One group a scenario and cause; provoked ones stay on top.
	function groups() {
		const byKey = new Map();
		for (const row of comparison.rows) {
			const key = row.scenario + "\n" + row.cause;
			byKey.set(key, (byKey.get(key) || []).concat(row));
		}
		const list = Array.from(byKey.values()).filter(rows => rows[0].provoked || ranks[rankedBy](rows) > 0);
		const named = rows => rows[0].cause === "unexplained" ? 0 : 1;
		return list.sort((a, b) => b[0].provoked - a[0].provoked || named(b) - named(a) || ranks[rankedBy](b) - ranks[rankedBy](a));
	}

	// A line an arm, and one more where the probe ran in a bare guest.
	function linesOf(row) {
		const native = row.cause.startsWith("guest/") ? null : row.native;
		const lines = row.guest || native || !row.bare ? [{ row, arm: row.arm, native, guest: row.guest, ratio: amplification(row) }] : [];
		return row.bare ? lines.concat({ row, arm: row.arm + ", bare guest", native: null, guest: row.bare, ratio: "" }) : lines;
	}

	function causeRows(rows) {
		return rows.flatMap(linesOf).map(({ row, arm, native, guest, ratio }, i, lines) => h("tr", { class: i ? null : "first" },
			i ? null : h("td", { class: "name", rowspan: lines.length }, page.mark(row.cause), " ", row.cause,
				h("div", { class: "small" }, row.scenario + (row.provoked ? ", provoked" : ""))),
			h("td", { class: "arm" }, arm), h("td", {}, hits(guest || native)),
			h("td", { class: "n" }, rateCell(row)),
			h("td", { class: "n" }, gaps(native)), h("td", { class: "n" }, gaps(guest)),
			h("td", { class: "n" }, hostShare(guest)),
			h("td", { class: "n" }, ratio)));
	}

	function causes() {
		fill("rank", Object.keys(ranks).map(name => page.button("by " + name, name === rankedBy, () => {
			rankedBy = name;
			causes();
		})));
		const heads = ["cause", "arm", "primers hit", "per minute", "native p50 / max", "guest p50 / max", "host share",
			"amplification"];
		fill("causes", h("thead", {}, h("tr", {}, heads.map((text, i) => h("th", { scope: "col", class: i > 2 ? "n" : null }, text)))),
			h("tbody", {}, groups().flatMap(causeRows)));
	}

	function evidence() {
		const heads = ["scenario", "arm", "probe in", "status", "armed / control", "gaps", "explained", "clock error",
			"lost events", "retries", "kernel log"];
		const rows = data.runs.map(run => h("tr", {},
			h("td", {}, run.scenario.name), h("td", {}, run.arm), h("td", {}, page.kinds[run.guest] || run.guest),
			h("td", {}, run.status),
			h("td", { class: "n" }, (run.exposure.armed_ns / 1e9).toFixed(0) + " / " + (run.exposure.control_ns / 1e9).toFixed(0) + " s"),
			h("td", { class: "n" }, String(run.gaps.t.length)),
			h("td", { class: "n" }, run.explained ? percent(run.explained.ns_share) + " of time" : "–"),
			h("td", { class: "n" }, run.clock ? us(run.clock.error_ns) + (run.clock.stable ? "" : ", moved") : "–"),
			h("td", { class: "n" }, run.lost ? String(run.lost.host_events + run.lost.guest_events + run.lost.gaps) : "not known"),
			h("td", { class: "n" }, String((run.retries || []).length)),
			h("td", { class: "n" }, (run.kernel_log || []).length ? run.kernel_log.length + (run.kernel_log.length > 1 ? " findings" : " finding") :
				(run.kernel_log_missing || []).length ? "incomplete" : "clean")));
		fill("evidence", h("thead", {}, h("tr", {}, heads.map((text, i) => h("th", { scope: "col", class: i > 3 ? "n" : null }, text)))),
			h("tbody", {}, rows));
		fill("retries", (comparison.retries || []).map(r => h("li", {}, "retried " + r.what + " on " + r.arm + " (" + r.scenario +
			"): " + r.reason)));
	}

	function ratio(r) {
		if (!r)
			return "–";
		return r.hi === null ? `> ${r.lo.toFixed(2)}` : `${r.value.toFixed(2)} (${r.lo.toFixed(2)}–${r.hi.toFixed(2)})`;
	}

	// What tracing itself changes, where a scenario was also run without.
	function probeEffect() {
		const effects = comparison.probe_effect || [];
		const heads = ["scenario", "arm", "probe in", "gaps traced", "untraced", "rate, traced over untraced", "median length", ""];
		fill("probe-effect", h("h3", {}, "Probe effect"), effects.length ? h("table", {},
			h("thead", {}, h("tr", {}, heads.map((text, i) => h("th", { scope: "col", class: i > 2 && i < 7 ? "n" : null }, text)))),
			h("tbody", {}, effects.map(e => h("tr", {}, h("td", {}, e.scenario), h("td", {}, e.arm), h("td", {}, page.kinds[e.guest] || e.guest),
				h("td", { class: "n" }, `${e.traced.gaps} in ${e.traced.exposure_s.toFixed(0)} s`),
				h("td", { class: "n" }, `${e.untraced.gaps} in ${e.untraced.exposure_s.toFixed(0)} s`),
				h("td", { class: "n" }, ratio(e.rate_ratio)), h("td", { class: "n" }, ratio(e.length_ratio)),
				h("td", {}, (e.changes ? "≠ changes" : "no effect shown") + (e.boots ? "" : "; boots not covered"))))))
			: h("p", { class: "hint" }, "Not measured: no scenario was run both with a trace and with --no-trace."));
	}

	function arms() {
		const facts = [["host kernel", a => (a.host || {}).release], ["host image", a => (a.sha256 || "").slice(0, 16)],
			["host command line", a => a.cmdline], ["guest kernel", a => (a.guest || {}).release],
			["guest command line", a => (a.guest || {}).cmdline], ["vCPU policy", a => a.vcpu_policy],
			["removes", a => (a.removes || []).join(", ") || "nothing"], ["boots", a => String(a.boots)]];
		const list = comparison.arms;
		fill("arms", h("thead", {}, h("tr", {}, h("th", {}, ""), list.map(a => h("th", { scope: "col" }, a.name + (a.baseline ? " (baseline)" : ""))))),
			h("tbody", {}, facts.map(([name, get]) => {
				const differs = new Set(list.map(get)).size > 1;
				return h("tr", {}, h("th", { scope: "row" }, (differs ? "≠ " : "") + name),
					list.map(a => h("td", { class: "name" + (differs ? " differs" : "") }, get(a) || "–")));
			})));
	}

	// What differs from boot to boot by its nature, or stands above already.
	const passing = new Set(["log_ns", "monotonic_ns", "boot_id", "loadavg", "hostname", "release", "version", "build", "cmdline"]);

	function spread(object, prefix, into) {
		for (const [key, value] of Object.entries(object || {})) {
			const name = prefix + key;
			if (value && typeof value === "object" && !Array.isArray(value))
				spread(value, name + ".", into);
			else if (!passing.has(key))
				into.set(name, value === null ? "unknown" : Array.isArray(value) ? value.join(" ") : String(value));
		}
		return into;
	}

	// Of each arm: fact to the set of its values over all runs.
	function factsOf(arm) {
		const all = new Map();
		data.runs.filter(run => arm === run.arm || comparison.aa && arm.startsWith(run.arm + "/")).forEach(run =>
			spread(run.facts, "", new Map()).forEach((value, name) => all.set(name, (all.get(name) || new Set()).add(value))));
		return name => Array.from(all.get(name) || []).sort().join(" | ");
	}

	function facts() {
		const names = new Set(data.runs.flatMap(run => Array.from(spread(run.facts, "", new Map()).keys())));
		const columns = comparison.arms.map(arm => factsOf(arm.name));
		const rows = Array.from(names).sort().map(name => [name, columns.map(get => get(name))]);
		const differs = row => new Set(row[1]).size > 1;
		const table = list => h("div", { class: "scroll" }, h("table", {},
			h("thead", {}, h("tr", {}, h("th", {}, ""), comparison.arms.map(a => h("th", { scope: "col" }, a.name)))),
			h("tbody", {}, list.map(row => h("tr", {}, h("th", { scope: "row" }, (differs(row) ? "≠ " : "") + row[0]),
				row[1].map(value => h("td", { class: "name" + (differs(row) ? " differs" : "") }, value || "–")))))));
		const unlike = rows.filter(differs);
		const alike = rows.filter(row => !differs(row));
		fill("facts", h("h3", {}, "Facts of host and guest"),
			rows.length === 0 ? h("p", { class: "hint" }, "None were recorded.") : null,
			unlike.length ? table(unlike) : rows.length ? h("p", { class: "hint" }, "No fact differs between the arms.") : null,
			alike.length ? h("details", {}, h("summary", {}, `${alike.length} facts that do not differ`), table(alike)) : null);
	}

	// trace-cmd interleaves both layers when it knows how far their clocks are apart, from the files or else from us; it
	// knows no scaling.
	function traces() {
		const runs = data.runs.filter(run => run.guest === "libvirt" && run.clock && run.clock.offset_cycles && !run.clock.scaled && run.trace && run.trace.guest);
		return runs.map(run => `trace-cmd report -i ${run.bundle}/host.dat -i ${run.bundle}/guest.dat` +
			(run.clock.in_traces ? "" : ` --ts-offset ${-run.clock.offset_cycles}`));
	}

	function again() {
		const merged = traces();
		const commands = Array.from(new Set(data.runs.map(run => run.command).filter(Boolean)));
		fill("again", commands.length ? h("pre", {}, commands.join("\n")) : h("p", {}, "No command was recorded."),
			h("p", { class: "hint" }, "Bundles with all evidence:"), h("pre", {}, data.runs.map(run => run.bundle || run.path).join("\n")),
			merged.length ? h("p", { class: "hint" }, "All events of both layers in one order:") : null,
			merged.length ? h("pre", {}, merged.join("\n")) : null);
		fill("made", "Made by vcpulat " + comparison.tool + " from " + data.runs.length + " results; confidence 95%.");
	}

	page.tables = function () {
		outcome();
		verdicts();
		causes();
		evidence();
		probeEffect();
		arms();
		facts();
		again();
	};
})();
