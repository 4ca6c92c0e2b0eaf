// @ts-check
/* Rows as a file for spreadsheets, as `ledger list --csv` writes it: nothing here touches a page. */
"use strict";
(() => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/gu;

  /**
   * A cell that is no formula in a spreadsheet (https://owasp.org/www-community/attacks/CSV_Injection).
   * @param {Key | undefined} cell
   */
  const cellOf = (cell) => {
    if (cell === null || cell === undefined) return "";
    if (typeof cell === "number") return String(cell);
    const inert = (/^[=+\-@\t\r]/u.test(cell) ? `'${cell}` : cell).replace(
      CONTROL,
      (hidden) => `\\x${hidden.charCodeAt(0).toString(16).padStart(2, "0")}`,
    );
    return /[",\r\n]/u.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
  };

  /** @param {(Key | undefined)[][]} lines the headings first */
  const csvOf = (lines) => lines.map((line) => `${line.map(cellOf).join()}\r\n`).join("");

  Object.assign(globalThis, { ledgerCsv: { csvOf } });
})();
