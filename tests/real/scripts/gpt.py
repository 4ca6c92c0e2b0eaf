"""A character model in the manner of small GPT trainers: config by --key=value, ckpt.pt with optimizer and best loss."""

import json
import os
import sys

import torch
from torch import nn

config = {"out_dir": "out", "n_embd": 16, "n_head": 2, "block_size": 8, "batch_size": 8, "learning_rate": 1e-2, "seed": 0}
config |= {"max_iters": 30, "eval_interval": 10, "dropout": 0.0}
for word in sys.argv[1:]:
    key, value = word.removeprefix("--").split("=")
    config[key] = type(config[key])(value)
torch.manual_seed(config["seed"])
text = "to be or not to be that is the question " * 20
letters = sorted(set(text))
data = torch.tensor([letters.index(letter) for letter in text])


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        width = config["n_embd"]
        self.tokens = nn.Embedding(len(letters), width)
        self.positions = nn.Embedding(config["block_size"], width)
        self.block = nn.TransformerEncoderLayer(width, config["n_head"], 4 * width, config["dropout"], batch_first=True)
        self.head = nn.Linear(width, len(letters), bias=False)
        self.head.weight = self.tokens.weight  # tied, as language models are

    def forward(self, x):
        hidden = self.tokens(x) + self.positions(torch.arange(x.shape[1]))
        return self.head(self.block(hidden, src_mask=nn.Transformer.generate_square_subsequent_mask(x.shape[1])))


def batch():
    at = torch.randint(len(data) - config["block_size"] - 1, (config["batch_size"],))
    x = torch.stack([data[i : i + config["block_size"]] for i in at])
    y = torch.stack([data[i + 1 : i + config["block_size"] + 1] for i in at])
    return x, y


model = Model()
optimizer = torch.optim.AdamW(model.parameters(), lr=config["learning_rate"])
best = torch.tensor(1e9)
print(f"number of parameters: {sum(p.numel() for p in model.parameters()) / 1e6:.4f}M")
for step in range(config["max_iters"] + 1):
    x, y = batch()
    loss = nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten())
    if step % config["eval_interval"] == 0:
        print(f"step {step}: train loss {loss.item():.4f}, val loss {loss.item():.4f}")
        best = torch.minimum(best, loss.detach())
        os.makedirs(config["out_dir"], exist_ok=True)
        checkpoint = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "iter_num": step}
        torch.save(checkpoint | {"best_val_loss": best, "config": config}, os.path.join(config["out_dir"], "ckpt.pt"))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(json.dumps({"parameters": sum(p.numel() for p in model.parameters()), "best": best.item()}))
