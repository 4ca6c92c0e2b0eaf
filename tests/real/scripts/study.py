"""An Optuna study with two threads and a pruner; each trial is a run."""

import json

import ledger
import optuna
import torch

optuna.logging.set_verbosity(optuna.logging.WARNING)


def objective(trial):
    lr = trial.suggest_float("lr", 1e-3, 1, log=True)
    with ledger.run("study", params={**trial.params, "seed": 0}, tags=[f"trial-{trial.number}"]) as run:
        for step in range(20):
            loss = (lr - 0.1) ** 2 + 1 / (step + 1)
            run.log({"validation/loss": loss}, step=step)
            trial.report(loss, step)
            if trial.number in {3, 5} and step == 5:
                raise optuna.TrialPruned
        run.metric("validation/loss", loss, direction="lower")
        return loss


torch.manual_seed(0)
study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
study.optimize(objective, n_trials=8, n_jobs=2)
print(json.dumps({"best": study.best_value, "states": sorted(trial.state.name for trial in study.trials)}))
