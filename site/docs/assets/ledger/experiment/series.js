// @ts-check
/* The choice between the series of learning curves on the page of an experiment; without it all stand there. */
"use strict";
(() => {
  const { element } = window.ledger;

  /** @param {HTMLElement} group */
  const install = (group) => {
    const charts = /** @type {HTMLElement[]} */ ([...group.querySelectorAll("[data-lg-name]")]);
    if (charts.length < 2) return;
    const choice = element(
      "select",
      { class: "lg-field", onchange: () => show(choice.selectedIndex) },
      ...charts.map(({ dataset }) => element("option", {}, dataset.lgName || "")),
    );
    /** @param {number} chosen */
    const show = (chosen) => {
      charts.forEach((chart, at) => {
        chart.hidden = at !== chosen;
      });
    };
    group.prepend(element("div", { class: "lg-tools" }, element("label", {}, "series ", choice)));
    show(0);
  };

  for (const group of document.querySelectorAll("[data-lg-series]")) install(/** @type {HTMLElement} */ (group));
})();
