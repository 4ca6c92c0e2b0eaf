// The ranges over runs of an experiment: stops, what lies inside, addresses. Run by `test_scripts.py`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runInThisContext } from "node:vm";

const script = new URL("../../../site/docs/assets/ledger/experiment/stops.js", import.meta.url);
runInThisContext(readFileSync(script, "utf8"), { filename: script.pathname });
const { rowsOf, stopsOf, isOpen, stopsIn, inside, unknown, write, read } = globalThis.ledgerStops;

const open = { low: null, high: null };

test("a value that a run lacks is none, and no zero", () => {
  assert.deepEqual(rowsOf("0.1,5;,0;1e-05,"), [
    [0.1, 5],
    [null, 0],
    [1e-5, null],
  ]);
  assert.deepEqual(rowsOf("1;;2"), [[1], [null], [2]]);
});

test("a slider stops at each value once, rising, and of many at both ends", () => {
  assert.deepEqual(stopsOf([3, null, 1, 3, -2]), [-2, 1, 3]);
  const many = stopsOf(Array.from({ length: 2500 }, (_, at) => 2500 - at));
  assert.equal(many.length, 101);
  assert.deepEqual([many[0], many[100]], [1, 2500]);
});

test("a range between two stops, or beyond all of them, has none", () => {
  assert.deepEqual(stopsIn([1, 2, 4], { low: 1.5, high: null }), { first: 1, last: 2 });
  assert.deepEqual(stopsIn([1, 2, 4], open), { first: 0, last: 2 });
  assert.equal(stopsIn([1, 2, 4], { low: 2.5, high: 3 }), null);
  assert.equal(stopsIn([1, 2, 4], { low: 5, high: null }), null);
  assert.equal(stopsIn([1, 2, 4], { low: null, high: 0 }), null);
});

test("ends belong to a range, and a run without a value lies outside of one that has an end", () => {
  const rows = [
    [0.1, 1],
    [0.2, null],
    [null, 3],
  ];
  assert.deepEqual(inside(rows, [open, open]), [true, true, true]);
  assert.deepEqual(inside(rows, [{ low: 0.1, high: 0.1 }, open]), [true, false, false]);
  assert.deepEqual(inside(rows, [open, { low: null, high: 3 }]), [true, false, true]);
  assert.equal(unknown(rows, [{ low: 0.1, high: null }, open]), 1);
  assert.equal(unknown(rows, [open, open]), 0);
});

test("an address keeps its ranges, and names what the page does not have", () => {
  const names = ["lr & co", "validation/accuracy"];
  const ranges = [
    { low: 1e-5, high: 0.1 },
    { low: 0.9, high: null },
  ];
  const text = write(names, ranges);
  assert.deepEqual(read(`#${text}`, names), { ranges, strange: [] });
  assert.equal(write(names, [open, open]), "");
  assert.deepEqual(read("#gone=1..2&validation/accuracy=x..", names), { ranges: [open, open], strange: ["gone"] });
  assert.deepEqual(read("#curves", names), { ranges: [open, open], strange: [] });
  assert.ok(isOpen(open));
});
