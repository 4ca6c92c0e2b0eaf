import optuna
from ledger.integrations.optuna import OptunaCallback, record_failed


def objective(trial):
    lr = trial.suggest_float("lr", 1e-3, 1, log=True)
    for step in range(4):
        trial.report((lr - 0.1) ** 2 + 1 / (step + 1), step)
        if trial.number == 2:
            raise optuna.TrialPruned
    if trial.number == 3:
        raise ValueError("the loss is not finite")
    return (lr - 0.1) ** 2


study = optuna.create_study(study_name="with-optuna", sampler=optuna.samplers.RandomSampler(seed=0))
callback = OptunaCallback(metric="validation/loss")
try:
    study.optimize(objective, n_trials=6, callbacks=[callback])
finally:
    record_failed(study, callback)
