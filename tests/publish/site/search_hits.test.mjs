// What the search box and the compare page say of runs, without a page: run by `test_scripts.py`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runInThisContext } from "node:vm";

for (const name of ["formatting", "search_hits", "compare/chosen"]) {
  const script = new URL(`../../../site/docs/assets/ledger/${name}.js`, import.meta.url);
  globalThis.window ??= globalThis;
  runInThisContext(readFileSync(script, "utf8"), { filename: script.pathname });
}
const { pieces, whereFound, sectionsWith, excerpt } = globalThis.ledgerSearchHits;
const { differences, summary } = globalThis.ledgerComparison;

const column = (...cells) => ({ words: cells, codes: cells.map((cell, row) => (cell ? row : -1)) });
const runs = (changes = {}) => ({
  id: ["20261120-000000-aaaaaa", "20261120-000000-bbbbbb"],
  params: [{ name: "lr", ...column("0.1", "0.2") }],
  metrics: [{ key: "validation/accuracy", dataset: "digits@v1", values: [0.9, null] }],
  tags: { words: ["Sweep"], codes: [[0], []] },
  note: column("Hard cases", ""),
  trained: column("digits@v1", "digits@v1"),
  commit: column("abc", "abc"),
  changes: column("", ""),
  setting: [0, 1],
  word: (from, row) => (from.codes[row] < 0 ? "" : from.words[from.codes[row]]),
  counts: () => true,
  ...changes,
});

test("words are marked wherever they stand, large letters and small, and nothing of the text is lost", () => {
  assert.deepEqual(pieces("Adam and adam", ["adam"]), [
    ["Adam", true],
    [" and ", false],
    ["adam", true],
  ]);
  assert.deepEqual(pieces("nothing", ["x"]), [["nothing", false]]);
  assert.deepEqual(pieces("", ["x"]), []);
  assert.deepEqual(pieces("abc", ["ab", "abc"]), [["abc", true]]);
});

test("an empty word, and letters that change their length, mark nothing", () => {
  assert.deepEqual(pieces("abc", [""]), [["abc", false]]);
  assert.deepEqual(pieces("\u0130stanbul", ["stan"]), [["\u0130stanbul", false]]);
});

test("a hit says in which params, tags, metrics and note it was found", () => {
  const asked = (words, fields = []) => whereFound(runs(), 0, { words, fields });
  assert.equal(asked(["lr=0.1"]), "lr=0.1");
  assert.equal(asked(["sweep"]), "tag Sweep");
  assert.equal(asked(["hard"]), "Hard cases");
  assert.equal(asked(["digits"]), "validation/accuracy 0.9 on digits@v1");
  assert.equal(
    asked([], ["params.lr", "metrics.validation/accuracy"]),
    "lr=0.1 · validation/accuracy 0.9 on digits@v1",
  );
  assert.equal(asked(["nowhere"]), "");
  assert.equal(whereFound(runs(), 1, { words: ["digits"], fields: [] }), "");
});

test("a hit names three places at most", () => {
  assert.equal(whereFound(runs(), 0, { words: ["a", "r", "s"], fields: ["params.lr"] }).split(" · ").length, 3);
});

test("sections need every word, and those with one in the title come first", () => {
  const sections = [
    ["a.html", "Setting up", "the policy of a team"],
    ["b.html", "Policy", "what a team agrees on"],
    ["c.html", "Policy", "alone"],
  ];
  assert.deepEqual(
    sectionsWith(sections, ["policy", "team"]).map(([address]) => address),
    ["b.html", "a.html"],
  );
});

test("an excerpt has the word in it, and shows that it begins in the middle", () => {
  const text = `${"x".repeat(200)} needle ${"y".repeat(200)}`;
  assert.ok(excerpt(text, "needle").includes("needle"));
  assert.ok(excerpt(text, "needle").startsWith("…"));
  assert.equal(excerpt("needle", "needle"), "needle");
  assert.equal(excerpt("Other text", "needle"), "Other text");
});

test("params, training data and code that differ are named, and what is alike is not", () => {
  assert.deepEqual(differences(runs(), [0, 1]), { params: ["lr"], parts: [], one: false });
  const other = runs({ trained: column("digits@v1", ""), changes: column("", "1 file"), params: [] });
  assert.deepEqual(differences(other, [0, 1]), {
    params: [],
    parts: ["training data (digits@v1 or unknown)", "code"],
    one: false,
  });
  assert.deepEqual(differences(runs({ setting: [4, 4], params: [] }), [0, 1]), { params: [], parts: [], one: true });
});

test("the summary says who is never the best, and why values of one setting differ", () => {
  assert.deepEqual(summary(runs(), [0]), []);
  assert.deepEqual(summary(runs(), [0, 1]), ["They differ in params (lr)."]);
  const [uncounted] = summary(runs({ counts: (row) => row === 0 }), [0, 1]);
  assert.equal(
    uncounted,
    "Never the best, since it did not finish, or was retracted or continued: 20261120-000000-bbbbbb.",
  );
  const [both] = summary(runs({ counts: () => false }), [0, 1]);
  assert.match(both, /since they did not finish, or were retracted or continued/);
  assert.match(summary(runs({ setting: [4, 4], params: [] }), [0, 1])[0], /^These runs are one setting/);
  assert.match(summary(runs({ params: [] }), [0, 1])[0], /^They are not repeats of each other/);
});

test("of many params that differ five are named and the others counted", () => {
  const params = [..."abcdefg"].map((name) => ({ name, ...column("1", "2") }));
  assert.deepEqual(summary(runs({ params }), [0, 1]), ["They differ in params (a, b, c, d, e and 2 more)."]);
});
