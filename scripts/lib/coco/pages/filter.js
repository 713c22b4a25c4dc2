"use strict";
// Hides rows; everything is on the page without it.  #technology=tdx,sev&differs&text=vc presets.
(function () {
	const form = document.getElementById("filter");
	const rows = Array.from(document.querySelectorAll("[data-row]"));

	function preset() {
		const words = new URLSearchParams(location.hash.slice(1));
		if (words.has("technology")) {
			const names = words.get("technology").split(",");
			for (const box of form.querySelectorAll("[name=technology]"))
				box.checked = names.includes(box.value);
		}
		if (words.has("differs"))
			form.elements.differs.checked = true;
		form.elements.text.value = words.get("text") || "";
	}

	function apply() {
		const names = Array.from(form.querySelectorAll("[name=technology]:checked"), (box) => box.value);
		const text = form.elements.text.value.toLowerCase();
		let shown = 0;

		for (const row of rows) {
			const technology = row.dataset.technology;
			row.hidden = (technology !== undefined && !names.includes(technology)) ||
				(form.elements.differs.checked && row.dataset.differs !== "yes") ||
				!row.textContent.toLowerCase().includes(text);
			shown += !row.hidden;
		}
		for (const body of document.querySelectorAll("tbody[data-technology]"))
			body.hidden = !body.querySelector("[data-row]:not([hidden])");
		document.getElementById("shown").textContent = shown + " of " + rows.length + " rows";
	}

	form.addEventListener("input", apply);
	form.addEventListener("submit", (event) => event.preventDefault());
	preset();
	apply();
	form.hidden = false;
})();
