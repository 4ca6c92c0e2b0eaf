from ledger.integrations.ray import RayCallback
from ray import tune


def train(config):
    for step in range(3):
        tune.report({"validation/loss": config["lr"] / (step + 1)})
    if config["lr"] > 1:
        raise ValueError("the loss is not finite")


tuner = tune.Tuner(
    train, param_space={"lr": tune.grid_search([0.1, 2])},
    run_config=tune.RunConfig(callbacks=[RayCallback("with-ray")], verbose=0),
)  # fmt: skip
tuner.fit()
