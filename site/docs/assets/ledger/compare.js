/* Compares the runs that the address names: what differs, what came out, and whether it may be ranked at all. */
"use strict";
(() => {
  const { element, number, duration, money, minute, badge } = window.ledger;
  const { named, stars } = window.ledgerComparison;
  const place = document.querySelector("[data-compare]");
  if (!place) return;
  const LIMIT = 12;

  const start = (data) => {
    let rows = [],
      all = false,
      left = [],
      missing = [];
    const readHash = () => {
      ({ rows, left, missing } = named(data, window.ledger.hash().get("runs") || "", LIMIT));
    };
    const change = (next) => {
      rows = next;
      left = [];
      missing = [];
      window.ledger.setHash({ runs: rows.map((row) => data.id[row]).join() });
      refresh();
    };

    const chips = element("div", { class: "lg-bar-tools" });
    const add = element("input", {
      type: "search",
      class: "lg-field",
      list: "lg-ids",
      placeholder: "Add a run: id, word, lr=0.01",
      "aria-label": "Add a run",
    });
    const ids = element("datalist", { id: "lg-ids" });
    const trouble = element("small", { role: "status" });
    const search = (text, again) => {
      const answer = window.ledger.ask(data, text, again);
      trouble.textContent = answer.error || "";
      return answer.rows || [];
    };
    const addFirst = () => {
      const hit = data.byId.has(add.value.trim())
        ? data.byId.get(add.value.trim())
        : search(add.value, addFirst).find((row) => !rows.includes(row));
      if (add.value.trim() && hit !== undefined && rows.length < LIMIT) {
        add.value = "";
        change([...new Set([...rows, hit])]);
        add.focus();
      }
    };
    const offer = () => {
      ids.replaceChildren(
        ...search(add.value, offer)
          .slice(0, 12)
          .map((row) => element("option", { value: data.id[row] }, data.word(data.experiment, row))),
      );
      if (data.byId.has(add.value.trim())) addFirst();
    };
    add.addEventListener("input", offer);
    add.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        addFirst();
      }
    });
    const body = element("div");

    const heads = () =>
      element(
        "tr",
        {},
        element("th", { scope: "col" }, ""),
        ...rows.map((row) =>
          element(
            "th",
            { scope: "col" },
            element("a", { class: "lg-id", href: window.ledger.url(data.page(row)) }, data.id[row]),
          ),
        ),
      );
    const line = (title, cells, css, sub) =>
      element(
        "tr",
        { class: css },
        element("th", { scope: "row" }, title, sub ? element("small", {}, sub) : null),
        ...cells.map((cell) => (cell instanceof Node && cell.nodeName === "TD" ? cell : element("td", {}, cell))),
      );
    const tableOf = (label, lines) =>
      element(
        "div",
        { class: "lg-scroll", tabindex: "0", role: "region", "aria-label": label },
        element(
          "table",
          { class: "lg-table lg-compare" },
          element("thead", {}, heads()),
          element("tbody", {}, ...lines),
        ),
      );

    /* What parts the runs, in a sentence: params, what they were trained on, code. Else it would be read out of metrics. */
    const apart = () => {
      const several = (values) => new Set(values).size > 1;
      const params = data.params
        .filter((param) => several(rows.map((row) => data.word(param, row))))
        .map((param) => param.name);
      const parts = [];
      if (several(rows.map((row) => data.word(data.trained, row))))
        parts.push(
          `training data (${[...new Set(rows.map((row) => data.word(data.trained, row) || "unknown"))].join(" or ")})`,
        );
      if (several(rows.map((row) => `${data.word(data.commit, row)} ${data.word(data.changes, row)}`)))
        parts.push("code");
      return { params, parts, one: !several(rows.map((row) => data.setting[row])) };
    };
    const sentence = () => {
      const { params, parts, one } = apart();
      const said = [];
      if (missing.length) said.push(`Not on this site: ${missing.join(", ")}. `);
      if (left.length) said.push(`Only ${LIMIT} runs are compared at once; left out: ${left.join(", ")}. `);
      const uncounted = rows.filter((row) => !data.counts(row));
      if (uncounted.length)
        said.push(
          `Never the best, since ${uncounted.length > 1 ? "they" : "it"} did not finish or ${uncounted.length > 1 ? "were" : "was"} retracted: ${uncounted.map((row) => data.id[row]).join(", ")}. `,
        );
      if (rows.length > 1) {
        if (one)
          said.push(
            "These runs are one setting: they differ by seed only, and nothing can be better than itself. What parts their values is noise.",
          );
        else if (params.length || parts.length)
          said.push(
            `They differ in ${[params.length ? `params (${params.slice(0, 5).join(", ")}${params.length > 5 ? ` and ${params.length - 5} more` : ""})` : "", ...parts].filter(Boolean).join(", ")}.`,
          );
        else
          said.push(
            "They are not repeats of each other, though no param differs: their code is unknown, or differs in files.",
          );
      }
      return said.length ? element("p", { class: "lg-callout", "data-apart": true }, ...said) : null;
    };

    const overview = () =>
      tableOf("Overview", [
        line(
          "status",
          rows.map((row) => badge(data.word(data.status, row))),
        ),
        line(
          "experiment",
          rows.map((row) =>
            element(
              "a",
              { href: window.ledger.url(data.pages[data.experiment.codes[row]]) },
              data.word(data.experiment, row),
            ),
          ),
        ),
        line(
          "started (UTC)",
          rows.map((row) => minute(data.started[row])),
        ),
        line(
          "duration",
          rows.map((row) =>
            data.duration[row] === null
              ? element("span", { class: "lg-unknown" }, "unknown")
              : duration(data.duration[row]),
          ),
        ),
        line(
          "cost",
          rows.map((row) => money(data, row)),
        ),
        line(
          "author",
          rows.map((row) => data.word(data.author, row)),
        ),
        line(
          "commit",
          rows.map((row) => element("code", {}, data.word(data.commit, row) || "unknown")),
        ),
        ...(rows.some((row) => data.word(data.changes, row))
          ? [
              line(
                "uncommitted changes",
                rows.map((row) =>
                  data.word(data.changes, row)
                    ? element("code", {}, data.word(data.changes, row))
                    : element("span", { class: "lg-none" }, "none"),
                ),
              ),
            ]
          : []),
        line(
          "trained on",
          rows.map((row) => data.word(data.trained, row) || element("span", { class: "lg-unknown" }, "unknown")),
          new Set(rows.map((row) => data.word(data.trained, row))).size > 1 ? "lg-differs" : null,
        ),
        line(
          "seed",
          rows.map((row) => data.word(data.seed, row) || element("span", { class: "lg-unknown" }, "unknown")),
        ),
      ]);

    const params = () => {
      const found = data.params
        .map((param) => ({ name: param.name, values: rows.map((row) => data.word(param, row)) }))
        .filter(({ values }) => values.some(Boolean));
      const differing = found.filter(({ values }) => new Set(values).size > 1);
      const shown = all ? found : differing;
      const toggle = element(
        "button",
        {
          type: "button",
          class: "lg-button",
          onclick: () => {
            all = !all;
            refresh();
          },
        },
        all ? `Only the ${differing.length} that differ` : `All ${found.length} params`,
      );
      return [
        element(
          "h2",
          {},
          "Params ",
          element("small", {}, differing.length ? `${differing.length} of ${found.length} differ` : "none differ"),
        ),
        shown.length
          ? tableOf(
              "Params",
              shown.map(({ name, values }) =>
                line(
                  element("code", {}, name),
                  values.map((value) =>
                    value
                      ? element("code", { class: "lg-wrap" }, value)
                      : element("span", { class: "lg-none" }, "none"),
                  ),
                  all && differing.some((each) => each.name === name) ? "lg-differs" : null,
                ),
              ),
            )
          : element(
              "p",
              { class: "lg-none" },
              `These runs had the same params.${apart().parts.length ? ` They differ in ${apart().parts.join(", ")}.` : ""}`,
            ),
        element("div", { class: "lg-bar-tools" }, toggle),
      ];
    };

    /* A row that says why values of the row above are not ranked. */
    const refusal = (why) =>
      element("tr", {}, element("td", { colspan: rows.length + 1, class: "lg-refuse" }, element("span", {}, why)));

    const metrics = () => {
      const groups = data.metrics
        .map((metric) => ({ metric, values: rows.map((row) => metric.values[row]) }))
        .filter(({ values }) => values.some((value) => value !== null));
      const keys = [...new Set(groups.map(({ metric }) => metric.key))];
      const lines = [];
      for (const key of keys) {
        const ours = groups.filter(({ metric }) => metric.key === key);
        for (const { metric, values } of ours) {
          const finite = values.filter((value) => value !== null && Number.isFinite(value));
          const { starred, told } = stars(data, metric, rows);
          lines.push(
            line(
              element(
                metric.page ? "a" : "span",
                { href: metric.page ? window.ledger.url(metric.page) : null },
                key + (metric.direction === "higher" ? " ↑" : metric.direction === "lower" ? " ↓" : ""),
              ),
              values.map((value, at) =>
                element(
                  "td",
                  { class: starred.has(rows[at]) ? "lg-best" : null, title: value === null ? null : String(value) },
                  value === null ? element("span", { class: "lg-none" }, "not measured") : number(value),
                  starred.has(rows[at]) ? element("span", { class: "lg-sr" }, " may be the best") : null,
                ),
              ),
              null,
              `on ${metric.dataset}${metric.evaluator ? `, ${metric.evaluator}` : ""}${told ? `: ${told}` : ""}`,
            ),
          );
          if (!metric.known)
            lines.push(refusal("Not ranked: nobody knows on which dataset version these values were measured."));
          else if (!metric.direction && finite.length > 1)
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

    const curves = async (holder) => {
      const withCurves = rows.filter((row) => data.curves[row]);
      if (!withCurves.length) {
        holder.replaceChildren(element("p", { class: "lg-none" }, "None of these runs kept learning curves."));
        return;
      }
      let loaded;
      try {
        loaded = await Promise.all(withCurves.map((row) => window.ledger.curves(data.id[row])));
      } catch {
        holder.replaceChildren(element("p", { class: "lg-callout" }, "The curves cannot be loaded."));
        return;
      }
      const counts = new Map();
      for (const each of loaded) {
        for (const name of Object.keys(each.series)) counts.set(name, (counts.get(name) || 0) + 1);
      }
      const series = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a) || a.localeCompare(b));
      const headline = data.metrics[data.headline[rows[0]]];
      const preferred = headline && series.includes(headline.key) ? headline.key : series[0];
      /* Lines of runs that were measured on different data answer different questions: a figure for each. */
      const figure = (name, members, on) => {
        const legend = element(
          "ul",
          { class: "lg-legend" },
          ...members.map(([row]) => {
            const slot = rows.indexOf(row); /* one colour for a run, in every figure */
            const key = document.createElementNS("http://www.w3.org/2000/svg", "svg");
            key.setAttribute("viewBox", "0 0 24 8");
            key.setAttribute("aria-hidden", "true");
            const stroke = document.createElementNS("http://www.w3.org/2000/svg", "path");
            stroke.setAttribute("class", `lg-line lg-c${slot % 8} lg-d${Math.floor(slot / 8) % 3}`);
            stroke.setAttribute("d", "M1 4H23");
            key.append(stroke);
            return element(
              "li",
              {},
              key,
              element("a", { class: "lg-id", href: window.ledger.url(data.page(row)) }, data.id[row]),
            );
          }),
        );
        const group = element(
          "div",
          { class: "lg-panels lg-wide", "data-series": name },
          element(
            "figure",
            { class: "lg-figure" },
            element("div", { class: "lg-plot" }),
            element("figcaption", {}, legend),
          ),
        );
        group.dataset.overlay = name;
        const axes = window.ledger.charts
          .axisOf(members[0][1])
          .filter((axis) => members.every(([, each]) => each.x[axis]));
        return {
          parts: [on === null ? null : element("h3", {}, name, element("small", {}, ` on ${on}`)), group],
          draw: () =>
            window.ledger.charts.install(group, axes, (_, axis) =>
              members.map(([row, each]) => ({
                ...window.ledger.charts.lineOf(each, axis, name, data.id[row]),
                slot: rows.indexOf(row),
              })),
            ),
        };
      };
      const show = (name) => {
        const having = withCurves.map((row, at) => [row, loaded[at]]).filter(([, each]) => each.series[name]);
        const dataOf = ([, each]) => each.on[name] || ["", "data that nobody named"];
        const places = new Map(having.map((member) => dataOf(member)));
        const figures = [...places].map(([content, label]) =>
          figure(
            name,
            having.filter((member) => dataOf(member)[0] === content),
            places.size > 1 ? label : null,
          ),
        );
        const choice = element(
          "select",
          { class: "lg-field", "aria-label": "Series", onchange: () => show(choice.value) },
          ...series.map((each) => element("option", { value: each }, each)),
        );
        choice.value = name;
        holder.replaceChildren(
          element("div", { class: "lg-tools" }, element("label", {}, "series ", choice)),
          ...figures.flatMap(({ parts }) => parts).filter(Boolean),
        );
        for (const { draw } of figures) draw();
      };
      show(preferred);
    };

    const refresh = () => {
      chips.replaceChildren(
        ...rows.map((row) =>
          element(
            "span",
            { class: "lg-chip" },
            element("a", { class: "lg-id", href: window.ledger.url(data.page(row)) }, data.id[row]),
            element(
              "button",
              {
                type: "button",
                "aria-label": `Remove ${data.id[row]}`,
                onclick: () => change(rows.filter((each) => each !== row)),
              },
              "×",
            ),
          ),
        ),
      );
      if (!rows.length) {
        body.replaceChildren(
          element(
            "p",
            {},
            "Choose runs in the ",
            element("a", { href: window.ledger.url("runs/index.html") }, "table of runs"),
            " or add them above. The address of this page then names them and can be shared.",
          ),
        );
        place.dataset.ready = "true";
        return;
      }
      const holder = element("div");
      body.replaceChildren(
        ...[sentence()].filter(Boolean),
        overview(),
        ...metrics(),
        ...params(),
        element("h2", {}, "Learning curves"),
        holder,
      );
      curves(holder).then(() => {
        place.dataset.ready = "true";
      });
    };

    place.replaceChildren(element("div", { class: "lg-bar-tools" }, add, ids, trouble), chips, body);
    window.addEventListener("hashchange", () => {
      readHash();
      refresh();
    });
    readHash();
    refresh();
  };

  window.ledger
    .runs()
    .then(start)
    .catch((error) => {
      place.replaceChildren(element("p", { class: "lg-callout" }, error.message));
    });
})();
