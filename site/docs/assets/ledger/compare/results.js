// @ts-check
/* The values of each compared run, side by side; what was not measured alike stands in rows of its own. */
"use strict";
(() => {
  const { element, number } = window.ledger;
  const { metricHead } = window.ledgerCompareParts;

  /**
   * @param {Runs} data
   * @param {number[]} rows
   * @param {(label: string, lines: Node[]) => HTMLElement} tableOf
   */
  const results = (data, rows, tableOf) => {
    /* A row that says why values of the row above are not ranked. */
    /** @param {string} why */
    const refusal = (why) =>
      element("tr", {}, element("td", { colspan: rows.length + 1, class: "lg-refuse" }, element("span", {}, why)));
    /** @param {Metric} metric @param {(number | null)[]} values */
    const line = (metric, values) =>
      element(
        "tr",
        {},
        metricHead(metric),
        ...values.map((value) =>
          element(
            "td",
            { title: value === null ? null : String(value) },
            value === null ? element("span", { class: "lg-none" }, "not measured") : number(value),
          ),
        ),
      );
    const groups = data.metrics
      .map((metric) => ({ metric, values: rows.map((row) => metric.values[row]) }))
      .filter(({ values }) => values.some((value) => value !== null));
    const lines = [];
    for (const key of new Set(groups.map(({ metric }) => metric.key))) {
      const ours = groups.filter(({ metric }) => metric.key === key);
      for (const { metric, values } of ours) {
        lines.push(line(metric, values));
        if (!metric.known)
          lines.push(refusal("Not ranked: nobody knows on which dataset version these values were measured."));
        else if (!metric.direction && values.filter((value) => Number.isFinite(value)).length > 1)
          lines.push(refusal("Not ranked: nobody said which values are better."));
      }
      if (ours.length > 1)
        lines.push(
          refusal(
            `${key} was measured ${ours.length} ways (${ours.map(({ metric }) => metric.dataset + (metric.evaluator ? ` by ${metric.evaluator}` : "")).join("; ")}). Values of different rows answer different questions and are not ranked together.`,
          ),
        );
    }
    return [
      element("h2", {}, "Metrics"),
      lines.length ? tableOf("Metrics", lines) : element("p", { class: "lg-none" }, "These runs have no metrics."),
    ];
  };

  Object.assign(globalThis, { ledgerResults: { results } });
})();
