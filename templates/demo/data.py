"""Write the data: a training set, a first validation set, and what production sends, some of it a pixel off."""

from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

TRAIN, VALIDATION = 1000, 297
WHITE = 240
"""Brightness of full ink; the digits have 0 to 16."""


def write(folder: Path, number: int, image: np.ndarray, label: int, kind: str = "digit") -> None:
    """Write one picture into the folder of its class: `3/digit-0042.png`."""
    place = folder / str(label)
    place.mkdir(parents=True, exist_ok=True)
    Image.fromarray((image * (WHITE / 16)).astype(np.uint8)).save(place / f"{kind}-{number:04}.png")


def main() -> None:
    """Split the 1,797 digits; every second one of production is a pixel off, as a new scanner sends them."""
    digits = load_digits()
    order = np.random.default_rng(7).permutation(len(digits.target))
    parts = np.split(order, [TRAIN, TRAIN + VALIDATION])
    for name, part in zip(("train", "validation/v1", "production"), parts, strict=True):
        for place, number in enumerate(part):
            image = digits.images[number]
            if name == "production" and place % 2:
                image = np.roll(image, -1, axis=1)
            write(Path("data", name), number, image, digits.target[number])


if __name__ == "__main__":
    main()
