"""A digit classifier in the manner of the classic MNIST example, with eleven lines that say what it does."""

import argparse
import json

import ledger
import torch
from sklearn.datasets import load_digits
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--lr", type=float, default=0.5)
parser.add_argument("--gamma", type=float, default=0.7)
parser.add_argument("--seed", type=int, default=1)
args = parser.parse_args()
torch.manual_seed(args.seed)
digits = load_digits()
x, y = torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target)
train_x, train_y, test_x, test_y = x[:1500], y[:1500], x[1500:], y[1500:]
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.25), nn.Linear(32, 10))
optimizer = torch.optim.Adadelta(model.parameters(), lr=args.lr)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=args.gamma)
with ledger.run("mnist", params=vars(args)) as run:
    run.dataset("data/train", role="train", name="text", version="v1")
    run.dataset("data/validation", role="test", name="held-out", version="v1")
    step = 0
    for epoch in range(1, args.epochs + 1):
        model.train()
        for at in run.loading(range(0, 1500, 64)):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(train_x[at : at + 64]), train_y[at : at + 64])
            loss.backward()
            optimizer.step()
            run.log({"train/loss": loss, "lr": optimizer.param_groups[0]["lr"]}, step=step, epoch=epoch)
            step += 1
        model.eval()
        with torch.no_grad():
            correct = (model(test_x).argmax(1) == test_y).float().mean()
        run.log({"test/accuracy": correct}, step=step, epoch=epoch)
        scheduler.step()
    torch.save(model.state_dict(), "mnist_cnn.pt")
    run.metric("test/accuracy", correct.item(), headline=True)
    run.model("mnist_cnn.pt", model)
print(json.dumps({"accuracy": correct.item(), "steps": step, "parameters": sum(p.numel() for p in model.parameters())}))
