import fastai.callback.progress  # adds no_bar
import torch
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from fastai.learner import Learner
from ledger.integrations.fastai import FastaiCallback

torch.manual_seed(0)
x = torch.randn(64, 4)
data = list(zip(x, x.sum(1, keepdim=True)))
loaders = DataLoaders(DataLoader(data[:48], bs=8), DataLoader(data[48:], bs=8))
learner = Learner(
    loaders, torch.nn.Linear(4, 1), loss_func=torch.nn.functional.mse_loss,
    cbs=[FastaiCallback("with-fastai", params={"seed": 0})],
)  # fmt: skip
with learner.no_bar(), learner.no_logging():
    learner.fit(2, 0.05)
