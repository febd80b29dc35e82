// SPDX-License-Identifier: GPL-2.0-or-later
// What stimuli say of their actions in figures: the arms side by side.
"use strict";
page.stimulus = function () {
	const { data, h, fill } = page;
	const rows = data.comparison.stimulus_figures;
	const count = n => n.toLocaleString("en");

	function side(row, arm) {
		const found = row.arms.find(entry => entry.arm === arm);
		return h("td", { class: "n" }, found ? [found.min, found.median, found.max].map(count).join(" / ") : "–",
			found ? h("div", { class: "small" }, "n " + found.n) : null);
	}

	document.getElementById("stimulus-section").hidden = !rows;
	if (!rows)
		return;
	fill("stimulus", h("thead", {}, h("tr", {}, ["figure", "unit", "windows", ...page.arms].map((text, i) =>
			h("th", { scope: "col", class: i > 2 ? "n" : null }, text)))),
		h("tbody", {}, rows.map(row => h("tr", {},
			h("td", { class: "name" }, row.figure, h("div", { class: "small" }, row.scenario + ", " + row.kind)),
			h("td", {}, row.unit), h("td", {}, row.window), page.arms.map(arm => side(row, arm))))));
};
