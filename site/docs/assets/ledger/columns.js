// @ts-check
/* The runs of the site as columns: what few rows have is sent without the others, and made whole here. */
"use strict";
(() => {
  /** @typedef {{words: string[], codes: number[]}} Column */
  /**
   * @typedef {{
   *   values: (number | string | null)[],
   *   rows?: number[] | null,
   *   leading?: string | string[] | null,
   * }} Metric
   */
  /** @typedef {{id: string[], rows: number, older: number, status: Column, metrics: Metric[], ranks: number[]}} Runs */

  /**
   * One slot a row, of values that only some rows have.
   * @template T
   * @param {number} count
   * @param {number[]} rows
   * @param {ArrayLike<T>} values
   * @param {T} none
   */
  const spread = (count, rows, values, none) => {
    /** @type {T[]} */
    const whole = new Array(count).fill(none);
    rows.forEach((row, index) => {
      whole[row] = values[index];
    });
    return whole;
  };

  /**
   * The columns with one slot a row in every metric, and what is asked of a row. Words and codes stay as they are.
   * @param {Runs} data
   */
  const whole = (data) => {
    for (const metric of data.metrics) {
      if (metric.rows) {
        if (metric.leading) metric.leading = spread(data.rows, metric.rows, metric.leading, "0");
        metric.values = spread(data.rows, metric.rows, metric.values, /** @type {number | string | null} */ (null));
        metric.rows = null;
      }
      metric.values = metric.values.map((value) => (typeof value === "string" ? Number(value) : value));
    }
    /** @param {Column} column @param {number} row */
    const word = (column, row) => (column.codes[row] < 0 ? "" : column.words[column.codes[row]]);
    const ranks = new Set(data.ranks);
    /** Whether a run has no page of its own. @param {number} row */
    const isOlder = (row) => row >= data.rows - data.older;
    return Object.assign(data, {
      word,
      /** Whether a run is a repeat of its own: it counts, and is no other rank of a training. @param {number} row */
      repeats: (row) => word(data.status, row) === "finished" && !ranks.has(row),
      /** A run that did not finish, was retracted, or was continued by another, is never the best of anything. @param {number} row */
      counts: (row) => word(data.status, row) === "finished",
      /** @param {number} row */
      page: (row) => (isOlder(row) ? `runs/older.html?run=${data.id[row]}` : `runs/${data.id[row]}.html`),
      isOlder,
      byId: new Map(data.id.map((id, row) => [id, row])),
    });
  };

  Object.assign(globalThis, { ledgerColumns: { whole } });
})();
