// @ts-check
/* Compares the runs that the address names: what differs, what came out, and whether it may be ranked at all. */
"use strict";
(() => {
  const { element, number, duration, money, minute, badge } = window.ledger;
  const { showCurves } = window.ledgerCompareCurves;
  const { differences, named, stars, summary } = window.ledgerComparison;
  const place = /** @type {HTMLElement | null} */ (document.querySelector("[data-compare]"));
  if (!place) return;
  const LIMIT = window.ledgerComparison.MOST;

  /** @param {Runs} data */
  const start = (data) => {
    let { rows, left, missing } = named(data, "", LIMIT);
    let all = false;
    const readHash = () => {
      ({ rows, left, missing } = named(data, window.ledger.hash().get("runs") || "", LIMIT));
    };
    /** @param {number[]} next */
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
    /** @param {string} text @param {() => void} again */
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
          .map((row) =>
            element("option", { value: data.id[row] }, `${data.word(data.experiment, row)} · ${data.name[row]}`),
          ),
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
        element("th", { scope: "col" }, element("span", { class: "lg-sr" }, "What")),
        ...rows.map((row) =>
          element(
            "th",
            { scope: "col" },
            element("a", { title: data.id[row], href: window.ledger.url(data.page(row)) }, data.name[row]),
          ),
        ),
      );
    /**
     * @param {Node | string} title
     * @param {(Node | string)[]} cells
     * @param {string | null} [css]
     * @param {string} [sub] second line of the title
     */
    const line = (title, cells, css, sub) =>
      element(
        "tr",
        { class: css },
        element("th", { scope: "row" }, title, sub ? element("small", {}, sub) : null),
        ...cells.map((cell) => (cell instanceof Node && cell.nodeName === "TD" ? cell : element("td", {}, cell))),
      );
    /** @param {string} label @param {Node[]} lines */
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

    const sentence = () => {
      const said = summary(data, rows);
      if (left.length) said.unshift(`Only ${LIMIT} runs are compared at once; left out: ${left.join(", ")}.`);
      if (missing.length) said.unshift(`Not on this site: ${missing.join(", ")}.`);
      return said.length ? element("p", { class: "lg-callout", "data-apart": true }, said.join(" ")) : null;
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
      const { parts } = differences(data, rows);
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
              `These runs had the same params.${parts.length ? ` They differ in ${parts.join(", ")}.` : ""}`,
            ),
        element("div", { class: "lg-bar-tools" }, toggle),
      ];
    };

    /* A row that says why values of the row above are not ranked. */
    /** @param {string} why */
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

    const refresh = () => {
      chips.replaceChildren(
        ...rows.map((row) =>
          element(
            "span",
            { class: "lg-chip" },
            element("a", { title: data.id[row], href: window.ledger.url(data.page(row)) }, data.name[row]),
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
        sentence() ?? "",
        overview(),
        ...metrics(),
        ...params(),
        element("h2", {}, "Learning curves"),
        holder,
      );
      showCurves(holder, data, rows).then(() => {
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
