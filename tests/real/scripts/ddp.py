"""Two ranks of one training over gloo: each opens a run, as people write it."""

import json
import os

import ledger
import torch
import torch.distributed as dist

dist.init_process_group("gloo")
rank = dist.get_rank()
torch.manual_seed(0)
model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(4, 1))
optimizer = torch.optim.SGD(model.parameters(), 0.1)
with ledger.run("ddp", params={"lr": 0.1}, seed=int(os.environ.get("BASE_SEED", "0")) + rank) as run:
    run.dataset("data/validation", role="validation", name="vd", version="v1")
    for step in range(5):
        x = torch.full((8, 4), float(rank + 1))
        loss = ((model(x) - 1) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total = loss.detach().clone()
        dist.all_reduce(total)
        run.log({"train/loss": total / 2}, step=step)
    run.metric("validation/loss", (total / 2).item(), direction="lower")
if rank == 0:
    print(json.dumps({"loss": (total / 2).item()}))
dist.destroy_process_group()
