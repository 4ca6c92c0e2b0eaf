// @ts-check
/* Repeats of one setting as one row: nothing here touches a page. */
"use strict";
(() => {
  /**
   * The rows of each setting, in the order in which the settings first appear.
   * @param {number[]} rows
   * @param {(number | string)[]} setting of every row
   */
  const groupsOf = (rows, setting) => {
    /** @type {Map<number | string, number[]>} */
    const groups = new Map();
    for (const row of rows) {
      const members = groups.get(setting[row]);
      if (members) members.push(row);
      else groups.set(setting[row], [row]);
    }
    return [...groups.values()];
  };

  /**
   * Number, mean, smallest and largest of finite values; null where there is none.
   * @param {(Key | undefined)[]} values
   */
  const spreadOf = (values) => {
    const numbers = /** @type {number[]} */ (values.filter((value) => Number.isFinite(value)));
    if (!numbers.length) return null;
    const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
    const mean = numbers.reduce((sum, value) => sum + value / numbers.length, 0);
    return { count: numbers.length, mean: Math.min(Math.max(mean, low), high), low, high };
  };

  /**
   * The spread of a column of numbers over the rows of a setting: results of runs that count only.
   * @param {RunColumn} column
   * @param {number[]} rows
   * @param {(row: number) => boolean} counts
   */
  const spreadIn = (column, rows, counts) =>
    spreadOf(rows.filter((row) => column.kind !== "result" || counts(row)).map(column.value));

  /**
   * What a setting is ordered by: a mean, else the value of its first row.
   * @param {RunColumn} column
   * @param {number[]} rows
   * @param {(row: number) => boolean} counts
   * @returns {Key}
   */
  const keyOf = (column, rows, counts) =>
    column.kind ? (spreadIn(column, rows, counts)?.mean ?? null) : column.value(rows[0]);

  Object.assign(globalThis, { ledgerGrouping: { groupsOf, spreadOf, spreadIn, keyOf } });
})();
