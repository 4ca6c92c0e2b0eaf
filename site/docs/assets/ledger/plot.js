// @ts-check
/* One chart of lines, drawn by uPlot over the static picture. The library comes with the first chart that a page has. */
"use strict";
(() => {
  const { tick } = window.ledgerFormatting;
  const { ends, lone, nearest, obstacle, tableOf, valueAt } = window.ledgerCurves;
  const { element, number } = window.ledger;

  const FOLDER = "assets/vendor/uplot/";

  /** @type {Promise<unknown> | null} */
  let loading = null;
  const library = () => {
    if (typeof uPlot === "function") return Promise.resolve(); // it is in the page, as in one that is a single file
    /** @param {HTMLElement} node */
    const added = (node) =>
      new Promise((resolve, reject) => {
        node.addEventListener("load", resolve);
        node.addEventListener("error", () => reject(new Error("the library of the charts cannot be loaded")));
        document.head.append(node);
      });
    loading ??= Promise.all([
      added(element("script", { src: window.ledger.url(`${FOLDER}uPlot.iife.min.js`) })),
      added(element("link", { rel: "stylesheet", href: window.ledger.url(`${FOLDER}uPlot.min.css`) })),
    ]);
    return loading;
  };

  /** Whether the runs of a line are dimmed, as its entry in the legend is. @param {Element | undefined} key */
  const isOut = (key) => Boolean(key?.closest(".lg-out"));

  /** The colour of a line, thin. @param {Element | undefined} key @param {number} percent */
  const veil = (key, percent) => {
    const [red, green, blue] = (key ? getComputedStyle(key).stroke : "").match(/[\d.]+/g) || ["128", "128", "128"];
    return `rgb(${red} ${green} ${blue} / ${percent}%)`;
  };

  /** A colour of the style sheet as it is now: readers change it. @param {string} name */
  const colour = (name) => () => getComputedStyle(document.body).getPropertyValue(name);

  /** @param {HTMLElement} place */
  const sizeOf = (place) => {
    const width = Math.max(240, Math.round(place.clientWidth) || 640);
    return { width, height: Math.round(Math.min(380, Math.max(210, width * 0.46))) };
  };

  /**
   * @param {Line | null} line
   * @param {Element | undefined} key
   * @param {number[]} alone places of the points that no line goes through
   * @returns {uPlot.Series}
   */
  const seriesOf = (line, key, alone) => {
    const style = key ? getComputedStyle(key) : null;
    const dashes = (style?.strokeDasharray.match(/[\d.]+/g) || []).map(Number);
    return {
      label: line?.name ?? "",
      stroke: () => (isOut(key) ? veil(key, 20) : style?.stroke || colour("--lg-c0")()),
      dash: dashes,
      width: 1.8,
      points: { show: alone.length > 0, filter: () => alone, size: 6 },
    };
  };

  /** A line that is not drawn, beside a band. @returns {uPlot.Series} */
  const edge = () => ({ width: 0, stroke: "transparent", points: { show: false } });

  /** @param {"x" | "y"} scale @param {Partial<uPlot.Axis>} more @returns {uPlot.Axis} */
  const axisOf = (scale, more) => ({
    scale,
    font: "11px system-ui, sans-serif",
    stroke: colour("--lg-muted"),
    grid: { stroke: colour("--lg-line"), width: 1 },
    ticks: { show: false },
    values: (_, splits) => splits.map((split) => (split === null ? "" : tick(split))),
    ...more,
  });

  /**
   * Draws the lines into `place` beside what stands there; returns what takes them away, or else says why they are not drawn.
   * @param {HTMLElement} place
   * @param {(Line | null)[]} lines
   * @param {View} view
   * @returns {() => void}
   */
  const plot = (place, lines, view) => {
    const banded = lines.flatMap((line, index) =>
      line?.low && line.high ? [{ index, low: { ...line, ys: line.low }, high: { ...line, ys: line.high } }] : [],
    );
    const table = tableOf([...lines, ...banded.flatMap(({ low, high }) => [high, low])], view.logarithmic);
    const why = obstacle(table, view.logarithmic);
    const says = `${view.title}${view.logarithmic ? " (log)" : ""}`;
    const asDrawn = place.querySelector(":scope > svg") && !place.closest("[data-changed]");
    if (why && asDrawn) return () => {}; // the static picture can show it
    if (why) {
      const sentence = element("p", { class: "lg-none" }, why);
      place.append(sentence);
      return () => sentence.remove();
    }
    const at = element("output", { class: "lg-plot-at" });
    const holder = element(
      "div",
      {
        class: "lg-live",
        role: "img",
        "aria-label": `${says} over ${view.axis}: ${lines.map((line) => line?.name).join(", ")}`,
      },
      element("p", { class: "lg-plot-name" }, says, at),
    );
    place.append(holder);
    /** @param {uPlot} chart */
    const point = (chart) => {
      const { idx } = chart.cursor;
      at.textContent = typeof idx === "number" ? `${view.axis} ${number(table[0][idx])}` : "";
      view.show(lines.map((_, line) => (typeof idx === "number" ? valueAt(table, line, idx) : null)));
    };
    const chart = new uPlot(
      {
        ...sizeOf(holder),
        padding: [8, null, null, null],
        legend: { show: false },
        cursor: {
          y: false,
          dataIdx: (_, series, index) => (series ? (nearest(table, series - 1, index) ?? index) : index),
          points: { size: 7 },
          sync: { key: view.together },
        },
        scales: {
          x: { time: false, range: (_, low, high) => (low === high ? [low - 1, high + 1] : [low, high]) },
          y: view.logarithmic
            ? { distr: 3, range: (_, low, high) => uPlot.rangeLog(low, high, 10, false) }
            : { range: (_, low, high) => ends(low, high) },
        },
        series: [
          {},
          ...lines.map((line, index) => seriesOf(line, view.keys[index], lone(table, index))),
          ...banded.flatMap(() => [edge(), edge()]),
        ],
        bands: banded.map(({ index }, at) => ({
          series: [lines.length + 1 + 2 * at, lines.length + 2 + 2 * at],
          fill: () => veil(view.keys[index], isOut(view.keys[index]) ? 5 : 18),
        })),
        axes: [
          axisOf("x", {
            label: view.axis,
            labelSize: 20,
            labelFont: "600 11px system-ui, sans-serif",
            size: 28,
            space: 55,
          }),
          axisOf("y", {
            size: (_, labels) => 14 + 7 * Math.max(2, ...(labels || []).map((label) => label.length)),
            space: 36,
          }),
        ],
        hooks: { setCursor: [point] },
      },
      /** @type {uPlot.AlignedData} */ (table),
      holder,
    );
    const looks = new MutationObserver(() => (holder.isConnected ? chart.redraw(false) : looks.disconnect()));
    looks.observe(document.body, { attributeFilter: ["data-md-color-scheme"] });
    for (const key of view.keys) {
      const entry = key.closest("li");
      if (entry) looks.observe(entry, { attributeFilter: ["class"] });
    }
    const paper = matchMedia("print"); // which is white in both themes
    const onPaper = () => chart.redraw(false);
    paper.addEventListener("change", onPaper);
    const width = new ResizeObserver(() => {
      const size = sizeOf(holder);
      if (Math.abs(size.width - chart.width) > 2) chart.setSize(size);
    });
    width.observe(holder);
    return () => {
      looks.disconnect();
      paper.removeEventListener("change", onPaper);
      width.disconnect();
      chart.destroy();
      holder.remove();
    };
  };

  Object.assign(globalThis, { ledgerPlot: { library, plot } });
})();
