// @ts-check
/* The controls of the charts of learning curves: logarithmic scale, choice of axis, the value of each line at the pointer. */
"use strict";
(() => {
  const { element, number } = window.ledger;
  const { axesOf, lineOf } = window.ledgerCurves;
  const { library, plot } = window.ledgerPlot;

  /**
   * Puts controls above a group of figures and draws their lines: one for each item of the legend, null where it has none.
   * Returns what draws them again.
   * @param {HTMLElement} group
   * @param {string[]} axes
   * @param {(figure: number, axis: string) => (Line | null)[]} linesOf
   */
  const install = async (group, axes, linesOf) => {
    await library();
    let axis = axes[0] || "point";
    let logarithmic = false;
    const figures = [...group.querySelectorAll(".lg-figure")].map((figure) => {
      const items = [...figure.querySelectorAll(".lg-legend li")];
      const outputs = items.map((item) => item.appendChild(element("output")));
      return {
        place: /** @type {HTMLElement} */ (figure.querySelector(".lg-plot")),
        keys: items.map((item) => /** @type {Element} */ (item.querySelector("path"))),
        outputs,
        remove: () => {},
      };
    });
    const draw = () => {
      figures.forEach((figure, index) => {
        const lines = linesOf(index, axis);
        if (!lines.some(Boolean)) return;
        figure.remove();
        figure.remove = plot(figure.place, lines, {
          axis,
          title: group.dataset.overlay || lines.find(Boolean)?.name.split("/").pop() || "",
          logarithmic,
          keys: figure.keys,
          together: group.dataset.curves || group.dataset.overlay || "",
          show: (values) => {
            figure.outputs.forEach((output, line) => {
              const { value, elsewhere } = values[line] ?? {};
              const where = typeof elsewhere === "number" ? ` at ${axis} ${number(elsewhere)}` : "";
              output.textContent = value === undefined ? "" : number(value) + where;
            });
          },
        });
      });
    };
    const change = () => {
      group.dataset.changed = "true";
      draw();
    };
    const scale = element("input", {
      type: "checkbox",
      onchange: () => {
        logarithmic = scale.checked;
        change();
      },
    });
    const tools = element("div", { class: "lg-tools" }, element("label", {}, scale, "logarithmic scale"));
    if (axes.length > 1) {
      const choice = element(
        "select",
        {
          class: "lg-field",
          "aria-label": "Horizontal axis",
          onchange: () => {
            axis = choice.value;
            change();
          },
        },
        ...axes.map((name) => element("option", { value: name }, name)),
      );
      tools.append(element("label", {}, "over ", choice));
    }
    tools.append(element("span", { class: "lg-hint" }, "drag to zoom in, double-click to zoom out"));
    group.before(tools);
    draw();
    return change;
  };

  /** @param {HTMLElement} group */
  const installRun = async (group) => {
    const curves = await window.ledger.curves(group.dataset.curves || "");
    const names = [...group.querySelectorAll(".lg-figure")].map((figure) =>
      [...figure.querySelectorAll(".lg-legend li")].map((item) => (item.textContent || "").trim()),
    );
    await install(group, axesOf([curves]), (figure, axis) =>
      names[figure].map((name) => lineOf(curves, axis, name, name)),
    );
  };

  /* Where the data or the library does not come, the static chart stays. */
  /** @param {ParentNode} part */
  const installAll = (part) => {
    for (const group of part.querySelectorAll("[data-curves]"))
      installRun(/** @type {HTMLElement} */ (group)).catch(() => {});
  };
  installAll(document);

  Object.assign(globalThis, { ledgerCharts: { install, installAll } });
})();
