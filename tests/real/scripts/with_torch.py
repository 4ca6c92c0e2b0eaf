import ledger
import torch
from ledger.integrations.torch import use_data, watch

torch.manual_seed(0)
x = torch.randn(64, 4)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, x.sum(1)), batch_size=16)
model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
optimizer = torch.optim.SGD(model.parameters(), 0.1)
with ledger.run("with-torch", params={"lr": 0.1, "seed": 0}) as run:
    use_data(run, loader)
    gradients = watch(run, model, every=2)
    for step, (features, truth) in enumerate(run.loading(loader)):
        loss = torch.nn.functional.mse_loss(model(features).squeeze(1), truth)
        optimizer.zero_grad()
        loss.backward()
        gradients.log(step)
        optimizer.step()
        run.log({"train/loss": loss}, step=step)
    run.model(module=model)
