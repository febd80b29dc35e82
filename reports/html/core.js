// SPDX-License-Identifier: GPL-2.0-or-later
// The data, words, numbers, colours and DOM helpers of the page. Text of the data only ever becomes text nodes.
"use strict";
const page = (function () {
	const data = JSON.parse(document.getElementById("data").textContent);
	const unit = data.comparison.emulated ? "emulated µs" : "µs";
	const MARKED = 8;
	const light = ["#0072B2", "#C44E00", "#00785A", "#A33E78", "#9A6B00", "#3C78A8", "#5B4BA0", "#7A4B2A"];
	const dark = ["#5AB4F0", "#FF9A57", "#3FCFA4", "#F090C4", "#E8B93C", "#9CCBEE", "#B5A8F5", "#D0A080"];

	// Attributes and text never come from markup: a cause may be called "<script>".
	function h(tag, attributes, ...children) {
		const svg = /^(svg|g|rect|path|line|text|title|circle|pattern|defs)$/.test(tag);
		const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
		for (const [key, value] of Object.entries(attributes || {})) {
			if (typeof value === "function")
				node.addEventListener(key, value);
			else if (value !== false && value !== null && value !== undefined)
				node.setAttribute(key, value);
		}
		node.append(...children.flat().filter(c => c !== null && c !== undefined && c !== false));
		return node;
	}

	function fill(id, ...children) {
		const node = document.getElementById(id);
		node.replaceChildren(...children.flat().filter(c => c));
		return node;
	}

	function us(ns) {
		if (ns === null || ns === undefined)
			return "–";
		const value = ns / 1000;
		const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
		return value.toLocaleString("en", { maximumFractionDigits: digits, minimumFractionDigits: value ? digits : 0 });
	}

	function rate(perMinute, up) {
		const digit = perMinute >= 10 ? 1 : perMinute >= 1 ? 0.1 : 0.01;
		const shown = up ? Math.ceil(perMinute / digit - 1e-9) * digit : perMinute;
		return shown.toFixed(perMinute >= 10 ? 0 : perMinute >= 1 ? 1 : 2);
	}

	// Is there more of a gap than its account?
	function hasCourse(run, i) {
		if (!run.typical)
			run.typical = new Set(Object.values(run.examples || {}).filter(e => e).map(e => e.gap));
		return i in run.gaps.detail || run.typical.has(run.gaps.id[i]);
	}

	function percent(share) {
		return (100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0) + "%";
	}

	// Provoked causes first, then by the time they cost; the first ones get a mark of their own.
	function rankCauses() {
		const total = new Map(data.causes.map(name => [name, 0]));
		const provoked = new Set(data.runs.flatMap(run => run.scenario.provokes || []));
		for (const run of data.runs)
			run.gaps.cause.forEach((cause, i) => {
				const name = data.causes[cause];
				total.set(name, total.get(name) + run.gaps.len[i]);
			});
		const weight = name => name === "unexplained" ? -1 : (provoked.has(name) ? 1e18 : 0) + total.get(name);
		const used = new Set(data.runs.flatMap(run => Array.from(new Set(run.gaps.cause), c => data.causes[c])));
		return Array.from(used).sort((a, b) => weight(b) - weight(a));
	}

	const ranked = rankCauses();
	const style = new Map(ranked.map((name, i) => [name, i < MARKED && name !== "unexplained" ? i : -1]));

	// Marks: the shape says the same as the colour.
	const shapes = [d3.symbolCircle, d3.symbolSquare, d3.symbolTriangle, d3.symbolDiamond, d3.symbolCross, d3.symbolStar,
		d3.symbolWye, d3.symbolSquare];

	function isDark() {
		return !document.documentElement.classList.contains("printing") && window.matchMedia("(prefers-color-scheme: dark)").matches;
	}

	function colour(name) {
		const i = style.has(name) ? style.get(name) : -1;
		return i < 0 ? (isDark() ? "#8b959f" : "#8a929a") : (isDark() ? dark : light)[i];
	}

	function hollow(name) {
		const i = style.has(name) ? style.get(name) : -1;
		return i < 0 || i === 7;
	}

	function shape(name) {
		const i = style.has(name) ? style.get(name) : -1;
		return i < 0 ? d3.symbolCircle : shapes[i];
	}

	function mark(name) {
		const path = d3.symbol().type(shape(name)).size(60)();
		return h("svg", { width: 14, height: 14, viewBox: "-7 -7 14 14", "aria-hidden": "true" },
			h("path", { d: path, fill: hollow(name) ? "none" : colour(name), stroke: colour(name), "stroke-width": 1.5 }));
	}

	function token(name) {
		return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
	}

	function button(text, pressed, onclick, before) {
		return h("button", { type: "button", "aria-pressed": String(pressed), click: onclick }, before || null, text);
	}

	const listeners = {};
	function on(event, listener) {
		(listeners[event] = listeners[event] || []).push(listener);
	}
	function tell(event, detail) {
		(listeners[event] || []).forEach(listener => listener(detail));
	}

	// What a verdict calls more than "as expected" is what a reader came for.
	const verdicts = data.comparison.verdicts;
	const telling = verdicts.find(v => v.state !== "as-expected") || verdicts[0] || {};

	// Paper is white, whatever the screen is.
	function whenLightChanges(draw) {
		window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
		for (const [event, printing] of [["beforeprint", true], ["afterprint", false]])
			window.addEventListener(event, () => {
				document.documentElement.classList.toggle("printing", printing);
				draw();
			});
	}

	const kinds = { libvirt: "guest", none: "native", bare: "bare guest" };

	return { data, unit, h, fill, us, rate, percent, hasCourse, ranked, colour, hollow, shape, mark, token, button, on, tell, kinds, telling, isDark, whenLightChanges,
		arms: data.comparison.arms.map(arm => arm.name) };
})();
