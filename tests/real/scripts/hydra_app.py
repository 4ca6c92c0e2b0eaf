"""A Hydra application that opens a run in each job of a multirun and leaves outputs, logs and a model behind."""

import logging

import hydra
import ledger
import torch

log = logging.getLogger(__name__)


@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(cfg):
    with ledger.run("hydra", params=cfg) as run:
        torch.manual_seed(cfg.seed)
        x = torch.randn(128, 4)
        y = (x.sum(1) > 0).float()
        model = torch.nn.Sequential(torch.nn.Linear(4, cfg.model.hidden), torch.nn.ReLU(), torch.nn.Linear(cfg.model.hidden, 1))
        optimizer = torch.optim.SGD(model.parameters(), cfg.optim.lr)
        for step in range(cfg.steps):
            loss = torch.nn.functional.binary_cross_entropy_with_logits(model(x).squeeze(1), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            log.info("step %d loss=%.4f", step, loss.item())
        torch.save(model.state_dict(), "model.pt")
        run.dataset(hydra.utils.to_absolute_path("data/validation"), role="validation", name="vd", version="v1")
        run.metric("validation/loss", loss.item(), direction="lower")
        run.model("model.pt", model)


if __name__ == "__main__":
    main()
