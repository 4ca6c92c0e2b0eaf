// @ts-check
/* The order of the table of runs, and what its address holds: nothing here touches a page. */
"use strict";
(() => {
  /** @typedef {number | string | null} Key */
  /**
   * @typedef {{
   *   q: string, status: string, experiment: string, tag: string,
   *   sort: string, cols: string[], sel: Set<string>, page: number,
   * }} State
   */
  /** @typedef {{columns: string[], usual: string[], runs: {has: (id: string) => boolean}}} Known */

  const NEWEST = "-started";
  /** Said of columns where none is shown: what is not said is the usual ones. */
  const NONE = "none";
  const FILTERS = /** @type {const} */ (["q", "status", "experiment", "tag"]);

  /** @param {Key} key */
  const empty = (key) => key === null || key === "" || Number.isNaN(key);

  /** @param {string | null} text */
  const list = (text) => [...new Set((text || "").split(",").filter(Boolean))];

  /** @param {string} sort */
  const columnOf = (sort) => sort.replace(/^-/, "");

  /**
   * Rows in the order of a value. Rows that have none come last whichever way it goes, numbers come before words, and
   * rows that are equal stand as the site has them, newest first.
   * @param {number[]} rows
   * @param {(row: number) => Key} value
   * @param {boolean} down
   */
  const ordered = (rows, value, down) => {
    const keyed = rows.map((row) => /** @type {[Key, number]} */ ([value(row), row]));
    keyed.sort(([a, i], [b, j]) => {
      if (empty(a) || empty(b)) return Number(empty(a)) - Number(empty(b)) || i - j;
      const one = /** @type {any} */ (a);
      const other = /** @type {any} */ (b);
      const order = typeof a === typeof b ? (one < other ? -1 : one > other ? 1 : 0) : typeof a === "number" ? -1 : 1;
      return (down ? -order : order) || i - j;
    });
    return keyed.map(([, row]) => row);
  };

  /**
   * The state that an address holds; what is not here is left out.
   * @param {URLSearchParams} from
   * @param {Known} known
   * @returns {State}
   */
  const read = (from, known) => {
    const sort = from.get("sort") || "";
    const [q, status, experiment, tag] = FILTERS.map((name) => from.get(name) || "");
    return {
      q,
      status,
      experiment,
      tag,
      sort: ["id", ...known.columns].includes(columnOf(sort)) ? sort : NEWEST,
      cols: from.has("cols") ? list(from.get("cols")).filter((id) => known.columns.includes(id)) : [...known.usual],
      sel: new Set(list(from.get("sel")).filter((id) => known.runs.has(id))),
      page: Math.max(1, Number.parseInt(from.get("page") || "1", 10) || 1),
    };
  };

  /**
   * What the address says of a state: what is usual is not said.
   * @param {State} state
   * @param {Known} known
   */
  const write = (state, known) => ({
    q: state.q,
    status: state.status,
    experiment: state.experiment,
    tag: state.tag,
    sort: state.sort === NEWEST ? "" : state.sort,
    cols: state.cols.join() === known.usual.join() ? "" : state.cols.join() || NONE,
    sel: [...state.sel].join(),
    page: state.page > 1 ? state.page : "",
  });

  /**
   * What an address names and is not here, in sentences.
   * @param {URLSearchParams} from
   * @param {Known & {words: Record<string, string[]>}} known
   */
  const gone = (from, known) => {
    const asked = list([from.get("cols") || "", columnOf(from.get("sort") || "")].join());
    const columns = asked.filter((id) => ![NONE, "id"].includes(id) && !known.columns.includes(id));
    const runs = list(from.get("sel")).filter((id) => !known.runs.has(id));
    const words = Object.entries(known.words)
      .filter(([name, there]) => from.get(name) && !there.includes(from.get(name) || ""))
      .map(([name]) => `${name} ${from.get(name)}`);
    const said = [];
    if (columns.length)
      said.push(
        `It names columns that are not here (any more): ${columns.join(", ")}. No other metric is shown in their place; choose under Columns.`,
      );
    if (runs.length) said.push(`It selects runs that are not here: ${runs.join(", ")}.`);
    if (words.length) said.push(`It filters by what no run has: ${words.join(", ")}.`);
    return said;
  };

  Object.assign(globalThis, { ledgerRunTable: { ordered, read, write, gone } });
})();
