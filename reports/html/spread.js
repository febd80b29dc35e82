// SPDX-License-Identifier: GPL-2.0-or-later
// How long the gaps of one cause are: a logarithmic histogram an arm, guest penalty filled, native gap in outline.
"use strict";
(function () {
	const { data, h, fill, us } = page;
	const HEIGHT = 96, LEFT = 62, RIGHT = 16, BOTTOM = 22, TOP = 14, BINS_A_DECADE = 12;
	let chosen = null;

	function lengths(scenario, cause, arm, kind) {
		const list = [];
		for (const run of data.runs) {
			if (run.arm !== arm || run.scenario.name !== scenario || run.guest !== kind)
				continue;
			const index = data.causes.indexOf(cause);
			run.gaps.cause.forEach((c, i) => {
				if (c === index && (run.gaps.flags[i] & 5) === 5)
					list.push(run.gaps.len[i]);
			});
		}
		return list.sort(d3.ascending);
	}

	function bins(list, edges) {
		const counts = new Array(edges.length - 1).fill(0);
		for (const value of list)
			counts[Math.max(0, Math.min(counts.length - 1, d3.bisectRight(edges, value) - 1))]++;
		return counts;
	}

	function steps(counts, edges, x, y) {
		let d = `M${x(edges[0])},${y(0)}`;
		counts.forEach((count, i) => { d += `V${y(count)}H${x(edges[i + 1])}`; });
		return d + `V${y(0)}`;
	}

	function median(list, x, y0, y1, text) {
		if (!list.length)
			return null;
		const at = x(list[Math.ceil(list.length / 2) - 1]);
		return h("g", {}, h("line", { x1: at, x2: at, y1: y0, y2: y1, stroke: "currentColor", "stroke-dasharray": text === "native" ? "4 3" : null }),
			h("title", {}, text + " median"));
	}

	function rowOf(arm) {
		return data.comparison.rows.find(r => r.arm === arm && r.cause === chosen.cause && r.scenario === chosen.scenario) || {};
	}

	// One an arm, and one more where the probe ran in a bare guest.
	function setsOf(arm) {
		const row = rowOf(arm), of = kind => lengths(chosen.scenario, chosen.cause, arm, kind);
		const sets = row.guest || row.native || !row.bare ?
			[{ arm, guest: of("libvirt"), native: of("none"), guestSide: row.guest, nativeSide: row.native }] : [];
		return row.bare ? sets.concat({ arm: arm + ", bare guest", guest: of("bare"), native: [], guestSide: row.bare }) : sets;
	}

	function panel({ arm, guest, native, guestSide, nativeSide }, edges, width, most) {
		const x = d3.scaleLog().domain([edges[0], edges[edges.length - 1]]).range([LEFT, width - RIGHT]);
		const y = d3.scaleLinear().domain([0, most]).range([HEIGHT - BOTTOM, TOP]);
		const colour = page.colour(chosen.cause);
		const words = [];
		for (const [text, side, list] of [["guest", guestSide, guest], ["native", nativeSide, native]])
			if (list.length)
				words.push(`${text} n ${list.length}` + (side && side.gap_ns.p50 !== null ? `, p50 ${us(side.gap_ns.p50)}` : "") + `, max ${us(list[list.length - 1])}`);
			else if (side && !(text === "native" && chosen.cause.startsWith("guest/")))
				words.push(`${text} none in ${side.exposure_s.toFixed(0)} s`);
		const svg = h("svg", { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": `${arm}: ${words.join("; ")}` },
			h("path", { d: steps(bins(guest, edges), edges, x, y), fill: colour, "fill-opacity": 0.45, stroke: colour }),
			h("path", { d: steps(bins(native, edges), edges, x, y), fill: "none", stroke: "currentColor", "stroke-width": 1.6 }),
			median(guest, x, TOP - 8, HEIGHT - BOTTOM, "guest"), median(native, x, TOP - 8, HEIGHT - BOTTOM, "native"),
			h("g", { class: "axis x" }), h("g", { class: "axis y" }));
		d3.select(svg).select(".x").attr("transform", `translate(0,${HEIGHT - BOTTOM})`)
			.call(d3.axisBottom(x).tickFormat(d => /^[125]/.test(d.toExponential()) ? (d / 1000).toLocaleString("en") : ""));
		d3.select(svg).select(".y").attr("transform", `translate(${LEFT},0)`).call(d3.axisLeft(y).ticks(Math.min(3, most), "d"));
		return h("div", { class: "spread" }, h("h3", {}, arm + ": ", h("span", { class: "small" }, words.join("; ") || "not measured")), svg);
	}

	function draw() {
		if (!chosen)
			return;
		const width = Math.max(360, document.getElementById("spread").clientWidth);
		const sets = page.arms.flatMap(setsOf);
		const all = sets.flatMap(s => s.guest.concat(s.native));
		if (!all.length) {
			fill("spread", h("p", {}, "No gap of this single cause."));
			return;
		}
		const low = Math.floor(BINS_A_DECADE * Math.log10(d3.min(all) * 0.9)), high = Math.ceil(BINS_A_DECADE * Math.log10(d3.max(all) * 1.1));
		const edges = d3.range(low, high + 1).map(k => Math.pow(10, k / BINS_A_DECADE));
		const most = d3.max(sets, s => Math.max(d3.max(bins(s.guest, edges)), d3.max(bins(s.native, edges))));
		fill("spread", sets.map(s => panel(s, edges, width, most)),
			h("p", { class: "small" }, "gap length in " + page.unit + "; lines: medians (dashed: native)"));
	}

	page.spread = function () {
		const keys = new Map();
		for (const row of data.comparison.rows)
			if ([row.guest, row.native, row.bare].some(side => side && side.gap_ns.n))
				keys.set(row.scenario + ": " + row.cause, { scenario: row.scenario, cause: row.cause, provoked: row.provoked });
		const telling = key => key.scenario === page.telling.scenario && key.cause === page.telling.cause;
		const list = Array.from(keys.entries()).sort((a, b) => telling(b[1]) - telling(a[1]) || b[1].provoked - a[1].provoked);
		const box = fill("spread-cause", list.map(([text]) => h("option", {}, text)));
		box.addEventListener("change", () => {
			chosen = list[box.selectedIndex][1];
			draw();
		});
		chosen = list.length ? list[0][1] : null;
		draw();
		window.addEventListener("resize", draw);
		page.whenLightChanges(draw);
	};
})();
