// SPDX-License-Identifier: GPL-2.0-or-later
// Appended to a report: uses it as a reader would, and leaves what it saw in the title of the page.
"use strict";
(async function () {
	const wrong = [];
	const check = (what, holds) => { if (!holds) wrong.push(what); };
	const frame = () => new Promise(resolve => setTimeout(resolve, 60));
	const text = id => document.getElementById(id).textContent;
	window.addEventListener("error", event => wrong.push("error: " + event.message));
	try {
		await frame();
		check("outcome", /passed/.test(text("outcome")));
		check("verdict", /: removed/.test(text("verdicts")));
		check("mode", /functional mode/.test(text("mode")) && /emulated/.test(text("mode")));
		check("no markup from data", !document.querySelector("main b, main i, main u") && !document.querySelector("main script"));
		check("event text", text("events").includes("</" + "script><b>"));
		check("queued by", /by CPU 0 of the host, .*\(25\), 5.00 .*before the gap/.test(text("queued")) && /vmstat_shepherd/.test(text("queued")));
		check("lanes", document.querySelectorAll("#lanes rect").length > 4);
		check("penalty marked", /guest penalty/.test(text("lanes")) && /host cost/.test(text("lanes")));
		const canvases = document.querySelectorAll("#charts canvas");
		check("one chart an arm", canvases.length === 2);
		const canvas = canvases[0], box = canvas.getBoundingClientRect();
		const key = name => canvas.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
		key("ArrowRight");
		await frame();
		check("key selects", /gap 1 of/.test(text("announce")));
		check("an example's course", !text("lanes-head").includes("not kept"));
		key("ArrowRight");
		await frame();
		check("its own course", text("events").includes("course of this very gap <u>") && /7 more events/.test(text("lanes-head")));
		key("ArrowRight");
		await frame();
		check("no course", /Its course was not kept/.test(text("lanes-head")) && !text("events"));
		check("says of which", /kept of 2 of these gaps/.test(document.querySelector("#charts .kept").textContent));
		check("its account", text("parts").includes("host/kworker/vmstat_update"));
		key("+");
		key("+");
		await frame();
		check("key zooms", Math.abs(canvas.__zoom.k - 4) < 0.01);
		check("charts move together", canvases[1].__zoom.k === canvas.__zoom.k);
		key("0");
		canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: -300, clientX: box.left + 400, clientY: box.top + 60, bubbles: true, cancelable: true }));
		await frame();
		check("wheel zooms", canvas.__zoom.k > 1.1);
		key("0");
		await frame();
		let hit = null;
		for (let x = 62; x < box.width && !hit; x += 5)
			for (let y = 15; y < box.height && !hit; y += 5) {
				canvas.dispatchEvent(new MouseEvent("mousemove", { clientX: box.left + x, clientY: box.top + y, bubbles: true }));
				if (!document.getElementById("tip").hidden)
					hit = { clientX: box.left + x, clientY: box.top + y, bubbles: true };
			}
		check("hover reads", hit && /length/.test(text("tip")));
		canvas.dispatchEvent(new MouseEvent("click", hit || {}));
		await frame();
		check("click selects", /gap \d+ of/.test(text("announce")));
		const legend = document.querySelector("#legend button");
		legend.click();
		check("legend hides", document.querySelector("#legend button").getAttribute("aria-pressed") === "false");
		document.querySelector("#legend button").click();
		document.querySelectorAll("#views button")[1].click();
		await frame();
		check("view changes", document.querySelectorAll("#views button")[1].getAttribute("aria-pressed") === "true");
		document.querySelectorAll("#rank button")[1].click();
		check("ranking", document.querySelectorAll("#causes tbody tr").length >= 2);
		check("spread", document.querySelectorAll("#spread svg").length === 2);
		check("a fact that differs", /≠ host.kvm.halt_poll_ns2000000/.test(text("facts")) && /2 facts that do not differ/.test(text("facts")));
		check("reproduce", /vcpulat run/.test(text("again")));
		check("nothing is wider than the page", document.documentElement.scrollWidth <= window.innerWidth);
	} catch (error) {
		wrong.push("thrown: " + error.message);
	}
	document.title = wrong.length ? "WRONG: " + wrong.join("; ") : "PAGE OK";
})();
