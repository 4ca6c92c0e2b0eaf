"""What the team of the demo does, as data: its trainings, datasets, prices, and what people say."""

from ledger.model.values import Document


class Training(Document, frozen=True, kw_only=True):
    """One training run of the story: a plain script, or one inside `ledger run`, which stores its log, too."""

    title: str
    experiment: str
    options: str
    fails: bool = False
    wrapped: bool = True


RATES = (
    *(
        Training(
            title=f"MLP, lr {lr}, seed {seed}",
            experiment="learning-rate",
            options=f"--model mlp --lr {lr} --seed {seed}",
            wrapped=False,
        )
        for lr in (0.1, 0.01, 0.001)
        for seed in (0, 1)
    ),
    Training(
        title="MLP with SGD",
        experiment="learning-rate",
        options="--model mlp --optimizer sgd --lr 0.5 --tag baseline",
        wrapped=False,
    ),
)
ARCHITECTURES = (
    Training(
        title="a learning rate that is too large",
        experiment="architecture",
        options="--model cnn --width 8 --optimizer sgd --lr 1000",
        fails=True,
    ),
    *(
        Training(title=f"CNN, seed {seed}", experiment="architecture", options=f"--model cnn --width 8 --seed {seed}")
        for seed in (0, 1, 2)
    ),
    Training(title="a wider CNN", experiment="architecture", options="--model cnn --width 16 --tag wide"),
)
SECOND_WEEK = tuple(
    Training(
        title=f"CNN trained on shifted digits, seed {seed}",
        experiment="robustness",
        options=f"--model cnn --width 16 --shift 1 --epochs 25 --seed {seed} --validation v2 --tag candidate",
    )
    for seed in (0, 1)
)
_SEEDS = " ".join(map(str, range(12)))
_SMALL = "--model mlp --width 8 --epochs 12"
REPEATS = (
    Training(
        title="a small MLP with twelve seeds", experiment="seeds", options=f"{_SMALL} --seed {_SEEDS}", wrapped=False
    ),
    Training(
        title="a better one with twelve seeds",
        experiment="seeds",
        options=f"--model mlp --width 48 --epochs 12 --seed {_SEEDS} --tag better",
        wrapped=False,
    ),
    Training(
        title="an equal one with the same seeds: how often it logs changes nothing",
        experiment="seeds",
        options=f"{_SMALL} --log-every 2 --seed {_SEEDS} --tag equal",
        wrapped=False,
    ),
    Training(
        title="one more, with one seed: too few to tell",
        experiment="seeds",
        options="--model mlp --width 10 --epochs 12 --tag once",
        wrapped=False,
    ),
)
"""Runs for `ledger judge`: a setting made better, an equal one, and one without repeats."""
WIDTHS = tuple(
    Training(
        title=f"an MLP of width {width}: how does accuracy grow with size?",
        experiment="width",
        options=f"--model mlp --width {width} --epochs 12 --seed 0 1 2",
        wrapped=False,
    )
    for width in (7, 12, 16, 24, 36)
)
"""Five model sizes, for the fit of a metric's growth."""
SOURCE = "scikit-learn digits (UCI optical recognition of handwritten digits)"
DATASETS = (
    ("digits-train", "data/train", "train", "the first training split"),
    ("digits-validation", "data/validation/v1", "validation", "the first validation split: straight digits"),
)
"""Name, path, role and reason of the datasets that exist from the first day."""
PLATFORMS = "{demo-lab: {sign: DEMO_LAB, instance: DEMO_LAB}}"
_MADE_UP = "kind: on-demand, from: 2026-01-01, source: made up for the demo"
PRICES = f"""{{name: demo lab 2026-11, currency: USD, cpu_core: 0.05, rows: [
  {{provider: demo-lab, instance: two-core box, kind: owned, owned: {{price: 900, years: 4, use: 0.5, watts: 60}},
    from: 2026-01-01, source: made up for the demo}},
  {{gpu: H100, price_per_hour: 3.5, {_MADE_UP}}},
  {{gpu: A100, price_per_hour: 2.2, {_MADE_UP}}},
  {{gpu: RTX 4090, price_per_hour: 0.6, {_MADE_UP}}}]}}"""
NOTICE = "{notice: 'Planted: the demo ran today, and its entries were moved apart by whole days. All values are real.'}"
STATEMENTS = {
    "learning-rate": ("--question", "Which learning rate suits the small model?"),
    "robustness": (
        "--question", "Do shifted and noisy training pictures mend what version 2 of the validation set showed?",
        "--hypothesis", "they do, and cost little on version 1",
    ),
    "seeds": (
        "--question", "Is 48 wide better than 8 beyond chance, and does it matter how often a run logs?",
        "--conclusion", "48 wide is better than 8 by more than chance explains; how often a run logs changes nothing",
    ),
}  # fmt: skip
"""What people say of experiments: the conclusion follows from the planted verdicts."""
STEPS = len((*RATES, *ARCHITECTURES, *SECOND_WEEK, *REPEATS, *WIDTHS)) + 15
