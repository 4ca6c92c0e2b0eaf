"""A LightningModule with its CSV logger and checkpoint, unedited."""

import json

import lightning
import torch
from lightning.pytorch.loggers import CSVLogger


class Net(lightning.LightningModule):
    def __init__(self, width=8, lr=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.layers = torch.nn.Sequential(torch.nn.Linear(4, width), torch.nn.ReLU(), torch.nn.Linear(width, 1))

    def step(self, batch, name):
        x, y = batch
        loss = torch.nn.functional.mse_loss(self.layers(x).squeeze(1), y)
        self.log(f"{name}_loss", loss, on_epoch=True, on_step=False)
        return loss

    def training_step(self, batch, _):
        return self.step(batch, "train")

    def validation_step(self, batch, _):
        self.step(batch, "val")

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), self.hparams.lr)


lightning.seed_everything(3, verbose=False)
x = torch.randn(64, 4)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, x.sum(1)), batch_size=16)
net = Net()
trainer = lightning.Trainer(
    max_epochs=3, logger=CSVLogger("."), accelerator="cpu", enable_progress_bar=False, enable_model_summary=False,
)  # fmt: skip
trainer.fit(net, loader, loader)
trainer.save_checkpoint("last.ckpt")
print(json.dumps({
    "val_loss": trainer.callback_metrics["val_loss"].item(), "parameters": sum(p.numel() for p in net.parameters())
}))  # fmt: skip
