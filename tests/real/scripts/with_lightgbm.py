import lightgbm
import numpy as np
from ledger.integrations.lightgbm import LightGBMCallback

x = np.random.default_rng(0).random((300, 4))
y = (x.sum(1) > 2).astype(int)
train = lightgbm.Dataset(x[:200], y[:200])
params = {"objective": "binary", "metric": ["binary_logloss", "auc"], "learning_rate": 0.3, "seed": 0, "verbose": -1}
lightgbm.train(
    params, train, 60, valid_sets=[train.create_valid(x[200:], y[200:])], valid_names=["validation"],
    callbacks=[LightGBMCallback("with-lightgbm"), lightgbm.early_stopping(3, verbose=False)],
)  # fmt: skip
