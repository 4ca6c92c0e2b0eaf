"""Dataset versions: planted changes, leaks and shifts of known size are found, and no more than them."""

import shutil
import tarfile
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from ledger.analysis.data.versions import find_version
from ledger.errors import Conflict, LedgerError, NotFound, UsageError
from ledger.hashing import hash_bytes
from ledger.model.entries import DatasetVersion
from ledger.model.paths import picture_path
from ledger.recorder.data.dataset_versions import AddedVersion, add_version, retire_version
from ledger.recorder.data.version_request import VersionRequest
from ledger.recorder.statements.cases import add_case
from ledger.store.branch.branch import Branch
from ledger.store.branch.manifests import read_manifest
from ledger.store.branch.versions import find_content, read_retirements
from ledger.store.integrity.verify import verify

DIGITS = load_digits()
ORDER = np.random.default_rng(0).permutation(len(DIGITS.target))
"""The digits come writer by writer; in any order, one part of them is like another."""


def write(folder: Path, numbers: range, *, shift: int = 0, kind: str = "digit") -> None:
    for number in ORDER[list(numbers)]:
        file = folder / str(DIGITS.target[number]) / f"{kind}-{number:04}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((np.roll(DIGITS.images[number], shift, axis=1) * 15).astype(np.uint8)).save(file)


def add(ledger: Branch, path: Path | str, **more: object) -> AddedVersion:
    asked = {"name": "digits-val", "path": str(path), "role": "validation", "reason": "because", **more}
    return add_version(ledger, msgspec.convert(asked, VersionRequest))


@pytest.fixture
def first(repo: Path) -> Path:
    """The first version: 100 digits in folders by class, under `v1`."""
    write(repo / "v1", range(100))
    return repo / "v1"


def grown(first: Path) -> Path:
    """Return the next version: 30 digits shifted by a pixel added, 2 removed, 1 changed, 3 put into another class."""
    second = first.with_name("v2")
    shutil.copytree(first, second)
    write(second, range(200, 230), shift=1, kind="hard")
    for file in sorted(second.glob("1/*.png"))[:2]:
        file.unlink()
    Image.new("L", (8, 8), 200).save(min(second.glob("2/*.png")))
    for file in sorted(second.glob("3/*.png"))[:3]:
        file.rename(second / "8" / file.name)
    return second


def test_a_first_version_needs_no_reason_and_is_called_v1(ledger: Branch, first: Path) -> None:
    added = add(ledger, first, reason=None)
    (version,) = ledger.contents().datasets
    assert added.new
    assert added.version == version
    assert (version.label, version.parent, version.files, version.samples) == ("digits-val@v1", None, 100, 100)
    assert version.statistics is not None
    assert sum(version.statistics.labels.values()) == 100
    assert version.change is None
    assert version.drift == []


def test_planted_changes_are_counted_exactly(ledger: Branch, first: Path) -> None:
    add(ledger, first)
    change = add(ledger, grown(first)).version.change
    assert change is not None
    # Files put into another folder left one path and came to another.
    assert (change.parent, change.added, change.removed, change.changed) == ("v1", 33, 5, 1)
    assert change.relabelled == 3


def test_a_planted_label_shift_is_found_to_the_sample(ledger: Branch, first: Path) -> None:
    add(ledger, first)
    second = first.with_name("v2")
    shutil.copytree(first, second)
    for number in range(17):
        Image.new("L", (8, 8), number).save(second / "4" / f"more-{number}.png")
    for file in sorted(second.glob("6/*.png"))[:4]:
        file.unlink()
    change = add(ledger, second).version.change
    assert change is not None
    assert change.labels == {"4": 17, "6": -4}
    assert change.relabelled == 0


def test_a_folder_that_grew_in_place_is_compared_with_what_was_kept_of_it(ledger: Branch, first: Path) -> None:
    add(ledger, first)
    shutil.copytree(grown(first), first.with_name("aside"))
    shutil.rmtree(first)
    first.with_name("v2").rename(first)
    version = add(ledger, first).version
    assert version.change is not None
    assert version.change.relabelled == 3
    assert [drift.reference for drift in version.drift] == ["digits-val@v1"]
    kinds = {picture.change for picture in version.change.pictures}
    assert kinds == {"added", "changed", "relabelled"}, "what was removed is on this machine no longer"


def test_relabelling_is_found_by_folders_when_nothing_of_the_parent_is_at_hand(ledger: Branch, first: Path) -> None:
    add(ledger, first)
    second = grown(first)
    shutil.rmtree(first)
    for file in ledger.repository.state_dir.glob("reading-*"):
        file.write_bytes(b"damaged")
    version = add(ledger, second).version
    assert version.change is not None
    assert version.change.relabelled == 3
    assert version.change.pictures == []
    assert version.drift == []


def test_pictures_show_every_kind_of_change_and_are_those_that_are_named(ledger: Branch, first: Path) -> None:
    add(ledger, first)
    version = add(ledger, grown(first)).version
    assert version.change is not None
    pictures = version.change.pictures
    counts = {
        kind: sum(one.change == kind for one in pictures) for kind in ("added", "removed", "changed", "relabelled")
    }
    assert counts == {"added": 17, "removed": 3, "changed": 1, "relabelled": 3} or sum(counts.values()) == 24
    for one in pictures:
        png = ledger.read(picture_path(version.name, version.version, one.file.rpartition("/")[2]))
        assert png is not None
        assert hash_bytes(png) == one.hash
    moved = next(one for one in pictures if one.change == "relabelled")
    assert moved.label == "8"
    assert verify(ledger, ledger.read_blob).findings == ()


def test_rows_of_a_table_that_were_relabelled_are_known_again(ledger: Branch, repo: Path) -> None:
    rows = [f"{n * 1.5},{n % 7},{'yes' if n % 2 else 'no'}" for n in range(60)]
    (repo / "a.csv").write_text("\n".join(["x,y,label", *rows]))
    add(ledger, repo / "a.csv", labels=f"{repo / 'a.csv'}:label")
    rows[4] = rows[4].replace("no", "yes")
    rows[10] = rows[10].replace("no", "yes")
    (repo / "a.csv").write_text("\n".join(["x,y,label", *rows]))
    change = add(ledger, repo / "a.csv", labels=f"{repo / 'a.csv'}:label").version.change
    assert change is not None
    assert (change.changed, change.relabelled, change.labels) == (1, 2, {"no": -2, "yes": 2})


def test_a_planted_leak_is_found_with_its_size_and_is_the_only_one(ledger: Branch, first: Path, repo: Path) -> None:
    write(repo / "train", range(93, 193), kind="other-name")
    (repo / "train" / "empty.txt").touch()
    (first / "nothing.txt").touch()
    write(repo / "clean", range(200, 300))
    add(ledger, repo / "train", name="digits-train", role="train")
    add(ledger, repo / "clean", name="digits-clean", role="train")
    (leak,) = add(ledger, first).version.leaks
    assert (leak.dataset, leak.role, leak.files) == ("digits-train@v1", "train", 7)
    assert len(leak.examples) == 5
    assert all((first / example).exists() for example in leak.examples)


def test_what_production_shares_is_no_leak_and_neither_is_what_is_retired(
    ledger: Branch, first: Path, repo: Path
) -> None:
    write(repo / "train", range(100))
    add(ledger, first, name="production", role="production")
    add(ledger, repo / "train", name="digits-train", role="train")
    retire_version(ledger, "digits-train@v1", "it holds the validation set")
    assert add(ledger, first).version.leaks == []


def test_drift_from_a_production_sample_is_found_and_none_where_there_is_none(
    ledger: Branch, first: Path, repo: Path
) -> None:
    write(repo / "shifted", range(300, 500), shift=2)
    write(repo / "same", range(500, 700))
    version = add(ledger, first, against=[str(repo / "shifted"), str(repo / "same")]).version
    shifted, same = version.drift
    assert [figure.subject for figure in shifted.figures if figure.drifted][-1] == "images"
    assert not same.drifted
    assert shifted.reference == str(repo / "shifted")


def test_a_named_reference_must_be_that_version(ledger: Branch, first: Path, repo: Path) -> None:
    write(repo / "prod", range(300, 400))
    add(ledger, repo / "prod", name="prod", role="production")
    (drift,) = add(ledger, first, against=[f"prod@v1:{repo / 'prod'}"]).version.drift
    assert drift.reference == "prod@v1"
    with pytest.raises(LedgerError, match="this is not the content of prod@v1"):
        add(ledger, grown(first), against=[f"prod@v1:{first}"])
    with pytest.raises(NotFound, match="nothing to compare with"):
        add(ledger, repo / "v2", against=["nowhere"])


def test_content_that_is_known_is_not_added_again(ledger: Branch, first: Path) -> None:
    add(ledger, first)
    tip = ledger.tip()
    again = add(ledger, first, version="v7")
    assert (again.new, again.version.version) == (False, "v1")
    assert ledger.tip() == tip


def test_the_same_content_under_another_name_is_added_and_said(ledger: Branch, first: Path) -> None:
    add(ledger, first)
    added = add(ledger, first, name="twin")
    assert added.new
    assert added.warnings[0] == "the same content is on the ledger as digits-val@v1"


def test_a_label_that_stands_for_other_content_is_refused_with_the_next_free_one(ledger: Branch, first: Path) -> None:
    add(ledger, first)
    add(ledger, grown(first), version="v9")
    (first / "one-more.png").write_bytes((first.with_name("v2") / "8").glob("*.png").__next__().read_bytes())
    tip = ledger.tip()
    with pytest.raises(Conflict, match="`digits-val@v9`") as raised:
        add(ledger, first, version="v9")
    assert raised.value.hint == "the next free label: --version v10"
    assert ledger.tip() == tip


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        ({"parent": "v8"}, NotFound, "no such parent version"),
        ({"reason": None}, UsageError, "needs a reason"),
        ({"reason": "  "}, UsageError, "needs a reason"),
        ({"reason": "x" * 20_000}, UsageError, "longer than"),
        ({"labels": "somewhere"}, UsageError, "not a source of labels"),
        ({"labels": "labels.csv:label"}, NotFound, "no labels at"),
        ({"version": "V 2"}, LedgerError, "lower-case"),
        ({"name": "../up"}, LedgerError, "lower-case"),
        ({"path": "nowhere"}, NotFound, "nowhere"),
    ],
)
def test_what_cannot_be_added_is_refused_and_nothing_is_written(
    ledger: Branch, first: Path, more: dict[str, object], error: type[LedgerError], said: str
) -> None:
    add(ledger, first)
    tip = ledger.tip()
    with pytest.raises(error, match=said):
        add(ledger, **{"path": grown(first), **more})  # type: ignore[arg-type]  # fields by name
    assert ledger.tip() == tip


def test_a_first_version_says_what_it_is_for_and_later_ones_inherit_it(ledger: Branch, first: Path) -> None:
    with pytest.raises(UsageError, match="the role of the dataset is missing"):
        add(ledger, first, role=None)
    add(ledger, first, role="test")
    assert add(ledger, grown(first), role=None).version.role == "test"


def test_an_empty_set_is_refused(ledger: Branch, repo: Path) -> None:
    (repo / "empty").mkdir()
    with pytest.raises(LedgerError, match="holds no files"):
        add(ledger, repo / "empty")


def test_secrets_in_reason_and_source_are_replaced(ledger: Branch, first: Path) -> None:
    token = "ghp_" + "a1B2c3D4e5" * 4
    add(ledger, first, reason=f"got it with {token}", source=f"https://me:{token}@example.com/data")
    document = ledger.read("datasets/digits-val/v1/dataset.json")
    assert document is not None
    assert token.encode() not in document


def test_cases_that_were_registered_are_part_of_the_next_version(ledger: Branch, first: Path) -> None:
    add(ledger, first)
    case = add_case(ledger, "digits-val", shown="3/x.png", expected="3")
    add_case(ledger, "other", shown="x", expected="y")
    assert add(ledger, grown(first)).version.cases == [case.id]


def test_labels_outside_of_the_dataset_are_warned_about(ledger: Branch, first: Path, repo: Path) -> None:
    names = [path.relative_to(first) for path in sorted(first.rglob("*.png"))]
    (repo / "labels.csv").write_text("\n".join(["file,label", *(f"{name},{name.parent}" for name in names)]))
    added = add(ledger, first, labels=f"{repo / 'labels.csv'}:label")
    assert any("not part of its hash" in warning for warning in added.warnings)
    shutil.move(repo / "labels.csv", first / "labels.csv")
    added = add(ledger, first, labels="labels.csv:label")
    assert not any("not part of its hash" in warning for warning in added.warnings)
    assert added.version.samples == 100


def test_a_version_is_retired_once_and_stays(ledger: Branch, first: Path) -> None:
    add(ledger, first)
    note = retire_version(ledger, "digits-val@v1", "labels were wrong")
    contents = ledger.contents()
    assert contents.retirement("digits-val@v1") == note
    assert read_retirements(ledger) == {"digits-val@v1": note}
    with pytest.raises(LedgerError, match="retired already"):
        retire_version(ledger, "digits-val@v1", "again")
    for label, error in (("digits-val", UsageError), ("digits-val@v2", NotFound), ("nobody@v1", NotFound)):
        with pytest.raises(error):
            retire_version(ledger, label, "why")
    assert find_version(contents, "digits-val").version == "v1"
    add(ledger, grown(first), parent="v1")
    assert find_version(ledger.contents(), "digits-val").version == "v2"


def test_versions_are_found_by_content_and_their_manifests_are_theirs(ledger: Branch, first: Path) -> None:
    version: DatasetVersion = add(ledger, first).version
    assert find_content(ledger, version.hash) == [version]
    assert find_content(ledger, "blake3:" + "0" * 64) == []
    assert read_manifest(ledger, version).hash == version.hash


def test_an_archive_and_a_glob_are_added_without_statistics(ledger: Branch, first: Path, repo: Path) -> None:
    with tarfile.open(repo / "v1.tar", "w") as archive:
        archive.add(first, "v1")
    for name, path in (("packed", str(repo / "v1.tar")), ("some", f"{first}/*/*.png")):
        added = add(ledger, path, name=name, role="production")
        assert (added.version.files, added.version.statistics) == (100, None)
        assert "no statistics: they are computed only for a file or folder on this machine" in added.warnings
    with pytest.raises(LedgerError, match="only a file or folder"):
        add(ledger, first, against=[str(repo / "v1.tar")])


def test_without_the_packages_a_version_is_added_without_statistics(
    ledger: Branch, first: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.data.optional_packages.find_spec", lambda name: None if name == "PIL" else name)
    added = add(ledger, first)
    assert added.version.statistics is None
    assert added.warnings == ["no statistics, because a package is missing: PIL (pip install 'git-ledger[data]')"]
    with pytest.raises(LedgerError, match="needs a package: `PIL`"):
        add(ledger, grown(first), labels="folder")


def test_paths_that_differ_in_letter_case_only_are_a_warning(ledger: Branch, first: Path) -> None:
    twin = next(path for path in sorted(first.rglob("*")) if path.is_file())
    twin.with_name(twin.name.upper()).write_bytes(twin.read_bytes() + b"x")
    added = add(ledger, first, reason="a twin")
    assert any("only in letter case" in warning and twin.name.upper() in warning for warning in added.warnings)
