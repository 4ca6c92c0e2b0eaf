// @ts-check
/* What the search box says of a hit: which words it has, and where they stand. Nothing here touches a page. */
"use strict";
(() => {
  const { number } = window.ledgerFormatting;

  /** Most characters of a section that are shown, and how many before the word. */
  const EXCERPT = 140;
  const BEFORE = 40;

  /** @param {string} text @param {string[]} words in small letters */
  const hasAny = (text, words) => words.some((word) => text.toLowerCase().includes(word));

  /**
   * The text in pieces, and whether each is one of the words; of words at one place the longest counts.
   * @param {string} text
   * @param {string[]} words in small letters
   * @returns {[string, boolean][]}
   */
  const pieces = (text, words) => {
    const lower = text.toLowerCase();
    /** @type {[string, boolean][]} */
    const found = [];
    let at = 0;
    /* Few letters change their length in small letters; then the places would be wrong, and nothing is marked. */
    while (lower.length === text.length && at < text.length) {
      const next = words
        .filter(Boolean)
        .map((word) => /** @type {const} */ ([lower.indexOf(word, at), word.length]))
        .filter(([index]) => index >= 0)
        .sort((a, b) => a[0] - b[0] || b[1] - a[1])[0];
      if (!next) break;
      const [start, length] = next;
      if (start > at) found.push([text.slice(at, start), false]);
      found.push([text.slice(start, start + length), true]);
      at = start + length;
    }
    if (at < text.length) found.push([text.slice(at), false]);
    return found;
  };

  /**
   * Where the words and fields of a question were found in a run, when not in what is shown anyway; empty for nowhere.
   * @param {Runs} data
   * @param {number} row
   * @param {{words: string[], fields: string[]}} asked
   */
  const whereFound = (data, row, { words, fields }) => {
    const params = data.params
      .map((param) => ({ field: `params.${param.name}`, value: data.word(param, row), name: param.name }))
      .filter(({ value }) => value)
      .filter(({ field, name, value }) => fields.includes(field) || hasAny(`${name}=${value}`, words))
      .map(({ name, value }) => `${name}=${value}`);
    const tags = data.tags.codes[row].map((code) => data.tags.words[code]).filter((tag) => hasAny(tag, words));
    const metrics = data.metrics
      .filter((metric) => metric.values[row] !== null)
      .filter(({ key, dataset }) => fields.includes(`metrics.${key}`) || hasAny(key, words) || hasAny(dataset, words))
      .map((metric) => `${metric.key} ${number(metric.values[row])} on ${metric.dataset}`);
    const note = data.word(data.note, row);
    const notes = hasAny(note, words) ? [note] : [];
    return [...params, ...tags.map((tag) => `tag ${tag}`), ...metrics, ...notes].slice(0, 3).join(" · ");
  };

  /**
   * The sections of the handbook that have every word, those with one in their title first.
   * @param {[string, string, string][]} sections
   * @param {string[]} words in small letters
   */
  const sectionsWith = (sections, words) =>
    sections
      .filter(([, title, text]) => words.every((word) => `${title} ${text}`.toLowerCase().includes(word)))
      .sort(([, one], [, other]) => Number(hasAny(other, words)) - Number(hasAny(one, words)));

  /** A part of a text with the word in it. @param {string} text @param {string} word in small letters */
  const excerpt = (text, word) => {
    const at = Math.max(0, text.toLowerCase().indexOf(word) - BEFORE);
    return (at ? "…" : "") + text.slice(at, at + EXCERPT);
  };

  Object.assign(globalThis, { ledgerSearchHits: { pieces, whereFound, sectionsWith, excerpt } });
})();
