"""Measure one model on one dataset: `ledger reevaluate NAME@VERSION -- python evaluate.py {model} {dataset}`."""

import json
import os
import sys
from pathlib import Path

import torch
from train import build, load, measure, read


def main(path: str, dataset: str) -> None:
    """Write metrics and answers to the cases where ledger looks for them."""
    saved = torch.load(path, weights_only=True)
    model = build(saved["model"], saved["width"])
    model.load_state_dict(saved["state"])
    loss, accuracy, _ = measure(model, *load(dataset))
    Path(os.environ["LEDGER_METRICS"]).write_text(json.dumps({"accuracy": accuracy, "loss": loss}))
    with Path(os.environ["LEDGER_CASES"]).open() as lines:
        cases = [json.loads(line) for line in lines]
    answers = {case["id"]: model(read(Path(dataset, case["input"]))[None]).argmax().item() for case in cases}
    Path(os.environ["LEDGER_ANSWERS"]).write_text(json.dumps(answers))


if __name__ == "__main__":
    main(*sys.argv[1:])
