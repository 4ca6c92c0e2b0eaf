"""Measure models that are already on the ledger on the next validation set."""

import sys
from pathlib import Path

import ledger
import torch
from train import build, load, measure


def main(models: list[str]) -> None:
    """Append one evaluation per model; a model's file is named after its run."""
    images, labels = load("data/validation/v2")
    hard_cases = ledger.Dataset(
        path="data/validation/v2",
        role="validation",
        name="digits-validation",
        version="v2",
        parent="v1",
        reason="v1 held only straight digits; production has some that are one pixel off",
        source="production, hard cases found by the models",
        samples=len(labels),
    )
    for path in models:
        saved = torch.load(path, weights_only=True)
        model = build(saved["model"], saved["width"])
        model.load_state_dict(saved["state"])
        loss, accuracy, _ = measure(model, images, labels)
        metrics = {"validation/accuracy": accuracy, "validation/loss": loss}
        ledger.evaluate(Path(path).stem, metrics, datasets=[hard_cases])


if __name__ == "__main__":
    main(sys.argv[1:])
