// Answers questions about two settings as the compare page does: JSON on the standard input, JSON on the output.
import { readFileSync } from "node:fs";

await import("../../../site/docs/assets/ledger/compare/verdict.js");
const { decide, tail, verdictOn } = globalThis.ledgerVerdict;
const { decided, tails, chosen } = JSON.parse(readFileSync(0, "utf-8"));
process.stdout.write(
  JSON.stringify({
    decided: decided.map(({ ours, theirs, others, higher, trials }) =>
      decide(ours, theirs, { total: others[0], freedom: others[1] }, { higher, trials }),
    ),
    tails: tails.map(([freedom, t]) => tail(freedom, t)),
    chosen: chosen.map(({ data, metric, group, row, against }) => {
      const counts = (one) => data.status[one] === "finished";
      return verdictOn({ ...data, counts }, metric, group ?? undefined, row, against);
    }),
  }),
);
