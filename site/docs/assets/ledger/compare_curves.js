// @ts-check
/* The learning curves of compared runs, one series at a time: a figure for each data that it was measured on. */
"use strict";
(() => {
  const { element } = window.ledger;
  const { axesOf, lineOf, seriesOf, sharing } = window.ledgerCurves;

  /** The drawn sample of a line in a legend. @param {number} slot index of its colour */
  const sample = (slot) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 8");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("class", `lg-line lg-c${slot % 8} lg-d${Math.floor(slot / 8) % 3}`);
    path.setAttribute("d", "M1 4H23");
    svg.append(path);
    return svg;
  };

  /**
   * A figure without its lines; a run has the same colour in all of them.
   * @param {Runs} data
   * @param {number[]} rows all that are compared
   * @param {number[]} members those in this figure
   */
  const figureOf = (data, rows, members) =>
    element(
      "figure",
      { class: "lg-figure" },
      element("div", { class: "lg-plot" }),
      element(
        "figcaption",
        {},
        element(
          "ul",
          { class: "lg-legend" },
          ...members.map((row) =>
            element(
              "li",
              {},
              sample(rows.indexOf(row)),
              element("a", { title: data.id[row], href: window.ledger.url(data.page(row)) }, data.name[row]),
            ),
          ),
        ),
      ),
    );

  /**
   * Puts the learning curves of the rows into `holder`.
   * @param {HTMLElement} holder
   * @param {Runs} data
   * @param {number[]} rows
   */
  const showCurves = async (holder, data, rows) => {
    const having = rows.filter((row) => data.curves[row]);
    if (!having.length) {
      holder.replaceChildren(element("p", { class: "lg-none" }, "None of these runs kept learning curves."));
      return;
    }
    /** @type {Curves[]} */
    let all;
    try {
      all = await Promise.all(having.map((row) => window.ledger.curves(data.id[row])));
    } catch {
      holder.replaceChildren(element("p", { class: "lg-callout" }, "The curves cannot be loaded."));
      return;
    }
    const series = seriesOf(all);
    const headline = data.metrics[data.headline[rows[0]]]?.key;

    /** @param {string} name */
    const show = (name) => {
      const choice = element(
        "select",
        { class: "lg-field", "aria-label": "Series", onchange: () => show(choice.value) },
        ...series.map((each) => element("option", { value: each, selected: each === name }, each)),
      );
      holder.replaceChildren(element("div", { class: "lg-tools" }, element("label", {}, "series ", choice)));
      const groups = sharing(all, name);
      for (const { label, members } of groups) {
        const curves = members.map((index) => all[index]);
        const shown = members.map((index) => having[index]);
        const group = element("div", { class: "lg-panels lg-wide", "data-series": name }, figureOf(data, rows, shown));
        group.dataset.overlay = name;
        if (groups.length > 1) holder.append(element("h3", {}, name, element("small", {}, ` on ${label}`)));
        holder.append(group);
        window.ledgerCharts
          .install(group, axesOf(curves), (_, axis) =>
            curves.map((each, at) => lineOf(each, axis, name, data.id[shown[at]])),
          )
          .catch((error) => group.replaceChildren(element("p", { class: "lg-callout" }, error.message)));
      }
    };
    show(headline && series.includes(headline) ? headline : series[0]);
  };

  Object.assign(globalThis, { ledgerCompareCurves: { showCurves } });
})();
