"""Changes of a version against its parent, by file and by sample, with pictures of some."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ledger.data.samples.images import draw_picture
from ledger.data.samples.reading import Reading
from ledger.data.samples.statistics import shown
from ledger.data.version.manifest import Manifest
from ledger.hashing import hash_bytes
from ledger.model.datasets import ChangeKind, SamplePicture
from ledger.model.values import Document

PICTURES = 24
"""Most pictures of a version: a screenful, and some tens of kilobytes in git."""


@dataclass(frozen=True, kw_only=True)
class SampleChanges:
    """Changes between two readings of a dataset, as indices into the new one, or into the old for removed samples."""

    added: list[int] = field(default_factory=list)
    """Samples with content that the old one does not have."""
    removed: list[int] = field(default_factory=list)
    """Samples with content that only the old one has."""
    changed: list[int] = field(default_factory=list)
    """Samples with a name that the old one has with other content."""
    relabelled: list[int] = field(default_factory=list)
    """Samples with content that the old one has with another label."""


def compare_samples(old: Reading, new: Reading) -> SampleChanges:
    """Return the changes of samples; content identifies a sample, and a name only where files are samples."""
    carried: dict[str, set[str | None]] = defaultdict(set)
    for index, content in enumerate(old.contents):
        carried[content].add(old.label(index))
    still = set(new.contents)
    names = {
        name: index
        for index, name in enumerate(old.names)
        if old.contents and not name.endswith("]") and old.contents[index] not in still
    }
    made = SampleChanges()
    followed = set()
    both_labelled = old.labels is not None and new.labels is not None
    for index, content in enumerate(new.contents):
        if content in carried:
            if both_labelled and new.label(index) not in carried[content]:
                made.relabelled.append(index)
        elif new.names[index] in names:
            made.changed.append(index)
            followed.add(names[new.names[index]])
        else:
            made.added.append(index)
    made.removed.extend(
        index for index, content in enumerate(old.contents) if content not in still and index not in followed
    )
    return made


def moved_files(old: Manifest, new: Manifest) -> int:
    """Return how many files with equal content moved to another first folder: relabelled, where folders are labels."""
    folders: dict[str, set[str]] = defaultdict(set)
    for line in old.lines:
        if line.bytes:
            folders[line.hash].add(line.path.partition("/")[0])
    return sum(line.hash in folders and line.path.partition("/")[0] not in folders[line.hash] for line in new.lines)


def label_shift(old: Mapping[str, int], new: Mapping[str, int]) -> dict[str, int]:
    """Return the change in the number of samples by label; only for labels whose number changed."""
    counts = Counter(new)
    counts.subtract(old)
    return {label: count for label, count in sorted(counts.items()) if count}


class ChangePicture(Document, frozen=True, kw_only=True):
    """Pictures of changed samples."""

    pictures: list[SamplePicture]
    """Description of each picture."""
    files: dict[str, bytes]
    """PNG by file name."""


def draw_changes(old: Reading | None, new: Reading, made: SampleChanges, folder: str) -> ChangePicture:
    """Draw up to 24 added, removed, changed or relabelled samples, where they are images.

    Args:
        old: parent version; none where its images are not available.
        new: the new version.
        made: changes of samples.
        folder: name of the folder of pictures, relative to the version.
    """
    pictures: list[SamplePicture] = []
    files: dict[str, bytes] = {}
    groups: list[tuple[ChangeKind, Reading, list[int]]] = [
        ("relabelled", new, made.relabelled),
        ("changed", new, made.changed),
        ("added", new, made.added),
    ]
    if old is not None:
        groups.append(("removed", old, made.removed))
    for kind, reading, index in _fair(
        [(kind, reading, chosen) for kind, reading, chosen in groups if reading.pictures]
    ):
        png = draw_picture(reading.pictures[index])
        if png is None:
            continue
        content = hash_bytes(png)
        name = f"{content.removeprefix('blake3:')[:16]}.png"
        files[name] = png
        label = reading.label(index)
        pictures.append(
            SamplePicture(
                sample=shown(reading.names[index]),
                change=kind,
                label=shown(label) if label else None,
                file=f"{folder}/{name}",
                hash=content,
            )
        )
    return ChangePicture(pictures=pictures, files=files)


def _fair(groups: Sequence[tuple[ChangeKind, Reading, list[int]]]) -> Iterator[tuple[ChangeKind, Reading, int]]:
    """Yield the samples to draw: each kind has its share of places, evenly spread; rare kinds leave some to others."""
    left = PICTURES
    waiting = sorted(groups, key=lambda group: len(group[2]))
    share = {}
    for position, (kind, _, indices) in enumerate(waiting):
        share[kind] = min(len(indices), left // (len(waiting) - position))
        left -= share[kind]
    for kind, reading, indices in groups:
        for number in range(share[kind]):
            yield kind, reading, indices[number * len(indices) // share[kind]]
