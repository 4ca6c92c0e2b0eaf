"""Write the data: a training set, a first validation set, and a pool that plays production."""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

TRAIN, VALIDATION = 1000, 297


def write(folder: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Write one file of images per class: `0.npy` … `9.npy`, each (n, 8, 8), values 0..16."""
    folder.mkdir(parents=True)
    for label in range(10):
        np.save(folder / f"{label}.npy", images[labels == label].astype(np.uint8))


def main() -> None:
    """Split the 1,797 digits."""
    digits = load_digits()
    order = np.random.default_rng(7).permutation(len(digits.target))
    parts = np.split(order, [TRAIN, TRAIN + VALIDATION])
    for name, part in zip(("train", "validation/v1", "production"), parts, strict=True):
        write(Path("data", name), digits.images[part], digits.target[part])


if __name__ == "__main__":
    main()
