// @ts-check
/* Learning curves as lines, and as the table that a chart is drawn from: nothing here touches a page. */
"use strict";
(() => {
  /** Size of the largest number, and of the smallest on a logarithmic scale, that the library finds ticks for. */
  const LARGEST = 1e30;

  /** The axes that all points of all runs have. @param {Curves[]} all  */
  const axesOf = (all) => ["step", "epoch", "seconds"].filter((name) => all.every((curves) => curves.x[name]));

  /**
   * A series over an axis, else over the number of the point. JSON has no NaN and no infinity: they come as words.
   * @param {Curves} curves
   * @param {string} axis
   * @param {string} series
   * @param {string} name
   * @returns {Line | null} null where the run has no such series
   */
  const lineOf = (curves, axis, series, name) => {
    const values = curves.series[series];
    if (!values) return null;
    const xs = curves.x[axis] || values.map((_, index) => index);
    const logged = values.flatMap((value, index) => (value === null ? [] : [[xs[index], Number(value)]]));
    return { name, xs: logged.map(([x]) => x), ys: logged.map(([, y]) => y) };
  };

  /** The numbers of a column; nothing between two commas is none. @param {string} text */
  const numbers = (text) => text.split(",").map((value) => (value ? Number(value) : Number.NaN));

  /**
   * The lines of a chart, as `band_values` of `ledger/publish/charts/band_chart.py` writes them.
   * @param {string} text
   * @param {string[]} names
   * @returns {Line[]}
   */
  const writtenLines = (text, names) => {
    /** @type {number[]} */
    let xs = [];
    return text.split("|").map((line, at) => {
      const [places, mean, low, high] = line.split(";");
      if (places) xs = numbers(places);
      return { name: names[at], xs, ys: numbers(mean), ...(low ? { low: numbers(low), high: numbers(high) } : {}) };
    });
  };

  /** The value of a line at a place, on a straight way between its points; NaN where one of them is none. @param {Line} line @param {number} x */
  const at = ({ xs, ys }, x) => {
    let after = 0;
    while (xs[after] < x) after += 1;
    if (xs[after] === x) return ys[after];
    const share = (x - xs[after - 1]) / (xs[after] - xs[after - 1]);
    return ys[after - 1] + share * (ys[after] - ys[after - 1]);
  };

  /** The points in rising order; of several at one place the last counts. @param {Line} line @returns {Line} */
  const risen = (line) => {
    const points = [...new Map(line.xs.map((x, index) => [x, line.ys[index]]))].sort(([a], [b]) => a - b);
    return { ...line, xs: points.map(([x]) => x), ys: points.map(([, y]) => y) };
  };

  /**
   * Repeats as one line with a band: the mean, the smallest and the largest over the places that all of them span.
   * `ledger/analysis/data/curve_bands.py` does the same.
   * @param {string} name
   * @param {(Line | null)[]} lines
   * @returns {Line | null}
   */
  const bandOf = (name, lines) => {
    const drawn = lines.flatMap((line) => (line?.xs.length ? [risen(line)] : []));
    if (!drawn.length) return null;
    const start = Math.max(...drawn.map(({ xs }) => xs[0]));
    const end = Math.min(...drawn.map(({ xs }) => xs[xs.length - 1]));
    const xs = [...new Set(drawn.flatMap((line) => line.xs))]
      .filter((x) => x >= start && x <= end)
      .sort((a, b) => a - b);
    const columns = xs.map((x) => drawn.map((line) => at(line, x)));
    /** @param {(...values: number[]) => number} pick */
    const each = (pick) => columns.map((values) => (values.every(Number.isFinite) ? pick(...values) : Number.NaN));
    return {
      name,
      xs,
      ys: each((...values) => values.reduce((sum, value) => sum + value, 0) / values.length),
      low: each(Math.min),
      high: each(Math.max),
    };
  };

  /**
   * Each point as the mean of those before it, weighted by `keep` to the power of their distance (as TensorBoard's
   * slider does: an exponential mean, corrected for its start). A point that is no number stays one, and counts for none.
   * @param {Line | null} line
   * @param {number} keep from 0, which changes nothing, to below 1
   * @returns {Line | null}
   */
  const smooth = (line, keep) => {
    if (!line || !keep) return line;
    /** @param {number[]} values */
    const smoothed = (values) => {
      let [sum, weight] = [0, 0];
      return values.map((value) => {
        if (!Number.isFinite(value)) return value;
        sum = sum * keep + value;
        weight = weight * keep + 1;
        return sum / weight;
      });
    };
    const { low, high } = line;
    return { ...line, ys: smoothed(line.ys), ...(low && high ? { low: smoothed(low), high: smoothed(high) } : {}) };
  };

  /** The names of all series, those that most runs have first. @param {Curves[]} all */
  const seriesOf = (all) => {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const { series } of all) for (const name of Object.keys(series)) counts.set(name, (counts.get(name) ?? 0) + 1);
    return [...counts].sort(([a, most], [b, other]) => other - most || a.localeCompare(b)).map(([name]) => name);
  };

  /**
   * The runs that have a series, in groups that measured it on the same data: only these answer the same question.
   * @param {Curves[]} all
   * @param {string} name
   * @returns {{label: string, members: number[]}[]} the data, and the indexes of the runs
   */
  const sharing = (all, name) => {
    /** @type {Map<string, {label: string, members: number[]}>} */
    const groups = new Map();
    all.forEach((curves, index) => {
      if (!curves.series[name]) return;
      const [content, label] = curves.on[name] || ["", "unknown data"];
      const group = groups.get(content) ?? { label, members: [] };
      group.members.push(index);
      groups.set(content, group);
    });
    return [...groups.values()];
  };

  /**
   * The lines side by side over all their horizontal values, in rising order. A cell is null where a line breaks, since
   * its value cannot be drawn, and undefined where it has no point. Of several points at one place the last counts.
   * @param {(Line | null)[]} lines
   * @param {boolean} positive whether only positive values can be drawn, as on a logarithmic scale
   * @returns {Table}
   */
  const tableOf = (lines, positive) => {
    const places = new Set(lines.flatMap((line) => line?.xs ?? []));
    const xs = [...places].sort((a, b) => a - b);
    const indexes = new Map(xs.map((x, index) => [x, index]));
    const columns = lines.map((line) => {
      /** @type {(number | null | undefined)[]} */
      const column = new Array(xs.length).fill(undefined);
      line?.xs.forEach((x, at) => {
        const y = line.ys[at];
        column[/** @type {number} */ (indexes.get(x))] = Number.isFinite(y) && (y > 0 || !positive) ? y : null;
      });
      return column;
    });
    return [xs, ...columns];
  };

  /**
   * What keeps a table from being drawn, as a sentence; empty where nothing does.
   * @param {Table} table
   * @param {boolean} positive
   */
  const obstacle = ([, ...columns], positive) => {
    const sizes = columns.flatMap((column) => column.flatMap((y) => (typeof y === "number" && y ? [Math.abs(y)] : [])));
    if (!columns.some((column) => column.some((y) => typeof y === "number")))
      return positive ? "No positive value to draw on a logarithmic scale." : "Nothing to draw.";
    const far = sizes.some((size) => size > LARGEST || (positive && size < 1 / LARGEST));
    return far ? `Values beyond ${LARGEST} are not drawn.` : "";
  };

  /**
   * The place of the point of a column that is nearest to a place in the table; null where it has none.
   * @param {Table} table
   * @param {number} column
   * @param {number} at
   */
  const nearest = ([xs, ...columns], column, at) => {
    const values = columns[column];
    let before = at;
    while (before >= 0 && typeof values[before] !== "number") before -= 1;
    let after = at;
    while (after < xs.length && typeof values[after] !== "number") after += 1;
    if (before < 0) return after < xs.length ? after : null;
    return after < xs.length && xs[after] - xs[at] < xs[at] - xs[before] ? after : before;
  };

  /**
   * The value of a column at a place, else at the nearest one, which it then names; null where it has none.
   * @param {Table} table
   * @param {number} column
   * @param {number} at
   * @returns {Reading | null}
   */
  const valueAt = (table, column, at) => {
    const index = nearest(table, column, at);
    if (index === null) return null;
    return {
      value: /** @type {number} */ (table[column + 1][index]),
      elsewhere: index === at ? null : table[0][index],
    };
  };

  /**
   * The places of the points of a column with a break, or nothing, on both sides: no line goes through them.
   * @param {Table} table
   * @param {number} column
   */
  const lone = ([, ...columns], column) => {
    const there = columns[column].flatMap((value, index) => (value === undefined ? [] : [{ value, index }]));
    /** @param {number} at */
    const drawn = (at) => typeof there[at]?.value === "number";
    return there.flatMap(({ index }, at) => (drawn(at) && !drawn(at - 1) && !drawn(at + 1) ? [index] : []));
  };

  /**
   * Both ends of a scale, with a little room around the values; never so near that they are one number.
   * @param {number} low
   * @param {number} high
   * @returns {[number, number]}
   */
  const ends = (low, high) => {
    const size = Math.max(Math.abs(low), Math.abs(high));
    const room = high - low > size * 1e-9 ? (high - low) * 0.06 : size * 0.1 || 1;
    return [low - room, high + room];
  };

  Object.assign(globalThis, {
    ledgerCurves: {
      axesOf,
      bandOf,
      lineOf,
      seriesOf,
      sharing,
      smooth,
      tableOf,
      obstacle,
      nearest,
      valueAt,
      ends,
      lone,
      writtenLines,
    },
  });
})();
