// @ts-check
/* How numbers, durations, money, shares and times are written, as `ledger/formatting.py` writes them on the server:
   `tests/formatting.json` holds both to one table of cases. */
"use strict";
(() => {
  const DIGITS = 5;
  const LARGEST = 1e7;
  const SMALLEST = 1e-4;
  const WHOLE = 1e15;

  /** A real minus, the sign of infinity, digits in groups of three. @param {string} text */
  const typeset = (text) => {
    const signs = { nan: "NaN", inf: "∞", "-inf": "−∞" };
    if (text in signs) return signs[/** @type {keyof typeof signs} */ (text)];
    return text
      .replace(/(?<![\d.])\d{4,}(?![\dA-Za-z])/g, (digits) => digits.replace(/\B(?=(?:\d{3})+$)/g, "\u202f"))
      .replace(/^-/, "−");
  };

  /** @param {string} text */
  const withoutZeros = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

  /** @param {string} text */
  const scientific = (text) => {
    const [mantissa, exponent] = text.split("e");
    return `${withoutZeros(mantissa)}e${Number(exponent)}`;
  };

  /** @param {number} value @param {number} digits */
  const plainNumber = (value, digits) => {
    if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
    const size = Math.abs(value);
    if (Number.isInteger(value) && size < WHOLE) return String(value === 0 ? 0 : value);
    if (size < SMALLEST || size >= LARGEST) return scientific(value.toExponential(digits - 1));
    let text = value.toPrecision(digits);
    for (let more = digits + 1; size < 1 && Math.abs(Number(text)) === 1; more += 1) text = value.toPrecision(more); // what is not all is never 1
    return text.includes("e") ? String(Number(text)) : withoutZeros(text);
  };

  /** A measured number with so many significant digits; whole numbers as they are. @param {number | null | undefined} value */
  const number = (value, digits = DIGITS) =>
    value === null || value === undefined ? "–" : typeset(plainNumber(value, digits));

  /** A duration in its two largest units. @param {number | null} seconds */
  const duration = (seconds) => {
    if (seconds === null || !Number.isFinite(seconds)) return "unknown";
    if (seconds < 0.05) return seconds > 0 ? `${(seconds * 1000).toFixed(0)} ms` : "0 s";
    if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
    if (seconds >= WHOLE) return `${plainNumber(seconds / 86400, DIGITS)} d`;
    const whole = Math.round(seconds);
    const minutes = Math.floor(whole / 60);
    const hours = Math.floor(minutes / 60);
    if (hours >= 48) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
    return hours ? `${hours} h ${minutes % 60} min` : `${minutes} min ${whole % 60} s`;
  };

  /** An amount and its currency: two decimals, and two digits where it is small. @param {number | null} amount @param {string} currency */
  const money = (amount, currency) => {
    if (amount === null) return "";
    const shown =
      amount > 0 && amount < 0.001
        ? "<0.001"
        : amount > 0 && amount < 0.1
          ? plainNumber(amount, 2)
          : Math.abs(amount) < WHOLE
            ? amount.toFixed(2)
            : plainNumber(amount, DIGITS);
    return typeset(`${shown} ${currency}`.trim());
  };

  /** A part of one as a percentage; what is not all is never `100 %`. @param {number} fraction */
  const share = (fraction) => {
    const percentage = fraction * 100;
    return percentage >= 99.95 && percentage < 100 ? ">99.9 %" : `${typeset(plainNumber(percentage, 3))} %`;
  };

  /** The label of a tick of an axis. @param {number} value */
  const tick = (value) => {
    const size = Math.abs(value);
    for (const [limit, unit] of /** @type {[number, string][]} */ ([
      [1e9, "G"],
      [1e6, "M"],
      [1e3, "k"],
    ])) {
      if (size >= 1e4 && limit <= size && size < limit * 1000) return typeset(plainNumber(value / limit, 4)) + unit;
    }
    if (value === 0 || (size >= 1e-3 && size < 1e4)) return typeset(plainNumber(value, 6));
    return typeset(scientific(value.toExponential(2)));
  };

  /** A time to the minute, in UTC. @param {number} seconds since 1970 */
  const minute = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");

  Object.assign(globalThis, { ledgerFormatting: { number, duration, money, share, tick, minute } });
})();
