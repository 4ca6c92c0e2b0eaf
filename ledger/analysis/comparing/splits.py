"""The data that a metric or a curve was measured on, by its name: a split, an alias of it, or a dataset."""

from collections.abc import Sequence
from typing import NamedTuple

from ledger.model.boxes.inputs import DatasetUse


class SplitMatch(NamedTuple):
    """The meaning of a metric's name."""

    split: str | None
    """The split; for an alias, the split that it stands for."""
    name: str
    """Name without the split."""
    uses: list[DatasetUse]
    """Datasets of the run that are meant; several where the name is ambiguous."""


def match_split(split: str | None, name: str, uses: Sequence[DatasetUse]) -> SplitMatch:
    """Return the split and the datasets that a name means among those of a run.

    In this order: a split of the run; the name of one of its datasets, or `name@version`; an alias of a split
    (`val/loss`). A name without a split may begin with one: `val_loss`, `validation_loss`, as Keras and Lightning
    write it. A name without a meaning here stays as it is, without a dataset.
    """
    if split is not None:
        found = [use for use in uses if use.split == split]
        found = found or [use for use in uses if split in {use.name, use.label}]
        if found:
            return SplitMatch(split, name, found)
        found = [use for use in uses if split.lower() in use.aliases]
        return SplitMatch(found[0].split, name, found) if found else SplitMatch(split, name, [])
    words = {word: use.split for use in uses for word in (*use.aliases, use.split)}
    for word in sorted(words, key=len, reverse=True):
        bare = name[len(word) + 1 :]
        if bare and name[: len(word) + 1].lower() == f"{word}_":
            return SplitMatch(words[word], bare, [use for use in uses if use.split == words[word]])
    return SplitMatch(None, name, [])


def match_split_of_key(key: str, uses: Sequence[DatasetUse]) -> SplitMatch:
    """Return the same for `split/name`, or `name` alone."""
    split, slash, name = key.partition("/")
    return match_split(split, name, uses) if slash else match_split(None, split, uses)
