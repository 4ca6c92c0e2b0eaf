import keras
import numpy as np
from ledger.integrations.keras import KerasCallback

keras.utils.set_random_seed(0)
x = np.random.rand(64, 4).astype("float32")
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1, "sigmoid")])
model.compile(keras.optimizers.SGD(0.1), "binary_crossentropy", metrics=["accuracy"])
model.fit(
    x, x.sum(1) > 2, epochs=3, validation_split=0.25, verbose=0,
    callbacks=[KerasCallback("with-keras", params={"seed": 0})],
)  # fmt: skip
