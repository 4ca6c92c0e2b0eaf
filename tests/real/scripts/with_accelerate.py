import ledger.integrations.accelerate  # registers the tracker
import torch
from accelerate import Accelerator

accelerator = Accelerator(log_with="ledger", cpu=True)
accelerator.init_trackers("with-accelerate", config={"lr": 0.1, "seed": 0})
torch.manual_seed(0)
x = torch.randn(64, 4)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, x.sum(1)), batch_size=16)
model = torch.nn.Linear(4, 1)
model, optimizer, loader = accelerator.prepare(model, torch.optim.SGD(model.parameters(), 0.1), loader)
step = 0
for epoch in range(3):
    for features, truth in loader:
        loss = torch.nn.functional.mse_loss(model(features).squeeze(1), truth)
        optimizer.zero_grad()
        accelerator.backward(loss)
        optimizer.step()
        accelerator.log({"train/loss": loss}, step=step)
        step += 1
accelerator.end_training()
