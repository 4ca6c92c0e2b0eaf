import numpy as np
import xgboost
from ledger.integrations.xgboost import XGBoostCallback

x = np.random.default_rng(0).random((300, 4))
y = (x.sum(1) > 2).astype(int)
train, validation = xgboost.DMatrix(x[:200], y[:200]), xgboost.DMatrix(x[200:], y[200:])
params = {"objective": "binary:logistic", "eval_metric": ["logloss", "auc"], "eta": 1.0, "seed": 0}
xgboost.train(
    params, train, 60, evals=[(train, "train"), (validation, "validation")], verbose_eval=False,
    early_stopping_rounds=3, callbacks=[XGBoostCallback("with-xgboost", params=params)],
)  # fmt: skip
