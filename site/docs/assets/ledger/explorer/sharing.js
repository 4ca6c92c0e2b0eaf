// @ts-check
/* What is shown, to take along: a file for spreadsheets, and the address of the page. */
"use strict";
(() => {
  const { element } = window.ledger;
  const { titleOf } = window.ledgerRunColumns;
  const { csvOf } = window.ledgerCsv;
  const { spreadIn } = window.ledgerGrouping;
  const SHOWN_MS = 1500;

  /** @param {RunColumn} column @param {number} row */
  const plain = (column, row) => {
    const value = column.plain ? column.plain(row) : column.value(row);
    return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  };

  /** @param {Runs} data @param {RunColumn} column @param {number[]} rows @returns {Key[]} */
  const cellsOf = (data, column, rows) => {
    if (!column.kind) return [[...new Set(rows.map((row) => plain(column, row) ?? ""))].join("; ")];
    const spread = spreadIn(column, rows, data.repeats);
    return spread ? [spread.mean, spread.low, spread.high, spread.count] : [null, null, null, 0];
  };

  /**
   * The lines of the file: runs, or settings with mean, smallest, largest and number of values of each column of
   * numbers.
   * @param {Runs} data
   * @param {RunColumn[]} shown
   * @param {number[][]} groups
   * @param {boolean} settings
   * @returns {Key[][]}
   */
  const tableOf = (data, shown, groups, settings) => {
    if (!settings)
      return [
        ["id", "name", ...shown.map(titleOf)],
        ...groups.flat().map((row) => [data.id[row], data.name[row], ...shown.map((column) => plain(column, row))]),
      ];
    const ends = ["mean", "low", "high", "n"];
    return [
      [
        "ids",
        "runs",
        ...shown.flatMap((column) =>
          column.kind ? ends.map((end) => `${titleOf(column)} (${end})`) : [titleOf(column)],
        ),
      ],
      ...groups.map((rows) => [
        rows.map((row) => data.id[row]).join(" "),
        rows.length,
        ...shown.flatMap((column) => cellsOf(data, column, rows)),
      ]),
    ];
  };

  /** @param {string} text @param {string} name */
  const save = (text, name) => {
    const url = URL.createObjectURL(new Blob([`\ufeff${text}`], { type: "text/csv;charset=utf-8" }));
    const link = element("a", { href: url, download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), SHOWN_MS);
  };

  /** Copies where the browser lets no page write to the clipboard, as over http. @param {string} text */
  const copyOld = (text) => {
    const field = element("textarea", { class: "lg-sr" });
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  };

  /** @param {() => Key[][]} lines */
  const csvButton = (lines) =>
    element("button", { type: "button", class: "lg-button", onclick: () => save(csvOf(lines()), "runs.csv") }, "CSV");

  const linkButton = () => {
    const button = element(
      "button",
      {
        type: "button",
        class: "lg-button",
        onclick: async () => {
          try {
            await navigator.clipboard.writeText(location.href);
          } catch {
            copyOld(location.href);
          }
          button.textContent = "Copied";
          setTimeout(() => {
            button.textContent = "Copy link";
          }, SHOWN_MS);
        },
      },
      "Copy link",
    );
    return button;
  };

  Object.assign(globalThis, { ledgerSharing: { tableOf, csvButton, linkButton } });
})();
