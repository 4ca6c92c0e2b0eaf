// The query language of the site, asked the questions of `tests/queries.json` over data that the site's own code made
// and put together. Run by `test_queries.py`: `QUERIES` names that file, `DATA` the folder of the data.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runInThisContext } from "node:vm";

const SCRIPTS = ["query/language", "query/values", "query/names", "query/runs", "columns"].map(
  (name) => new URL(`../../../site/docs/assets/ledger/${name}.js`, import.meta.url),
);

for (const script of SCRIPTS) runInThisContext(readFileSync(script, "utf8"), { filename: script.pathname });
const arrived = {};
globalThis.ledgerData = (name, value) => {
  arrived[name] = value;
};
const read = (file) => runInThisContext(readFileSync(`${process.env.DATA}/${file}`, "utf8"));
read("runs.js");
const { parts } = arrived.runs;
for (const { name } of parts) for (const kind of ["table", "numbers"]) read(`${kind}/${name}.js`);
const { whole, numbers: numbersOf } = globalThis.ledgerColumns;
const data = whole(
  arrived.runs,
  parts.map(({ name }) => arrived[`runs:${name}`]),
);
const numbers = numbersOf(parts.map(({ name }) => arrived[`numbers:${name}`]));

const { questions } = JSON.parse(readFileSync(process.env.QUERIES, "utf8"));
const { ask, numberOf, numberText, parse, timeText } = globalThis.ledgerQuery;

const answered = (text) => {
  try {
    const { rows, warnings: all } = ask(data, text, numbers);
    const warnings = all.filter((warning) => warning.includes(" is read as ")); // what else it warns of is no matter of names
    const runs = rows.map((row) => data.id[row][16]).reverse();
    return warnings.length ? { ask: text, runs, warnings } : { ask: text, runs };
  } catch (error) {
    assert.ok(error instanceof globalThis.ledgerQuery.QueryError, String(error.stack));
    return { ask: text, error: error.message };
  }
};

for (const question of questions)
  test(question.ask || "(nothing)", () => assert.deepEqual(answered(question.ask), question));

test("what compares values of different data with one number is said as in the terminal", () => {
  const mixing = JSON.parse(readFileSync(`${process.env.DATA}/mixing.json`, "utf8"));
  const sorted = (warning) => warning.replace(/\((.*)\)$/, (_, all) => `(${all.split(", ").sort().join(", ")})`);
  for (const { ask: text, error } of questions) {
    if (error) continue;
    const said = ask(data, text, numbers).warnings.filter((warning) => warning.includes("not comparable"));
    assert.deepEqual(said.map(sorted).sort(), (mixing[text] ?? []).map(sorted).sort(), text);
  }
});

test("only what compares numbers waits for them", () => {
  for (const text of ["cnn", "params.lr = 0.1", "status = finished", "seed = 0"])
    assert.notEqual(ask(data, text, null).rows, null, text);
  for (const text of ["val/accuracy > 0", "started = 2026", "cnn or cost < 1", "not duration > 3"])
    assert.equal(ask(data, text, null).rows, null, text);
});

test("numbers are written as Python writes them", () => {
  const written = [
    [0.1, "0.1"],
    [1e-5, "1e-05"],
    [0.00012, "0.00012"],
    [1e16, "1e+16"],
    [123456789012345680, "1.2345678901234568e+17"],
    [1e15, "1000000000000000"],
    [-2.5, "-2.5"],
    [-0, "0"],
    [30, "30"],
    [-0.001, "-0.001"],
    [NaN, "nan"],
    [-Infinity, "-inf"],
  ];
  for (const [value, text] of written) assert.equal(numberText(value), text);
});

test("numbers are read as Python reads them", () => {
  const read = [
    ["1e-3", 0.001],
    [".5", 0.5],
    ["5.", 5],
    ["+1", 1],
    ["1_000", 1000],
    [" 7 ", 7],
    ["-inf", -Infinity],
    ["Infinity", Infinity],
  ];
  for (const [text, value] of read) assert.equal(numberOf(text), value);
  for (const text of ["", "nan", "1__0", "_1", "0x10", "1e", ".", "1 2", "١"]) assert.equal(numberOf(text), null, text);
});

test("times are written as Python writes them", () => {
  assert.equal(timeText(1763632800), "2025-11-20T10:00:00+00:00");
  assert.equal(timeText(1763632800.5), "2025-11-20T10:00:00.500000+00:00");
  assert.equal(timeText(1763632800.123457), "2025-11-20T10:00:00.123457+00:00");
});

test("what is wrong is pointed at", () => {
  for (const [text, at] of [
    ["status = a b", 11],
    ["params.lr << 3", 11],
    ["status = failed and", 19],
    ["(status = failed", 16],
    ["note ~ 'open", 7],
    ["a or --", 5],
  ]) {
    assert.throws(
      () => parse(text),
      (error) => error.at === at,
      text,
    );
  }
});

test("endless queries are refused in one line", () => {
  for (const text of [
    `${"(".repeat(5000)}a${")".repeat(5000)}`,
    `${"not ".repeat(1000)}a`,
    Array(5000).fill("a").join(" or "),
    "a".repeat(100000),
    Array(201).fill("a").join(" "),
  ]) {
    assert.throws(() => parse(text), /^Error: the query is too long: `.{40}…`$/u);
  }
});
