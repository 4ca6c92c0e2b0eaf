"""Train one model on several ranks: `torchrun --nproc-per-node 2 train_ranks.py`. Rank 0 makes the record of all."""

from pathlib import Path

import ledger  # (*)
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from train import EVALUATOR, build, confidence_of, draw_mistakes, load, measure, read

PARAMS = {"model": "mlp", "width": 32, "lr": 0.01, "optimizer": "adam", "epochs": 10, "batch_size": 32, "seed": 0}


def main() -> None:
    """Train, each rank on its own part of every epoch."""
    distributed.init_process_group("gloo")
    rank, ranks = distributed.get_rank(), distributed.get_world_size()
    torch.manual_seed(PARAMS["seed"])
    torch.set_num_threads(1)
    with ledger.run("ranks", params=PARAMS, tags=["several-ranks"], sample_seconds=0.5) as run:  # (*) in every rank
        images, labels = load("data/train")
        val_images, val_labels = load("data/validation/v1")
        run.dataset("data/train", role="train")  # (*)
        run.dataset("data/validation/v1", role="validation")  # (*)
        run.step("scale", {"ink": 240}, code=read)  # (*)
        model = build(PARAMS["model"], PARAMS["width"])
        shared = DistributedDataParallel(model)  # gradients are the mean over the ranks
        optimizer = torch.optim.Adam(model.parameters(), lr=PARAMS["lr"])
        step = 0
        for epoch in range(1, PARAMS["epochs"] + 1):
            model.train()
            order = torch.randperm(len(labels))  # the same in every rank, by its seed
            for batch in order[: len(order) // ranks * ranks][rank::ranks].split(PARAMS["batch_size"]):
                loss = nn.functional.cross_entropy(shared(images[batch]), labels[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                step += 1
                run.log({"train/loss": loss.item()}, step=step, epoch=epoch, reduce="mean")  # (*) of all ranks
            val_loss, val_accuracy, _ = measure(model, val_images, val_labels)
            run.log({"validation/loss": val_loss, "validation/accuracy": val_accuracy}, step=step, epoch=epoch)  # (*)

        _, train_accuracy, _ = measure(model, images, labels)
        val_loss, val_accuracy, predicted = measure(model, val_images, val_labels)
        run.metric("accuracy", val_accuracy, split="validation", evaluator=EVALUATOR, headline=True)  # (*)
        run.metric("loss", val_loss, split="validation", evaluator=EVALUATOR)  # (*)
        run.metric("accuracy", train_accuracy, split="train")  # (*)
        confidence = confidence_of(model, val_images)
        run.figure(draw_mistakes(val_images, val_labels, predicted, confidence), "Surest mistakes")  # (*)
        if rank == 0:
            path = Path("models") / f"{run.id}.pt"
            path.parent.mkdir(exist_ok=True)
            torch.save({"state": model.state_dict(), "model": PARAMS["model"], "width": PARAMS["width"]}, path)
            run.model(path, model)  # (*)
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
