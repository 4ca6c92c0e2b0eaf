// @ts-check
/* The learning curves of compared runs, one series at a time: a figure for each data that it was measured on. The
   repeats of a setting are one line, their mean, in a band from the smallest to the largest. */
"use strict";
(() => {
  const { element } = window.ledger;
  const { axesOf, bandOf, lineOf, seriesOf, sharing, smooth } = window.ledgerCurves;

  /** Most smoothing that can be chosen: the share that a point keeps of those before it. */
  const SMOOTHEST = 0.95;

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
   * A figure without its lines; what is drawn has the same colour in all of them.
   * @param {Runs} data
   * @param {Drawn[]} drawn
   */
  const figureOf = (data, drawn) =>
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
          ...drawn.map(({ slot, name, rows }) =>
            element(
              "li",
              {},
              sample(slot),
              element(
                "a",
                { title: rows.map((row) => data.id[row]).join(", "), href: window.ledger.url(data.page(rows[0])) },
                rows.length > 1 ? `${name} (mean of ${rows.length})` : name,
              ),
            ),
          ),
        ),
      ),
    );

  /** @typedef {{slot: number, name: string, rows: number[]}} Drawn */

  /**
   * Puts the learning curves of the settings into `holder`.
   * @param {HTMLElement} holder
   * @param {Runs} data
   * @param {ChosenSetting[]} settings
   */
  const showCurves = async (holder, data, settings) => {
    const rows = settings.flatMap((setting) => setting.rows);
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
    const headlines = rows.map((row) => data.metrics[data.headline[row]]?.key);
    const usual =
      headlines.find((key) => key && series.includes(key)) ??
      series.find((name) => name.startsWith("validation/")) ??
      series.find((name) => name.includes("/"));
    const repeated = settings.some((setting) => setting.rows.length > 1);
    const state = {
      name: usual ?? series[0],
      apart: !repeated,
      keep: 0,
    };
    const figures = element("div");

    /** What is drawn of these runs. @param {number[]} shown @returns {Drawn[]} */
    const drawnOf = (shown) =>
      state.apart
        ? shown.map((row) => ({ slot: rows.indexOf(row), name: data.name[row], rows: [row] }))
        : settings
            .map((setting, slot) => ({
              slot,
              name: setting.name,
              rows: setting.rows.filter((row) => shown.includes(row)),
            }))
            .filter((each) => each.rows.length);

    /** @type {(() => void)[]} */
    let redraw = [];
    const show = () => {
      redraw = [];
      figures.replaceChildren();
      const groups = sharing(all, state.name);
      for (const { label, members } of groups) {
        const curves = members.map((index) => all[index]);
        const shown = members.map((index) => having[index]);
        const drawn = drawnOf(shown);
        const group = element("div", { class: "lg-panels lg-wide", "data-series": state.name }, figureOf(data, drawn));
        group.dataset.overlay = state.name;
        if (groups.length > 1) figures.append(element("h3", {}, state.name, element("small", {}, ` on ${label}`)));
        figures.append(group);
        /** @param {Drawn} each @param {string} axis */
        const draw = (each, axis) => {
          const lines = each.rows.map((row) => lineOf(curves[shown.indexOf(row)], axis, state.name, each.name));
          return smooth(lines.length > 1 ? bandOf(each.name, lines) : lines[0], state.keep);
        };
        window.ledgerCharts
          .install(group, axesOf(curves), (_, axis) => drawn.map((each) => draw(each, axis)))
          .then((again) => redraw.push(again))
          .catch((error) => group.replaceChildren(element("p", { class: "lg-callout" }, error.message)));
      }
    };

    const choice = element(
      "select",
      {
        class: "lg-field",
        "aria-label": "Series",
        onchange: () => {
          state.name = choice.value;
          show();
        },
      },
      ...series.map((each) => element("option", { value: each, selected: each === state.name }, each)),
    );
    const said = element("output", {}, "0");
    const smoothing = element("input", {
      type: "range",
      min: "0",
      max: String(SMOOTHEST),
      step: "0.05",
      value: "0",
      "aria-label": "Smoothing",
      oninput: () => {
        state.keep = Number(smoothing.value);
        said.textContent = smoothing.value;
        for (const again of redraw) again();
      },
    });
    const each = element("input", {
      type: "checkbox",
      onchange: () => {
        state.apart = each.checked;
        show();
      },
    });
    holder.replaceChildren(
      element(
        "div",
        { class: "lg-tools" },
        element("label", {}, "series ", choice),
        element("label", {}, "smoothing ", smoothing, said),
        repeated ? element("label", {}, each, "each run by itself") : null,
        repeated
          ? element("span", { class: "lg-hint" }, "a band goes from the smallest to the largest of the repeats")
          : null,
      ),
      figures,
    );
    show();
  };

  Object.assign(globalThis, { ledgerCompareCurves: { showCurves } });
})();
