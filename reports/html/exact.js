// SPDX-License-Identifier: GPL-2.0-or-later
// Exact figures, where an instruction meter ran: gaps in instructions, and where two arms differ by function.
"use strict";
(function () {
	const { data, h, fill } = page;
	const comparison = data.comparison;
	const heads = ["cause", "arm", "native gap", "gap in the guest", "of it host", "of it guest", "world switches", "amplification"];

	function count(figures, name) {
		const f = figures ? figures[name] : null;
		if (!f)
			return "–";
		const text = n => n.toLocaleString("en");
		return h("span", {}, text(f.median) + (f.max > f.median ? " … " + text(f.max) : ""), h("div", { class: "small" }, "n " + f.n));
	}

	function rows() {
		const list = comparison.rows.filter(row => row.exact).sort((a, b) => b.provoked - a.provoked);
		const line = (row, arm, native, guest, amplification) => h("tr", {},
			h("td", { class: "name" }, page.mark(row.cause), " ", row.cause, h("div", { class: "small" }, row.scenario)),
			h("td", { class: "arm" }, arm), h("td", { class: "n" }, count(native, "total")),
			h("td", { class: "n" }, count(guest, "total")),
			h("td", { class: "n" }, count(guest, "host")), h("td", { class: "n" }, count(guest, "guest")),
			h("td", { class: "n" }, count(guest, "switches")),
			h("td", { class: "n" }, amplification ? amplification.toFixed(2) + "×" : "–"));
		return list.flatMap(row => [
			row.exact.native || row.exact.guest ? line(row, row.arm, row.exact.native, row.exact.guest, row.exact.amplification) : null,
			row.exact.bare ? line(row, row.arm + ", bare guest", null, row.exact.bare, null) : null,
		].filter(tr => tr));
	}

	function functionRow(f) {
		return h("tr", {}, h("td", { class: "name" }, h("code", {}, f.function)), h("td", { class: "n" }, f.from.toLocaleString("en")),
			h("td", { class: "n" }, f.to.toLocaleString("en")), h("td", { class: "n" }, (f.delta > 0 ? "+" : "") + f.delta.toLocaleString("en")),
			h("td", {}, f.state));
	}

	function differences() {
		const columns = ["function", "against", "arm", "difference", ""];
		return (comparison.exact || []).flatMap(arm => (arm.causes || []).map(cause => {
			const functions = (cause.contexts || []).flatMap(c => c.functions || []).filter(f => f.state !== "varies");
			const total = cause.total ? `: ${cause.total.from.toLocaleString("en")} → ${cause.total.to.toLocaleString("en")}` : "";
			return h("details", {}, h("summary", {}, `${cause.cause}, ${arm.scenario}, ${arm.arm} against ${arm.against}: ${cause.state}${total}`),
				functions.length ? h("table", {}, h("thead", {}, h("tr", {}, columns.map((t, i) => h("th", { class: i && i < 4 ? "n" : null }, t)))),
					h("tbody", {}, functions.map(functionRow))) : h("p", { class: "hint" }, "no function changed"));
		}));
	}

	page.exact = function () {
		const list = rows();
		document.getElementById("exact-section").hidden = !list.length;
		fill("exact", h("thead", {}, h("tr", {}, heads.map((text, i) => h("th", { scope: "col", class: i > 1 ? "n" : null }, text)))),
			h("tbody", {}, list));
		fill("exact-differences", differences());
	};
})();
