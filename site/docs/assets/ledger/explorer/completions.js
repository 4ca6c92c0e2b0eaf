// @ts-check
/* What may be written where the caret stands in a query: names, then their values. Nothing here touches a page. */
"use strict";
(() => {
  const MOST = 8;
  const LONGEST = 80;
  const ENDS = /[\s()'"=!<>~]/u;

  /** A word that stands in a query as it is, or in quotes. @param {string} word */
  const quoted = (word) =>
    word === "" || ENDS.test(word) || /^(?:and|or|not)$/iu.test(word) ? `"${word.replace(/["\\]/gu, "\\$&")}"` : word;

  /**
   * Words that hold what was typed, those that begin with it first.
   * @param {string[]} words
   * @param {string} typed
   */
  const holding = (words, typed) => {
    const part = typed.toLowerCase();
    const found = words.filter((word) => word.toLowerCase().includes(part) && word !== typed);
    const rank = (/** @type {string} */ word) => Number(!word.toLowerCase().startsWith(part));
    return found
      .map((word, at) => ({ word, at }))
      .sort((a, b) => rank(a.word) - rank(b.word) || a.at - b.at)
      .map(({ word }) => word);
  };

  /**
   * What the part of a query around the caret is: a name, or a value of one.
   * @param {string} text
   * @param {number} caret
   */
  const partAt = (text, caret) => {
    let from = caret;
    while (from > 0 && !ENDS.test(text[from - 1])) from -= 1;
    const typed = text.slice(from, caret);
    const before = /(?:"((?:\\.|[^"\\])*)"|([^\s()'"=!<>~]+))\s*(!=|<=|>=|=|<|>|~)\s*(["']?)$/u.exec(
      text.slice(0, from),
    );
    const field = before ? (before[1]?.replace(/\\(.)/gu, "$1") ?? before[2]) : null;
    let to = caret;
    while (to < text.length && !ENDS.test(text[to])) to += 1;
    if (before?.[4] && text[to] === before[4]) to += 1;
    return { from: from - (before?.[4].length || 0), to, typed, field };
  };

  /**
   * @param {string} text
   * @param {number} caret
   * @param {Vocabulary} vocabulary
   * @returns {Completions}
   */
  const completions = (text, caret, vocabulary) => {
    const { from, to, typed, field } = partAt(text, caret);
    if (field !== null) {
      const words = holding(vocabulary.valuesOf(field), typed).slice(0, MOST);
      return { from, to, items: words.map((word) => ({ text: quoted(word), label: word, kind: "value" })) };
    }
    if (!typed) return { from, to, items: [] };
    /** @type {Completion[]} */
    const items = holding(vocabulary.names, typed)
      .slice(0, MOST)
      .map((word) => ({ text: quoted(word), label: word, kind: vocabulary.kindOf(word) }));
    if (vocabulary.names.includes(typed))
      items.unshift({ text: `not ${quoted(typed)} ~ ""`, label: `${typed} has no value`, kind: "no value" });
    return { from, to, items: items.slice(0, MOST) };
  };

  /**
   * The names and values of a ledger that a query may hold.
   * @param {Runs} data
   * @param {string[]} fields
   * @returns {Vocabulary}
   */
  const vocabularyOf = (data, fields) => {
    const kinds = new Map([
      ...data.keys.map((key) => /** @type {[string, string]} */ ([key, "metric"])),
      ...data.params.map((param) => /** @type {[string, string]} */ ([param.name, "param"])),
      ...fields.map((field) => /** @type {[string, string]} */ ([field, "field"])),
    ]);
    const told = data.told_params.filter((name) => kinds.has(name));
    /** @type {Record<string, {words: string[]}>} */
    const columns = { status: data.status, experiment: data.experiment, author: data.author, tags: data.tags };
    /** @param {string} name */
    const valuesOf = (name) => {
      if (Object.hasOwn(columns, name)) return columns[name].words;
      const bare = name.replace(/^params\./u, "");
      const param =
        data.params.find((one) => one.name === bare) || data.params.find((one) => one.name.endsWith(`.${bare}`));
      const field = data.fields.find((one) => one.name === name);
      if (!field) return param?.words || [];
      return [...new Set(field.values.flatMap((value) => (Array.isArray(value) ? value : [value])).map(String))].filter(
        (word) => word.length <= LONGEST,
      );
    };
    return {
      names: [...new Set([...fields, ...told, ...data.keys, ...kinds.keys()])],
      kindOf: (name) => kinds.get(name) || "field",
      valuesOf,
    };
  };

  Object.assign(globalThis, { ledgerCompletions: { completions, vocabularyOf } });
})();
