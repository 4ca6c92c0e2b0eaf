"""What changed between two versions: samples are known by content, and by name only where files are samples."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ledger.data.samples.changes import PICTURES, SampleChanges, compare_samples, draw_changes, label_shift, moved_files
from ledger.data.samples.images import ImageFile, ImageRow
from ledger.data.samples.reading import Reading
from ledger.data.samples.samples import Samples
from ledger.data.version.listing import Manifest, manifest_of
from ledger.hashing import hash_bytes
from ledger.model.entries import ManifestLine


def reading(samples: list[tuple[str, str, str | None]], *, labelled: bool = True) -> Reading:
    """Return a reading of samples: name, content and label of each."""
    return Reading(
        kind="images",
        names=[name for name, _, _ in samples],
        contents=[content for _, content, _ in samples],
        labels=[(label,) if label else () for _, _, label in samples] if labelled else None,
        samples=Samples(names=[]),
    )


OLD: list[tuple[str, str, str | None]] = [("a", "A", "x"), ("b", "B", "x"), ("c", "C", "y")]


@pytest.mark.parametrize(
    ("new", "made"),
    [
        (OLD, SampleChanges()),
        (OLD[::-1], SampleChanges()),
        ([("moved", "A", "x"), *OLD[1:]], SampleChanges()),
        ([*OLD, ("d", "D", "x")], SampleChanges(added=[3])),
        (OLD[:2], SampleChanges(removed=[2])),
        ([("a", "A2", "x"), *OLD[1:]], SampleChanges(changed=[0])),
        ([("a", "A", "z"), *OLD[1:]], SampleChanges(relabelled=[0])),
        ([("a", "A", None), *OLD[1:]], SampleChanges(relabelled=[0])),
        ([("a", "B", "x"), ("b", "A", "x"), OLD[2]], SampleChanges()),
        ([("a", "N", "x"), ("e", "A", "x"), *OLD[1:]], SampleChanges(added=[0])),
        ([], SampleChanges(removed=[0, 1, 2])),
    ],
)
def test_samples_are_followed_by_their_content(new: list[tuple[str, str, str | None]], made: SampleChanges) -> None:
    assert compare_samples(reading(OLD), reading(new)) == made


def test_of_content_with_two_labels_both_are_known_and_without_labels_none_changed() -> None:
    old = reading([("a", "A", "x"), ("b", "A", "y")])
    assert compare_samples(old, reading([("c", "A", "y"), ("d", "A", "z")])).relabelled == [1]
    assert compare_samples(old, reading([("a", "A", None)], labelled=False)).relabelled == []


def test_a_row_is_never_followed_by_its_number() -> None:
    old, new = reading([("t.csv[0]", "A", "x")]), reading([("t.csv[0]", "B", "x")])
    assert compare_samples(old, new) == SampleChanges(added=[0], removed=[0])


SAMPLES = st.dictionaries(st.sampled_from("abcdefgh"), st.tuples(st.sampled_from("ABCD"), st.sampled_from("xy")))


@given(SAMPLES, SAMPLES)
def test_every_sample_has_at_most_one_change(old: dict[str, tuple[str, str]], new: dict[str, tuple[str, str]]) -> None:
    first, second = (
        reading([(name, content, label) for name, (content, label) in side.items()]) for side in (old, new)
    )
    made = compare_samples(first, second)
    told = [*made.added, *made.changed, *made.relabelled]
    assert len(told) == len(set(told))
    kept = {content for content, _ in old.values()}
    assert all((second.contents[index] in kept) == (index in made.relabelled) for index in told)
    assert all(first.contents[index] not in second.contents for index in made.removed)
    assert compare_samples(first, first) == SampleChanges()


def manifest(*files: tuple[str, str]) -> Manifest:
    return manifest_of(
        ManifestLine(path=path, bytes=len(content), hash=hash_bytes(content.encode())) for path, content in files
    )


@pytest.mark.parametrize(
    ("new", "count"),
    [
        ([("cat/1", "a"), ("dog/2", "b")], 0),
        ([("dog/1", "a"), ("dog/2", "b")], 1),
        ([("cat/9", "a"), ("dog/sub/2", "b")], 0),
        ([("dog/1", "a"), ("cat/2", "b")], 2),
        ([("dog/1", "new"), ("dog/empty", "")], 0),
    ],
)
def test_files_moved_to_another_folder_are_counted(new: list[tuple[str, str]], count: int) -> None:
    assert moved_files(manifest(("cat/1", "a"), ("dog/2", "b"), ("cat/empty", "")), manifest(*new)) == count


def test_a_shift_of_labels_is_what_came_and_went_in_their_order() -> None:
    assert label_shift({"b": 2, "a": 1, "same": 3}, {"same": 3, "c": 1, "b": 5}) == {"a": -1, "b": 3, "c": 1}
    assert label_shift({}, {}) == {}


def pictured(count: int, start: int = 0) -> Reading:
    array = (np.arange(count * 16).reshape(count, 4, 4) * 3 + start) % 251
    return Reading(
        kind="images",
        names=[f"p\x1b{number}" for number in range(count)],
        contents=[],
        labels=[("x\x1b",)] * count,
        samples=Samples(names=[]),
        pictures=[ImageRow(array.astype(np.uint8), row, 255.0) for row in range(count)],
    )


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        (SampleChanges(added=list(range(100))), {"added": PICTURES}),
        (SampleChanges(added=list(range(100)), relabelled=[1]), {"added": PICTURES - 1, "relabelled": 1}),
        (SampleChanges(added=list(range(50)), changed=list(range(50, 100))), {"added": 12, "changed": 12}),
        (SampleChanges(removed=[0, 1], changed=[2]), {"removed": 2, "changed": 1}),
        (SampleChanges(), {}),
    ],
)
def test_every_kind_of_change_has_its_share_of_the_pictures(changes: SampleChanges, shown: dict[str, int]) -> None:
    drawn = draw_changes(pictured(2, start=7), pictured(100), changes, "pictures")
    assert {kind: sum(one.change == kind for one in drawn.pictures) for kind in shown} == shown
    assert len(drawn.pictures) == sum(shown.values()) <= PICTURES
    assert {one.file for one in drawn.pictures} == {f"pictures/{name}" for name in drawn.files}
    for one in drawn.pictures:
        assert hash_bytes(drawn.files[one.file.partition("/")[2]]) == one.hash
        assert "\x1b" not in f"{one.sample}{one.label}"


def test_pictures_are_spread_over_the_changes_and_repeat_exactly() -> None:
    made = SampleChanges(added=list(range(48)))
    first = draw_changes(None, pictured(48), made, "p")
    assert [one.sample for one in first.pictures] == [f"p\\x1b{2 * number}" for number in range(24)]
    assert first == draw_changes(None, pictured(48), made, "p")


def test_what_cannot_be_drawn_is_left_out(tmp_path: Path) -> None:
    Image.new("L", (3, 3)).save(tmp_path / "ok.png")
    (tmp_path / "bad.png").write_text("no picture")
    names = ["bad.png", "ok.png", "gone.png"]
    new = Reading(
        kind="images", names=names, contents=[], samples=Samples(names=[]),
        pictures=[ImageFile(tmp_path / name) for name in names],
    )  # fmt: skip
    drawn = draw_changes(None, new, SampleChanges(added=[0, 1, 2], removed=[0]), "p")
    assert [(one.sample, one.label) for one in drawn.pictures] == [("ok.png", None)]
    assert draw_changes(None, reading(OLD), SampleChanges(added=[0]), "p").pictures == []
