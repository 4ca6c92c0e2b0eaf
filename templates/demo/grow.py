"""Make the next validation set: the last one, and the production digits that most models get wrong."""

import sys
from pathlib import Path

import numpy as np
import torch
from data import write
from train import build, load, measure


def main(models: list[str]) -> None:
    """Show every model the production digits, straight and one pixel off, and keep the hard cases."""
    images, labels = load("data/production")
    images, labels = torch.cat([images, images.roll(-1, 2)]), torch.cat([labels, labels])
    wrong = torch.zeros(len(labels))
    for path in models:
        saved = torch.load(path, weights_only=True)
        model = build(saved["model"], saved["width"])
        model.load_state_dict(saved["state"])
        wrong += measure(model, images, labels)[2] != labels
    hard = wrong > len(models) / 2
    old_images, old_labels = load("data/validation/v1")
    both = torch.cat([old_images, images[hard]]) * 16, torch.cat([old_labels, labels[hard]])
    write(Path("data/validation/v2"), *(np.asarray(part) for part in both))
    print(int(hard.sum()))


if __name__ == "__main__":
    main(sys.argv[1:])
