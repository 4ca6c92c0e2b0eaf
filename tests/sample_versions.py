"""What the versions of the sample validation set look like and changed, made from real digits."""

import io
from datetime import timedelta
from functools import cache

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from ledger.data.samples.drift import measure_drift
from ledger.data.samples.samples import Samples
from ledger.hashing import hash_bytes
from ledger.model.datasets import CaseResult, ChangeKind, Leak, SamplePicture, VersionChange
from ledger.model.entries import Case, Note
from ledger.model.statistics import DatasetStatistics, Drift, FeatureSummary, ImageSummary
from tests.sample_boxes import AUTHORS, START, TOOL, V1_HASH

HOSTILE_TEXT = '"><img src=x onerror=alert(1)>\u202e'
CASE = "20261120-120000-aaaaaa"
_SHIFTED, _FIRST = 60, 360


@cache
def version_2() -> tuple[DatasetStatistics, VersionChange, list[Drift], dict[str, bytes]]:
    """Return statistics, change, drift and pictures (path to content) of the second version: it has shifted digits."""
    digits = load_digits()
    images, labels = digits.images[:_FIRST] / 16, digits.target[:_FIRST]
    shifted, theirs = (
        np.roll(digits.images[_FIRST : _FIRST + _SHIFTED], 1, axis=2) / 16,
        digits.target[_FIRST:][:_SHIFTED],
    )
    pictures: dict[str, bytes] = {}
    shown = [_picture(image, label, "added", pictures) for image, label in zip(shifted[:12], theirs, strict=False)]
    shown += [
        _picture(images[0], labels[0], "removed", pictures),
        _picture(images[1], labels[1], "relabelled", pictures),
    ]
    balance = [
        {str(label): int((side == label).sum()) for label in range(10)}
        for side in (labels, np.concatenate([labels, theirs]))
    ]
    statistics = DatasetStatistics(
        samples=_FIRST + _SHIFTED,
        labels=balance[1],
        features=[
            FeatureSummary(
                name=f"ink {HOSTILE_TEXT}",
                count=420,
                mean=0.3,
                deviation=0.1,
                quantiles=[0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6],
            )
        ],
        images=ImageSummary(count=420, sizes={"8x8": 420}, modes={"L": 420}, means=[0.3], deviations=[0.37]),
        warnings=["label 8 has 34 samples: too few to judge a model by it"],
    )
    change = VersionChange(
        parent="v1", added=_SHIFTED, removed=1, changed=0, relabelled=1, pictures=shown,
        labels={label: balance[1][label] - balance[0][label] for label in balance[0]},
    )  # fmt: skip
    before = Samples(names=[], images=images.astype("float32"), labels=[str(label) for label in labels])
    after = Samples(names=[], images=shifted.astype("float32"), labels=[str(label) for label in theirs])
    drift = [
        measure_drift(after, before, name="production week 46", content="blake3:" + "7" * 64),
        measure_drift(before, before, name="v1", content=V1_HASH),
    ]
    return statistics, change, drift, pictures


def version_1() -> DatasetStatistics:
    """Return the statistics of the first version."""
    labels = load_digits().target[:_FIRST]
    return DatasetStatistics(samples=_FIRST, labels={str(label): int((labels == label).sum()) for label in range(10)})


def sample_leaks() -> list[Leak]:
    """Return what the second version shares with the training set."""
    return [Leak(dataset="digits-train@v1", role="train", files=2, examples=["3/0017.png", HOSTILE_TEXT])]


def sample_cases() -> tuple[Case, ...]:
    """Return two cases that must pass, one hostile, and an override."""
    common = {"format": 1, "dataset": "digits-validation", "author": AUTHORS[0], "added_at": START, "tool": TOOL}
    return (
        Case(**common, id=CASE, input="7/0042.png", expected="7", severity="high", origin="issue 12", triage="bug"),  # type: ignore[arg-type]  # fields by name
        Case(**common, id="20261120-120001-bbbbbb", input=HOSTILE_TEXT, expected=HOSTILE_TEXT, severity="low"),  # type: ignore[arg-type]  # as above
        Case(**common, id="20261120-120002-cccccc", input="blank page", expected="0", override="never"),  # type: ignore[arg-type]  # as above
    )


def sample_answers(number: int) -> list[CaseResult]:
    """Return what the model of run `number` made of the first case."""
    return [CaseResult(case=CASE, passed=number % 3 != 1, answer="7" if number % 3 != 1 else "1")]


def sample_retirement() -> Note:
    """Return the statement that retires the first version."""
    return Note(
        format=1, id="20261121-090000-dddddd", dataset="digits-validation@v1", kind="retirement", author=AUTHORS[1],
        text="production has shifted digits; judge by v2", noted_at=START + timedelta(days=12), tool=TOOL,
    )  # fmt: skip


def _picture(image: "np.ndarray", label: int, change: ChangeKind, pictures: dict[str, bytes]) -> SamplePicture:
    file = io.BytesIO()
    Image.fromarray((255 - image * 255).astype("uint8")).save(file, "PNG")
    content = hash_bytes(file.getvalue())
    name = f"pictures/{content.removeprefix('blake3:')[:16]}.png"
    pictures[f"datasets/digits-validation/v2/{name}"] = file.getvalue()
    return SamplePicture(
        sample=f"{label}/{len(pictures):04}.png", change=change, label=str(label), file=name, hash=content
    )
