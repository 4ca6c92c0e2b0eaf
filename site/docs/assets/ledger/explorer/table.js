// @ts-check
/* The table of all runs: sort, filter, choose columns, group, select for comparison. The address holds the whole state. */
"use strict";
(() => {
  const { element, number } = window.ledger;
  const { columnsOf, usualOf, firstOf } = window.ledgerRunColumns;
  const { columnOf, orderedBy, sortsAfter, read, write, gone } = window.ledgerRunTable;
  const { facetsOf, narrow, UNFINISHED } = window.ledgerFacets;
  const { groupsOf, keyOf } = window.ledgerGrouping;
  const { MOST } = window.ledgerComparison;
  const place = /** @type {HTMLElement | null} */ (document.querySelector("[data-runs-table]"));
  if (!place) return;
  const PAGE = 100;

  /** @param {Runs} data */
  const start = (data) => {
    const columns = columnsOf(data);
    const byId = new Map(columns.map((column) => [column.id, column]));
    const facets = facetsOf(data);
    const known = {
      columns: [...byId.keys()],
      usual: usualOf(data),
      runs: data.byId,
      words: Object.fromEntries(
        facets.map(({ name, words }) => [name, name === "status" ? [...words, UNFINISHED] : words]),
      ),
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
    /** @param {Partial<TableState>} changes */
    const change = (changes) => {
      Object.assign(state, { page: 1, ...changes });
      refresh();
    };

    const box = window.ledgerQueryBox.queryBox(data, (q) => change({ q }));
    /** @type {FacetAnswer} */
    let found = narrow(facets, state.facets, []);
    const menus = facets
      .filter((facet) => facet.words.length)
      .map((facet) =>
        window.ledgerMenus.facetMenu(
          facet,
          () => ({ chosen: state.facets[facet.name], counts: found.counts[facet.name] }),
          (chosen) => change({ facets: { ...state.facets, [facet.name]: chosen } }),
        ),
      );
    const chooser = window.ledgerMenus.columnMenu(
      columns,
      () => state.cols,
      (cols) => change({ cols, page: state.page }),
    );
    const grouping = element(
      "button",
      {
        type: "button",
        class: "lg-button",
        title: "Runs that differ by seed only stand in one row, with their mean",
        onclick: () => change({ group: state.group ? "" : "setting" }),
      },
      "One row per setting",
    );
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
      onchange: () => change({ sort: order.value.split("\n") }),
    });
    const count = element("span", { class: "lg-count-line", role: "status" });
    const compare = element("a", { class: "lg-button lg-button-main", hidden: true }, "Compare");
    const table = element("table", { class: "lg-table lg-runs lg-cards" });
    const scroll = element(
      "div",
      { class: "lg-scroll lg-explorer-box", tabindex: "0", role: "region", "aria-label": "Runs" },
      table,
    );
    const pager = element("div", { class: "lg-bar-tools" });
    const lines = window.ledgerRunLines.linesOf(data, state, {
      sort: (id, first, more) => {
        change({ sort: sortsAfter(state.sort, first, more) });
        focus(`[data-sort="${CSS.escape(id)}"]`);
      },
      selected: (many) => {
        if (many) refresh();
        else {
          writeHash();
          showCompare();
        }
      },
      redraw: (selector) => {
        refresh();
        focus(selector);
      },
    });
    /** @param {string} selector */
    const focus = (selector) => /** @type {HTMLElement | null} */ (table.querySelector(selector))?.focus();
    const hidePreview = window.ledgerPreview.installPreview(data, table);

    /* Where a filter cannot be read, as while it is typed, the runs of the last one that could stay. */
    /** @type {number[]} */
    let answered = [];
    const ask = () => {
      const answer = window.ledger.ask(data, state.q, () => refresh());
      answered = answer.rows || answered;
      box.tell(answer);
      return answered;
    };
    /** The rows in order: each alone, or those of a setting together. @param {number[]} rows @returns {number[][]} */
    const inOrder = (rows) => {
      const by = state.sort.map((sort) => ({ column: byId.get(columnOf(sort)), down: sort.startsWith("-") }));
      const id = (/** @type {number} */ row) => data.id[row];
      if (!state.group)
        return orderedBy(
          rows,
          by.map(({ column, down }) => ({ value: column?.value ?? id, down })),
        ).map((row) => [row]);
      const groups = groupsOf(rows, data.setting);
      const places = groups.map((_, at) => at);
      const value = (/** @type {RunColumn | undefined} */ column) => (/** @type {number} */ at) =>
        column ? keyOf(column, groups[at], data.repeats) : id(groups[at][0]);
      return orderedBy(
        places,
        by.map(({ column, down }) => ({ value: value(column), down })),
      ).map((at) => groups[at]);
    };

    const showCompare = () => {
      const { size } = state.sel;
      compare.hidden = size === 0;
      compare.textContent = size > MOST ? `Compare ${MOST} of ${size} selected` : `Compare ${size} selected`;
      compare.title = size > MOST ? `At most ${MOST} runs are compared at once: those that were ticked first` : "";
      compare.href = window.ledger.url(`compare.html#runs=${[...state.sel].slice(0, MOST).join()}`);
    };
    /** @param {RunColumn[]} shown */
    const sortings = (shown) => {
      const now = state.sort.join("\n");
      const chosen = [
        ["-started", "newest first"],
        ["started", "oldest first"],
        ...shown
          .filter((column) => column.id !== "started")
          .map((column) => [firstOf(column), `by ${(column.group && column.label) || column.title.toLowerCase()}`]),
      ];
      if (!chosen.some(([sort]) => sort === now)) chosen.push([now, "as in the address"]);
      order.replaceChildren(
        ...chosen.map(([sort, text]) => element("option", { value: sort, selected: sort === now }, text)),
      );
    };
    /** @param {number} by @param {string} text @param {boolean} disabled */
    const turn = (by, text, disabled) =>
      element(
        "button",
        {
          type: "button",
          class: "lg-button",
          disabled,
          onclick: () => {
            change({ page: state.page + by });
            scroll.scrollTop = 0;
          },
        },
        text,
      );
    /** @param {number} groups @param {number} rows */
    const countText = (groups, rows) => {
      const runs =
        rows === data.rows
          ? `${number(rows)} run${rows === 1 ? "" : "s"}`
          : `${number(rows)} of ${number(data.rows)} runs`;
      return state.group ? `${groups} setting${groups === 1 ? "" : "s"}, ${runs}` : runs;
    };

    /** @type {number[][]} */
    let groups = [];
    /** @type {RunColumn[]} */
    let shown = [];
    const refresh = () => {
      hidePreview();
      found = narrow(facets, state.facets, ask());
      groups = inOrder(found.rows);
      const pages = Math.max(1, Math.ceil(groups.length / PAGE));
      state.page = Math.min(state.page, pages);
      shown = state.cols.flatMap((id) => byId.get(id) ?? []);
      const here = groups.slice((state.page - 1) * PAGE, state.page * PAGE);
      const body = here.flatMap((rows) =>
        state.group ? lines.groupLines(rows, shown, columns) : [lines.runLine(rows[0], shown)],
      );
      if (!body.length)
        body.push(
          element(
            "tr",
            {},
            element("td", { colspan: shown.length + 3, class: "lg-none" }, "No run matches. Reset shows all."),
          ),
        );
      table.replaceChildren(
        element("caption", { class: "lg-sr" }, "Runs; the headings sort, with shift by several"),
        lines.head(shown),
        element("tbody", {}, ...body),
      );
      sortings(shown);
      if (box.input.value !== state.q) box.input.value = state.q;
      for (const menu of [...menus, chooser]) menu.update();
      grouping.setAttribute("aria-pressed", String(state.group !== ""));
      count.textContent = countText(groups.length, found.rows.length);
      pager.replaceChildren(
        ...(pages > 1
          ? [
              turn(-1, "← previous", state.page === 1),
              element("span", {}, `page ${state.page} of ${pages}`),
              turn(1, "next →", state.page === pages),
            ]
          : []),
      );
      showCompare();
      writeHash();
    };

    const { tableOf, csvButton, linkButton } = window.ledgerSharing;
    const csv = csvButton(() => tableOf(data, shown, groups, state.group !== ""));
    place.replaceChildren(
      missing,
      element("div", { class: "lg-bar-tools" }, box.holder, order, ...menus.map((menu) => menu.holder), reset),
      box.hint,
      box.trouble,
      element(
        "div",
        { class: "lg-bar-tools lg-bar-stay" },
        count,
        compare,
        grouping,
        chooser.holder,
        csv,
        linkButton(),
      ),
      scroll,
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
