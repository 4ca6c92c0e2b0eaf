// Learning curves in the browser, without a page: run by `test_scripts.py`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runInThisContext } from "node:vm";

const script = new URL("../../../site/docs/assets/ledger/curves.js", import.meta.url);
runInThisContext(readFileSync(script, "utf8"), { filename: script.pathname });
const { axesOf, ends, lineOf, lone, nearest, obstacle, seriesOf, sharing, tableOf, valueAt, writtenLines } =
  globalThis.ledgerCurves;

const curves = (series, changes = {}) => ({ x: { step: [10, 20, 30] }, series, on: {}, ...changes });
const line = (xs, ys) => ({ name: "loss", xs, ys });

test("an axis is offered where every run has it", () => {
  const both = curves({}, { x: { step: [1], seconds: [0.5] } });
  assert.deepEqual(axesOf([both]), ["step", "seconds"]);
  assert.deepEqual(axesOf([both, curves({})]), ["step"]);
  assert.deepEqual(axesOf([both, curves({}, { x: {} })]), []);
});

test("written lines share places, a band is there where repeats are, and what is empty is no number", () => {
  assert.deepEqual(writtenLines("0,10;0.5,;0.4,;0.6,|;1,2|5;3", ["a", "b", "c"]), [
    { name: "a", xs: [0, 10], ys: [0.5, Number.NaN], low: [0.4, Number.NaN], high: [0.6, Number.NaN] },
    { name: "b", xs: [0, 10], ys: [1, 2] },
    { name: "c", xs: [5], ys: [3] },
  ]);
});

test("points that no line goes through are named", () => {
  const table = tableOf(
    [line([1, 2, 3, 4, 5], [1, Number.NaN, 2, Number.NaN, 3]), line([2, 4], [1, 2]), line([3], [7])],
    false,
  );
  assert.deepEqual(
    [0, 1, 2].map((column) => lone(table, column)),
    [[0, 2, 4], [], [2]],
  );
});

test("a line has the points that were logged, over the axis that was asked for", () => {
  const made = curves({ loss: [3, null, 1] }, { x: { step: [10, 20, 30], epoch: [1, 2, 3] } });
  assert.deepEqual(lineOf(made, "step", "loss", "a"), { name: "a", xs: [10, 30], ys: [3, 1] });
  assert.deepEqual(lineOf(made, "epoch", "loss", "a").xs, [1, 3]);
  assert.deepEqual(lineOf(made, "point", "loss", "a").xs, [0, 2]);
  assert.equal(lineOf(made, "step", "accuracy", "a"), null);
});

test("a line breaks where the training did, and goes on where it only logged something else", () => {
  const broken = lineOf(curves({ loss: [3, "NaN", "Infinity"] }), "step", "loss", "a");
  assert.deepEqual(broken.ys, [3, Number.NaN, Infinity]);
  assert.deepEqual(tableOf([broken], false), [
    [10, 20, 30],
    [3, null, null],
  ]);
  assert.deepEqual(tableOf([lineOf(curves({ loss: [3, null, 1] }), "step", "loss", "a")], false), [
    [10, 30],
    [3, 1],
  ]);
});

test("lines over different places stand side by side in rising order, without holes of their own", () => {
  assert.deepEqual(tableOf([line([1, 3], [10, 30]), null, line([2, 3], [0.2, 0.3])], false), [
    [1, 2, 3],
    [10, undefined, 30],
    [undefined, undefined, undefined],
    [undefined, 0.2, 0.3],
  ]);
});

test("of points at one place the last counts, and places that go back are put in order", () => {
  assert.deepEqual(tableOf([line([1, 2, 3, 2, 2], [1, 2, 3, 8, 9])], false), [
    [1, 2, 3],
    [1, 9, 3],
  ]);
});

test("a logarithmic scale has no place for zero and below", () => {
  const table = tableOf([line([1, 2, 3], [0.1, 0, -1])], true);
  assert.deepEqual(table[1], [0.1, null, null]);
  assert.equal(obstacle(table, true), "");
  assert.match(obstacle(tableOf([line([1], [0])], true), true), /^No positive value/);
  assert.equal(obstacle(tableOf([line([1], [0])], false), false), "");
});

test("what the library would hang on or draw wrong is refused with a sentence", () => {
  assert.match(obstacle(tableOf([line([1, 2], [1, 1e38])], false), false), /^Values beyond 1e\+30/);
  assert.match(obstacle(tableOf([line([1, 2], [1e-40, 1])], true), true), /^Values beyond/);
  assert.equal(obstacle(tableOf([line([1, 2], [1e-40, 1])], false), false), "");
  assert.equal(obstacle(tableOf([line([1], [Number.NaN])], false), false), "Nothing to draw.");
  assert.equal(obstacle(tableOf([null], false), false), "Nothing to draw.");
});

test("the pointer finds the nearest point of each line, the earlier of two as near", () => {
  const table = tableOf([line([0, 10], [5, 6]), line([4, 6, 7], [1, 2, 3]), null], false);
  assert.deepEqual(table[0], [0, 4, 6, 7, 10]);
  assert.equal(nearest(table, 0, 1), 0);
  assert.equal(nearest(table, 0, 2), 4);
  assert.equal(nearest(table, 1, 0), 1);
  assert.equal(nearest(table, 1, 4), 3);
  assert.equal(nearest(table, 2, 0), null);
  assert.equal(nearest(tableOf([line([0, 4], [1, 1]), line([2], [1])], false), 0, 1), 0);
});

test("a value from another place than the pointer's says so", () => {
  const table = tableOf([line([0, 10], [5, 6]), line([4], [1]), null], false);
  assert.deepEqual(valueAt(table, 0, 0), { value: 5, elsewhere: null });
  assert.deepEqual(valueAt(table, 0, 1), { value: 5, elsewhere: 0 });
  assert.deepEqual(valueAt(table, 1, 2), { value: 1, elsewhere: 4 });
  assert.equal(valueAt(table, 2, 0), null);
});

test("the ends of a scale have room around the values, and are never one number", () => {
  const [low, high] = ends(1, 2);
  assert.ok(low < 1 && low > 0.9 && high > 2 && high < 2.1);
  for (const value of [0, 1, -3, 1e-12, 1e16, -1e30]) {
    const [below, above] = ends(value, value);
    assert.ok(below < value && above > value, String(value));
    assert.ok((above - below) / Math.max(1e-300, Math.abs(value)) > 1e-9, String(value));
  }
  const [near, far] = ends(1e16, 1e16 + 2);
  assert.ok(far - near > 1e14);
});

test("series that most runs have come first, equals by name", () => {
  const all = [curves({ loss: [1], b: [1] }), curves({ loss: [1], a: [1] })];
  assert.deepEqual(seriesOf(all), ["loss", "a", "b"]);
});

test("runs that measured a series on different data are kept apart, whatever the label is", () => {
  const on = (content, label) => curves({ acc: [1] }, { on: { acc: [content, label] } });
  const all = [on("h1", "v1"), on("h2", "v2"), curves({ loss: [1] }), on("h1", "v1 again"), curves({ acc: [2] })];
  assert.deepEqual(sharing(all, "acc"), [
    { label: "v1", members: [0, 3] },
    { label: "v2", members: [1] },
    { label: "unknown data", members: [4] },
  ]);
  assert.deepEqual(sharing(all, "nothing"), []);
});
