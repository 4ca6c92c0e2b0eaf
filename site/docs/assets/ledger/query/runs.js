// @ts-check
/* Which runs of the site a query finds: a column is looked at once for each value in it, then rows compare numbers. */
"use strict";
(() => {
  const { Names, SPACE, holds, holdsTime, parse, restored, timeText, visible, wordsIn } = /** @type {any} */ (
    globalThis
  ).ledgerQuery;

  /** @typedef {{kind: "condition", field: string, operator: string, value: string}} Condition */
  /** @typedef {{kind: "phrase", words: string[]}} Phrase */
  /** @typedef {{kind: "every" | "some", parts: Query[]}} Parts */
  /** @typedef {{kind: "not", part: Query}} Not */
  /** @typedef {Condition | Phrase | Parts | Not} Query */
  /** @typedef {boolean | number | string | null} Scalar */
  /** @typedef {Scalar | Scalar[]} Value */
  /** @typedef {{values: Value[], codes: ArrayLike<number>}} Column A value once each, and which one each row has; -1 for none. */
  /** @typedef {{words: string[], codes: number[], exact: Record<string, Value>, name: string}} ParamColumn */
  /** @typedef {{name: string, values: Value[], codes: number[]}} FieldColumn Without codes every run has the first value. */
  /**
   * @typedef {object} Data What `ledger/publish/data/search_data.py` writes.
   * @property {number} rows
   * @property {string[]} id
   * @property {ParamColumn[]} params
   * @property {string[]} keys
   * @property {FieldColumn[]} fields
   * @property {{words: string[], codes: number[][]}} spoken
   * @property {Record<string, string>} splits
   */
  /**
   * @typedef {object} Numbers What `ledger/publish/data/query_numbers.py` writes, put together.
   * @property {number[]} started
   * @property {number[]} ended
   * @property {(number | null)[]} duration
   * @property {(number | null)[]} cost
   * @property {{key: string, values: (number | null)[], groups: [string, string][], codes: number[]}[]} metrics
   */
  /**
   * @typedef {object} Answer
   * @property {number[] | null} rows Newest first; null where the numbers are needed first.
   * @property {string[]} words Words that were asked for.
   * @property {string[]} fields Fields that were asked for.
   * @property {string[]} warnings How names were read.
   */

  const NUMBERS = ["started", "ended", "duration", "cost"];
  const READS_AS_NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/u;

  /** The runs of one site, as queries ask of them. */
  class Runs {
    /** @param {Data} data */
    constructor(data) {
      this.data = data;
      /** @type {Numbers | null} */
      this.numbers = null;
      /** @type {Map<string, Column>} */
      this.columns = new Map();
      /** @type {any} */
      this.known = null;
      /** @type {string[] | null} */
      this.ids = null;
    }

    /** What names mean here. */
    get names() {
      if (!this.known) {
        const params = this.data.params
          .filter((param) => this.paramColumn(param).values.some((value) => value !== null))
          .map((param) => `params.${param.name}`);
        this.known = new Names([...params, ...this.data.keys.map((key) => `metrics.${key}`)], this.data.splits);
      }
      return this.known;
    }

    /**
     * @param {string} field
     * @returns {Column}
     */
    column(field) {
      const found = this.columns.get(field) || this.readColumn(field);
      this.columns.set(field, found);
      return found;
    }

    /**
     * @param {string} field
     * @returns {Column}
     */
    readColumn(field) {
      const { data, numbers } = this;
      if (field.startsWith("params.")) {
        const param = data.params.find((one) => one.name === field.slice("params.".length));
        if (!param) return NOTHING;
        const { values, codes } = this.paramColumn(param);
        return { values: values.map(restored), codes };
      }
      if (field === "id") return eachRow(data.id);
      if (!needsNumbers(field)) {
        const found = data.fields.find((one) => one.name === field) || NOTHING;
        return {
          values: found.values.map(restored),
          codes: found.codes.length || !found.values.length ? found.codes : new Array(data.rows).fill(0),
        };
      }
      if (!numbers) throw new Error("the numbers are not here");
      if (field === "duration" || field === "cost") return eachRow(numbers[field]);
      if (field === "started" || field === "ended") return eachRow(numbers[field].map(timeText));
      return this.metricColumn(numbers, field.slice("metrics.".length));
    }

    /**
     * @param {ParamColumn} param
     * @returns {Column}
     */
    paramColumn(param) {
      const values = param.words.map((word, at) =>
        Object.hasOwn(param.exact, at) ? param.exact[at] : READS_AS_NUMBER.test(word) ? Number(word) : word,
      );
      return { values, codes: param.codes };
    }

    /**
     * A run's value of a metric: of its own record, else of its latest evaluation.
     * @param {Numbers} numbers
     * @param {string} key
     * @returns {Column}
     */
    metricColumn(numbers, key) {
      const metric = numbers.metrics.find((one) => one.key === key);
      return eachRow(metric?.values ?? new Array(this.data.rows).fill(null));
    }

    /**
     * One mark for each row that a query finds.
     * @param {Query} query
     * @returns {Uint8Array}
     */
    marks(query) {
      const { rows } = this.data;
      if (query.kind === "condition") return this.conditionMarks(query);
      if (query.kind === "phrase") return this.phraseMarks(query.words);
      if (query.kind === "not") return this.marks(query.part).map((mark) => 1 - mark);
      const every = query.kind === "every";
      const all = new Uint8Array(rows).fill(every ? 1 : 0);
      for (const part of query.parts)
        this.marks(part).forEach((mark, row) => {
          all[row] = every ? all[row] & mark : all[row] | mark;
        });
      return all;
    }

    /**
     * A run without the field passes `!=` only; a list passes when one of its items does, `!=` when none is.
     * @param {Condition} condition
     */
    conditionMarks({ field, operator, value: wanted }) {
      const differs = operator === "!=";
      const test = field === "started" || field === "ended" ? holdsTime : holds;
      const { values, codes } = this.column(field);
      const passing = values.map((value) =>
        (Array.isArray(value) ? value : [value]).some((item) => test(item, differs ? "=" : operator, wanted)),
      );
      const marks = new Uint8Array(this.data.rows).fill(differs ? 1 : 0);
      for (let row = 0; row < codes.length; row += 1)
        if (codes[row] >= 0 && passing[codes[row]]) marks[row] = differs ? 0 : 1;
      return marks;
    }

    /**
     * Words that follow each other in one text of a run, the last may go on; each text is looked at once.
     * @param {string[]} words
     */
    phraseMarks(words) {
      const wanted = ` ${words.join(" ")}`;
      const has = (/** @type {string} */ text) => ` ${text}`.includes(wanted);
      const { spoken, rows } = this.data;
      this.ids ||= this.data.id.map((id) => wordsIn(id).join(" "));
      const ids = this.ids;
      const passing = spoken.words.map(has);
      const marks = new Uint8Array(rows);
      for (let row = 0; row < rows; row += 1)
        marks[row] = spoken.codes[row].some((code) => passing[code]) || has(ids[row]) ? 1 : 0;
      return marks;
    }
  }

  /** @param {string} field */
  const needsNumbers = (field) => field.startsWith("metrics.") || NUMBERS.includes(field);

  /** @type {Column} */
  const NOTHING = { values: [], codes: [] };
  /**
   * @param {Value[]} values
   * @returns {Column}
   */
  const eachRow = (values) => ({ values, codes: values.map((_, row) => row) });

  /**
   * A query whose every field is one that runs have.
   * @param {Query} query
   * @param {{read: (name: string) => {field: string, warning: string | null}}} names
   * @param {Set<string>} warnings
   * @returns {Query}
   */
  const resolve = (query, names, warnings) => {
    if (query.kind === "phrase") return query;
    if (query.kind === "not") return { kind: "not", part: resolve(query.part, names, warnings) };
    if (query.kind !== "condition")
      return { kind: query.kind, parts: query.parts.map((part) => resolve(part, names, warnings)) };
    const { field, warning } = names.read(visible(query.field));
    if (warning) warnings.add(warning);
    return { ...query, field };
  };

  /**
   * The words that a query looks for, to be marked where they are shown; those that must not be there are none.
   * @param {Query} query
   * @returns {string[]}
   */
  const wordsOf = (query) => {
    if (query.kind === "phrase") return query.words;
    if (query.kind === "condition") return query.operator === "~" ? wordsIn(query.value) : [];
    return query.kind === "not" ? [] : query.parts.flatMap(wordsOf);
  };

  /**
   * The fields that a query asks for.
   * @param {Query} query
   * @returns {string[]}
   */
  const fieldsOf = (query) =>
    query.kind === "condition"
      ? [query.field]
      : query.kind === "not"
        ? fieldsOf(query.part)
        : query.kind === "phrase"
          ? []
          : query.parts.flatMap(fieldsOf);

  /**
   * Warns where one number was compared with values of different data, as `warn_of_filter` does in Python.
   * @param {Runs} runs
   * @param {string} field
   * @param {number[]} rows
   * @param {Set<string>} warnings
   */
  const mixedData = (runs, field, rows, warnings) => {
    const key = field.slice("metrics.".length);
    const metric = runs.numbers?.metrics.find((one) => one.key === key);
    if (!metric) return;
    const seen = new Set(rows.map((row) => metric.codes[row]).filter((code) => code >= 0));
    const found = new Set([...seen].map((code) => metric.groups[code][1]));
    if (seen.size > 1)
      warnings.add(
        `${key}: the filter compares values that are not comparable with one number (${[...found].join(", ")})`,
      );
  };

  const BLANK = new RegExp(`^[${SPACE}]*$`, "u");
  /** @type {WeakMap<Data, Runs>} */
  const asked = new WeakMap();

  /**
   * The rows that a text asks for; all for an empty one. Throws a `QueryError` where it cannot be read.
   * @param {Data} data
   * @param {string} text
   * @param {Numbers | null} numbers
   * @returns {Answer}
   */
  const ask = (data, text, numbers) => {
    const all = Array.from({ length: data.rows }, (_, row) => row);
    if (BLANK.test(text)) return { rows: all, words: [], fields: [], warnings: [] };
    const query = parse(text);
    if (!data.rows) return { rows: [], words: [], fields: [], warnings: [] };
    const runs = asked.get(data) || new Runs(data);
    asked.set(data, runs);
    /** @type {Set<string>} */
    const warnings = new Set();
    const resolved = resolve(query, runs.names, warnings);
    const [words, fields] = [wordsOf(resolved), fieldsOf(resolved)];
    runs.numbers = numbers;
    if (!numbers && fields.some(needsNumbers)) return { rows: null, words, fields, warnings: [...warnings] };
    const marks = runs.marks(resolved);
    const rows = all.filter((row) => marks[row]);
    for (const field of fields) if (field.startsWith("metrics.")) mixedData(runs, field, rows, warnings);
    return { rows, words, fields, warnings: [...warnings] };
  };

  Object.assign(/** @type {any} */ (globalThis).ledgerQuery, { ask });
})();
