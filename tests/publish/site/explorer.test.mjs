// What the table of runs decides without a page: run by `test_scripts.py`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runInThisContext } from "node:vm";

for (const name of ["state", "facet_counts", "grouping", "csv", "completions"]) {
  const script = new URL(`../../../site/docs/assets/ledger/explorer/${name}.js`, import.meta.url);
  runInThisContext(readFileSync(script, "utf8"), { filename: script.pathname });
}
const { ledgerRunTable, ledgerFacets, ledgerGrouping, ledgerCsv, ledgerCompletions } = globalThis;
const { orderedBy, sortsAfter, read, write } = ledgerRunTable;

test("rows that the first order leaves equal are told apart by the next, each in its own direction", () => {
  const [first, second] = [
    [1, 2, 1, 2, null],
    ["a", "a", "b", "b", "a"],
  ];
  const by = (down, other) => [
    { value: (row) => first[row], down },
    { value: (row) => second[row], down: other },
  ];
  const rows = [0, 1, 2, 3, 4];
  assert.deepEqual(orderedBy(rows, by(false, false)), [0, 2, 1, 3, 4]);
  assert.deepEqual(orderedBy(rows, by(true, false)), [1, 3, 0, 2, 4]);
  assert.deepEqual(orderedBy(rows, by(false, true)), [2, 0, 3, 1, 4]);
  assert.deepEqual(orderedBy([3, 1], []), [1, 3]);
});

test("a click orders by one column, and with shift by one more", () => {
  assert.deepEqual(sortsAfter(["-started"], "-cost", false), ["-cost"]);
  assert.deepEqual(sortsAfter(["-cost"], "-cost", false), ["cost"]);
  assert.deepEqual(sortsAfter(["cost"], "-cost", false), ["-cost"]);
  assert.deepEqual(sortsAfter(["-cost"], "lr", true), ["-cost", "lr"]);
  assert.deepEqual(sortsAfter(["-cost", "lr"], "-cost", true), ["cost", "lr"]);
  assert.deepEqual(sortsAfter(["a", "b", "c", "d"], "e", true), ["b", "c", "d", "e"]);
});

const known = {
  columns: ["cost", "p.a,b"],
  usual: ["cost"],
  runs: new Set(),
  words: { tag: ["x", "y", "x,y", "a,b", "(none)", "c\\d"], status: [] },
};
const back = (chosen) => {
  const state = read(new URLSearchParams(), known);
  state.facets.tag = new Set(chosen);
  const text = write(state, known).tag;
  return [...read(new URLSearchParams({ tag: text }), known).facets.tag];
};

test("every choice of words comes back from an address, whatever is in them", () => {
  const words = ["x", "y", "x,y", "a,b", "(none)", "c\\d", "", "gone, too"];
  for (let chosen = 0; chosen < 2 ** words.length; chosen += 1) {
    const some = words.filter((_, at) => chosen & (1 << at));
    assert.deepEqual(back(some), some, JSON.stringify(some));
  }
});

test("an address of one word stays as it always was", () => {
  const one = (text) => [...read(new URLSearchParams({ tag: text }), known).facets.tag];
  assert.deepEqual(one("x,y"), ["x,y"]);
  assert.deepEqual(one("a,b"), ["a,b"]);
  assert.deepEqual(one("x,a\\,b"), ["x", "a,b"]);
});

test("an address orders by a column whose name holds a comma", () => {
  assert.deepEqual(read(new URLSearchParams({ sort: "-p.a,b" }), known).sort, ["-p.a,b"]);
  assert.deepEqual(read(new URLSearchParams({ sort: "-cost,cost,gone,id" }), known).sort, ["-cost", "id"]);
});

const data = {
  rows: 4,
  status: { words: ["finished", "failed"], codes: [0, 1, 0, -1] },
  experiment: { words: ["e"], codes: [0, 0, 0, 0] },
  tags: { words: ["x", "y"], codes: [[0, 1], [0], [], [1]] },
  author: { words: ["Ada"], codes: [0, 0, 0, -1] },
  fields: [{ name: "dataset", values: [["d@v1", "d@v2"], ["d@v1"]], codes: [0, 1, 1, -1] }],
  started: [0, 0, 86400 * 31, 86400 * 31],
};
const facets = ledgerFacets.facetsOf(data);
const narrowed = (chosen) => {
  const sets = Object.fromEntries(Object.entries(chosen).map(([name, words]) => [name, new Set(words)]));
  return ledgerFacets.narrow(facets, sets, [0, 1, 2, 3]);
};

test("without a choice all rows stay and every word has its runs", () => {
  const { rows, counts } = narrowed({});
  assert.deepEqual(rows, [0, 1, 2, 3]);
  assert.deepEqual(counts.status, { words: [2, 1], none: 1 });
  assert.deepEqual(counts.tag, { words: [2, 2], none: 1 });
  assert.deepEqual(counts.dataset, { words: [3, 1], none: 1 });
  assert.deepEqual(facets.find(({ name }) => name === "month").words, ["1970-01", "1970-02"]);
  assert.deepEqual(counts.month, { words: [2, 2], none: 0 });
});

test("counts follow the other facets and not their own, whose words add up", () => {
  const { rows, counts } = narrowed({ status: ["finished"], tag: ["x"] });
  assert.deepEqual(rows, [0]);
  assert.deepEqual(counts.status, { words: [1, 1], none: 0 });
  assert.deepEqual(counts.tag, { words: [1, 1], none: 1 });
  assert.deepEqual(counts.month, { words: [1, 0], none: 0 });
});

test("several words of a facet are joined by or, and no value is one of them", () => {
  assert.deepEqual(narrowed({ status: ["finished", "failed"] }).rows, [0, 1, 2]);
  assert.deepEqual(narrowed({ status: ["failed", ""] }).rows, [1, 3]);
  assert.deepEqual(narrowed({ tag: [""] }).rows, [2]);
  assert.deepEqual(narrowed({ status: ["unfinished"] }).rows, [1]);
  assert.deepEqual(narrowed({ tag: ["gone"] }).rows, []);
});

test("a dataset that all runs have alike is counted, and one that none has is nothing", () => {
  const of = (field) =>
    ledgerFacets
      .facetsOf({ ...data, fields: field ? [{ name: "dataset", ...field }] : [] })
      .find(({ name }) => name === "dataset");
  assert.deepEqual(of({ values: [["a"]], codes: [] }).codes, [[0], [0], [0], [0]]);
  assert.deepEqual(of({ values: [], codes: [] }).codes, [[], [], [], []]);
  assert.deepEqual(of(null).words, []);
});

test("repeats stand together where the first of them was", () => {
  assert.deepEqual(ledgerGrouping.groupsOf([3, 0, 1, 2], [7, 8, 7, 8]), [
    [3, 1],
    [0, 2],
  ]);
});

test("a spread counts finite values only, and its mean is within it", () => {
  assert.deepEqual(ledgerGrouping.spreadOf([1, null, 3, Number.NaN, Infinity]), { count: 2, mean: 2, low: 1, high: 3 });
  assert.equal(ledgerGrouping.spreadOf([null, Number.NaN]), null);
  const { mean } = ledgerGrouping.spreadOf([0.1, 0.1, 0.1]);
  assert.equal(mean, 0.1);
  assert.equal(ledgerGrouping.spreadOf([1.7e308, 1.7e308]).mean, 1.7e308);
});

test("a run that does not count has no say in a result, and has one in what it cost", () => {
  const value = (row) => [0.5, 0.9, 0.7][row];
  const counts = (row) => row !== 1;
  const { spreadIn, keyOf } = ledgerGrouping;
  assert.equal(spreadIn({ kind: "result", value }, [0, 1], counts).count, 1);
  assert.equal(spreadIn({ kind: "amount", value }, [0, 1], counts).count, 2);
  assert.equal(keyOf({ kind: "result", value }, [1], counts), null);
  assert.equal(keyOf({ value: () => "word" }, [1, 0], counts), "word");
});

test("a file for spreadsheets has no formula, no control character and whole cells", () => {
  const lines = [
    ["id", "a,b"],
    ["=1+1", '@"x"'],
    ["+1", "-1"],
    [-1.5, null],
    ["bell\u0007", "two\nlines"],
  ];
  assert.equal(ledgerCsv.csvOf(lines), `id,"a,b"\r\n'=1+1,"'@""x"""\r\n'+1,'-1\r\n-1.5,\r\nbell\\x07,"two\nlines"\r\n`);
});

const vocabulary = {
  names: ["status", "started", "lr", "optimizer.lr", "odd name"],
  kindOf: () => "param",
  valuesOf: (name) => ({ lr: ["0.1", "0.01"], status: ["finished", "not"], "odd name": ["a b"] })[name] || [],
};
const offered = (text, caret = text.length) => ledgerCompletions.completions(text, caret, vocabulary);
const applied = (text, at, caret = text.length) => {
  const { from, to, items } = offered(text, caret);
  return text.slice(0, from) + items[at].text + text.slice(to);
};

test("names are completed, those that begin so first, and nothing is offered before anything is typed", () => {
  assert.deepEqual(
    offered("st").items.map(({ label }) => label),
    ["status", "started"],
  );
  assert.deepEqual(offered("").items, []);
  assert.deepEqual(offered("lr=0.1 and ").items, []);
  assert.equal(applied("not (od", 0), 'not ("odd name"');
});

test("behind an operator the values of the name are offered", () => {
  assert.deepEqual(
    offered("lr = ").items.map(({ text }) => text),
    ["0.1", "0.01"],
  );
  assert.equal(applied("lr=0.0", 0), "lr=0.01");
  assert.equal(applied('"odd name"=', 0), '"odd name"="a b"');
  assert.equal(applied('status="fin', 0), "status=finished");
  assert.equal(applied("status=no", 0), 'status="not"');
});

test("a whole name can be asked for runs that have no value of it", () => {
  assert.equal(offered("lr").items[0].text, 'not lr ~ ""');
  assert.equal(applied("sta and lr=1", 0, 2), "status and lr=1");
});
