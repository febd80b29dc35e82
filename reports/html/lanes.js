// SPDX-License-Identifier: GPL-2.0-or-later
// One gap: host CPU and guest vCPU as two lanes, with events, and the account of its time.
"use strict";
(function () {
	const { data, h, fill, us } = page;
	const LEFT = 92, RIGHT = 16, LANE = 44, GAP = 50, TOP = 46;
	const lanes = { host: "host CPU", guest: "guest vCPU" };
	let shown = null;

	// Each class of work has its own hatching: told apart without colour.
	function kind(what) {
		if (/^(host|guest)\/(wait|halted|idle|cstate)/.test(what))
			return "sleep";
		if (/kworker|task|vmm|stimulus/.test(what))
			return "work";
		if (/kernel|irq|ipi|softirq|nmi/.test(what))
			return "irq";
		if (/exit|entry/.test(what))
			return "exit";
		return "other";
	}

	const hatches = { work: "M-2,6 L6,-2 M2,10 L10,2", irq: "M0,4 L8,4 M4,0 L4,8", exit: "M-2,2 L6,10 M2,-2 L10,6", sleep: "M0,4 L8,4", other: "" };
	const tones = { work: ["#C44E00", "#FF9A57"], irq: ["#0072B2", "#5AB4F0"], exit: ["#00785A", "#3FCFA4"], sleep: ["#7A4FA3", "#B793DC"], other: ["#8a929a", "#6b757f"] };
	const words = { work: "kernel thread or task", irq: "interrupt", exit: "exit and entry handling", sleep: "waits or idles", other: "running, or unexplained" };

	function tone(name) {
		return tones[name][page.isDark() ? 1 : 0];
	}

	function pattern(name) {
		return h("pattern", { id: "hatch-" + name, width: 8, height: 8, patternUnits: "userSpaceOnUse" },
			h("rect", { width: 8, height: 8, fill: tone(name), "fill-opacity": 0.35 }),
			h("path", { d: hatches[name], stroke: tone(name), "stroke-width": 1.6, fill: "none" }));
	}

	function short(what) {
		const parts = what.split("/");
		return parts[parts.length - 1];
	}

	function bracket(x0, x1, y, text) {
		const middle = (x0 + x1) / 2;
		return h("g", {}, h("path", { d: `M${x0},${y + 6} V${y} H${x1} V${y + 6}`, fill: "none", stroke: "currentColor" }),
			h("text", { x: middle, y: y - 4, "text-anchor": "middle" }, text));
	}

	function laneOf(segment) {
		return segment.lane === "guest" ? "guest" : "host";
	}

	function segmentNodes(view, x) {
		return view.segments.map(segment => {
			const x0 = x(segment.t0_ns), x1 = Math.max(x(segment.t1_ns), x(segment.t0_ns) + 1);
			const y = view.y[laneOf(segment)];
			const label = short(segment.what), fits = x1 - x0 > 8 + 6.6 * label.length;
			return h("g", {}, h("rect", { x: x0, y, width: x1 - x0, height: LANE, fill: `url(#hatch-${kind(segment.what)})`,
				stroke: tone(kind(segment.what)) },
				h("title", {}, segment.what + ": " + us(segment.t1_ns - segment.t0_ns) + " " + page.unit)),
			fits ? h("rect", { x: x0 + 3, y: y + 13, width: 6.8 * label.length + 4, height: 18, fill: "var(--paper)", "fill-opacity": 0.85 }) : null,
			fits ? h("text", { x: x0 + 5, y: y + 26 }, label) : null);
		});
	}

	// Numbered ticks: the list below says what they are.
	function eventNodes(view, x) {
		let last = { host: -99, guest: -99 };
		return view.events.map((event, i) => {
			if (event.t_ns < view.from || event.t_ns > view.to)
				return null;
			const lane = laneOf(event), at = x(event.t_ns), y = view.y[lane];
			const free = at - last[lane] > 15;
			if (free)
				last[lane] = at;
			return h("g", {}, h("line", { x1: at, x2: at, y1: y - 4, y2: y + LANE, stroke: "currentColor" }),
				free ? h("text", { x: at, y: y - 7, "text-anchor": "middle", class: "soft" }, String(i + 1)) : null,
				h("title", {}, event.text));
		});
	}

	function drawLanes(view) {
		const width = Math.max(360, document.getElementById("lanes").clientWidth);
		const present = view.lanes;
		const height = TOP + present.length * (LANE + GAP) + 4;
		const x = d3.scaleLinear().domain([view.from, view.to]).range([LEFT, width - RIGHT]);
		view.y = {};
		present.forEach((lane, i) => { view.y[lane] = TOP + i * (LANE + GAP); });
		const svg = h("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": view.summary },
			h("defs", {}, Object.keys(hatches).map(pattern)),
			bracket(x(0), x(view.length), 18, `${view.guest ? "guest penalty" : "native gap"} ${us(view.length)} ${page.unit}`),
			present.map(lane => [h("text", { x: 0, y: view.y[lane] + 26 }, lanes[lane]),
				h("line", { x1: LEFT, x2: width - RIGHT, y1: view.y[lane] + LANE, y2: view.y[lane] + LANE, stroke: "var(--line)" })]).flat(),
			segmentNodes(view, x).flat(), eventNodes(view, x), h("g", { class: "axis" }));
		const axis = d3.axisBottom(x).ticks(8).tickFormat(d => (d / 1000).toLocaleString("en"));
		d3.select(svg).select(".axis").attr("transform", `translate(0,${height - 44})`).call(axis);
		const hosts = view.segments.filter(s => laneOf(s) === "host");
		if (view.guest && hosts.length && view.hostSpan)
			svg.append(bracket(x(view.hostSpan[0]), x(view.hostSpan[1]), view.y.host + LANE + 10, ""),
				h("text", { x: (x(view.hostSpan[0]) + x(view.hostSpan[1])) / 2, y: view.y.host + LANE + 27, "text-anchor": "middle" },
					`host cost ${us(view.host)} ${page.unit}${view.pieces > 1 ? " in all" : ""}`));
		const key = h("p", { class: "small" }, Array.from(new Set(view.segments.map(s => kind(s.what)))).map(name =>
			[h("svg", { width: 22, height: 12, "aria-hidden": "true" },
				h("rect", { width: 20, height: 12, fill: `url(#hatch-${name})`, stroke: tone(name) })), " " + words[name] + "   "]).flat());
		fill("lanes", svg, key);
	}

	function parts(gaps, i) {
		const list = gaps.parts[i], rows = [];
		for (let k = 0; k < list.length; k += 2)
			rows.push({ cause: data.causes[list[k]], ns: list[k + 1] });
		return rows.sort((a, b) => b.ns - a.ns);
	}

	function accountTable(rows, length) {
		fill("parts", h("h3", {}, "Where its time went"), h("table", {},
			h("thead", {}, h("tr", {}, h("th", {}, "cause"), h("th", { class: "n" }, page.unit), h("th", { class: "n" }, "share"))),
			h("tbody", {}, rows.map(row => h("tr", {}, h("td", { class: "name" }, row.cause), h("td", { class: "n" }, us(row.ns)),
				h("td", { class: "n" }, page.percent(row.ns / length)))))));
	}

	// A task that was interrupted is not the one who asked: the context says so.
	function queuer(item) {
		const who = `${item.task || "task"} (${item.pid})`, when = item.t_ns < 0 ? us(-item.t_ns) + " " + page.unit + " before the gap" :
			us(item.t_ns) + " " + page.unit + " into the gap";
		return h("li", {}, h("span", { class: "name" }, item.cause), ` by CPU ${item.cpu} of the ${item.layer}, `,
			item.context === "task" ? who : `in ${item.context}, over ${who}`, ", " + when,
			item.stack.length ? h("ol", { class: "stack small" }, item.stack.map(f => h("li", {}, h("code", {}, f)))) : null);
	}

	function queueList(list) {
		fill("queued", list ? h("h3", {}, "Who queued it") : null, list ? h("ul", { class: "plain" }, list.map(queuer)) : null);
	}

	function eventTable(events) {
		let last = null;
		fill("events", events.length ? h("h3", {}, "Its events, " + page.unit + " from the start of the gap") : null,
			events.length ? h("table", {}, h("tbody", {}, events.map((event, i) => {
				const since = last === null ? "" : "+" + us(event.t_ns - last);
				last = event.t_ns;
				return h("tr", {}, h("td", { class: "n small" }, String(i + 1)), h("td", { class: "n" }, us(event.t_ns)),
					h("td", { class: "n small" }, since), h("td", {}, laneOf(event)), h("td", { class: "name" }, h("code", {}, event.text)));
			}))) : null);
	}

	// A gap without recorded segments still has its account: the parts, one after the other.
	function fromParts(rows) {
		let at = 0;
		return rows.map(row => {
			const lane = row.cause.startsWith("host/") || row.cause === "tracer" ? "host" : "guest";
			const segment = { lane, t0_ns: at, t1_ns: at + row.ns, what: row.cause };
			at += row.ns;
			return segment;
		});
	}

	// How many stretches on the host a gap has: more than one when it exits more than once.
	function pieces(hosts) {
		let count = 0, end = null;
		for (const s of hosts) {
			count += s.t0_ns !== end;
			end = s.t1_ns;
		}
		return count;
	}

	// Segments are kept as lane, begin, end, cause, and events as lane, time, text: one flat list of numbers each.
	function unpack(course) {
		const segments = [], events = [], lane = bit => bit ? "guest" : "host";
		for (let k = 0; k < course.s.length; k += 4)
			segments.push({ lane: lane(course.s[k]), t0_ns: course.s[k + 1], t1_ns: course.s[k + 2], what: data.causes[course.s[k + 3]] });
		for (let k = 0; k < course.e.length; k += 3)
			events.push({ lane: lane(course.e[k]), t_ns: course.e[k + 1], text: data.texts[course.e[k + 2]] });
		return { segments, events, events_cut: course.cut };
	}

	function detailOf(run, i) {
		if (run.gaps.detail[i])
			return unpack(run.gaps.detail[i]);
		return Object.values(run.examples || {}).find(e => e && e.gap === run.gaps.id[i]) || null;
	}

	function withoutCourse(rows, flags) {
		if (flags & 32)
			return ". It is shorter than the clock's error: which events lie in it is not known.";
		return rows.length > 1 ? ". Its course was not kept; the parts are drawn by size, not in order of time."
			: ". Its events were not kept; all of it went to one cause.";
	}

	function show(run, i) {
		const gaps = run.gaps, length = gaps.len[i], rows = parts(gaps, i), detail = detailOf(run, i);
		const guest = run.guest !== "none";
		const segments = detail ? detail.segments : fromParts(rows);
		const events = ((detail && detail.events) || []).slice().sort((a, b) => a.t_ns - b.t_ns);
		const hosts = segments.filter(s => laneOf(s) === "host");
		const name = data.causes[gaps.cause[i]];
		shown = { pieces: pieces(hosts), segments, events, length, guest, host: gaps.host[i], lanes: guest ? ["host", "guest"] : ["host"],
			// What led to a gap may lie long before it: in the list, but not in the drawing.
			from: Math.max(-0.06 * length, Math.min(0, d3.min(segments, s => s.t0_ns) || 0, d3.min(events, e => e.t_ns) || 0)),
			to: Math.min(1.06 * length, Math.max(length, d3.max(segments, s => s.t1_ns) || 0)),
			hostSpan: hosts.length ? [d3.min(hosts, s => s.t0_ns), d3.max(hosts, s => s.t1_ns)] : null,
			summary: `${name} on ${run.arm}: ${us(length)} ${page.unit}, of it ${us(gaps.host[i])} on the host` };
		if (!guest)
			segments.forEach(s => { s.lane = "host"; });
		fill("lanes-head", h("strong", {}, page.mark(name), " ", name), ` on ${run.arm}, ${run.scenario.name}, `,
			guest ? "guest" : "native", `: ${us(length)} ${page.unit}`,
			guest ? `, of it ${us(gaps.host[i])} on the host and ${us(length - gaps.host[i])} in the guest` : "",
			detail ? detail.events_cut ? `. ${detail.events_cut} more events were not kept.` : "" : withoutCourse(rows, gaps.flags[i]));
		drawLanes(shown);
		accountTable(rows, length);
		queueList(gaps.queued[i]);
		eventTable(events);
	}

	function telling(hit) {
		return (hit.run.guest === "libvirt" ? 1 : 0) + (hit.run.scenario.name === page.telling.scenario ? 2 : 0);
	}

	// The typical hits, the most telling one first.
	function typical() {
		const hits = [];
		for (const run of data.runs)
			for (const [cause, example] of Object.entries(run.examples || {})) {
				const i = example ? run.gaps.id.indexOf(example.gap) : -1;
				const provoked = (run.scenario.provokes || []).includes(cause);
				if (i >= 0)
					hits.push({ run, i, provoked,
						text: `${cause}, ${run.arm}, ${run.scenario.name}, ${page.kinds[run.guest] || run.guest}` });
			}
		return hits.sort((a, b) => b.provoked - a.provoked || telling(b) - telling(a));
	}

	page.lanes = function () {
		const hits = typical();
		const box = h("select", { change: () => { if (box.selectedIndex > 0) show(hits[box.selectedIndex - 1].run, hits[box.selectedIndex - 1].i); } },
			h("option", {}, "the gap chosen above"), hits.map(hit => h("option", {}, hit.text)));
		fill("typical", h("label", {}, "Show a typical hit of ", box));
		if (hits.length) {
			box.selectedIndex = 1;
			show(hits[0].run, hits[0].i);
		} else {
			fill("lanes-head", "Click a gap above.");
		}
		page.on("gap", ({ run, index }) => {
			box.selectedIndex = 0;
			show(run, index);
		});
		const again = () => { if (shown) drawLanes(shown); };
		window.addEventListener("resize", again);
		page.whenLightChanges(again);
	};
})();
