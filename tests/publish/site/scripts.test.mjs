// The scripts of the site that decide something without a page: run by `test_scripts.py`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runInThisContext } from "node:vm";

for (const name of ["loader", "columns", "curves", "explorer/state", "compare/chosen"]) {
  const script = new URL(`../../../site/docs/assets/ledger/${name}.js`, import.meta.url);
  runInThisContext(readFileSync(script, "utf8"), { filename: script.pathname });
}
const { ledgerLoader, ledgerColumns, ledgerCurves, ledgerRunTable, ledgerComparison } = globalThis;

const slowLoader = () => {
  const asked = [];
  return { ...ledgerLoader((path, failed) => asked.push({ path, failed })), asked };
};

test("data is asked for once, and all who wait for it get it", async () => {
  const { load, arrive, asked } = slowLoader();
  const both = [load("runs", "data/runs.js"), load("runs", "data/runs.js")];
  assert.deepEqual(
    asked.map(({ path }) => path),
    ["data/runs.js"],
  );
  arrive("runs", 7);
  assert.deepEqual(await Promise.all(both), [7, 7]);
  assert.equal(await load("runs", "data/runs.js"), 7);
  assert.equal(asked.length, 1);
});

test("data that is there before anybody asks is not asked for", async () => {
  const { load, arrive, asked } = slowLoader();
  arrive("runs", null);
  assert.equal(await load("runs", "data/runs.js"), null);
  assert.deepEqual(asked, []);
});

test("a script that does not come is an error for all who wait, and is asked for again later", async () => {
  const { load, arrive, asked } = slowLoader();
  const both = [load("runs", "data/runs.js"), load("runs", "data/runs.js")];
  asked[0].failed();
  for (const one of both) await assert.rejects(one, { message: "cannot load data/runs.js" });
  const again = load("runs", "data/runs.js");
  arrive("runs", 8);
  assert.equal(await again, 8);
  assert.equal(asked.length, 2);
});

test("one name does not wait for another", async () => {
  const { load, arrive, asked } = slowLoader();
  const [runs, numbers] = [load("runs", "a"), load("numbers", "b")];
  asked[0].failed();
  arrive("numbers", 1);
  await assert.rejects(runs);
  assert.equal(await numbers, 1);
});

/** A part of four runs; `more` says what else is in it. */
const part = (more = {}) => {
  const words = { words: [], codes: [-1, -1, -1, -1] };
  return {
    rows: 4,
    id: ["a", "b", "c", "d"],
    ...Object.fromEntries(
      ["experiment", "author", "commit", "note", "currency", "trained", "seed", "changes", "gpus"].map((name) => [
        name,
        words,
      ]),
    ),
    ...Object.fromEntries(
      ["name", "started", "duration", "cost", "setting", "curves", "energy"].map((name) => [name, [0, 1, 2, 3]]),
    ),
    status: { words: ["finished", "failed"], codes: [0, 1, -1, 0] },
    tags: { words: [], codes: [[], [], [], []] },
    spoken: { words: [], codes: [[], [], [], []] },
    headline: [-1, -1, -1, -1],
    pages: [],
    ranks: [],
    params: [],
    fields: [],
    metrics: [],
    ...more,
  };
};
const joined = (parts, head = {}) =>
  ledgerColumns.whole({ rows: 4 * parts.length, older: 0, parts: [], metrics: [], ...head }, parts);
const columns = (metrics) => joined([part({ metrics })], { metrics: metrics.map(({ id }) => ({ id })) });

test("what few rows have gets a slot in every row", () => {
  const { metrics } = columns([{ id: "m", values: [0.5, 0.25], rows: [3, 1] }]);
  assert.deepEqual(metrics[0].values, [null, 0.25, null, 0.5]);
  assert.deepEqual(columns([{ id: "m", values: [1, 2, null, 4], rows: null }]).metrics[0].values, [1, 2, null, 4]);
});

test("what JSON has no number for is a number again", () => {
  const [metric] = columns([{ id: "m", values: ["NaN", "-Infinity", null], rows: [0, 1, 2] }]).metrics;
  assert.deepEqual(metric.values, [Number.NaN, -Infinity, null, null]);
});

test("parts become one: each word once, what a part lacks is none, and rows count on", () => {
  const newest = part({
    author: { words: ["Ada", "Bo"], codes: [0, 1, 1, -1] },
    tags: { words: ["x"], codes: [[0], [], [], []] },
    params: [{ name: "lr", words: ["1", "1"], exact: { 1: "1" }, codes: [0, 1, -1, 0] }],
    fields: [{ name: "status", values: ["finished"], codes: [] }],
    metrics: [{ id: "m", rows: null, values: [1, 2, 3, 4] }],
    headline: [0, -1, -1, -1],
  });
  const oldest = part({
    id: ["e", "f", "g", "h"],
    author: { words: ["Bo", "Cy"], codes: [0, 0, 1, -1] },
    tags: { words: ["y", "x"], codes: [[1, 0], [], [], []] },
    params: [
      { name: "lr", words: ["2", "1"], exact: { 1: "1" }, codes: [1, 0, -1, -1] },
      { name: "a", words: ["z"], exact: {}, codes: [-1, 0, 0, 0] },
    ],
    fields: [{ name: "status", values: ["failed", "finished"], codes: [0, 1, -1, 0] }],
    metrics: [
      { id: "other", rows: [3], values: [9] },
      { id: "m", rows: [1], values: ["NaN"] },
    ],
    headline: [0, 1, -1, -1],
    ranks: [1],
  });
  const head = { metrics: [{ id: "m" }, { id: "other" }], older: 3 };
  const data = joined([newest, oldest], head);
  assert.deepEqual(data.author, { words: ["Ada", "Bo", "Cy"], codes: [0, 1, 1, -1, 1, 1, 2, -1] });
  assert.deepEqual(data.tags, { words: ["x", "y"], codes: [[0], [], [], [], [0, 1], [], [], []] });
  assert.deepEqual(data.params, [
    { name: "a", words: ["z"], exact: {}, codes: [-1, -1, -1, -1, -1, 0, 0, 0] },
    { name: "lr", words: ["1", "1", "2"], exact: { 1: "1" }, codes: [0, 1, -1, 0, 1, 2, -1, -1] },
  ]);
  assert.deepEqual(data.fields[0].values, ["finished", "failed"]);
  assert.deepEqual(data.fields[0].codes, [0, 0, 0, 0, 1, 0, -1, 1]);
  assert.deepEqual(data.metrics[0].values, [1, 2, 3, 4, null, Number.NaN, null, null]);
  assert.deepEqual(data.metrics[1].values, [null, null, null, null, null, null, null, 9]);
  assert.deepEqual(data.headline, [0, -1, -1, -1, 1, 0, -1, -1]);
  assert.deepEqual([data.rows, data.total, data.byId.get("h")], [8, 8, 7]);
  assert.deepEqual([0, 3, 4, 5, 7].map(data.repeats), [true, true, true, false, true]);
  assert.deepEqual([4, 5].map(data.page), ["runs/e.html", "runs/older.html?run=f"]);
  const first = joined([newest], { ...head, rows: 8 });
  assert.deepEqual([first.rows, first.total, first.older, first.page(3)], [4, 8, 0, "runs/d.html"]);
});

test("numbers and facts of parts stand in the order of the rows", () => {
  const numbers = ledgerColumns.numbers([
    { rows: 2, started: [4, 3], ended: [5, 4], duration: [1, null], cost: [null, null], metrics: [] },
    {
      rows: 2,
      started: [2, 1],
      ended: [3, 2],
      duration: [1, 1],
      cost: [7, 8],
      metrics: [{ key: "f1", rows: [1], values: ["Infinity"], groups: [["g", "v@v1"]], codes: [0] }],
    },
  ]);
  assert.deepEqual(numbers.started, [4, 3, 2, 1]);
  assert.deepEqual(numbers.metrics, [
    { key: "f1", values: [null, null, null, Infinity], groups: [["g", "v@v1"]], codes: [-1, -1, -1, 0] },
  ]);
  const { facts, changes } = ledgerColumns.facts([
    {
      rows: 1,
      changes: { words: ["2 files"], codes: [0] },
      facts: [{ kind: "hardware", name: "host", words: ["a"], codes: [0] }],
    },
    {
      rows: 2,
      changes: { words: [], codes: [-1, -1] },
      facts: [{ kind: "environment", name: "host", words: ["b"], codes: [-1, 0] }],
    },
  ]);
  assert.deepEqual(changes, { words: ["2 files"], codes: [0, -1, -1] });
  assert.deepEqual(facts, [
    { kind: "hardware", name: "host", words: ["a"], codes: [0, -1, -1] },
    { kind: "environment", name: "host", words: ["b"], codes: [-1, -1, 0] },
  ]);
});

test("a row is asked for its word, its page and whether it counts", () => {
  const data = columns([]);
  assert.deepEqual(
    [0, 1, 2].map((row) => data.word(data.status, row)),
    ["finished", "failed", ""],
  );
  assert.deepEqual([0, 1, 2].map(data.counts), [true, false, false]);
  assert.equal(data.page(1), "runs/b.html");
  assert.equal(data.byId.get("d"), 3);
});

const { ordered, read, write, gone } = ledgerRunTable;
const order = (keys, down = false) =>
  ordered(
    keys.map((_, row) => row),
    (row) => keys[row],
    down,
  );

test("rows without a value come last whichever way the order goes, and wherever they are", () => {
  const values = (keys, down) => order(keys, down).map((row) => keys[row]);
  const filled = (key) => typeof key === "number" && !Number.isNaN(key);
  let keys = [null, 2, Number.NaN, 1, "", 3];
  for (const _ of [...keys]) {
    keys = [...keys.slice(1), keys[0]];
    assert.deepEqual(values(keys).slice(0, 3), [1, 2, 3]);
    assert.deepEqual(values(keys, true).slice(0, 3), [3, 2, 1]);
    const last = keys.map((_key, row) => row).filter((row) => !filled(keys[row]));
    assert.deepEqual(order(keys, true).slice(3), last);
  }
});

test("equal rows stand as the site has them, both ways and however they were found", () => {
  assert.deepEqual(order([1, 0, 1, 0]), [1, 3, 0, 2]);
  assert.deepEqual(order([1, 0, 1, 0], true), [0, 2, 1, 3]);
  assert.deepEqual(
    ordered([3, 1, 2], () => 7, true),
    [1, 2, 3],
  );
});

test("numbers come before words, and infinities are numbers", () => {
  assert.deepEqual(order(["b", 10, "a", 9, -Infinity, Infinity]), [4, 3, 1, 5, 2, 0]);
  assert.deepEqual(order(["b", 10, "a", 9], true), [0, 2, 1, 3]);
});

test("rows that were left out by a filter do not come back", () => {
  assert.deepEqual(
    ordered([3, 1], (row) => row, false),
    [1, 3],
  );
  assert.deepEqual(
    ordered([], () => 0, false),
    [],
  );
});

const known = {
  columns: ["status", "started", "cost", "m.abc"],
  usual: ["status", "started"],
  runs: new Set(["r1", "r2"]),
  words: { status: ["finished", "unfinished"], experiment: ["x, y"], tag: [] },
};
const at = (text) => new URLSearchParams(text);
const state = (text) => read(at(text), known);

test("an empty address is the usual table, newest first", () => {
  assert.deepEqual(state(""), {
    q: "",
    facets: Object.fromEntries(ledgerRunTable.FACETS.map((name) => [name, new Set()])),
    sort: ["-started"],
    cols: ["status", "started"],
    sel: new Set(),
    group: "",
    page: 1,
  });
});

const written = (text) => Object.entries(write(state(text), known)).filter(([, value]) => value !== "");

test("an address comes back as it was", () => {
  for (const text of [
    "q=lr%3D0.1&status=failed&experiment=x%2C+y&tag=t&sort=m.abc&cols=m.abc%2Ccost&sel=r2%2Cr1&page=3",
    "sort=-id",
    "sort=-cost,status",
    "cols=none",
    "group=setting",
    "status=finished,failed&author=(none)",
  ])
    assert.deepEqual(
      written(text).map(([name, value]) => [name, String(value)]),
      [...at(text)],
    );
});

test("what is usual is not said in an address, and that no column is shown is", () => {
  assert.deepEqual(written("sort=-started&cols=status,started&page=1"), []);
  assert.deepEqual(state("cols=").cols, []);
  assert.deepEqual(written("cols="), [["cols", "none"]]);
  assert.deepEqual(gone(at("cols=none"), known), []);
});

test("columns, runs and orders that are not here are left out, and a column is shown once", () => {
  const made = state("cols=cost,gone,cost,,m.abc&sel=r1,r9,r1&sort=-gone");
  assert.deepEqual(made.cols, ["cost", "m.abc"]);
  assert.deepEqual([...made.sel], ["r1"]);
  assert.deepEqual(made.sort, ["-started"]);
});

test("an order is a column, up or down, and nothing like it", () => {
  const sorts = ["id", "-id", "cost", "-cost", "--cost", "Cost", "-", "constructor"];
  assert.deepEqual(
    sorts.map((sort) => state(`sort=${sort}`).sort.join()),
    ["id", "-id", "cost", "-cost", ...Array(4).fill("-started")],
  );
});

test("a page is a whole number from one on", () => {
  const pages = ["0", "-3", "x", "", "2.9", "7"].map((page) => state(`page=${page}`).page);
  assert.deepEqual(pages, [1, 1, 1, 1, 2, 7]);
});

test("what an address names and is not here is told, each once", () => {
  const said = gone(at("cols=gone,cost,gone&sort=-lost&sel=r1,r9&status=melted&tag=t&experiment=x%2C+y"), known);
  assert.deepEqual(
    said.map((sentence) => sentence.split(". ")[0].replace(/\.$/, "")),
    [
      "It names columns that are not here (any more): gone, lost",
      "It selects runs that are not here: r9",
      "It filters by what no run has: status melted, tag t",
    ],
  );
  assert.deepEqual(gone(at("q=anything&sort=-id&status=unfinished&cols=&page=9"), known), []);
});

const IDS = ["20261120-194812-aaaaaa", "20261120-194812-aabbbb", "20261119-000000-cccccc"];
const runs = (changes = {}) => ({
  id: IDS,
  byId: new Map(IDS.map((id, row) => [id, row])),
  setting: [0, 1, 2],
  counts: () => true,
  ...changes,
});

test("runs are named by ids, by how they begin and by their last part, each once", () => {
  const { rows, left, missing } = ledgerComparison.named(runs(), ` ${IDS[1]}, cc ,20261119,, nobody,${IDS[0]}`, 12);
  assert.deepEqual({ rows, left, missing }, { rows: [1, 2, 0], left: [], missing: ["nobody"] });
});

test("runs beyond the limit are told by their whole ids", () => {
  const { rows, left } = ledgerComparison.named(runs(), "cc,aaaaaa,aabbbb", 1);
  assert.deepEqual([rows, left], [[2], [IDS[0], IDS[1]]]);
  assert.deepEqual(ledgerComparison.named(runs(), "", 12), { rows: [], left: [], missing: [] });
});

test("repeats of a setting stand together, and are called by what their names share but for the seed", () => {
  const name = ["cnn · width 8 · seed 1", "cnn · width 16 · seed 1", "cnn · width 8 · seed 2"];
  assert.deepEqual(ledgerComparison.settingsOf(runs({ setting: [7, 9, 7], name }), [0, 1, 2]), [
    { rows: [0, 2], name: "cnn · width 8" },
    { rows: [1], name: "cnn · width 16" },
  ]);
  assert.deepEqual(ledgerComparison.settingsOf(runs({ name: ["seed 1", "b", "c"] }), [0]), [
    { rows: [0], name: "seed 1" },
  ]);
});

const line = (xs, ys) => ({ name: "a", xs, ys });

test("a band goes over the places that all repeats span, straight between their points", () => {
  const { xs, ys, low, high } = ledgerCurves.bandOf("both", [line([0, 2, 4], [0, 2, 4]), line([1, 3], [3, 5])]);
  assert.deepEqual({ xs, ys, low, high }, { xs: [1, 2, 3], ys: [2, 3, 4], low: [1, 2, 3], high: [3, 4, 5] });
  assert.equal(ledgerCurves.bandOf("none", [null, line([], [])]), null);
});

test("where a repeat has no number the band has a gap, and of two values at one place the later counts", () => {
  const { ys } = ledgerCurves.bandOf("both", [line([0, 1, 2], [0, Number.NaN, 2]), line([0, 1, 2, 2], [2, 2, 9, 4])]);
  assert.deepEqual(ys, [1, Number.NaN, 3]);
});

test("smoothing weighs older points less, starts at the first point, and passes what is no number by", () => {
  const { ys } = ledgerCurves.smooth(line([0, 1, 2], [1, 3, Number.NaN]), 0.5);
  assert.deepEqual(ys, [1, (0.5 + 3) / 1.5, Number.NaN]);
  const same = line([0], [1]);
  assert.equal(ledgerCurves.smooth(same, 0), same);
  const banded = { ...line([0, 1], [2, 2]), low: [1, 3], high: [3, 3] };
  assert.deepEqual(ledgerCurves.smooth(banded, 0.5).low, [1, 3.5 / 1.5]);
});
