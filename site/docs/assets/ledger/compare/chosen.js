// @ts-check
/* Which runs an address means, which of them are one setting, and what parts them: nothing here touches a page. */
"use strict";
(() => {
  /** Where the last part of an id begins. */
  const LAST_PART = 16;
  /** Runs that are compared at once. */
  const MOST = 20;

  /**
   * The rows that an address names by ids or their beginnings, at most `limit`; what is left out, what is not here.
   * @param {Runs} data
   * @param {string} text
   * @param {number} limit
   */
  const named = (data, text, limit) => {
    const wanted = text
      .split(",")
      .map((id) => id.trim())
      .filter(Boolean);
    const found = wanted.map((id) => ({
      id,
      row:
        data.byId.get(id) ?? data.id.findIndex((each) => each.startsWith(id) || each.slice(LAST_PART).startsWith(id)),
    }));
    const there = [...new Set(found.map(({ row }) => row).filter((row) => row >= 0))];
    return {
      rows: there.slice(0, limit),
      left: there.slice(limit).map((row) => data.id[row]),
      missing: found.filter(({ row }) => row < 0).map(({ id }) => id),
    };
  };

  /** The word of a name that tells the seed. */
  const SEED = /^\S*seed\S* /i;

  /**
   * The settings of the rows in their order, each with its rows and with what their names share but for the seed.
   * @param {Runs} data
   * @param {number[]} rows
   * @returns {ChosenSetting[]}
   */
  const settingsOf = (data, rows) => {
    /** @type {Map<number | string, number[]>} */
    const found = new Map();
    for (const row of rows) found.set(data.setting[row], [...(found.get(data.setting[row]) ?? []), row]);
    return [...found.values()].map((members) => {
      const names = members.map((row) => data.name[row].split(" · "));
      const shared = names[0].filter((part) => names.every((parts) => parts.includes(part)) && !SEED.test(part));
      return { rows: members, name: shared.join(" · ") || data.name[members[0]] };
    });
  };

  /**
   * What parts the runs: names of params, and words for training data and code; whether they are one setting.
   * @param {Runs} data
   * @param {number[]} rows
   */
  const differences = (data, rows) => {
    /** @param {(row: number) => number | string} value */
    const several = (value) => new Set(rows.map(value)).size > 1;
    /** @param {number} row */
    const trained = (row) => data.word(data.trained, row) || "unknown";
    const parts = [];
    if (several(trained)) parts.push(`training data (${[...new Set(rows.map(trained))].join(" or ")})`);
    if (several((row) => `${data.word(data.commit, row)} ${data.word(data.changes, row)}`)) parts.push("code");
    return {
      params: data.params.filter((param) => several((row) => data.word(param, row))).map(({ name }) => name),
      parts,
      one: !several((row) => data.setting[row]),
    };
  };

  /**
   * What to know before the metrics are read, in sentences.
   * @param {Runs} data
   * @param {number[]} rows
   */
  const summary = (data, rows) => {
    const said = [];
    const uncounted = rows.filter((row) => !data.counts(row));
    if (uncounted.length) {
      const [they, were] = uncounted.length > 1 ? ["they", "were"] : ["it", "was"];
      const ids = uncounted.map((row) => data.id[row]).join(", ");
      said.push(`Never the best, since ${they} did not finish, or ${were} retracted or continued: ${ids}.`);
    }
    if (rows.length < 2) return said;
    const { params, parts, one } = differences(data, rows);
    const more = params.length > 5 ? ` and ${params.length - 5} more` : "";
    const all = [...(params.length ? [`params (${params.slice(0, 5).join(", ")}${more})`] : []), ...parts];
    if (one)
      said.push(
        "These runs are one setting: they differ by seed only, and nothing can be better than itself. What parts their values is noise.",
      );
    else if (all.length) said.push(`They differ in ${all.join(", ")}.`);
    else
      said.push(
        "They are not repeats of each other, though no param differs: their code is unknown, or differs in files.",
      );
    return said;
  };

  Object.assign(globalThis, { ledgerComparison: { MOST, differences, named, settingsOf, summary } });
})();
