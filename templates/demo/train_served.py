"""Train on batches of a data server; killed in the middle of an epoch, it goes on and ends with the same weights.

In one terminal `ledger serve digits-train@v1 --path data/train --transform train_served:scale`, in others
`python train_served.py ADDRESS KEY`: the server reads and decodes every picture once for all of them.
"""

import sys
from pathlib import Path

import ledger  # (*)
import numpy as np
import torch
from torch import nn

from train import EVALUATOR, build, confidence_of, draw_mistakes, load, measure

PARAMS = {"model": "cnn", "width": 12, "lr": 0.01, "optimizer": "adam", "epochs": 20, "batch_size": 64, "seed": 0}
STEPS_BETWEEN_CHECKPOINTS = 4


def scale(sample: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return a picture with ink 0 to 1, and its class."""
    return {"image": np.float32(sample["image"] / 240.0), "label": sample["label"]}


def main(server: str, key: str) -> None:
    """Train, and keep a checkpoint every few steps: also of where the batches are."""
    torch.manual_seed(PARAMS["seed"])
    torch.set_num_threads(1)
    model = build(PARAMS["model"], PARAMS["width"])
    optimizer = torch.optim.Adam(model.parameters(), lr=PARAMS["lr"])
    batches = ledger.batches(  # (*)
        "digits-train@v1", batch_size=PARAMS["batch_size"], seed=PARAMS["seed"], as_torch=True, server=server
    )
    checkpoint, step = Path("checkpoints") / f"{key}.pt", 0
    checkpoint.parent.mkdir(exist_ok=True)
    if checkpoint.exists():
        saved = torch.load(checkpoint)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        batches.load_state_dict(saved["batches"])  # (*) the next batch is the one after the checkpoint
        step = saved["step"]
    val_images, val_labels = load("data/validation/v1")
    with ledger.run("served", params=PARAMS, resume=key, sample_seconds=0.5) as run:  # (*)
        run.dataset("data/validation/v1", role="validation")  # (*)
        while (epoch := batches.epoch) < PARAMS["epochs"]:
            model.train()
            for batch in run.loading(batches):  # (*)
                loss = nn.functional.cross_entropy(model(batch["image"]), batch["label"])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                step += 1
                run.log({"train/loss": loss.item()}, step=step, epoch=epoch + 1)  # (*)
                if step % STEPS_BETWEEN_CHECKPOINTS == 0:
                    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
                    torch.save(state | {"batches": batches.state_dict()}, checkpoint.with_suffix(".new"))
                    checkpoint.with_suffix(".new").replace(checkpoint)
                    print(f"step {step:3d}  loss {loss.item():.4f}", flush=True)
            val_loss, val_accuracy, _ = measure(model, val_images, val_labels)
            run.log(  # (*)
                {"validation/loss": val_loss, "validation/accuracy": val_accuracy}, step=step, epoch=epoch + 1
            )
        loss, accuracy, predicted = measure(model, val_images, val_labels)
        run.metric("accuracy", accuracy, split="validation", evaluator=EVALUATOR, headline=True)  # (*)
        run.metric("loss", loss, split="validation", evaluator=EVALUATOR)  # (*)
        confidence = confidence_of(model, val_images)
        run.figure(draw_mistakes(val_images, val_labels, predicted, confidence), "Surest mistakes")  # (*)
        path = Path("models") / run.id / "cnn.pt"  # the name is in the file: equal weights make equal files
        path.parent.mkdir(parents=True)
        torch.save({"state": model.state_dict(), "model": "cnn", "width": PARAMS["width"]}, path)
        run.model(path, model)  # (*)


if __name__ == "__main__":
    main(*sys.argv[1:])
