// @ts-check
/* Which runs an address means, and which of them carry the star of the leaderboard: nothing here touches a page. */
"use strict";
(() => {
  /**
   * @typedef {{
   *   id: string[], byId: Map<string, number>, setting: (number | string)[], counts: (row: number) => boolean,
   * }} Runs
   */
  /**
   * @typedef {{
   *   known: boolean, direction: string | null, values: (number | null)[], leading?: string | string[] | null,
   * }} Metric
   */

  /** Where the last part of an id begins. */
  const LAST_PART = 16;

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

  /**
   * A star is that of the leaderboard: where what parts these settings is more than noise explains.
   * @param {Runs} data
   * @param {Metric} metric
   * @param {number[]} rows
   */
  const stars = (data, metric, rows) => {
    /** @param {string} told */
    const none = (told) => ({ starred: /** @type {Set<number>} */ (new Set()), told });
    const having = rows.filter((row) => Number.isFinite(metric.values[row]) && data.counts(row));
    if (!metric.known || !metric.direction || having.length < 2) return none("");
    if (new Set(having.map((row) => data.setting[row])).size < 2) return none("one setting, so none is better");
    const { leading } = metric;
    if (!leading) return none("nobody knows the noise, so none is marked");
    const best = having.filter((row) => leading[row] === "1");
    if (best.length === having.length) return none("within noise");
    return best.length ? { starred: new Set(best), told: "" } : none("others are better than these");
  };

  Object.assign(globalThis, { ledgerComparison: { named, stars } });
})();
