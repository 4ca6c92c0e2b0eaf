// @ts-check
/* Parts of the tables of the compare page. */
"use strict";
(() => {
  const { element } = window.ledger;

  /** The heading of a metric's row: its name, which way is better, and what it was measured on. @param {Metric} metric */
  const metricHead = (metric) =>
    element(
      "th",
      { scope: "row" },
      element(
        metric.page ? "a" : "span",
        { href: metric.page ? window.ledger.url(metric.page) : null },
        metric.key + (metric.direction === "higher" ? " ↑" : metric.direction === "lower" ? " ↓" : ""),
      ),
      element("small", {}, `on ${metric.dataset}${metric.evaluator ? `, ${metric.evaluator}` : ""}`),
    );

  /**
   * A table in a box that scrolls.
   * @param {string} label
   * @param {Child[][]} heads content of each heading
   * @param {Node[]} lines
   * @param {string} [css]
   */
  const scrollTable = (label, heads, lines, css = "") =>
    element(
      "div",
      { class: "lg-scroll", tabindex: "0", role: "region", "aria-label": label },
      element(
        "table",
        { class: `lg-table lg-compare ${css}` },
        element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, ...head)))),
        element("tbody", {}, ...lines),
      ),
    );

  Object.assign(globalThis, { ledgerCompareParts: { metricHead, scrollTable } });
})();
