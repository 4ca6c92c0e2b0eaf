"""Train a small model on handwritten digits and record the run. Everything about ledger is marked with (*)."""

import argparse
from pathlib import Path

import ledger  # (*)
import matplotlib
import numpy as np
import torch
from PIL import Image
from torch import nn

matplotlib.use("Agg")
import matplotlib.pyplot as plt

DIVERGED = 1e4
"""No useful model ever has a cross-entropy above this."""
EVALUATOR = "measure-1"
"""Version of `measure`: what two versions of it measured is never ranked together."""


def files_of(folder: str) -> list[Path]:
    """Return the pictures of a folder with one folder for each class: `0/…png` … `9/…png`."""
    return sorted(Path(folder).glob("*/*.png"))


def read(path: Path) -> torch.Tensor:
    """Return one picture of 8 x 8 pixels, ink 0 to 1."""
    with Image.open(path) as image:
        return torch.tensor(np.asarray(image) / 240.0, dtype=torch.float32)


def load(folder: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return all pictures of a folder and their classes."""
    files = files_of(folder)
    return torch.stack([read(path) for path in files]), torch.tensor([int(path.parent.name) for path in files])


def build(model: str, width: int) -> nn.Module:
    """Build a perceptron or a small convolutional network for 8 x 8 images."""
    if model == "mlp":
        return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))
    return nn.Sequential(
        nn.Unflatten(1, (1, 8)),
        nn.Conv2d(1, width, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(width, 2 * width, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(2 * width * 16, 10),
    )


def measure(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> tuple[float, float, torch.Tensor]:
    """Return loss, accuracy and the predicted classes."""
    model.eval()
    with torch.no_grad():
        logits = model(images)
    predicted = logits.argmax(1)
    return nn.functional.cross_entropy(logits, labels).item(), (predicted == labels).float().mean().item(), predicted


def augment(inputs: torch.Tensor, shift: int) -> torch.Tensor:
    """Return a batch, moved by up to this many pixels."""
    down, right = torch.randint(-shift, shift + 1, (2,)).tolist()
    return inputs.roll((down, right), (1, 2))


def confidence_of(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Return the probability that the model gives the class it predicts, for each picture."""
    with torch.no_grad():
        return model(images).softmax(1).amax(1)


def draw_mistakes(
    images: torch.Tensor, labels: torch.Tensor, predicted: torch.Tensor, confidence: torch.Tensor
) -> plt.Figure:
    """Draw the mistakes that the model was surest of, each with what it is and what it was taken for."""
    surest = surest_mistakes(labels, predicted, confidence, 8)
    figure, places = plt.subplots(1, 8, figsize=(6, 1.1))
    for axes, sample in zip(places, [*surest, *[None] * (8 - len(surest))], strict=True):
        axes.axis("off")
        if sample is not None:
            axes.imshow(images[sample], cmap="Purples")
            axes.set_title(f"{labels[sample]} as {predicted[sample]}", fontsize=7)
    return figure


def surest_mistakes(labels: torch.Tensor, predicted: torch.Tensor, confidence: torch.Tensor, most: int) -> list[int]:
    """Return the positions of the mistakes that the model was surest of."""
    wrong = (predicted != labels).nonzero().flatten()
    return wrong[confidence[wrong].argsort(descending=True)][:most].tolist()


def load_checkpoint(path: Path | None, model: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[int, int]:
    """Load what an earlier attempt left, and return the steps and epochs that it has done; zero where there is none."""
    if path is None or not path.exists():
        return 0, 0
    state = torch.load(path)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return state["step"], state["epoch"]


def main() -> None:
    """Train once for each seed: runs that differ by seed only show how far chance alone moves the numbers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--experiment", default="digits")
    parser.add_argument("--model", choices=["mlp", "cnn"], default="mlp")
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--optimizer", choices=["adam", "sgd"], default="adam")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--seed", type=int, nargs="+", default=[0])
    parser.add_argument("--log-every", type=int, default=1, help="steps; no model is better for it")
    parser.add_argument("--shift", type=int, default=0, help="augment by shifts of up to this many pixels")
    parser.add_argument("--validation", default="v1")
    parser.add_argument("--tag", action="append", default=[])
    parser.add_argument("--note")
    parser.add_argument("--resume", metavar="KEY", help="keep a checkpoint of this name, and go on from it")
    args = parser.parse_args()
    for seed in args.seed:
        train(args, seed)


def train(args: argparse.Namespace, seed: int) -> None:
    """Train, log, measure."""
    chosen = ("model", "width", "lr", "optimizer", "epochs", "batch_size", "log_every")
    params = {name: getattr(args, name) for name in chosen} | {"seed": seed}

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    about = {"tags": args.tag, "note": args.note, "resume": args.resume, "sample_seconds": 0.5}  # (*)
    with ledger.run(args.experiment, params=params, **about) as run:  # (*)
        images, labels = load("data/train")
        judged_on = f"data/validation/{args.validation}"
        val_images, val_labels = load(judged_on)
        run.dataset("data/train", role="train")  # (*)
        run.dataset(judged_on, role="validation")  # (*)
        run.step("scale", {"ink": 240}, code=read)  # (*)
        if args.shift:
            run.step("augment", {"shift": args.shift}, code=augment)  # (*)
        run.step("postprocess", {"take": "most likely class"}, code=measure)  # (*)
        model = build(args.model, args.width)
        kind = torch.optim.Adam if args.optimizer == "adam" else torch.optim.SGD
        optimizer = kind(model.parameters(), lr=args.lr)
        checkpoint = Path("checkpoints") / f"{args.resume}.pt" if args.resume else None
        step, done = load_checkpoint(checkpoint, model, optimizer)
        for epoch in range(done + 1, args.epochs + 1):
            model.train()
            for batch in torch.randperm(len(labels)).split(args.batch_size):
                inputs = images[batch]
                if args.shift:
                    inputs = augment(inputs, args.shift)
                loss = nn.functional.cross_entropy(model(inputs), labels[batch])
                if not loss < DIVERGED:
                    raise FloatingPointError(f"the loss is {loss.item():.3g} at step {step}: lr {args.lr} is too large")
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                step += 1
                if step % args.log_every == 0:
                    run.log({"train/loss": loss.item()}, step=step, epoch=epoch)  # (*)
            val_loss, val_accuracy, _ = measure(model, val_images, val_labels)
            run.log(  # (*)
                step=step, epoch=epoch, **{"validation/loss": val_loss, "validation/accuracy": val_accuracy}
            )
            if checkpoint is not None:
                checkpoint.parent.mkdir(exist_ok=True)
                state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "epoch": epoch}
                torch.save(state, checkpoint)
            print(f"epoch {epoch:2d}  validation loss {val_loss:.4f}  accuracy {val_accuracy:.4f}", flush=True)

        train_loss, train_accuracy, _ = measure(model, images, labels)
        val_loss, val_accuracy, predicted = measure(model, val_images, val_labels)
        run.metric("accuracy", val_accuracy, split="validation", evaluator=EVALUATOR, headline=True)  # (*)
        run.metric("loss", val_loss, split="validation", evaluator=EVALUATOR)  # (*)
        run.metric("accuracy", train_accuracy, split="train")  # (*)
        run.metric("loss", train_loss, split="train")  # (*)
        confidence = confidence_of(model, val_images)
        names = [path.stem for path in files_of(judged_on)]
        run.predictions(  # (*)
            val_labels, predicted, split="validation", evaluator=EVALUATOR, confidence=confidence, samples=names
        )
        run.figure(draw_mistakes(val_images, val_labels, predicted, confidence), "Surest mistakes")  # (*)
        for sample in surest_mistakes(val_labels, predicted, confidence, 3):
            run.figure(files_of(judged_on)[sample], names[sample])  # (*)
        path = Path("models") / f"{run.id}.pt"
        path.parent.mkdir(exist_ok=True)
        torch.save({"state": model.state_dict(), "model": args.model, "width": args.width}, path)
        run.model(path, model)  # (*)
        run.profile(model, images[:1])  # (*)


if __name__ == "__main__":
    main()
