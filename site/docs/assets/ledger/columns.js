// @ts-check
/* The runs of the site as columns. They come in parts, newest runs first, in each of which every word stands once; here the
   parts become one. */
"use strict";
(() => {
  /** @typedef {{words: string[], codes: number[]}} Column */
  /** @typedef {{name: string, rows: number[] | null, values: (number | string | null)[]}} Some */

  /**
   * The codes of a part as codes of the whole: of a value that is new a new one.
   * @template T
   * @param {T[]} values of the part
   * @param {(value: T, at: number) => string} keyOf
   * @param {Map<string, number>} index of the whole
   * @param {(value: T, at: number) => void} add
   */
  const recoded = (values, keyOf, index, add) =>
    values.map((value, at) => {
      const key = keyOf(value, at);
      let code = index.get(key);
      if (code === undefined) {
        code = index.size;
        index.set(key, code);
        add(value, at);
      }
      return code;
    });

  /** @param {Column[]} parts @returns {Column} */
  const joinWords = (parts) => {
    if (parts.length === 1) return parts[0];
    const [index, codes] = [new Map(), /** @type {number[]} */ ([])];
    for (const part of parts) {
      const to = recoded(part.words, String, index, () => {});
      for (const code of part.codes) codes.push(code < 0 ? -1 : to[code]);
    }
    return { words: [...index.keys()], codes };
  };

  /** @param {{words: string[], codes: number[][]}[]} parts */
  const joinLists = (parts) => {
    if (parts.length === 1) return parts[0];
    const [index, codes] = [new Map(), /** @type {number[][]} */ ([])];
    for (const part of parts) {
      const to = recoded(part.words, String, index, () => {});
      for (const row of part.codes) codes.push(row.map((code) => to[code]));
    }
    return { words: [...index.keys()], codes };
  };

  /**
   * Columns that only some parts have, by name: what a part lacks is -1 in its rows.
   * @param {{rows: number}[]} parts
   * @param {(part: any) => any[]} columnsOf
   * @param {(name: string, all: any[]) => any} join gets null of a part that lacks the column
   */
  const joinNamed = (parts, columnsOf, join) => {
    const found = parts.map((part) => new Map(columnsOf(part).map((column) => [column.name, column])));
    const names = [...new Set(found.flatMap((columns) => [...columns.keys()]))];
    return names.map((name) =>
      join(
        name,
        found.map((columns) => columns.get(name) ?? null),
      ),
    );
  };

  /**
   * @param {number[]} codes of the whole so far
   * @param {number[]} own of the part; none where every row has the first value, or none
   * @param {number[]} to codes of its values in the whole
   * @param {number} rows
   */
  const append = (codes, own, to, rows) => {
    for (let row = 0; row < rows; row += 1) {
      const code = own.length ? own[row] : 0;
      codes.push(code < 0 || !to.length ? -1 : to[code]);
    }
  };

  /** @param {any[]} parts */
  const joinParams = (parts) =>
    joinNamed(
      parts,
      (part) => part.params,
      (name, all) => {
        /** @type {{name: string, words: string[], exact: Record<string, unknown>, codes: number[]}} */
        const whole = { name, words: [], exact: {}, codes: [] };
        const index = new Map();
        all.forEach((param, part) => {
          const exact = param?.exact ?? {};
          /** @param {string} word @param {number} at */
          const keyOf = (word, at) => (Object.hasOwn(exact, at) ? `${word}\0${JSON.stringify(exact[at])}` : word);
          const to = recoded(param?.words ?? [], keyOf, index, (word, at) => {
            if (Object.hasOwn(exact, at)) whole.exact[whole.words.length] = exact[at];
            whole.words.push(word);
          });
          append(whole.codes, param?.codes ?? [], to, parts[part].rows);
        });
        return whole;
      },
    ).sort((a, b) => (a.name < b.name ? -1 : 1));

  /** @param {any[]} parts */
  const joinFields = (parts) =>
    joinNamed(
      parts,
      (part) => part.fields,
      (name, all) => {
        /** @type {{name: string, values: unknown[], codes: number[]}} */
        const whole = { name, values: [], codes: [] };
        const index = new Map();
        all.forEach((field, part) => {
          const to = recoded(
            field?.values ?? [],
            (value) => JSON.stringify(value),
            index,
            (value) => whole.values.push(value),
          );
          append(whole.codes, field?.codes ?? [], to, parts[part].rows);
        });
        return whole;
      },
    );

  /**
   * One slot a row of what some rows of some parts have.
   * @param {{rows: number}[]} parts
   * @param {(Some | undefined)[]} columns one for each part
   * @returns {(number | null)[]}
   */
  const joinValues = (parts, columns) => {
    /** @type {(number | null)[]} */
    const whole = new Array(parts.reduce((sum, { rows }) => sum + rows, 0)).fill(null);
    let start = 0;
    parts.forEach(({ rows }, part) => {
      const column = columns[part];
      // JSON has no NaN and no infinity: they come as words.
      column?.values.forEach((value, at) => {
        whole[start + (column.rows ? column.rows[at] : at)] = typeof value === "string" ? Number(value) : value;
      });
      start += rows;
    });
    return whole;
  };

  const WORDS = ["status", "experiment", "author", "commit", "note", "currency", "trained", "seed", "changes", "gpus"];
  const PLAIN = ["id", "name", "started", "duration", "cost", "setting", "curves", "energy"];

  /**
   * All columns of the runs in these parts, with what is asked of a row.
   * @param {any} head what the parts have in common
   * @param {any[]} parts newest runs first
   * @returns {any}
   */
  const whole = (head, parts) => {
    /** @type {any} */
    const data = { ...head, total: head.rows, rows: parts.reduce((sum, { rows }) => sum + rows, 0) };
    // Only the oldest have no page; parts that are not here yet are older than these.
    data.older = Math.max(0, head.older - (head.rows - data.rows));
    for (const name of WORDS) data[name] = joinWords(parts.map((part) => part[name]));
    for (const name of ["tags", "spoken"]) data[name] = joinLists(parts.map((part) => part[name]));
    for (const name of PLAIN) data[name] = parts.flatMap((part) => part[name]);
    const pages = new Map(
      parts.flatMap((part) =>
        part.experiment.words.map((/** @type {string} */ word, /** @type {number} */ at) => [word, part.pages[at]]),
      ),
    );
    data.pages = data.experiment.words.map((/** @type {string} */ word) => pages.get(word));
    data.params = joinParams(parts);
    data.fields = joinFields(parts);
    const columns = parts.map((part) => new Map(part.metrics.map((/** @type {{id: string}} */ one) => [one.id, one])));
    data.metrics = head.metrics.map((/** @type {{id: string}} */ metric) => ({
      ...metric,
      values: joinValues(
        parts,
        columns.map((all) => all.get(metric.id)),
      ),
    }));
    const order = new Map(
      data.metrics.map((/** @type {{id: string}} */ metric, /** @type {number} */ at) => [metric.id, at]),
    );
    data.headline = parts.flatMap((part) =>
      part.headline.map((/** @type {number} */ at) => (at < 0 ? -1 : (order.get(part.metrics[at].id) ?? -1))),
    );
    const ranks = new Set();
    let start = 0;
    for (const part of parts) {
      for (const row of part.ranks) ranks.add(start + row);
      start += part.rows;
    }
    /** @param {Column} column @param {number} row */
    const word = (column, row) => (column.codes[row] < 0 ? "" : column.words[column.codes[row]]);
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
      byId: new Map(data.id.map((/** @type {string} */ id, /** @type {number} */ row) => [id, row])),
    });
  };

  /**
   * Which comparable group each value belongs to.
   * @param {{rows: number}[]} parts
   * @param {any[]} columns one for each part
   */
  const joinGroups = (parts, columns) => {
    const [index, groups] = [new Map(), /** @type {[string, string][]} */ ([])];
    const coded = columns.map((column) => {
      if (!column) return undefined;
      const to = recoded(
        column.groups,
        ([id]) => id,
        index,
        (group) => groups.push(group),
      );
      return { ...column, values: column.codes.map((/** @type {number} */ code) => (code < 0 ? null : to[code])) };
    });
    return { groups, codes: joinValues(parts, coded).map((code) => code ?? -1) };
  };

  /** The numbers of the runs in these parts, in the order of their rows. @param {any[]} parts */
  const numbers = (parts) => {
    const columns = parts.map(
      (part) => new Map(part.metrics.map((/** @type {{key: string}} */ one) => [one.key, one])),
    );
    const keys = [...new Set(columns.flatMap((all) => [...all.keys()]))];
    return {
      ...Object.fromEntries(
        ["started", "ended", "duration", "cost"].map((name) => [name, parts.flatMap((part) => part[name])]),
      ),
      metrics: keys.map((key) => {
        const all = columns.map((one) => one.get(key));
        return { key, values: joinValues(parts, all), ...joinGroups(parts, all) };
      }),
    };
  };

  /** Software and machines of the runs in these parts. @param {any[]} parts */
  const facts = (parts) => ({
    changes: joinWords(parts.map((part) => part.changes)),
    facts: joinNamed(
      parts,
      (part) => part.facts.map((/** @type {any} */ fact) => ({ ...fact, name: `${fact.kind}\0${fact.name}` })),
      (name, all) => {
        const [index, codes] = [new Map(), /** @type {number[]} */ ([])];
        all.forEach((fact, part) => {
          const to = recoded(fact?.words ?? [], String, index, () => {});
          append(codes, fact?.codes ?? [], to, parts[part].rows);
        });
        const [kind, own] = name.split("\0");
        return { kind, name: own, words: [...index.keys()], codes };
      },
    ),
  });

  Object.assign(globalThis, { ledgerColumns: { whole, numbers, facts } });
})();
