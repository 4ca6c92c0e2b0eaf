/* The interactive layer over the static charts: values under the pointer, logarithmic scale, choice of axis. */
"use strict";
(() => {
  const { element, number } = window.ledger;
  const { tick } = window.ledgerFormatting;
  const SVG = "http://www.w3.org/2000/svg";
  const svg = (tag, attributes = {}, text = null) => {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text !== null) made.textContent = text;
    return made;
  };

  const ticks = (low, high, count) => {
    const rough = (high - low) / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough * 0.999);
    const found = [];
    for (let at = Math.ceil(low / step - 1e-9); at <= high / step + 1e-9; at += 1) found.push(at * step);
    return found;
  };

  /* Draws lines ({name, xs, ys}, and slot where the colour is not the place in the list) into `plot`; `say` gets the value of each line at the pointer. */
  const draw = (plot, lines, { xName, yName, logY, title, say }) => {
    const width = Math.max(280, Math.round(plot.clientWidth) || 640);
    const height = Math.round(Math.min(380, Math.max(210, width * 0.46)));
    const usable = (value) => value !== null && Number.isFinite(value) && (!logY || value > 0);
    const f = logY ? Math.log10 : (value) => value;
    const points = lines.flatMap((line) => line.xs.map((x, index) => [x, line.ys[index]]).filter(([, y]) => usable(y)));
    if (!points.length) {
      plot.replaceChildren(
        element(
          "p",
          { class: "lg-none" },
          logY ? "No positive value to draw on a logarithmic scale." : "Nothing to draw.",
        ),
      );
      return;
    }
    let [x0, x1, y0, y1] = points.reduce(
      ([a, b, c, d], [x, y]) => [Math.min(a, x), Math.max(b, x), Math.min(c, f(y)), Math.max(d, f(y))],
      [Infinity, -Infinity, Infinity, -Infinity],
    );
    if (x0 === x1) {
      x0 -= 1;
      x1 += 1;
    }
    if (y0 === y1) {
      const room = logY ? 0.5 : Math.abs(y0) * 0.1 || 1;
      y0 -= room;
      y1 += room;
    }
    const room = (y1 - y0) * 0.06;
    y0 -= room;
    y1 += room;
    const left = 52,
      right = width - 12,
      top = 26,
      bottom = height - 42;
    const px = (x) => left + ((x - x0) / (x1 - x0)) * (right - left);
    const py = (y) => bottom - ((f(y) - y0) / (y1 - y0)) * (bottom - top);
    const chart = svg("svg", {
      class: "lg-chart",
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-label": title,
    });
    chart.append(svg("title", {}, title));
    const axis = svg("g", { class: "lg-axis" });
    const powers = logY ? ticks(y0, y1, 4).filter((at) => Number.isInteger(at)) : [];
    const yTicks = logY
      ? powers.length > 1
        ? powers.map((at) => 10 ** at)
        : ticks(10 ** y0, 10 ** y1, 5).filter((at) => at > 0)
      : ticks(y0, y1, 5);
    for (const at of yTicks) {
      axis.append(
        svg("path", { d: `M${left} ${py(at).toFixed(1)}H${right}` }),
        svg("text", { x: left - 8, y: py(at) + 4, "text-anchor": "end" }, tick(at)),
      );
    }
    for (const at of ticks(x0, x1, Math.max(4, Math.floor(width / 80))))
      axis.append(svg("text", { x: px(at), y: bottom + 18, "text-anchor": "middle" }, tick(at)));
    axis.append(
      svg("path", { class: "lg-base", d: `M${left} ${bottom}H${right}` }),
      svg("text", { class: "lg-name", x: (left + right) / 2, y: height - 6, "text-anchor": "middle" }, xName),
      svg("text", { class: "lg-name", x: left, y: top - 10 }, logY ? `${yName} (log)` : yName),
    );
    chart.append(axis);
    lines.forEach((line, index) => {
      const slot = line.slot ?? index;
      let path = "",
        down = false,
        count = 0;
      line.xs.forEach((x, at) => {
        const y = line.ys[at];
        if (y === null) return;
        if (!usable(y)) {
          down = false;
          return;
        }
        path += `${down ? "L" : "M"}${px(x).toFixed(1)} ${py(y).toFixed(1)}`;
        down = true;
        count += 1;
      });
      if (count === 1) path += "h.1";
      if (path)
        chart.append(svg("path", { class: `lg-line lg-c${slot % 8} lg-d${Math.floor(slot / 8) % 3}`, d: path }));
    });
    const cursor = svg("path", { class: "lg-cursor", d: "" });
    const marks = svg("g");
    chart.append(cursor, marks);
    const clear = () => {
      cursor.setAttribute("d", "");
      marks.replaceChildren();
      say(null, []);
    };
    chart.addEventListener("pointermove", (event) => {
      const box = chart.getBoundingClientRect();
      const x = x0 + ((((event.clientX - box.left) / box.width) * width - left) / (right - left)) * (x1 - x0);
      let nearest = null;
      for (const line of lines)
        line.xs.forEach((at, index) => {
          if (usable(line.ys[index]) && (nearest === null || Math.abs(at - x) < Math.abs(nearest - x))) nearest = at;
        });
      if (nearest === null) return;
      cursor.setAttribute("d", `M${px(nearest).toFixed(1)} ${top}V${bottom}`);
      marks.replaceChildren();
      const values = lines.map((line, order) => {
        const slot = line.slot ?? order;
        let best = -1;
        line.xs.forEach((at, index) => {
          if (usable(line.ys[index]) && (best < 0 || Math.abs(at - nearest) < Math.abs(line.xs[best] - nearest)))
            best = index;
        });
        if (best < 0) return null;
        marks.append(
          svg("circle", { class: `lg-mark lg-c${slot % 8}`, cx: px(line.xs[best]), cy: py(line.ys[best]), r: 3.5 }),
        );
        return line.ys[best];
      });
      say(nearest, values);
    });
    chart.addEventListener("pointerleave", clear);
    plot.replaceChildren(chart);
  };

  const axisOf = (data) => ["step", "epoch", "seconds"].filter((name) => data.x[name]);
  const lineOf = (data, axis, series, name) => {
    const xs = data.x[axis] || data.series[series].map((_, index) => index);
    return { name, xs, ys: data.series[series] || [] };
  };

  /* Puts controls above a group of figures and keeps them drawn at the width they have. */
  const install = (group, axes, linesOf) => {
    const figures = [...group.querySelectorAll(".lg-figure")].map((figure) => ({
      plot: figure.querySelector(".lg-plot"),
      items: [...figure.querySelectorAll(".lg-legend li")],
    }));
    let axis = axes[0] || "point",
      logY = false;
    const outputs = figures.map((figure) =>
      figure.items.map((item) => {
        const out = element("output");
        item.append(out);
        return out;
      }),
    );
    const redraw = () =>
      figures.forEach((figure, at) => {
        const lines = linesOf(at, axis);
        if (!lines.length) return;
        const yName = group.dataset.overlay || lines[0].name.split("/").pop();
        draw(figure.plot, lines, {
          xName: axis,
          yName,
          logY,
          title: `Learning curves: ${lines.map((line) => line.name).join(", ")}`,
          say: (_x, values) =>
            outputs[at].forEach((out, index) => {
              out.textContent = values[index] === undefined || values[index] === null ? "" : number(values[index]);
            }),
        });
      });
    const log = element("input", {
      type: "checkbox",
      onchange: () => {
        logY = log.checked;
        redraw();
      },
    });
    const tools = element("div", { class: "lg-tools" }, element("label", {}, log, "logarithmic scale"));
    if (axes.length > 1) {
      const choice = element(
        "select",
        {
          class: "lg-field",
          "aria-label": "Horizontal axis",
          onchange: () => {
            axis = choice.value;
            redraw();
          },
        },
        ...axes.map((name) => element("option", { value: name }, name)),
      );
      tools.append(element("label", {}, "over ", choice));
    }
    group.before(tools);
    redraw();
    let width = group.clientWidth;
    new ResizeObserver(() => {
      if (Math.abs(group.clientWidth - width) > 4) {
        width = group.clientWidth;
        redraw();
      }
    }).observe(group);
    return redraw;
  };

  const names = (figure) => [...figure.querySelectorAll(".lg-legend li")].map((item) => item.textContent.trim());

  document.querySelectorAll("[data-curves]").forEach(async (group) => {
    try {
      const data = await window.ledger.curves(group.dataset.curves);
      const lines = [...group.querySelectorAll(".lg-figure")].map(names);
      install(group, axisOf(data), (at, axis) =>
        lines[at].filter((name) => data.series[name]).map((name) => lineOf(data, axis, name, name)),
      );
    } catch {
      /* the static charts stay */
    }
  });

  document.querySelectorAll("[data-overlay]").forEach(async (group) => {
    const ids = group.dataset.runs.split(" ").filter(Boolean);
    try {
      const data = await Promise.all(ids.map((id) => window.ledger.curves(id)));
      const axes = axisOf(data[0]).filter((name) => data.every((each) => each.x[name]));
      install(group, axes, (_, axis) =>
        data.map((each, index) => lineOf(each, axis, group.dataset.overlay, ids[index])),
      );
    } catch {
      /* the static chart stays */
    }
  });

  window.ledger.charts = { draw, axisOf, lineOf, install };
})();
