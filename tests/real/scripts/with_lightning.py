import lightning
import torch
from ledger.integrations.lightning import LightningLogger
from lightning.pytorch.callbacks import ModelCheckpoint


class Net(lightning.LightningModule):
    def __init__(self, lr=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(4, 1)

    def step(self, batch, name):
        x, y = batch
        loss = torch.nn.functional.mse_loss(self.layer(x).squeeze(1), y)
        self.log(f"{name}/loss", loss, sync_dist=True)
        return loss

    def training_step(self, batch, _):
        return self.step(batch, "train")

    def validation_step(self, batch, _):
        self.step(batch, "validation")

    def test_step(self, batch, _):
        self.step(batch, "test")

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), self.hparams.lr)


lightning.seed_everything(3, verbose=False)
x = torch.randn(64, 4)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, x.sum(1)), batch_size=16)
trainer = lightning.Trainer(
    max_epochs=3, log_every_n_steps=1, accelerator="cpu", enable_progress_bar=False,
    logger=LightningLogger("with-lightning"),
    callbacks=[ModelCheckpoint("out", monitor="validation/loss", mode="min")],
)  # fmt: skip
trainer.fit(Net(), loader, loader)
trainer.test(dataloaders=loader, verbose=False)
