// @ts-check
/* The table of all runs: sort, filter, choose columns, select for comparison. The address holds the whole state. */
"use strict";
(() => {
  const { element, number } = window.ledger;
  const { columnsOf, usualOf } = window.ledgerRunColumns;
  const { ordered, read, write, gone } = window.ledgerRunTable;
  const place = /** @type {HTMLElement | null} */ (document.querySelector("[data-runs-table]"));
  if (!place) return;
  const PAGE = 100;

  /** @param {Runs} data */
  const start = (data) => {
    const columns = columnsOf(data);
    const byId = new Map(columns.map((column) => [column.id, column]));
    const known = {
      columns: [...byId.keys()],
      usual: usualOf(data),
      runs: data.byId,
      words: {
        status: [...data.status.words, "unfinished"],
        experiment: data.experiment.words,
        tag: data.tags.words,
      },
    };
    const state = read(new URLSearchParams(), known);
    const missing = element("p", { class: "lg-callout", role: "status", hidden: true });
    const readHash = () => {
      const from = window.ledger.hash();
      const said = gone(from, known);
      missing.hidden = !said.length;
      missing.replaceChildren(element("strong", {}, "This address cannot be shown as it was. "), said.join(" "));
      Object.assign(state, read(from, known));
    };
    const writeHash = () => window.ledger.setHash(write(state, known));

    /** @param {string[]} words @param {string} all */
    const options = (words, all) => [
      element("option", { value: "" }, all),
      ...[...words]
        .sort()
        .map((word) => element("option", { value: word }, word.length > 60 ? `${word.slice(0, 59)}…` : word)),
    ];
    /** @param {"q" | "status" | "experiment" | "tag"} name */
    const change = (name) => (/** @type {{target: {value: string}}} */ event) => {
      state[name] = event.target.value;
      state.page = 1;
      refresh();
    };
    const query = element("input", {
      type: "search",
      class: "lg-field",
      placeholder: "Filter: word, lr=0.01, validation/loss<0.2",
      "aria-label": "Filter runs by text",
      oninput: change("q"),
    });
    const trouble = element("p", { class: "lg-callout", role: "status", hidden: true });
    const status = element(
      "select",
      { class: "lg-field", "aria-label": "Status", onchange: change("status") },
      ...options(data.status.words, "any status"),
      element("option", { value: "unfinished" }, "not finished"),
    );
    const experiment = element(
      "select",
      { class: "lg-field", "aria-label": "Experiment", onchange: change("experiment") },
      ...options(data.experiment.words, "any experiment"),
    );
    const tag = element(
      "select",
      { class: "lg-field", "aria-label": "Tag", onchange: change("tag") },
      ...options(data.tags.words, "any tag"),
    );
    const menu = element("div", { class: "lg-menu-body" });
    /** @type {Map<string, HTMLInputElement>} */
    const ticks = new Map();
    let heading = "";
    for (const column of columns) {
      if ((column.group || "Columns") !== heading) {
        heading = column.group || "Columns";
        menu.append(element("strong", {}, heading));
      }
      const tick = element("input", {
        type: "checkbox",
        "data-column": column.id,
        onchange: () => {
          state.cols = columns
            .map((each) => each.id)
            .filter((id) => (id === column.id ? tick.checked : state.cols.includes(id)));
          refresh();
        },
      });
      ticks.set(column.id, tick);
      menu.append(
        element(
          "label",
          {},
          tick,
          column.title + (column.sub ? ` on ${column.sub}` : "") + (column.detail ? ` by ${column.detail}` : ""),
        ),
      );
    }
    const summary = element("summary", {}, "Columns");
    const chooser = element("details", { class: "lg-menu" }, summary, menu);
    document.addEventListener("pointerdown", (event) => {
      if (!(/** @type {Element} */ (event.target).closest(".lg-menu"))) chooser.open = false;
    });
    chooser.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        chooser.open = false;
        summary.focus();
      }
    });
    const reset = element(
      "button",
      {
        type: "button",
        class: "lg-button",
        onclick: () => {
          history.replaceState(null, "", location.pathname + location.search);
          readHash();
          refresh();
        },
      },
      "Reset",
    );
    const order = element("select", {
      class: "lg-field lg-phone",
      "aria-label": "Order",
      onchange: () => {
        state.sort = order.value;
        state.page = 1;
        refresh();
      },
    });
    const count = element("span", { class: "lg-count-line", role: "status" });
    const compare = element("a", { class: "lg-button lg-button-main", hidden: true }, "Compare");
    const table = element("table", { class: "lg-table lg-runs lg-cards" });
    const box = element("div", { class: "lg-scroll", tabindex: "0", role: "region", "aria-label": "Runs" }, table);
    const pager = element("div", { class: "lg-bar-tools" });

    /* Where a filter cannot be read, as while it is typed, the runs of the last one that could stay. */
    /** @type {number[]} */
    let answered = [];
    const ask = () => {
      const answer = window.ledger.ask(data, state.q, () => refresh());
      answered = answer.rows || answered;
      const said = answer.error ? [answer.error] : answer.warnings;
      trouble.hidden = !said.length;
      trouble.textContent = said.join("; ");
      return answered;
    };
    const filtered = () => {
      /** @param {{words: string[]}} column @param {string} word */
      const wanted = (column, word) => column.words.indexOf(word);
      let rows = ask();
      if (state.status === "unfinished") rows = rows.filter((row) => data.word(data.status, row) !== "finished");
      else if (state.status) {
        const code = wanted(data.status, state.status);
        rows = rows.filter((row) => data.status.codes[row] === code);
      }
      if (state.experiment) {
        const code = wanted(data.experiment, state.experiment);
        rows = rows.filter((row) => data.experiment.codes[row] === code);
      }
      if (state.tag) {
        const code = wanted(data.tags, state.tag);
        rows = rows.filter((row) => data.tags.codes[row].includes(code));
      }
      return rows;
    };
    /** @param {number[]} rows */
    const sorted = (rows) => {
      const id = state.sort.replace(/^-/, "");
      const value = byId.get(id)?.value ?? ((/** @type {number} */ row) => data.id[row]);
      return ordered(rows, value, state.sort.startsWith("-"));
    };
    /** @param {string} id @param {string} first */
    const sortBy = (id, first) => {
      state.sort = state.sort === first ? (first.startsWith("-") ? id : `-${id}`) : first;
      state.page = 1;
      refresh();
      head(id);
    };
    /** @param {string} id */
    const head = (id) => {
      const button = /** @type {HTMLElement | null} */ (table.querySelector(`[data-sort="${CSS.escape(id)}"]`));
      button?.focus();
    };
    /**
     * @param {string} id
     * @param {string} title
     * @param {string | undefined} sub
     * @param {string | null | undefined} css
     * @param {string} first order of the first click
     */
    const header = (id, title, sub, css, first) => {
      const at = state.sort.replace(/^-/, "") === id ? (state.sort.startsWith("-") ? "descending" : "ascending") : null;
      return element(
        "th",
        { scope: "col", class: css, "aria-sort": at },
        element(
          "button",
          { type: "button", class: "lg-sort", "data-sort": id, onclick: () => sortBy(id, first) },
          title,
        ),
        sub ? element("small", {}, sub) : null,
      );
    };

    /** @param {RunColumn} column */
    const firstOf = (column) =>
      column.better === "higher" || ["started", "duration", "cost"].includes(column.id) ? `-${column.id}` : column.id;
    const showCompare = () => {
      compare.hidden = state.sel.size === 0;
      compare.textContent = `Compare ${state.sel.size} selected`;
      compare.href = window.ledger.url(`compare.html#runs=${[...state.sel].join()}`);
    };
    /* On phones a row is a card and the headings are gone: the headline value speaks for the run, and a list sorts. */
    /** @param {number} row */
    const headline = (row) => {
      const metric = data.metrics[data.headline[row]];
      return element(
        "td",
        { class: "lg-k-value lg-phone" },
        ...(metric
          ? [number(metric.values[row]), element("small", {}, `${metric.key} on ${metric.dataset}`)]
          : [element("span", { class: "lg-none" }, "no value")]),
      );
    };
    /** @param {RunColumn[]} shown */
    const sortings = (shown) => {
      const chosen = [
        ["-started", "newest first"],
        ["started", "oldest first"],
        ...shown
          .filter((column) => column.id !== "started")
          .map((column) => [firstOf(column), `by ${(column.group && column.label) || column.title.toLowerCase()}`]),
      ];
      if (!chosen.some(([sort]) => sort === state.sort)) chosen.push([state.sort, "as in the address"]);
      order.replaceChildren(
        ...chosen.map(([sort, text]) => element("option", { value: sort, selected: sort === state.sort }, text)),
      );
    };
    /** @param {number} row @param {RunColumn[]} shown */
    const rowOf = (row, shown) => {
      const id = data.id[row];
      const tick = element("input", {
        type: "checkbox",
        "aria-label": `Select ${id}`,
        onchange: () => {
          if (tick.checked) state.sel.add(id);
          else state.sel.delete(id);
          line.classList.toggle("lg-selected", tick.checked);
          writeHash();
          showCompare();
        },
      });
      tick.checked = state.sel.has(id);
      const line = element(
        "tr",
        { class: tick.checked ? "lg-selected" : null },
        element("td", { class: "lg-k-tick" }, tick),
        element(
          "th",
          { scope: "row", class: "lg-k-id" },
          element(
            "a",
            { class: "lg-run", href: window.ledger.url(data.page(row)) },
            element("span", { class: "lg-run-name" }, data.name[row]),
            " ",
            element("small", { class: "lg-id" }, id),
          ),
        ),
        headline(row),
        ...shown.map((column) => element("td", { class: column.css, "data-label": column.label }, column.cell(row))),
      );
      return line;
    };

    const refresh = () => {
      const rows = sorted(filtered());
      const pages = Math.max(1, Math.ceil(rows.length / PAGE));
      state.page = Math.min(state.page, pages);
      const shown = state.cols.flatMap((id) => byId.get(id) ?? []);
      table.replaceChildren(
        element("caption", { class: "lg-sr" }, "Runs; the headings sort"),
        element(
          "thead",
          {},
          element(
            "tr",
            {},
            element("th", { scope: "col" }, element("span", { class: "lg-sr" }, "Select")),
            header("id", "Run", "", null, "-id"),
            element("th", { scope: "col", class: "lg-phone" }, "Headline"),
            ...shown.map((column) => header(column.id, column.title, column.sub, column.css, firstOf(column))),
          ),
        ),
        element("tbody", {}, ...rows.slice((state.page - 1) * PAGE, state.page * PAGE).map((row) => rowOf(row, shown))),
      );
      sortings(shown);
      query.value = state.q;
      status.value = state.status;
      experiment.value = state.experiment;
      tag.value = state.tag;
      for (const [id, tick] of ticks) tick.checked = state.cols.includes(id);
      count.textContent =
        rows.length === data.rows
          ? `${data.rows} run${data.rows === 1 ? "" : "s"}`
          : `${rows.length} of ${data.rows} runs`;
      if (!rows.length)
        table.tBodies[0].append(
          element(
            "tr",
            {},
            element("td", { colspan: shown.length + 3, class: "lg-none" }, "No run matches. Reset shows all."),
          ),
        );
      pager.replaceChildren(
        ...(pages > 1
          ? [
              element(
                "button",
                {
                  type: "button",
                  class: "lg-button",
                  disabled: state.page === 1,
                  onclick: () => {
                    state.page -= 1;
                    refresh();
                  },
                },
                "← newer",
              ),
              element("span", {}, `page ${state.page} of ${pages}`),
              element(
                "button",
                {
                  type: "button",
                  class: "lg-button",
                  disabled: state.page === pages,
                  onclick: () => {
                    state.page += 1;
                    refresh();
                  },
                },
                "older →",
              ),
            ]
          : []),
      );
      showCompare();
      writeHash();
    };

    place.replaceChildren(
      missing,
      element("div", { class: "lg-bar-tools" }, query, status, experiment, tag, order, chooser, reset),
      trouble,
      element("div", { class: "lg-bar-tools" }, count, compare),
      box,
      pager,
    );
    window.addEventListener("hashchange", () => {
      readHash();
      refresh();
    });
    readHash();
    refresh();
    place.dataset.ready = "true";
  };

  window.ledger
    .runs()
    .then(start)
    .catch((error) => {
      place.prepend(element("p", { class: "lg-callout" }, `The table shows the latest runs only: ${error.message}`));
    });
})();
