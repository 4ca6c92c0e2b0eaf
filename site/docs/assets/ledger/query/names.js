// @ts-check
/* What a name in a query means: a field of every run, a param or a metric, by what the runs have
   (`ledger/analysis/query/names.py`). */
"use strict";
(() => {
  const { QueryError, compareTexts } = /** @type {any} */ (globalThis).ledgerQuery;

  const FIELDS = [
    "id",
    "status",
    "experiment",
    "author",
    "note",
    "tags",
    "seed",
    "started",
    "ended",
    "duration",
    "cost",
    "commit",
    "branch",
    "dirty",
    "dataset",
    "chain",
    "host",
    "parameters",
    "baseline",
    "parent",
    "retracted",
  ];
  const NAMED = 4;

  /**
   * @param {string[]} fields
   * @param {string} word
   */
  const listed = (fields, word) => {
    const named = fields.slice(0, NAMED).map((field) => `\`${field}\``);
    if (fields.length > NAMED) named.push(`${fields.length - NAMED} more`);
    return named.length === 1 ? named[0] : `${named.slice(0, -1).join(", ")} ${word} ${named[named.length - 1]}`;
  };

  /** What the names of one ledger mean. */
  class Names {
    /**
     * @param {Iterable<string>} held `params.NAME` and `metrics.KEY` of everything that a run has.
     * @param {Record<string, string>} splits Other names of splits, in lower case, and what they stand for.
     */
    constructor(held, splits) {
      this.held = new Set(held);
      this.splits = new Map(Object.entries(splits));
    }

    /**
     * A field of every run comes first; then the exact name of a param or a metric; then the only last part.
     * @param {string} name
     * @returns {{field: string, warning: string | null}}
     */
    read(name) {
      if (name.startsWith("params.") && name !== "params.") return { field: name, warning: null };
      if (name.startsWith("metrics.") && name !== "metrics.") return { field: this.metric(name), warning: null };
      const exact = [...new Set([`params.${name}`, this.metric(`metrics.${name}`)])].filter((field) =>
        this.held.has(field),
      );
      if (FIELDS.includes(name)) return { field: name, warning: this.also(name, name, name === "seed" ? [] : exact) };
      const longer = [...this.held].filter(
        (field) => (field.endsWith(`.${name}`) || field.endsWith(`/${name}`)) && !exact.includes(field),
      );
      const found = (exact.length ? exact : longer).sort(compareTexts);
      if (found.length === 1)
        return { field: found[0], warning: this.also(name, found[0], exact.length ? longer : []) };
      if (found.length) throw new QueryError(`\`${name}\` may mean ${listed(found, "or")}`);
      throw new QueryError(`no such field, param or metric: \`${name}\``);
    }

    /**
     * A metric under the name of its split that is held: `val/loss` is `validation/loss`.
     * @param {string} field
     */
    metric(field) {
      const [split, ...rest] = field.slice("metrics.".length).split("/");
      const meant = rest.length ? this.splits.get(split.toLowerCase()) : undefined;
      return meant === undefined || this.held.has(field) ? field : `metrics.${meant}/${rest.join("/")}`;
    }

    /**
     * @param {string} name
     * @param {string} field
     * @param {string[]} others
     */
    also(name, field, others) {
      return others.length
        ? `\`${name}\` is read as \`${field}\`; there is also ${listed([...others].sort(compareTexts), "and")}`
        : null;
    }
  }

  Object.assign(/** @type {any} */ (globalThis).ledgerQuery, { FIELDS, Names });
})();
