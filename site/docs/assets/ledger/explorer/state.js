// @ts-check
/* The order of the table of runs, and what its address holds: nothing here touches a page. */
"use strict";
(() => {
  /** @typedef {number | string | null} Key */

  const NEWEST = "-started";
  /** Said of columns where none is shown: what is not said is the usual ones. */
  const NONE = "none";
  /** Said of a facet where runs without a value are wanted; in a state it is the empty word. */
  const NO_VALUE = "(none)";
  const FACETS = ["status", "experiment", "tag", "author", "dataset", "month"];
  const MOST_SORTS = 4;

  /** @param {Key} key */
  const empty = (key) => key === null || key === "" || Number.isNaN(key);

  /** @param {string | null} text */
  const list = (text) => [...new Set((text || "").split(",").filter(Boolean))];

  /** @param {string} sort */
  const columnOf = (sort) => sort.replace(/^-/, "");

  /** @param {Key} a @param {Key} b @param {boolean} down */
  const compare = (a, b, down) => {
    if (empty(a) || empty(b)) return Number(empty(a)) - Number(empty(b));
    const one = /** @type {any} */ (a);
    const other = /** @type {any} */ (b);
    const order = typeof a === typeof b ? (one < other ? -1 : one > other ? 1 : 0) : typeof a === "number" ? -1 : 1;
    return down ? -order : order;
  };

  /**
   * Rows in the order of values, the first that tells two apart. Rows that have none come last whichever way it goes,
   * numbers come before words, and rows that are equal stand as the site has them, newest first.
   * @param {number[]} rows
   * @param {{value: (row: number) => Key, down: boolean}[]} by
   */
  const orderedBy = (rows, by) => {
    const keyed = rows.map((row) => ({ row, keys: by.map(({ value }) => value(row)) }));
    keyed.sort((a, b) => {
      for (let at = 0; at < by.length; at += 1) {
        const order = compare(a.keys[at], b.keys[at], by[at].down);
        if (order) return order;
      }
      return a.row - b.row;
    });
    return keyed.map(({ row }) => row);
  };

  /** @param {number[]} rows @param {(row: number) => Key} value @param {boolean} down */
  const ordered = (rows, value, down) => orderedBy(rows, [{ value, down }]);

  /**
   * The words that an address chose in a facet: one as it is, several parted by commas, those in a word after a
   * backslash.
   * @param {string | null} text
   * @param {string[]} words
   */
  const readWords = (text, words) => {
    if (!text) return new Set();
    if (words.includes(text)) return new Set([text]);
    const parts = text.match(/(?:\\.|[^,\\])+/gsu) || [];
    return new Set(parts.map((part) => (part === NO_VALUE ? "" : part.replace(/\\(.)/gsu, "$1"))));
  };

  /** @param {Set<string>} chosen @param {string[]} words */
  const writeWords = (chosen, words) => {
    const [first] = chosen;
    if (chosen.size === 1 && first !== NO_VALUE && words.includes(first)) return first;
    const escaped = [...chosen].map((word) =>
      word === "" ? NO_VALUE : word === NO_VALUE ? `\\${NO_VALUE}` : word.replace(/[\\,]/gu, "\\$&"),
    );
    const text = escaped.join(",");
    return words.includes(text) ? `${text},` : text;
  };

  /** The orders that an address names, the most important first. @param {string | null} text @param {string[]} columns */
  const readSorts = (text, columns) => {
    /** @param {string} sort */
    const here = (sort) => ["id", ...columns].includes(columnOf(sort));
    const named = text && here(text) ? [text] : list(text).filter(here);
    const once = named.filter((sort, at) => named.findIndex((other) => columnOf(other) === columnOf(sort)) === at);
    return once.length ? once.slice(0, MOST_SORTS) : [NEWEST];
  };

  /**
   * The orders after a click: a column alone, or with shift one more; a second click turns its order around.
   * @param {string[]} sorts
   * @param {string} first order of the first click
   * @param {boolean} more
   */
  const sortsAfter = (sorts, first, more) => {
    const id = columnOf(first);
    const before = sorts.find((sort) => columnOf(sort) === id);
    const next = before === first ? (first.startsWith("-") ? id : `-${id}`) : first;
    if (!more) return [next];
    if (!before) return [...sorts, next].slice(-MOST_SORTS);
    return sorts.map((sort) => (sort === before ? next : sort));
  };

  /**
   * The state that an address holds; columns, runs and orders that are not here are left out.
   * @param {URLSearchParams} from
   * @param {KnownNames} known
   * @returns {TableState}
   */
  const read = (from, known) => ({
    q: from.get("q") || "",
    facets: Object.fromEntries(FACETS.map((name) => [name, readWords(from.get(name), known.words[name] || [])])),
    sort: readSorts(from.get("sort"), known.columns),
    cols: from.has("cols") ? list(from.get("cols")).filter((id) => known.columns.includes(id)) : [...known.usual],
    sel: new Set(list(from.get("sel")).filter((id) => known.runs.has(id))),
    group: from.get("group") === "setting" ? "setting" : "",
    page: Math.max(1, Number.parseInt(from.get("page") || "1", 10) || 1),
  });

  /**
   * What the address says of a state: what is usual is not said.
   * @param {TableState} state
   * @param {KnownNames} known
   */
  const write = (state, known) => ({
    q: state.q,
    ...Object.fromEntries(FACETS.map((name) => [name, writeWords(state.facets[name], known.words[name] || [])])),
    sort: state.sort.join() === NEWEST ? "" : state.sort.join(),
    cols: state.cols.join() === known.usual.join() ? "" : state.cols.join() || NONE,
    group: state.group,
    sel: [...state.sel].join(),
    page: state.page > 1 ? state.page : "",
  });

  /**
   * What an address names and is not here, in sentences.
   * @param {URLSearchParams} from
   * @param {KnownNames} known
   */
  const gone = (from, known) => {
    const sort = from.get("sort") || "";
    const sorts = known.columns.includes(columnOf(sort)) ? [] : list(sort).map(columnOf);
    const asked = [...new Set([...list(from.get("cols")), ...sorts])];
    const columns = asked.filter((id) => ![NONE, "id"].includes(id) && !known.columns.includes(id));
    const runs = list(from.get("sel")).filter((id) => !known.runs.has(id));
    const words = FACETS.flatMap((name) => {
      const here = known.words[name] || [];
      return [...readWords(from.get(name), here)]
        .filter((word) => word !== "" && !here.includes(word))
        .map((word) => `${name} ${word}`);
    });
    const said = [];
    if (columns.length)
      said.push(
        `It names columns that are not here (any more): ${columns.join(", ")}. No other metric is shown in their place; choose under Columns.`,
      );
    if (runs.length) said.push(`It selects runs that are not here: ${runs.join(", ")}.`);
    if (words.length) said.push(`It filters by what no run has: ${words.join(", ")}.`);
    return said;
  };

  Object.assign(globalThis, {
    ledgerRunTable: { FACETS, columnOf, ordered, orderedBy, sortsAfter, read, write, gone },
  });
})();
