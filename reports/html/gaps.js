// SPDX-License-Identifier: GPL-2.0-or-later
// Gaps over time: one canvas an arm, one shared time axis. Drawn from typed arrays, so 100,000 gaps stay fluent.
"use strict";
(function () {
	const { data, h, fill, us } = page;
	const HEIGHT = 190, TOP = 18, BOTTOM = 24, LEFT = 62, RIGHT = 8;
	const DENSE = 4000; // with so many on screen a frequent cause is drawn as dots
	const RARE = 400;
	const names = data.causes;
	const hidden = new Set();
	let view = null;
	let charts = [];
	let transform = d3.zoomIdentity;
	let selected = null;
	let queued = false;

	function viewsOf() {
		const keys = new Map();
		for (const run of data.runs)
			keys.set(run.scenario.name + "\n" + run.guest, { scenario: run.scenario.name, guest: run.guest });
		return Array.from(keys.values());
	}

	// Boots of one arm follow each other on the axis; seconds.
	function load(arm) {
		const runs = data.runs.filter(r => r.arm === arm && r.scenario.name === view.scenario && r.guest === view.guest);
		const n = d3.sum(runs, r => r.gaps.t.length);
		const chart = { arm, runs, n, t: new Float64Array(n), len: new Float64Array(n), log: new Float64Array(n), cause: new Uint16Array(n),
			run: new Uint16Array(n), index: new Uint32Array(n), windows: [], actions: [], boots: [] };
		let at = 0, offset = 0;
		runs.forEach((run, r) => {
			const end = Math.max(d3.max(run.windows, w => w.t1_ns) || 0, d3.max(run.gaps.t) || 0) / 1e9;
			chart.boots.push(offset);
			for (const w of run.windows)
				chart.windows.push({ state: w.state, t0: offset + w.t0_ns / 1e9, t1: offset + w.t1_ns / 1e9 });
			for (const a of run.actions || [])
				chart.actions.push({ role: a.role, t: offset + a.t0_ns / 1e9 });
			for (let i = 0; i < run.gaps.t.length; i++, at++) {
				chart.t[at] = offset + run.gaps.t[i] / 1e9;
				chart.len[at] = run.gaps.len[i];
				chart.log[at] = Math.log(Math.max(1, run.gaps.len[i]));
				chart.cause[at] = run.gaps.cause[i];
				chart.run[at] = r;
				chart.index[at] = i;
			}
			offset += end;
		});
		chart.end = offset;
		chart.low = Math.max(1, d3.min(chart.len));
		chart.high = d3.max(chart.len);
		return chart;
	}

	function scales() {
		const width = charts[0].width;
		const low = d3.min(charts, c => c.low) || 1000, high = d3.max(charts, c => c.high) || 1e6;
		const base = d3.scaleLinear().domain([0, d3.max(charts, c => c.end) || 1]).range([LEFT, width - RIGHT]);
		return { x: transform.rescaleX(base), y: d3.scaleLog().domain([low * 0.9, high * 1.15]).range([HEIGHT - BOTTOM, TOP]) };
	}

	// Light diagonal lines: armed is told apart without colour.
	function hatch(context, x0, x1, y0, y1) {
		context.save();
		context.beginPath();
		context.rect(x0, y0, x1 - x0, y1 - y0);
		context.clip();
		context.beginPath();
		for (let x = x0 - (y1 - y0); x < x1; x += 7) {
			context.moveTo(x, y1);
			context.lineTo(x + (y1 - y0), y0);
		}
		context.stroke();
		context.restore();
	}

	function drawWindows(context, chart, x) {
		context.font = "11px system-ui, 'DejaVu Sans', sans-serif";
		context.textBaseline = "middle";
		for (const w of chart.windows) {
			const x0 = Math.max(x(w.t0), LEFT), x1 = Math.min(x(w.t1), chart.width - RIGHT);
			if (x1 <= x0)
				continue;
			context.fillStyle = page.token(w.state === "armed" ? "--armed" : w.state === "guard" ? "--guard" : "--paper");
			context.fillRect(x0, TOP, x1 - x0, HEIGHT - BOTTOM - TOP);
			context.strokeStyle = page.token("--soft");
			if (w.state === "armed")
				hatch(context, x0, x1, 4, 14);
			context.fillStyle = page.token("--ink");
			if (w.state !== "guard" && x1 - x0 > 48) {
				const label = w.state === "armed" ? " armed " : " control ";
				const at = (x0 + x1 - context.measureText(label).width) / 2;
				context.fillStyle = page.token("--paper");
				context.fillRect(at, 2, context.measureText(label).width, 14);
				context.fillStyle = page.token("--soft");
				context.fillText(label, at, 9);
			}
		}
		context.strokeStyle = page.token("--ink");
		chart.boots.slice(1).forEach(t => {
			context.beginPath();
			context.moveTo(x(t), 0);
			context.lineTo(x(t), HEIGHT - BOTTOM);
			context.stroke();
		});
	}

	function drawActions(context, chart, x) {
		let last = -9;
		context.fillStyle = context.strokeStyle = page.token("--soft");
		for (const a of chart.actions) {
			const at = Math.round(x(a.t)) + 0.5;
			if (at < LEFT || at > chart.width - RIGHT || at - last < 2)
				continue;
			last = at;
			context.beginPath();
			context.moveTo(at, HEIGHT - BOTTOM - 1);
			context.lineTo(at - 3, HEIGHT - BOTTOM - 7);
			context.lineTo(at + 3, HEIGHT - BOTTOM - 7);
			context.closePath();
			if (a.role === "sham")
				context.stroke();
			else
				context.fill();
		}
	}

	function range(chart, x) {
		const [t0, t1] = x.domain();
		return [d3.bisectLeft(chart.t, t0), d3.bisectRight(chart.t, t1)];
	}

	// Among many, what is rare is what a reader looks for: it keeps its mark and lies on top.
	function split(chart, from, to) {
		const counts = new Uint32Array(names.length);
		for (let i = from; i < to; i++)
			counts[chart.cause[i]]++;
		const shown = page.ranked.slice().reverse().map(name => names.indexOf(name)).filter(cause => counts[cause] && !hidden.has(names[cause]));
		const dense = to - from > DENSE;
		return { dots: shown.filter(cause => dense && counts[cause] > RARE), marks: shown.filter(cause => !dense || counts[cause] <= RARE) };
	}

	function members(causes) {
		const flags = new Uint8Array(names.length);
		causes.forEach(cause => { flags[cause] = 1; });
		return flags;
	}

	// A scale's arithmetic without its calls: position = value * k + c.
	function linear(scale, map) {
		const [d0, d1] = scale.domain().map(map), [r0, r1] = scale.range();
		const k = (r1 - r0) / (d1 - d0);
		return { k, c: r0 - d0 * k };
	}

	function place(x, y) {
		return { x: linear(x, Number), y: linear(y, Math.log) };
	}

	// Dots go into an image of their own, pixel by pixel: their number hardly matters then.
	function drawDots(context, chart, x, y, from, to, causes) {
		if (!causes.length)
			return;
		const ratio = chart.ratio, width = chart.canvas.width, height = chart.canvas.height, size = Math.max(1, Math.round(2 * ratio));
		const image = new ImageData(width, height), pixels = new Uint32Array(image.data.buffer);
		const at = place(x, y), kx = at.x.k * ratio, cx = at.x.c * ratio, ky = at.y.k * ratio, cy = at.y.c * ratio;
		for (const cause of causes) {
			const { r, g, b } = d3.color(page.colour(names[cause])), colour = (255 << 24 | b << 16 | g << 8 | r) >>> 0;
			for (let i = from; i < to; i++) {
				if (chart.cause[i] !== cause)
					continue;
				const px = (chart.t[i] * kx + cx) | 0, py = (chart.log[i] * ky + cy) | 0;
				if (px < 0 || px + size > width || py < 0 || py + size > height)
					continue;
				for (let row = py * width + px, end = row + size * width; row < end; row += width)
					for (let p = row; p < row + size; p++)
						pixels[p] = colour;
			}
		}
		if (!chart.layer)
			chart.layer = document.createElement("canvas");
		chart.layer.width = width;
		chart.layer.height = height;
		chart.layer.getContext("2d").putImageData(image, 0, 0);
		context.drawImage(chart.layer, 0, 0, chart.width, HEIGHT);
	}

	function drawMark(context, name, px, py, symbol) {
		context.save();
		context.translate(px, py);
		context.beginPath();
		symbol.type(page.shape(name))();
		context.fillStyle = context.strokeStyle = page.colour(name);
		context.lineWidth = 1.4;
		if (page.hollow(name))
			context.stroke();
		else
			context.fill();
		context.restore();
	}

	function drawMarks(context, chart, x, y, from, to, causes) {
		const symbol = d3.symbol().size(42).context(context);
		const wanted = members(causes);
		for (let i = from; i < to; i++)
			if (wanted[chart.cause[i]])
				drawMark(context, names[chart.cause[i]], x(chart.t[i]), y(chart.len[i]), symbol);
	}

	function drawSelected(context, chart, x, y) {
		if (!selected || selected.chart !== chart)
			return;
		context.strokeStyle = page.token("--ink");
		context.lineWidth = 2;
		context.beginPath();
		context.arc(x(chart.t[selected.i]), y(chart.len[selected.i]), 8, 0, 2 * Math.PI);
		context.stroke();
	}

	function drawAxes(chart, x, y) {
		const [low, high] = y.domain();
		const many = Math.log10(high / low) > 1.2;
		d3.select(chart.svg).select(".x").attr("transform", `translate(0,${HEIGHT - BOTTOM})`)
			.call(d3.axisBottom(x).ticks(10).tickFormat(d => d + " s"));
		d3.select(chart.svg).select(".y").attr("transform", `translate(${LEFT},0)`)
			.call(d3.axisLeft(y).ticks(4, many ? undefined : "~s").tickFormat((d, i) => {
				const digit = Math.round(d / Math.pow(10, Math.floor(Math.log10(d) + 1e-9)));
				return !many || digit === 1 || digit === 3 ? (d / 1000).toLocaleString("en") : "";
			}));
	}

	function draw() {
		queued = false;
		if (!charts.length)
			return;
		const { x, y } = scales();
		for (const chart of charts) {
			const context = chart.canvas.getContext("2d");
			const [from, to] = range(chart, x);
			context.setTransform(chart.ratio, 0, 0, chart.ratio, 0, 0);
			context.clearRect(0, 0, chart.width, HEIGHT);
			context.lineWidth = 1;
			drawWindows(context, chart, x);
			drawActions(context, chart, x);
			context.save();
			context.beginPath();
			context.rect(LEFT, 0, chart.width - LEFT - RIGHT, HEIGHT);
			context.clip();
			const { dots, marks } = split(chart, from, to);
			drawDots(context, chart, x, y, from, to, dots);
			drawMarks(context, chart, x, y, from, to, marks);
			drawSelected(context, chart, x, y);
			context.restore();
			drawAxes(chart, x, y);
		}
	}

	function redraw() {
		if (!queued)
			requestAnimationFrame(draw);
		queued = true;
	}

	function resize() {
		for (const chart of charts) {
			chart.width = Math.max(320, chart.box.clientWidth);
			chart.ratio = window.devicePixelRatio || 1;
			chart.canvas.width = chart.width * chart.ratio;
			chart.canvas.height = HEIGHT * chart.ratio;
			chart.canvas.style.height = HEIGHT + "px";
			chart.svg.setAttribute("viewBox", `0 0 ${chart.width} ${HEIGHT}`);
		}
		redraw();
	}

	// Sorted by time, so only the marks within a few pixels are looked at.
	function nearest(chart, px, py) {
		const { x, y } = scales();
		const from = d3.bisectLeft(chart.t, x.invert(px - 12)), to = d3.bisectRight(chart.t, x.invert(px + 12));
		const at = place(x, y);
		let best = -1, least = 12 * 12;
		for (let i = from; i < to; i++) {
			const dx = chart.t[i] * at.x.k + at.x.c - px, dy = chart.log[i] * at.y.k + at.y.c - py;
			const distance = dx * dx + dy * dy;
			if (distance < least && !hidden.has(names[chart.cause[i]])) {
				least = distance;
				best = i;
			}
		}
		return best;
	}

	function describe(chart, i) {
		const gaps = chart.runs[chart.run[i]].gaps, k = chart.index[i];
		const host = gaps.host[k];
		return { title: names[chart.cause[i]], rows: [["at", chart.t[i].toFixed(6) + " s"], ["length", us(chart.len[i]) + " " + page.unit],
			["host", us(host) + " " + page.unit], ["guest", us(chart.len[i] - host) + " " + page.unit],
			["exits", String(gaps.exits[k])],
			["lanes", page.hasCourse(chart.runs[chart.run[i]], k) ? "in order of time" : "not kept"],
			["window", gaps.flags[k] & 4 ? "armed" : gaps.flags[k] & 8 ? "control" : gaps.flags[k] & 16 ? "guard" : "outside"]]
			.concat(gaps.flags[k] & 2 ? [["", "events were lost inside"]] : [])
			.concat(gaps.flags[k] & 32 ? [["", "shorter than the clock's error"]] : []) };
	}

	function showTip(chart, i, event) {
		const tip = document.getElementById("tip");
		tip.hidden = i < 0;
		if (i < 0)
			return;
		const text = describe(chart, i);
		fill("tip", h("strong", {}, page.mark(text.title), " ", text.title),
			h("table", {}, text.rows.map(([a, b]) => h("tr", {}, h("td", {}, a), h("td", {}, b)))));
		tip.style.left = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8) + "px";
		tip.style.top = Math.min(event.clientY + 14, window.innerHeight - tip.offsetHeight - 8) + "px";
	}

	function select(chart, i) {
		if (i < 0)
			return;
		const run = chart.runs[chart.run[i]];
		selected = { chart, i };
		const text = describe(chart, i);
		fill("announce", `${chart.arm}, gap ${i + 1} of ${chart.n}: ${text.title}, ${us(chart.len[i])} ${page.unit}, ${text.rows[6][1]}`);
		page.tell("gap", { run, index: chart.index[i] });
		redraw();
	}

	function step(chart, by) {
		let i = selected && selected.chart === chart ? selected.i + by : by > 0 ? 0 : chart.n - 1;
		while (i >= 0 && i < chart.n && hidden.has(names[chart.cause[i]]))
			i += by;
		if (i < 0 || i >= chart.n)
			return;
		select(chart, i);
		const { x } = scales();
		const px = x(chart.t[i]);
		if (px < LEFT || px > chart.width - RIGHT)
			d3.select(chart.canvas).call(chart.zoom.translateBy, (chart.width / 2 - px) / transform.k, 0);
	}

	function key(chart, event) {
		const canvas = d3.select(chart.canvas);
		const actions = { ArrowRight: () => step(chart, 1), ArrowLeft: () => step(chart, -1),
			"+": () => canvas.call(chart.zoom.scaleBy, 2), "=": () => canvas.call(chart.zoom.scaleBy, 2),
			"-": () => canvas.call(chart.zoom.scaleBy, 0.5), "0": () => canvas.call(chart.zoom.transform, d3.zoomIdentity),
			Enter: () => { const at = document.getElementById("account"); at.scrollIntoView(); at.focus(); } };
		if (!actions[event.key] || event.ctrlKey || event.metaKey || event.altKey)
			return;
		event.preventDefault();
		actions[event.key]();
	}

	// All charts follow the one that was moved.
	function zoomed(chart) {
		const event = d3.event;
		transform = event.transform;
		for (const other of charts)
			other.canvas.__zoom = transform;
		document.getElementById("tip").hidden = true;
		redraw();
	}

	function build(chart) {
		chart.canvas = h("canvas", { tabindex: 0, role: "img", "aria-label": `Gaps over time on ${chart.arm}: ${chart.n} gaps`,
			keydown: event => key(chart, event) });
		chart.svg = h("svg", { "aria-hidden": "true", width: "100%", height: HEIGHT, preserveAspectRatio: "none" }, h("g", { class: "axis x" }), h("g", { class: "axis y" }));
		chart.box = h("div", { class: "chart" }, chart.canvas, chart.svg);
		chart.zoom = d3.zoom().scaleExtent([1, 100000]).on("zoom", () => zoomed(chart));
		d3.select(chart.canvas).call(chart.zoom);
		chart.canvas.addEventListener("mousemove", event => showTip(chart, nearest(chart, event.offsetX, event.offsetY), event));
		chart.canvas.addEventListener("mouseleave", () => { document.getElementById("tip").hidden = true; });
		chart.canvas.addEventListener("click", event => select(chart, nearest(chart, event.offsetX, event.offsetY)));
		const kept = d3.sum(chart.runs, run => d3.range(run.gaps.id.length).filter(i => page.hasCourse(run, i)).length);
		return [h("h3", {}, chart.arm + ": " + chart.n.toLocaleString("en") + " gaps, " +
			(chart.boots.length > 1 ? chart.boots.length + " boots, " : "") + "length in " + page.unit), chart.box,
		kept < chart.n ? h("p", { class: "small kept" }, `Lanes with events are kept of ${kept.toLocaleString("en")} of these gaps: of each cause the ` +
			"longest, and an even sample of the others. The account is there for all.") : null];
	}

	function legend() {
		const present = page.ranked.filter(name => charts.some(c => c.cause.includes(names.indexOf(name))));
		fill("legend", present.map(name => page.button(name, !hidden.has(name), () => {
			if (hidden.has(name))
				hidden.delete(name);
			else
				hidden.add(name);
			legend();
			redraw();
		}, page.mark(name))));
	}

	function show(next) {
		view = next;
		transform = d3.zoomIdentity;
		selected = null;
		charts = page.arms.map(load).filter(chart => chart.runs.length);
		fill("charts", charts.flatMap(build));
		for (const chart of charts)
			d3.select(chart.canvas).call(d3.zoom().transform, d3.zoomIdentity);
		fill("views", viewsOf().map(v => page.button(v.scenario + ", " + (page.kinds[v.guest] || v.guest),
			v.scenario === view.scenario && v.guest === view.guest, () => show(v))));
		legend();
		resize();
		page.tell("view", view);
	}

	page.gaps = function () {
		const views = viewsOf();
		const first = views.find(v => v.guest === "libvirt" && v.scenario === page.telling.scenario);
		if (views.length)
			show(first || views.find(v => v.guest === "libvirt") || views[0]);
		window.addEventListener("resize", resize);
		page.whenLightChanges(() => { legend(); draw(); });
	};
})();
