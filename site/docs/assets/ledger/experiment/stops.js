// @ts-check
/* Ranges over the values of runs: where a slider stops, which runs lie inside, what an address holds. Touches no page. */
"use strict";
(() => {
  /** Most stops of a slider: more values are thinned by their rank, so that each step passes as many runs. */
  const MOST_STOPS = 101;

  /**
   * The values of each run: null where it has none.
   * @param {string} text rows with `;` between them, and `,` between their values
   */
  const rowsOf = (text) => text.split(";").map((row) => row.split(",").map((value) => (value ? Number(value) : null)));

  /** The values at which a slider stops, rising. @param {(number | null)[]} values */
  const stopsOf = (values) => {
    const known = /** @type {number[]} */ (values.filter((value) => value !== null));
    const sorted = [...new Set(known)].sort((a, b) => a - b);
    if (sorted.length <= MOST_STOPS) return sorted;
    return Array.from(
      { length: MOST_STOPS },
      (_, at) => sorted[Math.round((at * (sorted.length - 1)) / (MOST_STOPS - 1))],
    );
  };

  /** @param {Ends} range */
  const isOpen = ({ low, high }) => low === null && high === null;

  /**
   * The first and the last stop within a range; null where none lies in it.
   * @param {number[]} stops rising
   * @param {Ends} range
   */
  const stopsIn = (stops, { low, high }) => {
    const first = stops.findIndex((stop) => low === null || stop >= low);
    const last = stops.filter((stop) => high === null || stop <= high).length - 1;
    return first < 0 || last < first ? null : { first, last };
  };

  /**
   * Whether each run lies inside of all ranges; without a value it lies outside of a range with an end.
   * @param {(number | null)[][]} rows
   * @param {Ends[]} ranges
   */
  const inside = (rows, ranges) =>
    rows.map((row) =>
      ranges.every((range, at) => {
        const value = row[at];
        if (isOpen(range)) return true;
        return (
          value !== null && (range.low === null || value >= range.low) && (range.high === null || value <= range.high)
        );
      }),
    );

  /**
   * How many runs have no value in a range that has an end.
   * @param {(number | null)[][]} rows
   * @param {Ends[]} ranges
   */
  const unknown = (rows, ranges) =>
    rows.filter((row) => ranges.some((range, at) => !isOpen(range) && row[at] === null)).length;

  /**
   * The ranges that have an end, for the address; empty where none has one.
   * @param {string[]} names
   * @param {Ends[]} ranges
   */
  const write = (names, ranges) => {
    const told = new URLSearchParams();
    ranges.forEach((range, at) => {
      if (!isOpen(range)) told.set(names[at], `${range.low ?? ""}..${range.high ?? ""}`);
    });
    return told.toString();
  };

  /** @param {string} text */
  const end = (text) => (text.trim() && Number.isFinite(Number(text)) ? Number(text) : null);

  /**
   * The ranges in an address, and the names in it that are none of the page.
   * @param {string} hash
   * @param {string[]} names
   */
  const read = (hash, names) => {
    /** @type {Ends[]} */
    const ranges = names.map(() => ({ low: null, high: null }));
    /** @type {string[]} */
    const strange = [];
    if (hash.includes("="))
      for (const [name, text] of new URLSearchParams(hash.replace(/^#/, ""))) {
        const [low, high] = text.split("..");
        if (names.includes(name)) ranges[names.indexOf(name)] = { low: end(low), high: end(high ?? "") };
        else strange.push(name);
      }
    return { ranges, strange };
  };

  Object.assign(globalThis, { ledgerStops: { rowsOf, stopsOf, isOpen, stopsIn, inside, unknown, write, read } });
})();
