// @ts-check
/* The learning curves on the page of an experiment: a choice between the series, zoom and a logarithmic scale. Without
   it all of them stand there, as pictures. */
"use strict";
(() => {
  const { element } = window.ledger;

  /** Draws a chart over its picture, where the library comes. @param {HTMLElement} chart */
  const draw = (chart) => {
    const group = /** @type {HTMLElement} */ (chart.querySelector("[data-lg-lines]"));
    const names = [...group.querySelectorAll(".lg-legend a")].map((link) => (link.textContent || "").trim());
    const lines = window.ledgerCurves.writtenLines(group.dataset.lgLines || "", names);
    group.dataset.overlay = chart.dataset.lgName || "";
    window.ledgerCharts.install(group, [group.dataset.lgAxis || ""], () => lines).catch(() => {});
  };

  /** @param {HTMLElement} group */
  const install = (group) => {
    const charts = /** @type {HTMLElement[]} */ ([...group.querySelectorAll("[data-lg-name]")]);
    const choice = element(
      "select",
      { class: "lg-field", onchange: () => show(choice.selectedIndex) },
      ...charts.map(({ dataset }) => element("option", {}, dataset.lgName || "")),
    );
    /** @type {Set<number>} */
    const drawn = new Set();
    /** @param {number} chosen */
    const show = (chosen) => {
      charts.forEach((chart, at) => {
        chart.hidden = at !== chosen;
      });
      if (!drawn.has(chosen)) draw(charts[chosen]);
      drawn.add(chosen);
    };
    if (charts.length > 1)
      group.prepend(element("div", { class: "lg-tools" }, element("label", {}, "series ", choice)));
    show(0);
  };

  for (const group of document.querySelectorAll("[data-lg-series]")) install(/** @type {HTMLElement} */ (group));
})();
