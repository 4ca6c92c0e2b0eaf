// @ts-check
/* Headings and lines of the table of runs: a line for each run, or for each setting with its runs behind it. */
"use strict";
(() => {
  const { element, number } = window.ledger;
  const { firstOf } = window.ledgerRunColumns;
  const { columnOf } = window.ledgerRunTable;
  const { spreadIn } = window.ledgerGrouping;
  const LISTED = 12;
  /** Parts the facts in the name of a run. */
  const BETWEEN = " · ";

  /**
   * @param {Runs} data
   * @param {TableState} state
   * @param {RowActs} acts
   */
  const linesOf = (data, state, acts) => {
    /** Settings whose runs are shown. @type {Set<number | string>} */
    const open = new Set();

    /** @param {string} id @param {string} title @param {string | undefined} sub @param {string | null | undefined} css @param {string} first */
    const heading = (id, title, sub, css, first) => {
      const at = state.sort.findIndex((sort) => columnOf(sort) === id);
      const order = at < 0 ? null : state.sort[at].startsWith("-") ? "descending" : "ascending";
      return element(
        "th",
        { scope: "col", class: css, "aria-sort": at === 0 ? order : null, "data-order": order },
        element(
          "button",
          {
            type: "button",
            class: "lg-sort",
            "data-sort": id,
            onclick: (/** @type {MouseEvent} */ event) => acts.sort(id, first, event.shiftKey),
          },
          title,
          at >= 0 && state.sort.length > 1
            ? element("span", { class: "lg-place" }, element("span", { class: "lg-sr" }, ", order "), String(at + 1))
            : null,
        ),
        sub ? element("small", {}, sub) : null,
      );
    };
    /** @param {RunColumn[]} shown */
    const head = (shown) =>
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          element("th", { scope: "col", class: "lg-k-tick" }, element("span", { class: "lg-sr" }, "Select")),
          heading("id", state.group ? "Setting" : "Run", "", "lg-k-id", "-id"),
          element("th", { scope: "col", class: "lg-phone" }, "Headline"),
          ...shown.map((column) => heading(column.id, column.title, column.sub, column.css, firstOf(column))),
        ),
      );

    /** A tick for some runs. @param {number[]} rows @param {string} label @param {() => HTMLElement} line */
    const tickOf = (rows, label, line) => {
      const chosen = rows.filter((row) => state.sel.has(data.id[row])).length;
      const tick = element("input", {
        type: "checkbox",
        "aria-label": label,
        onchange: () => {
          for (const row of rows) {
            if (tick.checked) state.sel.add(data.id[row]);
            else state.sel.delete(data.id[row]);
          }
          line().classList.toggle("lg-selected", tick.checked);
          acts.selected(rows.length > 1);
        },
      });
      tick.checked = chosen === rows.length;
      tick.indeterminate = chosen > 0 && chosen < rows.length;
      return tick;
    };
    /* On phones a row is a card and the headings are gone: the headline value speaks for the run. */
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
    /** @param {number} row @param {string} name */
    const linkOf = (row, name) =>
      element(
        "a",
        { class: "lg-run", href: window.ledger.url(data.page(row)) },
        element("span", { class: "lg-run-name" }, name),
        " ",
        element("small", { class: "lg-id" }, data.id[row]),
      );
    /** What the names of repeats share. @param {number[]} rows */
    const sharedName = (rows) => {
      const [first, ...others] = rows.map((row) => data.name[row].split(BETWEEN));
      return first.filter((part) => others.every((parts) => parts.includes(part))).join(BETWEEN) || data.name[rows[0]];
    };
    /** @param {number} row @param {RunColumn[]} shown @param {string} css */
    const runLine = (row, shown, css = "") => {
      const tick = tickOf([row], `Select ${data.id[row]}`, () => line);
      const line = element(
        "tr",
        { class: [tick.checked ? "lg-selected" : "", css].filter(Boolean).join(" ") || null, "data-row": row },
        element("td", { class: "lg-k-tick" }, tick),
        element("th", { scope: "row", class: "lg-k-id" }, linkOf(row, data.name[row])),
        headline(row),
        ...shown.map((column) => element("td", { class: column.css, "data-label": column.label }, column.cell(row))),
      );
      return line;
    };

    /** @param {RunColumn} column @param {number[]} rows @returns {(Node | string | null)[]} */
    const groupCell = (column, rows) => {
      if (!column.kind) {
        const texts = [...new Set(rows.map((row) => String(column.value(row) ?? "")))];
        if (texts.length === 1) return [column.cell(rows[0])];
        const title = texts.slice(0, LISTED).join(", ") + (texts.length > LISTED ? ", …" : "");
        return [element("span", { class: "lg-none", title }, `${texts.length} values`)];
      }
      const spread = spreadIn(column, rows, data.repeats);
      if (!spread) return [element("span", { class: "lg-none" }, "–")];
      const write = column.shown || number;
      if (spread.count === 1)
        return [write(spread.mean), column.kind === "result" ? element("small", {}, "1 run") : null];
      return [
        element("span", { title: `mean of ${spread.count} runs: ${spread.mean}` }, write(spread.mean)),
        element("small", {}, `${write(spread.low)} to ${write(spread.high)} · n=${spread.count}`),
      ];
    };
    /** @param {number[]} rows @param {RunColumn[]} columns */
    const groupHeadline = (rows, columns) => {
      const metric = data.metrics[data.headline[rows[0]]];
      const column = metric && columns.find((one) => one.id === `m.${metric.id}`);
      return element(
        "td",
        { class: "lg-k-value lg-phone" },
        ...(column ? groupCell(column, rows) : [element("span", { class: "lg-none" }, "no value")]),
      );
    };
    /** @param {number[]} rows @param {string} text */
    const expander = (rows, text) => {
      const key = data.setting[rows[0]];
      return element(
        "button",
        {
          type: "button",
          class: "lg-sort lg-expand",
          "aria-expanded": String(open.has(key)),
          "data-setting": key,
          onclick: () => {
            if (!open.delete(key)) open.add(key);
            acts.redraw(`[data-setting="${CSS.escape(String(key))}"]`);
          },
        },
        text,
      );
    };
    /** @param {number[]} rows @param {RunColumn[]} shown @param {RunColumn[]} columns @returns {HTMLElement[]} */
    const groupLines = (rows, shown, columns) => {
      const key = data.setting[rows[0]];
      const first = data.id[rows[0]];
      const runs = `${rows.length} run${rows.length === 1 ? "" : "s"}`;
      /** @type {HTMLElement} */
      const line = element(
        "tr",
        { class: "lg-group" },
        element(
          "td",
          { class: "lg-k-tick" },
          tickOf(rows, `Select ${runs} like ${first}`, () => line),
        ),
        element(
          "th",
          { scope: "row", class: "lg-k-id" },
          rows.length > 1 ? expander(rows, runs) : null,
          rows.length > 1 ? " " : null,
          linkOf(rows[0], sharedName(rows)),
        ),
        groupHeadline(rows, columns),
        ...shown.map((column) =>
          element("td", { class: column.css, "data-label": column.label }, ...groupCell(column, rows)),
        ),
      );
      return rows.length > 1 && open.has(key) ? [line, ...rows.map((row) => runLine(row, shown, "lg-member"))] : [line];
    };
    return { head, runLine, groupLines };
  };

  Object.assign(globalThis, { ledgerRunLines: { linesOf } });
})();
