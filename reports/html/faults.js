// SPDX-License-Identifier: GPL-2.0-or-later
// Page faults by number of threads, where a scenario measured them: each arm beside the baseline.
"use strict";
page.faults = function () {
	const { data, h, fill, unit } = page;
	const faults = data.comparison.fault_rate;
	const time = unit === "µs" ? "" : ", emulated";
	const titles = { per_s: "faults/s" + time, per_cpu_s: "faults/CPU s" + time, insns: "instructions/fault", ipis_per_1000: "IPIs/1000 faults" };
	const number = value => value === null ? "–" : value.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
	const change = row => row.change_percent === null ? "–" : (row.change_percent < 0 ? "" : "+") + row.change_percent.toFixed(2) + "%";
	const heads = ["figure", "threads", "arm", "mean", "against", "mean", "change", ""];

	document.getElementById("faults-section").hidden = !faults;
	if (!faults)
		return;
	fill("faults", h("thead", {}, h("tr", {}, heads.map((text, i) => h("th", { scope: "col", class: i ? "n" : null }, text)))),
		h("tbody", {}, faults.rows.map(row => h("tr", {},
			h("td", { class: "name" }, titles[row.figure] || row.figure, h("div", { class: "small" }, row.scenario)),
			[row.threads, row.arm, number(row.to), row.against || "–", number(row.from), change(row), row.significant ? "*" : ""]
				.map(text => h("td", { class: "n" }, String(text)))))));
	fill("faults-method", "Arithmetic means of boots; *: p ≤ 0.05 by " + faults.method +
		(faults.decidable ? "." : "; so few boots cannot show it."));
};
