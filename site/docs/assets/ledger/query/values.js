// @ts-check
/* How values are compared with what somebody wrote, as the terminal does (`ledger/analysis/query/sort_keys.py`). */
"use strict";
(() => {
  /** @typedef {boolean | number | string | null} Scalar */

  /**
   * The order of texts by code points, as Python and SQLite have it; that of scripts is by halves of them.
   * @param {string} one
   * @param {string} other
   */
  const compareTexts = (one, other) => {
    const length = Math.min(one.length, other.length);
    for (let at = 0; at < length; at += 1) {
      const [a, b] = [one.charCodeAt(at), other.charCodeAt(at)];
      if (a !== b)
        return (a >= 0xd800 && a < 0xe000) !== (b >= 0xd800 && b < 0xe000)
          ? a >= 0xd800 && a < 0xe000
            ? 1
            : -1
          : a - b;
    }
    return one.length - other.length;
  };

  const NUMBER = /^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?$/iu;
  /**
   * The number that somebody wrote; null when it is none, or not a number.
   * @param {string} text
   */
  const numberOf = (text) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what Python's `float` takes for space
    const bare = text.replace(/^[\t-\r\x1c-\x20]+|[\t-\r\x1c-\x20]+$/gu, "");
    const infinite = /^([+-]?)inf(?:inity)?$/iu.exec(bare);
    if (infinite) return infinite[1] === "-" ? -Infinity : Infinity;
    return NUMBER.test(bare) ? Number(bare.replaceAll("_", "")) : null;
  };

  /**
   * A number as Python writes it in its shortest form.
   * @param {number} value
   */
  const numberText = (value) => {
    if (Number.isNaN(value)) return "nan";
    if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
    if (value === 0) return "0";
    const [digits, power] = value.toExponential().split("e");
    const exponent = Number(power);
    if (exponent >= 0 && exponent < 16) return String(value);
    if (exponent < 0 && exponent >= -4)
      return `${value < 0 ? "-" : ""}0.${"0".repeat(-1 - exponent)}${digits.replace(/[-.]/gu, "")}`;
    return `${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  };

  /**
   * A single value as `~` searches it.
   * @param {Scalar} value
   */
  const readable = (value) => (typeof value === "number" ? numberText(value) : String(value));

  /**
   * @param {number} order
   * @param {string} operator
   */
  const holdsOrder = (order, operator) =>
    ({ "=": order === 0, "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0 })[operator] || false;

  /**
   * Whether a single value stands in a relation to what was written; null stands in none.
   * @param {Scalar} value
   * @param {string} operator
   * @param {string} wanted
   */
  const holds = (value, operator, wanted) => {
    if (value === null) return false;
    if (operator === "~") return readable(value).toLowerCase().includes(wanted.toLowerCase());
    if (typeof value === "boolean") return operator === "=" && wanted.toLowerCase() === String(value);
    if (typeof value === "number") {
      const number = numberOf(wanted);
      return (
        number !== null && !Number.isNaN(value) && holdsOrder(value < number ? -1 : value > number ? 1 : 0, operator)
      );
    }
    return holdsOrder(compareTexts(value, wanted), operator);
  };

  /**
   * The same of a time, of which a shorter one, such as a day, names all of it.
   * @param {Scalar} value
   * @param {string} operator
   * @param {string} wanted
   */
  const holdsTime = (value, operator, wanted) => {
    if (typeof value !== "string" || operator === "~") return holds(value, operator, wanted);
    return holdsOrder(compareTexts([...value].slice(0, [...wanted].length).join(""), wanted), operator);
  };

  /**
   * A time as Python writes it in ISO form, UTC, to the microsecond where it has any.
   * @param {number} seconds
   */
  const timeText = (seconds) => {
    const micro = Math.round(seconds * 1e6);
    const rest = ((micro % 1e6) + 1e6) % 1e6;
    const whole = new Date(((micro - rest) / 1e6) * 1000).toISOString().slice(0, 19);
    return `${whole}${rest ? `.${String(rest).padStart(6, "0")}` : ""}+00:00`;
  };

  /**
   * A text in which every character can be seen, as the data has it: `ledger/publish/text.py`.
   * @param {string} text
   */
  const visible = (text) =>
    text
      .replace(/\r\n/gu, "\n")
      .replace(
        /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
        (hidden) => `⟨U+${(hidden.codePointAt(0) || 0).toString(16).toUpperCase().padStart(4, "0")}⟩`,
      );

  /**
   * A value of the data as the record has it, to be compared and never shown.
   * @param {Scalar | Scalar[]} value
   * @returns {Scalar | Scalar[]}
   */
  const restored = (value) => {
    if (Array.isArray(value)) return /** @type {Scalar[]} */ (value.map(restored));
    if (typeof value !== "string") return value;
    return value.replace(/⟨U\+([0-9A-F]{4,5})⟩/gu, (shown, code) => {
      const hidden = String.fromCodePoint(Number.parseInt(code, 16));
      return visible(hidden) === shown ? hidden : shown;
    });
  };

  Object.assign(/** @type {any} */ (globalThis).ledgerQuery, {
    compareTexts,
    holds,
    holdsTime,
    numberOf,
    numberText,
    restored,
    timeText,
    visible,
  });
})();
