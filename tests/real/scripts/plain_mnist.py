"""A classifier in the manner of the classic MNIST example, unedited: argparse, printed lines, one saved file."""

import argparse

import torch
from torch import nn

parser = argparse.ArgumentParser(description="PyTorch example")
parser.add_argument("--batch-size", type=int, default=64, metavar="N", help="input batch size for training")
parser.add_argument("--epochs", type=int, default=3, metavar="N", help="number of epochs to train")
parser.add_argument("--lr", type=float, default=0.5, metavar="LR", help="learning rate")
parser.add_argument("--seed", type=int, default=1, metavar="S", help="random seed")
parser.add_argument("--log-interval", type=int, default=2, metavar="N", help="batches between two lines")
args = parser.parse_args()
torch.manual_seed(args.seed)
x = torch.randn(640, 10)
y = (x.sum(1) > 0).long()
model = nn.Linear(10, 2)
optimizer = torch.optim.SGD(model.parameters(), args.lr)
for epoch in range(1, args.epochs + 1):
    for number, at in enumerate(range(0, 640, args.batch_size)):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x[at : at + args.batch_size]), y[at : at + args.batch_size])
        loss.backward()
        optimizer.step()
        if number % args.log_interval == 0:
            print(f"Train Epoch: {epoch} [{at}/640 ({100 * at / 640:.0f}%)]\tLoss: {loss.item():.6f}")
    with torch.no_grad():
        output = model(x)
        test_loss = nn.functional.cross_entropy(output, y).item()
        correct = (output.argmax(1) == y).sum().item()
    print(f"\nTest set: Average loss: {test_loss:.4f}, Accuracy: {correct}/640 ({100 * correct / 640:.0f}%)\n")
torch.save(model.state_dict(), "mnist_cnn.pt")
