"""Make the next validation set: the last one, and the production digits that most models get wrong."""

import shutil
import sys
from pathlib import Path

import torch
from train import build, files_of, load, measure

CASES = 4
"""Hard digits, each of another class, that every later model must get right."""


def main(models: list[str]) -> None:
    """Show every model what production sends, keep what most get wrong, and print the worst of it."""
    images, labels = load("data/production")
    wrong = torch.zeros(len(labels))
    for path in models:
        saved = torch.load(path, weights_only=True)
        model = build(saved["model"], saved["width"])
        model.load_state_dict(saved["state"])
        wrong += measure(model, images, labels)[2] != labels
    files = files_of("data/production")
    shutil.copytree("data/validation/v1", "data/validation/v2")
    for position in (wrong > len(models) / 2).nonzero().flatten().tolist():
        source = files[position]
        shutil.copy(source, Path("data/validation/v2", source.parent.name, f"production-{source.name}"))
    worst = {files[position].parent.name: files[position] for position in wrong.argsort(stable=True).tolist()}
    for digit in sorted(worst)[:CASES]:
        print(f"{digit}/production-{worst[digit].name}")


if __name__ == "__main__":
    main(sys.argv[1:])
