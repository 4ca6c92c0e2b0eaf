// @ts-check
/* How a query is written, as the terminal reads it (`ledger/analysis/query/language.py`): what a text states, or what is
   wrong with it in the same words. `tests/queries.json` holds both sides to the same answers. */
"use strict";
(() => {
  /** @typedef {{kind: "condition", field: string, operator: string, value: string}} Condition */
  /** @typedef {{kind: "phrase", words: string[]}} Phrase */
  /** @typedef {{kind: "every" | "some", parts: Query[]}} Parts */
  /** @typedef {{kind: "not", part: Query}} Not */
  /** @typedef {Condition | Phrase | Parts | Not} Query */
  /** @typedef {{type: "word" | "quoted" | "operator" | "(" | ")" | "and" | "or" | "not" | "end", text: string, start: number, end: number}} Token */

  /** What is wrong with a query, in the words of the terminal; `at` is the character, or -1. */
  class QueryError extends Error {
    /**
     * @param {string} message
     * @param {number} at
     */
    constructor(message, at = -1) {
      super(message);
      this.at = at;
    }
  }

  const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"; // `\s` of Python
  const WORD_ENDS = `${SPACE}()'"=!<>~`;
  const SPACES = new RegExp(`[${SPACE}]*`, "uy");
  const KEYWORD = new RegExp(`(and|or|not)(?![^${WORD_ENDS}])`, "iuy");
  const WORD = new RegExp(`[^${WORD_ENDS}]+`, "uy");
  const QUOTED = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/suy;
  const OPERATOR = /!=|<=|>=|=|<|>|~/uy;
  const LONGEST = 10000;
  const MOST = 200;
  const OPERAND = "a field, a value or a word is expected here";
  const JOINED = "`and` or `or` is expected here; a text with spaces stands in quotes";

  /**
   * @param {string} why
   * @param {number} at
   */
  const refused = (why, at) => new QueryError(`not a filter: ${why}`, at);
  /** @param {string} text */
  const tooLong = (text) => new QueryError(`the query is too long: \`${[...text].slice(0, 40).join("")}…\``);

  /** Reads a text from its start to its end: `or` binds least, then `and`, then `not`. */
  class Parser {
    /** @param {string} text */
    constructor(text) {
      this.text = text;
      this.at = 0;
      /** @type {QueryError[]} What is wrong with a text that can be parsed, in its order. */
      this.late = [];
    }

    /**
     * The next token, without taking it; `keywords` says which words stand for themselves there.
     * @param {string[]} keywords
     * @returns {Token}
     */
    next(keywords) {
      const start = this.at + this.match(SPACES, this.at).length;
      if (start >= this.text.length) return { type: "end", text: "", start: this.at, end: start };
      const keyword = this.match(KEYWORD, start).toLowerCase();
      if (keyword && keywords.includes(keyword))
        return {
          type: /** @type {"and" | "or" | "not"} */ (keyword),
          text: keyword,
          start,
          end: start + keyword.length,
        };
      const first = this.text[start];
      if (first === "(" || first === ")") return { type: first, text: first, start, end: start + 1 };
      for (const [type, pattern] of /** @type {["operator" | "quoted" | "word", RegExp][]} */ ([
        ["operator", OPERATOR],
        ["quoted", QUOTED],
        ["word", WORD],
      ])) {
        const text = this.match(pattern, start);
        if (text) return { type, text, start, end: start + text.length };
      }
      throw refused("this cannot stand here; put a text in quotes", start);
    }

    /**
     * @param {RegExp} pattern
     * @param {number} at
     */
    match(pattern, at) {
      pattern.lastIndex = at;
      const found = pattern.exec(this.text);
      return found ? found[0] : "";
    }

    /** @param {Token} token */
    take(token) {
      this.at = token.end;
      return token;
    }

    /** @returns {Query} */
    query() {
      const found = this.either();
      const rest = this.next(AFTER);
      if (rest.type === ")") throw refused("there is no parenthesis to close here", rest.start);
      if (rest.type !== "end") throw refused(JOINED, rest.start);
      if (this.late.length) throw this.late[0];
      return found;
    }

    /** @returns {Query} */
    either() {
      const parts = [this.both()];
      for (let token = this.next(AFTER); token.type === "or"; token = this.next(AFTER)) {
        this.take(token);
        parts.push(this.both());
      }
      return parts.length > 1 ? { kind: "some", parts } : parts[0];
    }

    /** @returns {Query} */
    both() {
      let { query, spaced } = this.plain();
      const parts = [query];
      for (
        let token = this.next(AFTER);
        ["and", "not", "(", "word", "quoted"].includes(token.type);
        token = this.next(AFTER)
      ) {
        const beside = token.type !== "and";
        if (!beside) this.take(token);
        const before = spaced;
        ({ query, spaced } = this.plain());
        if (before && beside && token.type === "word" && query.kind === "phrase")
          this.late.push(refused(JOINED, token.start));
        parts.push(query);
      }
      return parts.length > 1 ? { kind: "every", parts } : parts[0];
    }

    /**
     * One part, and whether it ends with a bare value that is parted from its operator: `note = hard`.
     * @returns {{query: Query, spaced: boolean}}
     */
    plain() {
      const token = this.next(OPENING);
      if (token.type === "not") {
        this.take(token);
        return { query: { kind: "not", part: this.plain().query }, spaced: false };
      }
      if (token.type === "(") {
        this.take(token);
        const query = this.either();
        const close = this.next(AFTER);
        if (close.type === "end") throw refused("a parenthesis is not closed", close.start);
        if (close.type !== ")") throw refused(JOINED, close.start);
        this.take(close);
        return { query, spaced: false };
      }
      const left = this.term(token);
      const operator = this.next(AFTER);
      if (operator.type !== "operator") return { query: this.phrase(left), spaced: false };
      this.take(operator);
      const right = this.term(this.next([]));
      return {
        query: { kind: "condition", field: plainText(left), operator: operator.text, value: plainText(right) },
        spaced: right.type === "word" && right.start !== operator.end,
      };
    }

    /**
     * @param {Token} token
     * @returns {Query}
     */
    phrase(token) {
      const words = wordsIn(plainText(token));
      if (!words.length) this.late.push(refused("there is no word to look for here", token.start));
      return { kind: "phrase", words };
    }

    /** @param {Token} token */
    term(token) {
      if (token.type !== "word" && token.type !== "quoted") throw refused(OPERAND, token.start);
      return this.take(token);
    }
  }
  const OPENING = ["not"];
  const AFTER = ["and", "or", "not"];

  /** @param {Token} token */
  const plainText = (token) =>
    token.type === "quoted" ? token.text.slice(1, -1).replace(/\\(.)/gsu, "$1") : token.text;

  /**
   * Words of a text in lower case: runs of letters and digits.
   * @param {string} text
   * @returns {string[]}
   */
  const wordsIn = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) || [];

  /**
   * @param {Query} query
   * @returns {number}
   */
  const size = (query) =>
    query.kind === "not"
      ? size(query.part)
      : "parts" in query
        ? query.parts.reduce((sum, part) => sum + size(part), 0)
        : 1;

  /**
   * The query that a text states.
   * @param {string} text
   * @returns {Query}
   */
  const parse = (text) => {
    const joints = text.match(/[=<>~(]|\b(?:not|and|or)\b/giu) || [];
    if ([...text].length > LONGEST || joints.length > MOST) throw tooLong(text);
    const query = new Parser(text).query();
    if (size(query) > MOST) throw tooLong(text);
    return query;
  };

  /** @type {any} */ (globalThis).ledgerQuery = { SPACE, QueryError, parse, wordsIn };
})();
