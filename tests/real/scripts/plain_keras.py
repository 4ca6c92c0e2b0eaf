"""Keras on torch, unedited: what its bar prints, its CSV logger and its file."""

import os

os.environ["KERAS_BACKEND"] = "torch"
import argparse

import keras
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--units", type=int, default=8)
args = parser.parse_args()
keras.utils.set_random_seed(0)
x = np.random.rand(64, 4).astype("float32")
y = (x.sum(1) > 2).astype("float32")
model = keras.Sequential([
    keras.layers.Dense(args.units, activation="relu"), keras.layers.Dense(1, activation="sigmoid")
])  # fmt: skip
model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=args.epochs, validation_split=0.25)
model.save("model.keras")
