// @ts-check
/* What the runs can be narrowed down by, and how many runs each choice would leave: nothing here touches a page. */
"use strict";
(() => {
  /** The choice of all runs that are not finished. */
  const UNFINISHED = "unfinished";

  /**
   * Words and the codes of each row: none, one or several.
   * @param {number} rows
   * @param {(row: number) => string[]} wordsOf
   */
  const coded = (rows, wordsOf) => {
    /** @type {Map<string, number>} */
    const index = new Map();
    const codes = Array.from({ length: rows }, (_, row) =>
      wordsOf(row).map((word) => {
        const code = index.get(word) ?? index.size;
        index.set(word, code);
        return code;
      }),
    );
    return { words: [...index.keys()], codes };
  };

  /** @param {Column} column */
  const single = (column) => ({
    words: column.words,
    codes: column.codes.map((code) => (code < 0 ? [] : [code])),
  });

  /** Dataset versions of each run, whatever it used them for. @param {Runs} data */
  const datasets = (data) => {
    const found = data.fields.find((field) => field.name === "dataset");
    /** @param {number} row */
    const at = (row) => {
      const code = found?.codes.length ? found.codes[row] : found?.values.length ? 0 : -1;
      const value = code < 0 ? [] : found?.values[code];
      return (Array.isArray(value) ? value : [value]).map(String);
    };
    return coded(data.rows, (row) => [...new Set(at(row))]);
  };

  /**
   * The facets of a ledger, in their order on the page.
   * @param {Runs} data
   * @returns {Facet[]}
   */
  const facetsOf = (data) => [
    { name: "status", title: "Status", ...single(data.status) },
    { name: "experiment", title: "Experiment", ...single(data.experiment) },
    { name: "tag", title: "Tag", words: data.tags.words, codes: data.tags.codes },
    { name: "author", title: "Author", ...single(data.author) },
    { name: "dataset", title: "Dataset", ...datasets(data) },
    {
      name: "month",
      title: "Month",
      ...coded(data.rows, (row) => [new Date(data.started[row] * 1000).toISOString().slice(0, 7)]),
    },
  ];

  /**
   * The codes that a choice wants; -1 stands for no value. Null where nothing is chosen, so that all pass.
   * @param {Facet} facet
   * @param {Set<string>} chosen
   */
  const wanted = (facet, chosen) => {
    if (!chosen.size) return null;
    const codes = new Set([...chosen].map((word) => (word === "" ? -1 : facet.words.indexOf(word))));
    if (!chosen.has("")) codes.delete(-1); // a word that no run has
    if (facet.name === "status" && chosen.has(UNFINISHED))
      facet.words.forEach((word, code) => {
        if (word !== "finished") codes.add(code);
      });
    return codes;
  };

  /** @param {number[]} codes @param {Set<number> | null} codesWanted */
  const passes = (codes, codesWanted) =>
    !codesWanted || (codes.length ? codes.some((code) => codesWanted.has(code)) : codesWanted.has(-1));

  /**
   * The rows that pass all facets, and for each choice how many rows pass that and all other facets.
   * @param {Facet[]} facets
   * @param {Record<string, Set<string>>} chosen
   * @param {number[]} rows
   * @returns {FacetAnswer}
   */
  const narrow = (facets, chosen, rows) => {
    const wants = facets.map((facet) => wanted(facet, chosen[facet.name] || new Set()));
    const counts = facets.map((facet) => ({ words: new Array(facet.words.length).fill(0), none: 0 }));
    /** @type {number[]} */
    const left = [];
    /** @param {number} at @param {number} row */
    const count = (at, row) => {
      const codes = facets[at].codes[row];
      for (const code of codes) counts[at].words[code] += 1;
      if (!codes.length) counts[at].none += 1;
    };
    for (const row of rows) {
      let missed = 0;
      let which = -1;
      for (let at = 0; at < facets.length && missed < 2; at += 1)
        if (!passes(facets[at].codes[row], wants[at])) {
          missed += 1;
          which = at;
        }
      if (missed === 1) count(which, row);
      else if (!missed) {
        left.push(row);
        for (let at = 0; at < facets.length; at += 1) count(at, row);
      }
    }
    return { rows: left, counts: Object.fromEntries(facets.map((facet, at) => [facet.name, counts[at]])) };
  };

  Object.assign(globalThis, { ledgerFacets: { UNFINISHED, facetsOf, narrow } });
})();
